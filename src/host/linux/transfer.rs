//! Two workers and the pipe between them: how the files of one site get into the tree of another.
//!
//! Invariant: root opens both bases and nothing below them; each worker has the rights of its own site, and of the other's files
//! only what comes through the pipe.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::time::Duration;

use crate::host::job::{Job, JobResult, TreeCopy};
use crate::host::linux::{acts, job, run};
use crate::host::{HostError, HostResult};

/// A hundred gigabytes take about half an hour on an ordinary disk.
const LIMIT: Duration = Duration::from_secs(2 * 60 * 60);
/// How long the one worker may take to answer once the other has.
const GRACE: Duration = Duration::from_secs(30);

/// Copies with a worker process for each site.
pub(super) fn between_workers(
    from: OwnedFd,
    to: OwnedFd,
    copy: &TreeCopy,
) -> HostResult<JobResult> {
    let failed = |error: std::io::Error| job::unanswered(&error);
    let (output, input) = std::io::pipe().map_err(failed)?;
    let sender = Worker::start(from, &copy.sending(), input.into()).map_err(failed)?;
    let receiver = Worker::start(to, &copy.receiving(), output.into());
    let receiver = match receiver {
        Ok(receiver) => receiver,
        Err(error) => {
            sender.end(Duration::ZERO);
            return Err(failed(error));
        }
    };
    let received = receiver.answer(LIMIT);
    let sent = sender.answer(GRACE);
    outcome(sent, received)
}

/// The receiver's answer, unless the sender failed before it: then what the receiver complains of is the end of the pipe.
fn outcome(
    sent: std::io::Result<JobResult>,
    received: std::io::Result<JobResult>,
) -> HostResult<JobResult> {
    let failed = |error: std::io::Error| -> HostError { job::unanswered(&error) };
    match (sent, received) {
        (Ok(JobResult::Counted(size)), Ok(JobResult::Counted(made)))
            if size.things == made.things =>
        {
            Ok(JobResult::Counted(size))
        }
        (Ok(JobResult::Failed { reason, .. }), _) if reason != CLOSED => Ok(JobResult::Failed {
            reason,
            disk_full: false,
        }),
        (_, Ok(refused @ JobResult::Failed { .. })) => Ok(refused),
        (Err(error), _) | (_, Err(error)) => Err(failed(error)),
        _ => Ok(JobResult::Failed {
            reason: "more was sent than arrived".to_owned(),
            disk_full: false,
        }),
    }
}

/// What a sender says whose receiver is gone.
const CLOSED: &str = "broken pipe";

struct Worker {
    child: Child,
    socket: UnixStream,
}

impl Worker {
    fn start(base: OwnedFd, job: &Job, pipe: OwnedFd) -> std::io::Result<Self> {
        let (mut socket, theirs) = UnixStream::pair()?;
        let child = job::start(base, theirs, Some(pipe), job.site)?;
        let told = job::tell(&mut socket, job);
        let worker = Self { child, socket };
        match told {
            Ok(()) => Ok(worker),
            Err(error) => {
                worker.end(Duration::ZERO);
                Err(error)
            }
        }
    }

    fn answer(mut self, limit: Duration) -> std::io::Result<JobResult> {
        let answer = self
            .socket
            .set_read_timeout(Some(limit))
            .and_then(|()| job::receive(&mut self.socket));
        // A worker that did not answer is late or dead; one that did is at its end.
        let grace = if answer.is_ok() { 5000 } else { 0 };
        self.end(Duration::from_millis(grace));
        answer
    }

    fn end(self, grace: Duration) {
        drop(self.socket);
        let _ = run::wait(self.child, grace);
    }
}

/// The same in this process, for tests below a scratch directory: a thread for each end.
pub(super) fn here(from: &OwnedFd, to: &OwnedFd, copy: &TreeCopy) -> HostResult<JobResult> {
    let uid = nix::unistd::geteuid().as_raw();
    let (output, input) = std::io::pipe().map_err(|error| job::unanswered(&error))?;
    let end = |base: &OwnedFd, job: Job, pipe: OwnedFd| {
        acts::perform(base.as_fd(), uid, &job.act, Some(File::from(pipe)))
    };
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| end(from, copy.sending(), input.into()));
        let received = end(to, copy.receiving(), output.into());
        let died = |_| std::io::Error::other("the sender died");
        outcome(sending.join().map_err(died), Ok(received))
    })
}
