//! One operation at a time.
//!
//! Invariant: a pass given out is the only one until it is dropped, also when its holder panics.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Where operations queue.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

/// The right to plan and run.
#[derive(Debug)]
pub struct Pass(Gate);

impl Gate {
    /// Waits until the gate is free; `None` after that many milliseconds.
    #[must_use]
    pub fn enter(&self, millis: u64) -> Option<Pass> {
        let (taken, freed) = &*self.0;
        let guard = taken.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut guard, wait) = freed
            .wait_timeout_while(guard, Duration::from_millis(millis), |taken| *taken)
            .unwrap_or_else(PoisonError::into_inner);
        if wait.timed_out() && *guard {
            return None;
        }
        *guard = true;
        drop(guard);
        Some(Pass(self.clone()))
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let (taken, freed) = &*self.0.0;
        *taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_pass_is_out_at_a_time() {
        let gate = Gate::default();
        let pass = gate.enter(0).unwrap();
        assert!(gate.enter(1).is_none());
        drop(pass);
        assert!(gate.enter(0).is_some());
    }
}
