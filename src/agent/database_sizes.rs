//! How large databases are, remembered: a list never waits for MariaDB once there was an answer.
//!
//! Invariant: a size carries the time it was looked up; where MariaDB does not answer, the last one stays, with its old time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use crate::domain::time::Timestamp;
use crate::host::HostResult;

/// Older than this, a reader causes a new look.
const FRESH_SECONDS: u64 = 30;
/// As long as the first reader waits; the next one finds what came later.
const FIRST: Duration = Duration::from_millis(500);

/// Bytes by the name of the database, and when that was so.
pub type Looked = (Timestamp, Arc<BTreeMap<String, u64>>);

/// The last look.
#[derive(Clone, Default)]
pub struct Sizes(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    last: Option<Looked>,
    tried: Option<Timestamp>,
    looking: bool,
}

impl Sizes {
    /// What was found last; none before MariaDB has answered once.
    pub fn read(
        &self,
        now: Timestamp,
        look: impl FnOnce() -> HostResult<BTreeMap<String, u64>> + Send + 'static,
    ) -> Option<Looked> {
        let is_first = {
            let mut known = self.known();
            let is_fresh =
                |tried: Timestamp| now >= tried && now < tried.plus_seconds(FRESH_SECONDS);
            if known.looking || known.tried.is_some_and(is_fresh) {
                return known.last.clone();
            }
            known.tried = Some(now);
            known.looking = true;
            known.last.is_none()
        };
        let (ended, end) = mpsc::channel::<()>();
        let sizes = self.clone();
        thread::spawn(move || {
            let found = look().ok();
            let mut known = sizes.known();
            known.looking = false;
            if let Some(found) = found {
                known.last = Some((now, Arc::new(found)));
            }
            drop(known);
            drop(ended);
        });
        if is_first {
            // Either way it is looked at: the thread has ended, or it takes too long to wait for.
            let _ = end.recv_timeout(FIRST);
        }
        self.known().last.clone()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::HostError;

    fn silent() -> HostResult<BTreeMap<String, u64>> {
        Err(HostError::SqlSilent {
            detail: "nobody is there".to_owned(),
        })
    }

    #[test]
    fn a_size_is_kept_with_its_time_while_mariadb_is_silent() {
        let sizes = Sizes::default();
        let at = Timestamp::from_millis(1_000);
        assert_eq!(sizes.read(at, silent), None);
        assert_eq!(sizes.read(at, || panic!("looked again")), None);
        let later = at.plus_seconds(FRESH_SECONDS);
        let found = || Ok(BTreeMap::from([("shop_db".to_owned(), 7)]));
        let (when, looked) = sizes.read(later, found).unwrap();
        assert_eq!((when, looked.get("shop_db")), (later, Some(&7)));
        let much_later = later.plus_seconds(FRESH_SECONDS);
        assert_eq!(sizes.read(much_later, silent).unwrap().0, later);
    }
}
