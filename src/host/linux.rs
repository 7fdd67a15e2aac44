//! The real machine behind the port.
//!
//! Invariant: every path is walked from one root handle, without following links; production hangs it at `/`, tests at a directory.

mod acts;
mod client;
mod copying;
mod emptying;
mod exchange;
mod files;
mod job;
mod logins;
pub mod owners;
mod parcel;
mod receiving;
mod run;
mod sql;
mod transfer;
mod unpacking;
pub mod work;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode as Bits;

use crate::domain::database_job::JobLogin;
use crate::domain::path::HostPath;
use crate::domain::time::Timestamp;
use crate::host::exec::{Command, Output};
use crate::host::job::{Act, Job, JobResult, TreeCopy};
use crate::host::walk::{self, Trust};
use crate::host::{Host, HostError, HostResult, Meta, Mode, Owner, Part, Receiving, Space};

/// Who does the jobs inside a site's tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Workers {
    /// A process with the site's uid.
    Process,
    /// This process: below a test's scratch directory, where there is no root to change the uid.
    Here,
}

/// The machine this process runs on.
#[derive(Debug)]
pub struct LinuxHost {
    root: OwnedFd,
    outside_sandbox: bool,
    workers: Workers,
    writing: Mutex<()>,
}

impl LinuxHost {
    /// The machine itself. `outside_sandbox`: this process is the agent under systemd, in its sandbox, so programs that
    /// need the whole host run as units of their own.
    pub fn system(outside_sandbox: bool) -> std::io::Result<Self> {
        Self::rooted(Path::new("/"), outside_sandbox, Workers::Process)
    }

    /// A part of a machine below a directory, for tests: paths are resolved there, jobs are done with the caller's uid,
    /// programs and MariaDB are the machine's own.
    pub fn at(root: &Path) -> std::io::Result<Self> {
        Self::rooted(root, false, Workers::Here)
    }

    fn rooted(root: &Path, outside_sandbox: bool, workers: Workers) -> std::io::Result<Self> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        Ok(Self {
            root: open(root, flags, Bits::empty())?,
            outside_sandbox,
            workers,
            writing: Mutex::new(()),
        })
    }

    fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// One change at a time: a half-made file has one name only.
    fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host for LinuxHost {
    fn stat(&self, path: &HostPath) -> HostResult<Option<Meta>> {
        files::stat(self.root(), path)
    }

    fn read(&self, path: &HostPath, limit: usize) -> HostResult<Vec<u8>> {
        files::read(self.root(), path, limit)
    }

    fn read_part(&self, path: &HostPath, from: u64, limit: usize) -> HostResult<Part> {
        files::read_part(self.root(), path, from, limit)
    }

    fn list(&self, path: &HostPath) -> HostResult<Vec<String>> {
        files::list(self.root(), path)
    }

    fn write(&self, path: &HostPath, bytes: &[u8], owner: Owner, mode: Mode) -> HostResult<()> {
        let _alone = self.writing();
        files::write(self.root(), path, bytes, owner, mode)
    }

    fn make_dir(&self, path: &HostPath, owner: Owner, mode: Mode) -> HostResult<()> {
        let _alone = self.writing();
        files::make_dir(self.root(), path, owner, mode)
    }

    fn link(&self, target: &str, path: &HostPath) -> HostResult<()> {
        let _alone = self.writing();
        files::link(self.root(), target, path)
    }

    fn rename(&self, from: &HostPath, to: &HostPath) -> HostResult<()> {
        let _alone = self.writing();
        files::rename(self.root(), from, to)
    }

    fn remove(&self, path: &HostPath) -> HostResult<()> {
        let _alone = self.writing();
        files::remove(self.root(), path)
    }

    fn set_meta(&self, path: &HostPath, owner: Owner, mode: Mode) -> HostResult<()> {
        let _alone = self.writing();
        files::set_meta(self.root(), path, owner, mode)
    }

    fn space(&self, path: &HostPath) -> HostResult<Space> {
        files::space(self.root(), path)
    }

    fn run(&self, command: &Command) -> HostResult<Output> {
        let output = run::run(command, self.outside_sandbox)?;
        for path in run::leaves_unflushed(command) {
            files::settle(self.root(), &HostPath::fixed(path))?;
        }
        Ok(output)
    }

    fn job(&self, job: &Job) -> HostResult<JobResult> {
        let base = walk::directory(self.root(), &job.base, Trust::OnlyRoot)?;
        let archive = match &job.act {
            Act::Unpack { archive, .. } => Some(files::open_regular(self.root(), archive)?.0),
            _ => None,
        };
        match self.workers {
            Workers::Process => job::run(base, job, archive),
            Workers::Here => {
                let uid = nix::unistd::geteuid().as_raw();
                let archive = archive.map(File::from);
                Ok(acts::perform(base.as_fd(), uid, &job.act, archive))
            }
        }
    }

    fn copy(&self, copy: &TreeCopy) -> HostResult<JobResult> {
        let open = |base| walk::directory(self.root(), base, Trust::OnlyRoot);
        let (from, to) = (open(&copy.from.base)?, open(&copy.to.base)?);
        match self.workers {
            Workers::Process => transfer::between_workers(from, to, copy),
            Workers::Here => transfer::here(&from, &to, copy),
        }
    }

    fn exchange(
        &self,
        socket: &HostPath,
        bytes: &[u8],
        limit: usize,
        millis: u64,
    ) -> HostResult<Vec<u8>> {
        exchange::exchange(self.root(), socket, bytes, limit, millis)
    }

    fn receive(
        &self,
        socket: &HostPath,
        bytes: &[u8],
        into: &HostPath,
        limits: Receiving,
    ) -> HostResult<Vec<u8>> {
        receiving::receive(self.root(), socket, bytes, into, limits)
    }

    fn sql(&self, statement: &str) -> HostResult<Vec<Vec<String>>> {
        sql::sql(statement)
    }

    fn dump(&self, login: &JobLogin, to: &mut dyn Write) -> HostResult<Output> {
        client::dump(login, to)
    }

    fn load(&self, login: &JobLogin, from: &mut dyn Read) -> HostResult<Output> {
        client::load(login, from)
    }

    fn pour(
        &self,
        from: &JobLogin,
        to: &JobLogin,
        watch: &mut dyn Write,
    ) -> HostResult<(Output, Output)> {
        client::pour(from, to, watch)
    }

    fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "the clock is read here and nowhere else"
        )]
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn pause(&self, millis: u64) {
        std::thread::sleep(Duration::from_millis(millis.min(1000)));
    }

    fn random(&self, bytes: &mut [u8]) -> HostResult<()> {
        getrandom::fill(bytes).map_err(|error| HostError::Io {
            doing: "drawing random bytes from",
            path: HostPath::fixed("/dev/urandom"),
            source: error.into(),
        })
    }
}
