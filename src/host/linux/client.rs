//! MariaDB's own client programs: run with a uid that owns nothing, as a database user that lives for this run alone.
//!
//! Invariant: no password is in an argument or a file, no option file is read, and what comes out is passed on as it comes,
//! never held.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use crate::domain::database_job::JobLogin;
use crate::host::exec::{Output, Program};
use crate::host::linux::run::{Collector, ENVIRONMENT, code, wait};
use crate::host::linux::sql::SOCKET;
use crate::host::{HostError, HostResult};

/// The ids of such runs lie below those of sites, and no user has them: nobody else's process can look into theirs.
const FIRST_UID: u32 = 20_001;
/// As many at once.
static SLOTS: [Mutex<()>; 4] = [const { Mutex::new(()) }; 4];
const CHUNK: usize = 64 * 1024;
const COMPLAINTS: usize = 64 * 1024;
/// A program whose output has ended has this long to end as well.
const GRACE: Duration = Duration::from_secs(60);

/// See [`crate::host::Host::dump`].
pub(super) fn dump(login: &JobLogin, to: &mut dyn Write) -> HostResult<Output> {
    let (uid, _slot) = slot()?;
    let failed = |error: std::io::Error| broken(Program::MariadbDump, &error);
    let mut child = start(uid, login, Program::MariadbDump, &DUMP).map_err(failed)?;
    let stderr = Collector::start(child.stderr.take(), COMPLAINTS);
    let passed = child.stdout.take().map_or(Ok(()), |from| pass(from, to));
    let grace = if passed.is_ok() {
        GRACE
    } else {
        Duration::ZERO
    };
    let status = wait(child, grace).map_err(failed)?;
    passed.map_err(failed)?;
    Ok(Output {
        code: status.map_or(-1, code),
        stdout: String::new(),
        stderr: stderr.text(),
    })
}

/// Everything in the database at one moment, and nothing about who dumped it when.
const DUMP: [&str; 9] = [
    "--single-transaction",
    "--quick",
    "--routines",
    "--events",
    "--triggers",
    "--hex-blob",
    "--default-character-set=utf8mb4",
    "--no-tablespaces",
    "--skip-dump-date",
];

/// See [`crate::host::Host::load`].
pub(super) fn load(login: &JobLogin, from: &mut dyn Read) -> HostResult<Output> {
    let (uid, _slot) = slot()?;
    let failed = |error: std::io::Error| broken(Program::Mariadb, &error);
    let mut child = start(uid, login, Program::Mariadb, &LOAD).map_err(failed)?;
    let stderr = Collector::start(child.stderr.take(), COMPLAINTS);
    // What it prints of queries is nobody's business, and must not hold it up.
    let stdout = Collector::start(child.stdout.take(), 0);
    let fed = child
        .stdin
        .take()
        .map_or(Ok(()), |mut to| feed(from, &mut to));
    // Where what comes broke off, what has come so far is not to be done either.
    let grace = if fed.is_ok() { LAST } else { Duration::ZERO };
    let status = wait(child, grace).map_err(failed)?;
    fed.map_err(failed)?;
    drop(stdout);
    Ok(Output {
        code: status.map_or(-1, code),
        stdout: String::new(),
        stderr: stderr.text(),
    })
}

/// See [`crate::host::Host::pour`].
pub(super) fn pour(
    from: &JobLogin,
    to: &JobLogin,
    watch: &mut dyn Write,
) -> HostResult<(Output, Output)> {
    let (uid, _slot) = slot()?;
    let failed = |error: std::io::Error| broken(Program::Mariadb, &error);
    let mut child = start(uid, to, Program::Mariadb, &LOAD).map_err(failed)?;
    let stderr = Collector::start(child.stderr.take(), COMPLAINTS);
    let stdout = Collector::start(child.stdout.take(), 0);
    let mut passing = Passing {
        to: child.stdin.take(),
        watch,
    };
    let dumped = dump(from, &mut passing);
    let is_fed = passing.to.is_some();
    drop(passing);
    let dumped = match dumped {
        Err(_) if !is_fed => Ok(Output {
            code: -1,
            stdout: String::new(),
            stderr: String::new(),
        }),
        answer => answer,
    };
    let is_whole = dumped.as_ref().is_ok_and(Output::is_success);
    // What broke off is not to be done to its last statement; a client that took no more has its own reason.
    let grace = if is_whole || !is_fed {
        LAST
    } else {
        Duration::ZERO
    };
    let status = wait(child, grace).map_err(failed)?;
    drop(stdout);
    let loaded = Output {
        code: status.map_or(-1, code),
        stdout: String::new(),
        stderr: stderr.text(),
    };
    Ok((dumped?, loaded))
}

/// What goes into the client, and past whoever watches. Once the client takes no more, the dump ends as well.
struct Passing<'a> {
    to: Option<ChildStdin>,
    watch: &'a mut dyn Write,
}

impl Write for Passing<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.watch.write_all(bytes)?;
        let passed = self.to.as_mut().map(|to| to.write_all(bytes));
        if let Some(Ok(())) = passed {
            return Ok(bytes.len());
        }
        self.to = None;
        Err(ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The last statement may be one that builds an index over everything.
const LAST: Duration = Duration::from_secs(2 * 60 * 60);

/// None of the client's own commands (`\!`, `source`, `tee`), no file of this machine, bytes as they are.
const LOAD: [&str; 5] = [
    "--sandbox",
    "--binary-mode",
    "--batch",
    "--local-infile=0",
    "--default-character-set=utf8mb4",
];

/// Passes on what comes. A program that takes no more has its own reason, which it says on standard error.
fn feed(from: &mut dyn Read, to: &mut impl Write) -> std::io::Result<()> {
    let mut buffer = vec![0_u8; CHUNK];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if to
            .write_all(buffer.get(..count).unwrap_or_default())
            .is_err()
        {
            return Ok(());
        }
    }
}

fn start(
    uid: u32,
    login: &JobLogin,
    program: Program,
    arguments: &[&str],
) -> std::io::Result<Child> {
    // Why no call to set groups: for a uid other than root the standard library drops the supplementary ones with it.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where a program is started with a uid of its own"
    )]
    std::process::Command::new(Program::Prlimit.path())
        // A statement without an end is not collected for ever.
        .args(["--as=805306368", "--", program.path()])
        .args(["--no-defaults", "--protocol=socket"])
        .arg(format!("--socket={SOCKET}"))
        .arg(format!("--user={}", login.user.as_str()))
        // The largest row that MariaDB knows.
        .arg("--max-allowed-packet=1G")
        .args(arguments)
        .arg(&login.database)
        .env_clear()
        .envs(ENVIRONMENT)
        .env("MYSQL_PWD", login.password.reveal())
        .current_dir("/")
        .uid(uid)
        .gid(uid)
        .stdin(if program == Program::Mariadb {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
}

/// A uid that no other run has.
fn slot() -> HostResult<(u32, MutexGuard<'static, ()>)> {
    let free = (FIRST_UID..).zip(&SLOTS).find_map(|(uid, slot)| {
        let guard = match slot.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some((uid, guard))
    });
    free.ok_or(HostError::Busy {
        what: "as many databases as this server takes at once are written out or read in already",
    })
}

fn pass(mut from: impl Read, to: &mut dyn Write) -> std::io::Result<()> {
    let mut buffer = vec![0_u8; CHUNK];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => return to.flush(),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        to.write_all(buffer.get(..count).unwrap_or_default())?;
    }
}

fn broken(program: Program, error: &std::io::Error) -> HostError {
    HostError::Program {
        program: program.path(),
        what: format!("did not get to its end: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_run_has_a_uid_of_its_own_and_there_are_only_so_many() {
        let taken: Vec<_> = SLOTS.iter().map(|_| slot().unwrap()).collect();
        let uids: Vec<u32> = taken.iter().map(|(uid, _)| *uid).collect();
        assert_eq!(uids, [20_001, 20_002, 20_003, 20_004]);
        assert!(matches!(slot(), Err(HostError::Busy { .. })));
        drop(taken);
        assert!(slot().is_ok());
    }

    #[test]
    fn the_ids_of_runs_are_no_sites() {
        use crate::domain::id::SiteId;
        let last = FIRST_UID + u32::try_from(SLOTS.len()).unwrap();
        assert!(last < SiteId::FIRST.uid());
    }
}
