//! Hands a job to a `worker`: this same binary, started with the site's uid and gid and one handle on the site's directory.
//!
//! Invariant: root opens the base and nothing below it; what the worker answers is data of the site and is decoded strictly.

use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::time::Duration;

use nix::sys::socket::{Shutdown, shutdown};
use std::os::fd::AsRawFd;

use crate::domain::id::SiteId;
use crate::host::exec::Program;
use crate::host::job::{Act, Job, JobResult};
use crate::host::linux::run;
use crate::host::{HostError, HostResult};

const ITSELF: &str = "/proc/self/exe";
/// The most bytes of a job or of a result.
const LIMIT: u64 = 1 << 20;

/// Runs a job in a worker process; `base` is the handle (`O_PATH`) of its base directory.
///
/// The worker's standard input is that handle, its standard output a socket that carries the job in and the result out,
/// its standard error the archive, where one is to be unpacked.
/// Why a handle and not the path: the graveyard is closed to the site, its own directory in there is not.
pub(super) fn run(base: OwnedFd, job: &Job, archive: Option<OwnedFd>) -> HostResult<JobResult> {
    let seconds = match job.act {
        Act::Empty { .. } | Act::Unpack { .. } | Act::Measure { .. } => 30 * 60,
        _ => 60,
    };
    let limit = Duration::from_secs(seconds);
    match talk(base, job, archive, limit) {
        Ok(result) => Ok(result),
        Err(error) => Err(unanswered(&error)),
    }
}

/// A worker that died or was late.
pub(super) fn unanswered(error: &std::io::Error) -> HostError {
    HostError::Program {
        program: Program::Lalapanel.path(),
        what: format!("worker did not answer: {error}"),
    }
}

fn talk(
    base: OwnedFd,
    job: &Job,
    archive: Option<OwnedFd>,
    limit: Duration,
) -> std::io::Result<JobResult> {
    let (mut ours, theirs) = UnixStream::pair()?;
    let child = start(base, theirs, archive, job.site)?;
    let answer = ask(&mut ours, job, limit);
    // A worker that did not answer is late or dead; one that did is at its end.
    let grace = if answer.is_ok() { 5000 } else { 0 };
    run::wait(child, Duration::from_millis(grace))?;
    answer
}

pub(super) fn start(
    base: OwnedFd,
    socket: UnixStream,
    beside: Option<OwnedFd>,
    site: SiteId,
) -> std::io::Result<Child> {
    let program = if std::path::Path::new(ITSELF).exists() {
        ITSELF
    } else {
        Program::Lalapanel.path()
    };
    // Why no call to set groups: for a uid other than root the standard library drops the supplementary ones with it.
    #[expect(
        clippy::disallowed_methods,
        reason = "the worker is started here and nowhere else"
    )]
    std::process::Command::new(program)
        .arg("worker")
        .env_clear()
        .uid(site.uid())
        .gid(site.uid())
        .stdin(Stdio::from(base))
        .stdout(Stdio::from(OwnedFd::from(socket)))
        .stderr(beside.map_or_else(Stdio::null, Stdio::from))
        .process_group(0)
        .spawn()
}

fn ask(socket: &mut UnixStream, job: &Job, limit: Duration) -> std::io::Result<JobResult> {
    tell(socket, job)?;
    socket.set_read_timeout(Some(limit))?;
    receive(socket)
}

/// Sends a job to its worker.
pub(super) fn tell(socket: &mut UnixStream, job: &Job) -> std::io::Result<()> {
    socket.set_write_timeout(Some(Duration::from_secs(10)))?;
    socket.write_all(&serde_json::to_vec(job)?)?;
    Ok(shutdown(socket.as_fd().as_raw_fd(), Shutdown::Write)?)
}

/// Reads one JSON document to the end of the stream.
pub(super) fn receive<T: serde::de::DeserializeOwned>(
    stream: &mut impl Read,
) -> std::io::Result<T> {
    let mut bytes = Vec::new();
    stream.take(LIMIT + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LIMIT) {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    Ok(serde_json::from_slice(&bytes)?)
}
