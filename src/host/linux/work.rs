//! The worker's side of a job: take the job and the handle, do the act, answer.
//!
//! Invariant: the only directory a worker knows is the handle it was given as standard input, and the only thing outside it the
//! archive, or the end of a pipe, that it was given as standard error.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::geteuid;

use crate::host::job::{Act, Job, JobResult};
use crate::host::linux::{acts, job};

/// Reads the job from the socket at standard output, does it below the directory at standard input, writes the result.
///
/// A job for another uid than this process has is refused.
pub fn serve() -> std::io::Result<()> {
    let base = std::io::stdin().as_fd().try_clone_to_owned()?;
    let mut socket = UnixStream::from(std::io::stdout().as_fd().try_clone_to_owned()?);
    let job: Job = job::receive(&mut socket)?;
    let uid = geteuid().as_raw();
    let result = if job.site.uid() == uid {
        // What is to be unpacked, or the pipe of a copy, is handed in as standard error, which a worker has no other use for.
        let archive = File::from(std::io::stderr().as_fd().try_clone_to_owned()?);
        limit_files(&job.act)?;
        acts::perform(base.as_fd(), uid, &job.act, Some(archive))
    } else {
        JobResult::Failed {
            reason: "the job of another site".to_owned(),
            disk_full: false,
        }
    };
    socket.write_all(&serde_json::to_vec(&result)?)
}

/// No file of a page's size is larger; a copy may bring any file that there is room for.
fn limit_files(act: &Act) -> std::io::Result<()> {
    let most = match act {
        Act::Receive { bytes, .. } => *bytes,
        _ => 64 << 20,
    };
    Ok(setrlimit(Resource::RLIMIT_FSIZE, most, most)?)
}
