//! Runs the owner's program for records in DNS, as the courier's own user and inside its sandbox.
//!
//! Invariant: the agent has seen that root alone can change it; of what it says one bounded line is kept.

use std::time::Duration;

use crate::acme::records::{Programs, Ran};
use crate::domain::dns_way::HookProgram;
use crate::domain::text::shown;
use crate::host::linux::owners;

/// For one record; removals have to fit into the time of their errand.
const WITHIN: Duration = Duration::from_secs(40);
/// Of its last line.
const LONGEST: usize = 200;

/// Runs it.
pub(super) struct Hook;

impl Programs for Hook {
    fn run<'a>(&'a self, program: &'a HookProgram, arguments: Vec<String>) -> Ran<'a> {
        let program = program.clone();
        Box::pin(async move {
            let running =
                tokio::task::spawn_blocking(move || owners::run(&program, &arguments, WITHIN));
            match running.await {
                Ok(Ok(output)) if output.is_success() => Ok(()),
                Ok(Ok(output)) => {
                    let last = output
                        .stderr
                        .lines()
                        .rev()
                        .find(|line| !line.trim().is_empty());
                    let said = last.map(|line| format!(": {}", shown(line.trim(), LONGEST)));
                    Err(format!(
                        "it ended with {}{}",
                        output.code,
                        said.unwrap_or_default()
                    ))
                }
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err("it could not be run".to_owned()),
            }
        })
    }
}
