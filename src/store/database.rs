//! Opens the state file and runs transactions on it.
//!
//! Invariant: nothing is readable that was not committed and fsynced, and a failed transaction leaves no trace.

use std::fs::OpenOptions;
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use redb::backends::FileBackend;
use redb::{
    Database, DatabaseError, ReadTransaction, ReadableDatabase, ReadableTable, WriteTransaction,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::error::{StoreError, StoreResult};
use crate::store::site::KnownSites;
use crate::store::{migrate, tables};

/// redb's page cache; the whole state of a busy panel is smaller.
const CACHE_BYTES: usize = 2 * 1024 * 1024;

type Open = dyn Fn() -> StoreResult<Database> + Send + Sync;

/// The open state. Clones share it.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    /// `None` only between a failed write and the next use: redb wants the file opened anew after an I/O error.
    database: RwLock<Option<Database>>,
    open: Box<Open>,
    sites: Mutex<Option<KnownSites>>,
}

impl Store {
    /// Opens the state file, making it (mode 0600) or migrating it where needed.
    pub fn open(path: &Path) -> StoreResult<Self> {
        let path = path.to_owned();
        Self::with(Box::new(move || open_file(&path)))
    }

    /// A state that lives in memory, for tests. Clones are the same state, so a clone taken before a crash is what a
    /// restarted agent would find.
    pub fn in_memory() -> StoreResult<Self> {
        Self::with(Box::new(|| {
            builder()
                .create_with_backend(redb::backends::InMemoryBackend::new())
                .map_err(|error| database_error("opened", error))
        }))
    }

    pub(super) fn with(open: Box<Open>) -> StoreResult<Self> {
        let database = open()?;
        migrate::run(&database, migrate::STEPS, tables::SCHEMA)?;
        Ok(Self {
            shared: Arc::new(Shared {
                database: RwLock::new(Some(database)),
                open,
                sites: Mutex::default(),
            }),
        })
    }

    pub(super) fn known_sites(&self) -> MutexGuard<'_, Option<KnownSites>> {
        self.shared.known_sites()
    }

    /// Looks something up in one consistent snapshot.
    pub(super) fn read<T>(
        &self,
        act: impl FnOnce(&ReadTransaction) -> StoreResult<T>,
    ) -> StoreResult<T> {
        self.shared.with_database(|database| {
            let transaction = database
                .begin_read()
                .map_err(|error| database_error("read", error))?;
            act(&transaction)
        })
    }

    /// Changes something in one durable transaction; an error inside rolls all of it back.
    pub(super) fn write<T>(
        &self,
        act: impl FnOnce(&WriteTransaction) -> StoreResult<T>,
    ) -> StoreResult<T> {
        self.commit(redb::Durability::Immediate, act)
    }

    /// The same without waiting for the disk: after a power cut it may not have happened, until the next durable
    /// transaction makes it durable as well. Order is kept.
    pub(super) fn write_soon<T>(
        &self,
        act: impl FnOnce(&WriteTransaction) -> StoreResult<T>,
    ) -> StoreResult<T> {
        self.commit(redb::Durability::None, act)
    }

    fn commit<T>(
        &self,
        durability: redb::Durability,
        act: impl FnOnce(&WriteTransaction) -> StoreResult<T>,
    ) -> StoreResult<T> {
        self.shared.with_database(|database| {
            let mut transaction = database
                .begin_write()
                .map_err(|error| database_error("changed", error))?;
            transaction
                .set_durability(durability)
                .map_err(|error| database_error("changed", error))?;
            let value = act(&transaction)?;
            transaction
                .commit()
                .map_err(|error| database_error("changed", error))?;
            Ok(value)
        })
    }
}

impl Shared {
    fn known_sites(&self) -> MutexGuard<'_, Option<KnownSites>> {
        self.sites.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_database<T>(&self, act: impl FnOnce(&Database) -> StoreResult<T>) -> StoreResult<T> {
        self.reopen_if_closed()?;
        let result = {
            let guard = self.database.read().unwrap_or_else(PoisonError::into_inner);
            match guard.as_ref() {
                Some(database) => act(database),
                None => Err(database_error("opened", redb::Error::PreviousIo)),
            }
        };
        if result.as_ref().is_err_and(StoreError::wants_reopening) {
            *self
                .database
                .write()
                .unwrap_or_else(PoisonError::into_inner) = None;
        }
        result
    }

    fn reopen_if_closed(&self) -> StoreResult<()> {
        let is_open = |guard: &Option<Database>| guard.is_some();
        if is_open(&self.database.read().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(());
        }
        let mut guard = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if guard.is_none() {
            // What was not yet durable is gone, and the count of changes with it.
            *self.known_sites() = None;
            *guard = Some((self.open)()?);
        }
        Ok(())
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

pub(super) fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

fn open_file(path: &Path) -> StoreResult<Database> {
    let failed = |source| StoreError::Open {
        path: path.to_owned(),
        source,
    };
    refuse_newer(path)?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
        .map_err(failed)?;
    forget_unfinished(&file).map_err(failed)?;
    let opened = FileBackend::new(file).and_then(|backend| builder().create_with_backend(backend));
    opened.map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError::Locked {
            path: path.to_owned(),
        },
        other => database_error("opened", other),
    })
}

/// Looks before opening: redb marks a file as in use even where nothing is changed. A file that cannot be read yet is
/// new, or redb has to repair it first, and then the migration refuses it.
fn refuse_newer(path: &Path) -> StoreResult<()> {
    match builder().open_read_only(path) {
        Ok(database) => migrate::refuse_newer(&database, tables::SCHEMA),
        Err(_) => Ok(()),
    }
}

/// redb writes its magic number last when it makes a file, and then refuses a file without one: what a power cut left of
/// the very first start is emptied, so that it is made anew. Nothing was ever committed to it.
fn forget_unfinished(file: &std::fs::File) -> std::io::Result<()> {
    let mut magic = [0_u8; 9];
    let length = file.metadata()?.len();
    let read = file.read_at(&mut magic, 0)?;
    if length > 0 && magic.iter().take(read).all(|byte| *byte == 0) {
        file.set_len(0)?;
    }
    Ok(())
}

pub(super) fn database_error(doing: &'static str, error: impl Into<redb::Error>) -> StoreError {
    StoreError::Database {
        doing,
        source: Box::new(error.into()),
    }
}

/// Turns redb's errors into ours, for `?` inside a transaction.
pub(super) trait Reading<T> {
    /// While looking something up.
    fn reading(self) -> StoreResult<T>;
    /// While changing something.
    fn changing(self) -> StoreResult<T>;
}

impl<T, E: Into<redb::Error>> Reading<T> for Result<T, E> {
    fn reading(self) -> StoreResult<T> {
        self.map_err(|error| database_error("read", error))
    }
    fn changing(self) -> StoreResult<T> {
        self.map_err(|error| database_error("changed", error))
    }
}

/// A value as it is kept.
pub(super) fn to_json<T: Serialize>(table: &'static str, value: &T) -> StoreResult<Vec<u8>> {
    serde_json::to_vec(value).map_err(|source| StoreError::Shape { table, source })
}

/// A value as it was kept.
pub(super) fn from_json<T: DeserializeOwned>(table: &'static str, bytes: &[u8]) -> StoreResult<T> {
    serde_json::from_slice(bytes).map_err(|source| StoreError::Shape { table, source })
}

/// Counts up and returns the new value; the first is 1.
pub(super) fn count_up(transaction: &WriteTransaction, name: &str) -> StoreResult<u64> {
    let mut counters = transaction.open_table(tables::COUNTERS).changing()?;
    let next = counters
        .get(name)
        .changing()?
        .map_or(0, |value| value.value())
        .saturating_add(1);
    counters.insert(name, next).changing()?;
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::{Code, Fault};
    use crate::store::small_disk;

    fn counted(store: &Store) -> StoreResult<u64> {
        store.write(|transaction| count_up(transaction, "test"))
    }

    #[test]
    fn the_state_file_is_private_and_keeps_what_was_committed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.redb");
        std::fs::File::create(&path).unwrap();
        let store = Store::open(&path).unwrap();
        assert_eq!(
            path.metadata().unwrap().permissions().mode() & 0o7777,
            0o600
        );
        assert_eq!(counted(&store).unwrap(), 1);
        drop(store);
        assert_eq!(counted(&Store::open(&path).unwrap()).unwrap(), 2);
    }

    #[test]
    fn a_file_whose_making_was_cut_off_is_made_anew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.redb");
        std::fs::File::create(&path).unwrap().set_len(4096).unwrap();
        assert_eq!(counted(&Store::open(&path).unwrap()).unwrap(), 1);
        assert_eq!(counted(&Store::open(&path).unwrap()).unwrap(), 2);
    }

    #[test]
    fn a_second_process_is_told_that_the_file_is_in_use() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.redb");
        let _held = Store::open(&path).unwrap();
        let error = Store::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::Locked { .. }), "{error:?}");
        assert_eq!(Fault::from(error).code, Code::StateFailed);
    }

    #[test]
    fn a_failed_transaction_leaves_no_trace() {
        let store = Store::in_memory().unwrap();
        let refused: StoreResult<()> = store.write(|transaction| {
            count_up(transaction, "test")?;
            Err(StoreError::LastAccount)
        });
        assert!(refused.is_err());
        assert_eq!(counted(&store).unwrap(), 1);
    }

    #[test]
    fn after_a_full_disk_the_state_is_as_before_and_works_again() {
        let (store, disk) = small_disk::store();
        assert_eq!(counted(&store).unwrap(), 1);
        disk.set_full(true);
        let error = counted(&store).unwrap_err();
        assert_eq!(Fault::from(error).code, Code::DiskFull);
        disk.set_full(false);
        assert_eq!(counted(&store).unwrap(), 2);
    }
}
