//! Who may guess once more: by address, by browser, by the name that is guessed at.
//!
//! Invariant: a browser that has signed in to an account is never kept out of it by what others did.

use std::net::IpAddr;

use crate::agent::delays::Delays;
use crate::agent::limits::{Limits, Source};
use crate::domain::account::AccountName;
use crate::domain::fault::{Code, Fault};
use crate::domain::time::Timestamp;
use crate::rpc::protocol::Answer;

/// What a wrong guess counts against.
#[derive(Debug)]
pub(super) struct Guess {
    /// Where it comes from.
    pub(super) source: Source,
    /// The name a stranger guesses at.
    pub(super) name: Option<AccountName>,
}

/// Everything that is counted.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    limits: Limits,
    delays: Delays,
}

impl Guesses {
    /// Counts a guess as a wrong one before it is made.
    pub(super) fn take(&self, guess: &Guess, now: Timestamp) -> Result<(), Fault> {
        self.limits.take(guess.source, now).map_err(too_many)?;
        let Some(name) = &guess.name else {
            return Ok(());
        };
        self.delays.take(name, now).map_err(|seconds| {
            self.limits.give_back(guess.source);
            too_fast(seconds)
        })
    }

    /// Takes back what a guess that was not wrong was counted as.
    pub(super) fn settle(&self, guess: &Guess, answer: &Answer) {
        if is_wrong_guess(answer) {
            return;
        }
        self.limits.give_back(guess.source);
        if let Some(name) = &guess.name {
            match answer {
                Ok(_) => self.delays.forgive(name),
                Err(_) => self.delays.give_back(name),
            }
        }
    }

    /// Forgets the guesses of one address, or all there were.
    pub(super) fn forget(&self, address: Option<IpAddr>) {
        self.limits.forget(address);
        if address.is_none() {
            self.delays.clear();
        }
    }
}

fn is_wrong_guess(answer: &Answer) -> bool {
    matches!(answer, Err(fault) if matches!(fault.code, Code::LoginRefused | Code::SetupClosed))
}

fn too_many(seconds: u64) -> Fault {
    let minutes = seconds.div_ceil(60);
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    Fault::new(
        Code::LoginLimited,
        "Too many tries from your address",
        format!("wait {minutes} {unit}, or run `lalapanel admin unban` as root on the server"),
    )
    .detail(format!("retry after {seconds} s"))
}

fn too_fast(seconds: u64) -> Fault {
    Fault::new(
        Code::LoginLimited,
        "Too many wrong passwords for this name",
        format!(
            "wait {seconds} s, or use a browser that has signed in before; `lalapanel admin unban` as root on the server ends the waiting"
        ),
    )
    .detail(format!("retry after {seconds} s"))
}
