//! Who else installs packages now, and waiting for them.
//!
//! Invariant: a lock is waited for and never broken.

use crate::domain::fault::{Code, Fault};
use crate::domain::text::shown;
use crate::host::exec::{Command, Program};
use crate::host::{Host, HostResult};
use crate::ops::context::Context;
use crate::ops::site_parts::Steps;
use crate::ops::step::Step;

/// So long it is waited for.
const LOCK_MILLIS: u64 = 300_000;

/// How every change of packages begins; `interrupted` says that some were left half-configured.
pub(super) fn first(interrupted: bool) -> Steps {
    let mut steps = Steps::default();
    steps.add(
        "Wait until no other program installs packages",
        Step::AwaitPackages {},
    );
    if interrupted {
        steps.add(
            "Finish packages that were left half-configured",
            Step::FinishPackages {},
        );
    }
    steps
}

/// Waits for whoever installs packages now: the automatic upgrades, another administrator.
///
/// Why not leave it to apt, which waits too: people see what is waited for, and nothing was begun meanwhile.
pub(super) fn wait(context: &Context<'_>) -> Result<(), Fault> {
    let host = context.host;
    let began = host.now();
    let limit = LOCK_MILLIS;
    let mut holder = None;
    loop {
        let Some(now) = lock_holder(host)? else {
            if let Some(holder) = holder {
                let seconds = host.now().millis_since(began) / 1000;
                context.say(format!("waited {seconds} s for {holder}"));
            }
            return Ok(());
        };
        if host.now().millis_since(began) >= limit {
            return Err(locked(&now));
        }
        holder = Some(now);
        for _ in 0..2 {
            host.pause(1000);
        }
    }
}

/// `E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 715 (unattended-upgr)`.
fn lock_holder(host: &dyn Host) -> HostResult<Option<String>> {
    let arguments = ["-q", "-o", "DPkg::Lock::Timeout=0", "check"];
    let output = host.run(&Command::new(Program::AptGet, arguments).within(120))?;
    Ok(holder_in(&output.stderr))
}

pub(super) fn holder_in(words: &str) -> Option<String> {
    let line = words
        .lines()
        .find(|line| line.contains("Could not get lock") || line.contains("Unable to acquire"))?;
    let held = line
        .split_once("held by ")
        .map(|(_, who)| who.trim_end_matches('.'));
    Some(shown(held.unwrap_or("another program"), 80))
}

pub(super) fn locked(holder: &str) -> Fault {
    Fault::new(
        Code::AptLocked,
        format!("another program installs packages and holds apt's lock: {holder}"),
        "wait until it has ended (the automatic upgrades may take some minutes), then try again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_holds_apts_lock_is_named() {
        let words = "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 715 (unattended-upgr)\nN: Be aware that removing the lock file is not a solution\n";
        assert_eq!(holder_in(words).unwrap(), "process 715 (unattended-upgr)");
        assert_eq!(holder_in("E: Unable to locate package php9.9-fpm\n"), None);
    }
}
