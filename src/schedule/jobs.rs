//! Jobs by name, each on a thread of its own.
//!
//! Invariant: a name runs once at a time, and is free again however its job ended, by a panic as well.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// The jobs that run. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Jobs(Arc<Mutex<BTreeSet<String>>>);

/// The name is taken for as long as this lives.
struct Taken<F: FnOnce()> {
    jobs: Jobs,
    name: String,
    after: Option<F>,
}

impl<F: FnOnce()> Drop for Taken<F> {
    fn drop(&mut self) {
        self.jobs.names().remove(&self.name);
        if let Some(after) = self.after.take() {
            after();
        }
    }
}

impl Jobs {
    fn names(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a job, and calls `after` once its name is free again; false where one of that name runs.
    pub fn start(
        &self,
        name: &str,
        job: impl FnOnce() + Send + 'static,
        after: impl FnOnce() + Send + 'static,
    ) -> bool {
        if !self.names().insert(name.to_owned()) {
            return false;
        }
        let taken = Taken {
            jobs: self.clone(),
            name: name.to_owned(),
            after: Some(after),
        };
        thread::spawn(move || {
            let _taken = taken;
            job();
        });
        true
    }

    /// Whether a job of that name runs.
    #[must_use]
    pub fn is_running(&self, name: &str) -> bool {
        self.names().contains(name)
    }

    /// How many run.
    #[must_use]
    pub fn count(&self) -> usize {
        self.names().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn two_jobs_of_one_name_never_run_at_once_and_a_panic_frees_the_name() {
        let jobs = Jobs::default();
        let (go, wait) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel::<bool>();
        let seen = jobs.clone();
        let job = move || {
            let _ = wait.recv();
            panic!("as told");
        };
        let after = move || {
            let _ = tell.send(seen.is_running("one"));
        };
        assert!(jobs.start("one", job, after));
        assert!(jobs.is_running("one") && !jobs.start("one", || (), || ()));
        assert!(jobs.start("other", || (), || ()));
        go.send(()).unwrap();
        assert!(!told.recv().unwrap());
        assert!(jobs.start("one", || (), || ()));
    }
}
