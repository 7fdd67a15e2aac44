//! What happened while an order ran.
//!
//! Invariant: what was noted survives an order that is given up.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::domain::order::Moment;

/// What happened so far. Clones share it, so that it survives a course that is given up.
#[derive(Debug, Clone)]
pub struct Diary {
    began: Instant,
    moments: Arc<Mutex<Vec<Moment>>>,
}

impl Default for Diary {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            moments: Arc::default(),
        }
    }
}

impl Diary {
    /// Notes what happened now.
    pub fn note(&self, what: impl Into<String>) {
        let moment = Moment {
            after: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            what: what.into(),
        };
        self.moments
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(moment);
    }

    /// All of it.
    #[must_use]
    pub fn read(&self) -> Vec<Moment> {
        self.moments
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
