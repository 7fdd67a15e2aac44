//! Knows whether anybody is being served, so that the courier ends once nobody has been for a while.
//!
//! Invariant: a process that serves somebody is never idle, however long that takes.

use std::time::Duration;

use tokio::sync::watch;

/// How many are being served.
#[derive(Debug, Clone)]
pub(super) struct Idle {
    served: watch::Sender<usize>,
}

/// Somebody is being served for as long as this lives.
#[derive(Debug)]
pub(super) struct Served(watch::Sender<usize>);

impl Drop for Served {
    fn drop(&mut self) {
        self.0
            .send_modify(|served| *served = served.saturating_sub(1));
    }
}

impl Idle {
    /// Nobody yet.
    pub(super) fn new() -> Self {
        Self {
            served: watch::Sender::new(0),
        }
    }

    /// One more is being served.
    pub(super) fn serve(&self) -> Served {
        self.served
            .send_modify(|served| *served = served.saturating_add(1));
        Served(self.served.clone())
    }

    /// Ready once nobody has been served for so long.
    pub(super) async fn over(&self, quiet: Duration) {
        let mut served = self.served.subscribe();
        loop {
            if *served.borrow_and_update() == 0 {
                tokio::select! {
                    _ = served.changed() => {}
                    () = tokio::time::sleep(quiet) => return,
                }
            } else if served.changed().await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_over_only_after_a_quiet_time_with_nobody_served() {
        let quiet = Duration::from_secs(30);
        let idle = Idle::new();
        let served = idle.serve();
        let long = Duration::from_secs(3600);
        let waited = tokio::time::timeout(long, idle.over(quiet)).await;
        assert!(waited.is_err(), "ended while somebody was served");
        drop(served);
        let started = tokio::time::Instant::now();
        idle.over(quiet).await;
        assert_eq!(started.elapsed(), quiet);
    }
}
