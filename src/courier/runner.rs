//! Runs errands: one line for each.
//!
//! Invariant: the list of errands is closed, and each ends within its own time.

use std::time::Duration;

use crate::domain::fault::{Code, Fault};
use crate::rpc::courier::{Errand, Report, Return};

/// Runs errands. Clones share everything.
#[derive(Debug, Clone, Default)]
pub(super) struct Runner {}

impl Runner {
    /// Runs one errand, for at most the time it has.
    pub(super) async fn run(&self, errand: Errand) -> Return {
        let within = Duration::from_secs(errand.seconds());
        tokio::time::timeout(within, self.begin(errand))
            .await
            .unwrap_or_else(|_| Err(late(within)))
    }

    async fn begin(&self, errand: Errand) -> Return {
        match errand {
            Errand::Ping {} => Ok(Report::Pong {
                version: env!("CARGO_PKG_VERSION").to_owned(),
            }),
        }
    }
}

fn late(within: Duration) -> Fault {
    Fault::new(
        Code::CourierUnreachable,
        format!("The outside world took longer than {} s", within.as_secs()),
        "see whether this server reaches the internet, then try again",
    )
}
