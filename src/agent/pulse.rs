//! What takes some milliseconds to look up, remembered for some seconds: a visit of a page starts no program.
//!
//! Invariant: what is shown carries the time it was looked up; a reader never waits for a new look once there was one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::domain::time::Timestamp;

/// Older than this, a visit causes a new look.
const FRESH_MILLIS: u64 = 10_000;

/// The last look.
pub struct Pulse<T>(Arc<Inside<T>>);

struct Inside<T> {
    last: Mutex<Option<(Timestamp, Vec<T>)>>,
    looking: AtomicBool,
}

impl<T> Clone for Pulse<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Pulse<T> {
    fn default() -> Self {
        Self(Arc::new(Inside {
            last: Mutex::default(),
            looking: AtomicBool::default(),
        }))
    }
}

impl<T: Clone + Send + 'static> Pulse<T> {
    /// What was found, and when. The first reader waits; later ones get what there is while a thread looks anew.
    pub fn read(
        &self,
        now: Timestamp,
        look: impl FnOnce() -> Vec<T> + Send + 'static,
    ) -> (Timestamp, Vec<T>) {
        let last = self.last();
        let Some((at, findings)) = last else {
            let findings = look();
            self.keep(now, findings.clone());
            return (now, findings);
        };
        if now.millis_since(at) > FRESH_MILLIS && !self.0.looking.swap(true, Ordering::SeqCst) {
            let pulse = self.clone();
            thread::spawn(move || {
                let findings = look();
                pulse.keep(now, findings);
                pulse.0.looking.store(false, Ordering::SeqCst);
            });
        }
        (at, findings)
    }

    fn last(&self) -> Option<(Timestamp, Vec<T>)> {
        self.0
            .last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn keep(&self, at: Timestamp, findings: Vec<T>) {
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((at, findings));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_look_is_not_repeated() {
        let pulse = Pulse::<u8>::default();
        let at = Timestamp::from_millis(1_000);
        assert_eq!(pulse.read(at, Vec::new).0, at);
        let later = at.plus_seconds(5);
        assert_eq!(pulse.read(later, || panic!("looked again")).0, at);
    }
}
