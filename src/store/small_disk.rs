//! A disk for tests that is full on demand.
//!
//! Invariant: what was written before it was full is still there after the state is opened again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use crate::store::Store;
use crate::store::database::{builder, database_error};

/// A state on such a disk.
pub(crate) fn store() -> (Store, SmallDisk) {
    let disk = SmallDisk::default();
    let same = disk.clone();
    let store = Store::with(Box::new(move || {
        builder()
            .create_with_backend(same.clone())
            .map_err(|error| database_error("opened", error))
    }));
    (store.unwrap(), disk)
}

/// The disk; clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct SmallDisk {
    bytes: Arc<RwLock<Vec<u8>>>,
    full: Arc<AtomicBool>,
}

impl SmallDisk {
    /// From now on nothing can be written, or all can.
    pub(crate) fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    fn check(&self) -> std::io::Result<()> {
        if self.full.load(Ordering::SeqCst) {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

impl redb::StorageBackend for SmallDisk {
    fn len(&self) -> std::io::Result<u64> {
        Ok(self.bytes.read().unwrap().len() as u64)
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        out.copy_from_slice(&self.bytes.read().unwrap()[start..start + out.len()]);
        Ok(())
    }
    fn set_len(&self, len: u64) -> std::io::Result<()> {
        self.check()?;
        let len = usize::try_from(len).unwrap();
        self.bytes.write().unwrap().resize(len, 0);
        Ok(())
    }
    fn sync_data(&self) -> std::io::Result<()> {
        self.check()
    }
    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.check()?;
        let start = usize::try_from(offset).unwrap();
        self.bytes.write().unwrap()[start..start + data.len()].copy_from_slice(data);
        Ok(())
    }
}
