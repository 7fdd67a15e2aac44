//! The one port to the machine. Everything the panel does to a server goes through these verbs.
//!
//! Invariant: above this floor nothing opens a file, starts a program, reads the clock or draws a random number.
//! Two machines stand behind the port, `linux` and `memory`, held to the same conduct by one conformance suite.

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};

use crate::domain::database_job::JobLogin;
use crate::domain::id::SiteId;
use crate::domain::path::HostPath;
use crate::domain::time::Timestamp;
use crate::host::exec::{Command, Output};
use crate::host::job::{Job, JobResult, TreeCopy};

#[cfg(test)]
mod conformance;
pub mod exec;
pub mod handshake;
pub mod job;
pub mod linux;
pub mod memory;
pub mod walk;

/// What went wrong at the machine.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// No space or no inode is left.
    #[error("no space is left for `{path}`")]
    DiskFull {
        /// Where it was needed.
        path: HostPath,
    },
    /// Something is at that path, of another kind than expected.
    #[error("`{path}` is {found}, not {expected}")]
    Kind {
        /// Where.
        path: HostPath,
        /// What is there.
        found: &'static str,
        /// What was wanted.
        expected: &'static str,
    },
    /// A directory to be removed still holds something.
    #[error("`{path}` is not empty")]
    NotEmpty {
        /// Which.
        path: HostPath,
    },
    /// Nothing is at that path.
    #[error("`{path}` does not exist")]
    Missing {
        /// Where.
        path: HostPath,
    },
    /// A system call failed.
    #[error("{doing} `{path}` failed")]
    Io {
        /// What was being done: `writing`, `reading`.
        doing: &'static str,
        /// To what.
        path: HostPath,
        /// The system's own words.
        #[source]
        source: std::io::Error,
    },
    /// A program could not be started, or did not end in time.
    #[error("`{program}` {what}")]
    Program {
        /// Which.
        program: &'static str,
        /// `could not be started`, `did not finish within 30 s`.
        what: String,
    },
    /// Nobody answered at a socket.
    #[error("nobody answers at `{path}`")]
    Silent {
        /// The socket.
        path: HostPath,
        /// The system's own words.
        #[source]
        source: std::io::Error,
    },
    /// Somebody answered at a socket, and not to the end, or not as agreed.
    #[error("what came from `{path}` broke off")]
    Broken {
        /// The socket.
        path: HostPath,
        /// The system's own words.
        #[source]
        source: std::io::Error,
    },
    /// As much of this goes on as may at once.
    #[error("{what}")]
    Busy {
        /// `as many databases … already`.
        what: &'static str,
    },
    /// MariaDB is not there, or lets nobody in.
    #[error("MariaDB does not answer")]
    SqlSilent {
        /// What the connection came to.
        detail: String,
    },
    /// MariaDB refused.
    #[error("MariaDB did not accept the statement")]
    Sql {
        /// Its own words.
        detail: String,
    },
}

/// The result of a verb.
pub type HostResult<T> = Result<T, HostError>;

/// Who owns a file: numeric, because names are looked up by whoever plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The user id.
    pub uid: u32,
    /// The group id.
    pub gid: u32,
}

impl Owner {
    /// root:root.
    pub const ROOT: Self = Self { uid: 0, gid: 0 };
    /// A site's own user and group.
    #[must_use]
    pub fn of_site(id: SiteId) -> Self {
        Self {
            uid: id.uid(),
            gid: id.uid(),
        }
    }
}

/// Permission bits, 07777 and below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mode(pub u32);

/// What is at a path. Links are not followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Node {
    /// A regular file.
    File {
        /// Its size in bytes.
        size: u64,
    },
    /// A directory.
    Directory,
    /// A symbolic link.
    Link {
        /// Where it points, as stored.
        target: String,
    },
    /// A socket, a pipe, a device.
    Other,
}

/// What is at a path, with owner and mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// The kind.
    pub node: Node,
    /// Who owns it.
    pub owner: Owner,
    /// Its permission bits.
    pub mode: Mode,
}

/// Room on the file system that holds a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes an ordinary process may still write.
    pub free: u64,
    /// Bytes in all.
    pub total: u64,
    /// Inodes left; `u64::MAX` where the file system does not count them.
    pub inodes: u64,
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The bytes, fewer than asked for only at the end of the file.
    pub bytes: Vec<u8>,
    /// How large the whole file was then.
    pub size: u64,
    /// Which file it was, whatever name it gets later; the memory machine numbers by name.
    pub inode: u64,
    /// The user it belongs to.
    pub uid: u32,
}

/// How much is taken from a peer that sends a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receiving {
    /// Bytes of the file.
    pub most: u64,
    /// Bytes of one of its parts.
    pub part: usize,
    /// Bytes after it.
    pub rest: usize,
    /// Milliseconds for all of it.
    pub millis: u64,
}

/// The verbs. All are synchronous: the engine runs on a thread of its own.
///
/// Every path given to a writing verb has only root-owned ancestors; below a site's own directories the only verb is `job`.
pub trait Host: Send + Sync {
    /// What is at `path`; `None` where nothing is. Links are not followed.
    fn stat(&self, path: &HostPath) -> HostResult<Option<Meta>>;
    /// The bytes of a regular file of at most `limit` bytes.
    fn read(&self, path: &HostPath, limit: usize) -> HostResult<Vec<u8>>;
    /// At most `limit` bytes of a regular file from `from` on; links are not followed. Beyond its end there are none.
    fn read_part(&self, path: &HostPath, from: u64, limit: usize) -> HostResult<Part>;
    /// The sorted names in a directory; none where it does not exist.
    fn list(&self, path: &HostPath) -> HostResult<Vec<String>>;
    /// Puts a whole file in place: temporary file beside it, owner and mode, fsync, rename, fsync of the directory.
    /// What was there (a file or a link) is replaced; a directory there is an error. Never half a file, not even on a full disk.
    fn write(&self, path: &HostPath, bytes: &[u8], owner: Owner, mode: Mode) -> HostResult<()>;
    /// Makes one directory with exactly this owner and mode. One that exists gets the owner and the mode.
    fn make_dir(&self, path: &HostPath, owner: Owner, mode: Mode) -> HostResult<()>;
    /// Makes a symbolic link at `path`, replacing a file or link there in one rename.
    fn link(&self, target: &str, path: &HostPath) -> HostResult<()>;
    /// Moves within one file system; the target must not exist. Both directories are fsynced.
    fn rename(&self, from: &HostPath, to: &HostPath) -> HostResult<()>;
    /// Removes a file, a link, a socket or an empty directory. Nothing there is fine.
    fn remove(&self, path: &HostPath) -> HostResult<()>;
    /// Changes owner and mode of what is at `path`, by handle, never through a link.
    fn set_meta(&self, path: &HostPath, owner: Owner, mode: Mode) -> HostResult<()>;
    /// Room on the file system that holds `path`.
    fn space(&self, path: &HostPath) -> HostResult<Space>;
    /// Runs one program from the closed list; a non-zero exit is an `Output`, not an error.
    fn run(&self, command: &Command) -> HostResult<Output>;
    /// Has a `worker` with the site's uid do one typed job inside the site's tree.
    fn job(&self, job: &Job) -> HostResult<JobResult>;
    /// Has the workers of two sites copy a directory from one tree into the other, through a pipe; no link is followed, nothing replaced.
    fn copy(&self, copy: &TreeCopy) -> HostResult<JobResult>;
    /// Sends bytes to a Unix socket and returns what comes back until the peer closes, at most `limit` bytes and `millis` milliseconds.
    fn exchange(
        &self,
        socket: &HostPath,
        bytes: &[u8],
        limit: usize,
        millis: u64,
    ) -> HostResult<Vec<u8>>;
    /// Sends bytes to a Unix socket and puts what comes back into a file of root's alone, in place of what was there: parts, each with
    /// its length before it (four bytes, big-endian), until one of length 0. What follows until the peer closes is returned. Never
    /// half a file: what breaks off or is too long leaves none.
    fn receive(
        &self,
        socket: &HostPath,
        bytes: &[u8],
        into: &HostPath,
        limits: Receiving,
    ) -> HostResult<Vec<u8>>;
    /// Runs one statement as MariaDB's root over its Unix socket; rows come back as text.
    fn sql(&self, statement: &str) -> HostResult<Vec<Vec<String>>>;
    /// Runs MariaDB's dump program on one database and passes on what it writes as it comes; a non-zero exit is an `Output`, not an
    /// error. Its standard output is not in there.
    fn dump(&self, login: &JobLogin, to: &mut dyn Write) -> HostResult<Output>;
    /// Runs MariaDB's client on what comes, as a user that may fill one database, without its own commands; a non-zero exit is an
    /// `Output`, not an error. Where it ends before all has come, the rest is not read.
    fn load(&self, login: &JobLogin, from: &mut dyn Read) -> HostResult<Output>;
    /// Runs the dump program of the one into the client of the other, as the two verbs above do, and shows `watch` what passes; where
    /// that fails, nothing more passes. Answers how the dump program ended, then the client.
    fn pour(
        &self,
        from: &JobLogin,
        to: &JobLogin,
        watch: &mut dyn Write,
    ) -> HostResult<(Output, Output)>;
    /// The time.
    fn now(&self) -> Timestamp;
    /// Waits, at most a second at a time; the memory machine only moves its clock.
    fn pause(&self, millis: u64);
    /// Fills the buffer with bytes from the system's generator.
    fn random(&self, bytes: &mut [u8]) -> HostResult<()>;
}
