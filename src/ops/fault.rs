//! Turns errors of the machine and of the state into faults people read.
//!
//! Invariant: foreign words (of the system, of a program) go to `detail`, shortened to the line that names the culprit.

use std::error::Error as _;

use crate::domain::fault::{Code, Fault};
use crate::domain::name::UnixName;
use crate::domain::text::shown;
use crate::host::HostError;
use crate::host::exec::{Command, Output};

/// Of the machine.
#[must_use]
pub fn of_host(error: &HostError) -> Fault {
    let detail = error.source().map(ToString::to_string).unwrap_or_default();
    match error {
        HostError::DiskFull { .. } => Fault::new(
            Code::DiskFull,
            error.to_string(),
            "free some space (`df -h` and `df -i` show where it went), then try again",
        ),
        HostError::Program { program, .. } => Fault::new(
            Code::ProgramFailed,
            error.to_string(),
            format!("see whether `{program}` works on this server, then try again"),
        ),
        HostError::SqlSilent { detail } => Fault::new(
            Code::MariadbSilent,
            "MariaDB does not answer",
            "start it with `service mariadb start` (`journalctl -u mariadb` says why it stopped), then try again",
        )
        .detail(shown(detail, 400)),
        HostError::Sql { detail } => Fault::new(
            Code::MariadbRefused,
            "MariaDB did not accept a statement",
            "see `journalctl -u mariadb`, then try again",
        )
        .detail(shown(detail, 400)),
        HostError::Busy { .. } => Fault::new(
            Code::OperationBusy,
            error.to_string(),
            "try again in a few minutes",
        ),
        _ => Fault::new(
            Code::HostFailed,
            error.to_string(),
            "see `journalctl -u lalapanel-agent` for the whole story, then try again",
        )
        .detail(detail),
    }
}

impl From<HostError> for Fault {
    fn from(error: HostError) -> Self {
        of_host(&error)
    }
}

/// Of a program that ended with another code than 0.
#[must_use]
pub fn of_program(command: &Command, output: &Output) -> Fault {
    let words = if output.stderr.trim().is_empty() {
        &output.stdout
    } else {
        &output.stderr
    };
    let culprit = words
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    Fault::new(
        Code::ProgramFailed,
        format!("`{}` ended with code {}", command.shown(), output.code),
        "run the same command by hand to see more, then try again",
    )
    .detail(shown(culprit, 400))
}

/// A user of that name has another number.
pub(super) fn another_user(name: &UnixName, found: u32) -> Fault {
    Fault::new(
        Code::HostFailed,
        format!("the user {name} exists with the number {found}"),
        format!("remove it with `userdel {name}`, then try again"),
    )
}
