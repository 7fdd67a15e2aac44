//! A machine in memory: the same port, no root, no server. Tests and previews run on it.
//!
//! Invariant: it interprets the calls our own code makes and answers anything else with an error, never with a guess.

mod answers;
mod catalog;
mod copying;
pub mod faults;
mod jobs;
mod logins;
pub mod machine;
pub mod mariadb;
pub mod nginx;
mod nginx_text;
pub mod packages;
#[cfg(test)]
mod scenes;
pub mod systemd;
mod sysv;
pub mod tree;
mod units;
mod users;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::database_job::JobLogin;
use crate::domain::path::HostPath;
use crate::domain::time::Timestamp;
use crate::host::exec::{Command, Output, Program};
use crate::host::job::{Job, JobResult, TreeCopy};
use crate::host::memory::machine::Machine;
use crate::host::memory::tree::{Bytes, Kind};
use crate::host::{Host, HostError, HostResult, Meta, Mode, Owner, Part, Receiving, Space};

/// A program that ended well and said so much.
fn done(stdout: impl Into<String>) -> Output {
    Output {
        code: 0,
        stdout: stdout.into(),
        stderr: String::new(),
    }
}

/// A program that ended with this code and complained.
fn failed(code: i32, stderr: impl Into<String>) -> Output {
    let mut stderr = stderr.into();
    if !stderr.is_empty() {
        stderr.push('\n');
    }
    Output {
        code,
        stdout: String::new(),
        stderr,
    }
}

/// What changes with every call and is no part of the machine's state.
#[derive(Debug, Default)]
struct Passing {
    clock: u64,
    drawn: u64,
    ran: Vec<String>,
    statements: Vec<String>,
    rows: BTreeMap<String, Vec<Vec<String>>>,
}

#[derive(Debug, Default)]
struct Inside {
    machine: Machine,
    passing: Passing,
}

/// A handle on a machine in memory; clones are handles on the same machine.
#[derive(Debug, Clone, Default)]
pub struct MemoryHost(Arc<Mutex<Inside>>);

impl MemoryHost {
    /// A host around a machine; its clock starts on 2026-01-01.
    #[must_use]
    pub fn new(machine: Machine) -> Self {
        let passing = Passing {
            clock: 1_767_225_600_000,
            ..Passing::default()
        };
        Self(Arc::new(Mutex::new(Inside { machine, passing })))
    }

    // Why a poisoned lock is used on: a test that crashed on purpose still wants to see the machine.
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The machine as it is now.
    #[must_use]
    pub fn machine(&self) -> Machine {
        self.inside().machine.clone()
    }

    /// Changes the machine behind everybody's back, as an admin would.
    pub fn change<T>(&self, act: impl FnOnce(&mut Machine) -> T) -> T {
        act(&mut self.inside().machine)
    }

    /// The commands that ran, as a person would type them.
    #[must_use]
    pub fn ran(&self) -> Vec<String> {
        self.inside().passing.ran.clone()
    }

    /// The statements MariaDB got.
    #[must_use]
    pub fn statements(&self) -> Vec<String> {
        self.inside().passing.statements.clone()
    }

    /// What MariaDB shall answer to one exact statement; to others it answers no rows.
    pub fn set_rows(&self, statement: &str, rows: Vec<Vec<String>>) {
        self.inside()
            .passing
            .rows
            .insert(statement.to_owned(), rows);
    }

    /// Sets the clock.
    pub fn set_now(&self, now: Timestamp) {
        self.inside().passing.clock = now.millis();
    }
}

impl Host for MemoryHost {
    fn stat(&self, path: &HostPath) -> HostResult<Option<Meta>> {
        self.inside().machine.tree.stat(path)
    }

    fn read(&self, path: &HostPath, limit: usize) -> HostResult<Vec<u8>> {
        self.inside().machine.tree.read(path, limit)
    }

    fn read_part(&self, path: &HostPath, from: u64, limit: usize) -> HostResult<Part> {
        let bytes = self.read(path, usize::MAX)?;
        let uid = self.stat(path)?.map_or(0, |meta| meta.owner.uid);
        let skipped = usize::try_from(from).unwrap_or(usize::MAX);
        let numbered = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Ok(Part {
            size: bytes.len() as u64,
            bytes: bytes.into_iter().skip(skipped).take(limit).collect(),
            inode: path.as_str().bytes().fold(0xcbf2_9ce4, numbered),
            uid,
        })
    }

    fn list(&self, path: &HostPath) -> HostResult<Vec<String>> {
        self.inside().machine.tree.list(path)
    }

    fn write(&self, path: &HostPath, bytes: &[u8], owner: Owner, mode: Mode) -> HostResult<()> {
        let machine = &mut self.inside().machine;
        machine.tree.check_above(path)?;
        machine.check_room(path, bytes.len())?;
        let kind = Kind::File(Bytes(bytes.to_vec()));
        machine.tree.replace(path, kind, owner, mode)
    }

    fn make_dir(&self, path: &HostPath, owner: Owner, mode: Mode) -> HostResult<()> {
        self.inside().machine.tree.make_dir(path, owner, mode)
    }

    fn link(&self, target: &str, path: &HostPath) -> HostResult<()> {
        let kind = Kind::Link(target.to_owned());
        self.inside()
            .machine
            .tree
            .replace(path, kind, Owner::ROOT, Mode(0o777))
    }

    fn rename(&self, from: &HostPath, to: &HostPath) -> HostResult<()> {
        self.inside().machine.tree.rename(from, to)
    }

    fn remove(&self, path: &HostPath) -> HostResult<()> {
        self.inside().machine.tree.remove(path)
    }

    fn set_meta(&self, path: &HostPath, owner: Owner, mode: Mode) -> HostResult<()> {
        self.inside().machine.tree.set_meta(path, owner, mode)
    }

    fn space(&self, _path: &HostPath) -> HostResult<Space> {
        Ok(self.inside().machine.space())
    }

    fn run(&self, command: &Command) -> HostResult<Output> {
        let inside = &mut *self.inside();
        inside.passing.ran.push(command.shown());
        let (machine, arguments) = (&mut inside.machine, command.arguments.as_slice());
        Ok(match command.program {
            Program::Systemctl => machine.systemctl(arguments),
            Program::Service => machine.service(arguments),
            Program::Nginx => machine.nginx_program(arguments),
            Program::Useradd => machine.useradd(arguments),
            Program::Usermod => machine.usermod(arguments),
            Program::Userdel => machine.userdel(arguments),
            Program::Groupadd => machine.groupadd(arguments),
            Program::Groupdel => machine.groupdel(arguments),
            Program::Pkill => machine.pkill(arguments),
            Program::AptGet => machine.apt_get(arguments),
            Program::AptCache => machine.apt_cache(arguments),
            Program::Dpkg => machine.dpkg(arguments),
            Program::DpkgQuery => machine.dpkg_query(arguments),
            Program::UpdateRcD => machine.update_rc_d(arguments),
            Program::Lalapanel => machine.handshake(arguments),
            Program::Mariadbd => machine.mariadb_options(),
            Program::SystemdTmpfiles
            | Program::Logrotate
            | Program::MariadbDump
            | Program::Mariadb
            | Program::Prlimit => {
                return Err(HostError::Program {
                    program: command.program.path(),
                    what: "is not part of the memory machine".to_owned(),
                });
            }
        })
    }

    fn job(&self, job: &Job) -> HostResult<JobResult> {
        let machine = &mut self.inside().machine;
        machine.tree.check_above(&job.base.join("x"))?;
        Ok(machine.job(job))
    }

    fn copy(&self, copy: &TreeCopy) -> HostResult<JobResult> {
        let machine = &mut self.inside().machine;
        for base in [&copy.from.base, &copy.to.base] {
            machine.tree.check_above(&base.join("x"))?;
        }
        Ok(machine.copy(copy))
    }

    fn exchange(
        &self,
        socket: &HostPath,
        bytes: &[u8],
        limit: usize,
        _millis: u64,
    ) -> HostResult<Vec<u8>> {
        let answer = self.inside().machine.answer(socket, bytes);
        let mut answer = answer.ok_or_else(|| HostError::Silent {
            path: socket.clone(),
            source: std::io::ErrorKind::ConnectionRefused.into(),
        })?;
        answer.truncate(limit);
        Ok(answer)
    }

    fn receive(
        &self,
        socket: &HostPath,
        bytes: &[u8],
        into: &HostPath,
        limits: Receiving,
    ) -> HostResult<Vec<u8>> {
        let rest = self.exchange(socket, bytes, limits.rest, limits.millis)?;
        let brought = self.inside().machine.courier_brings.clone();
        if u64::try_from(brought.len()).unwrap_or(u64::MAX) > limits.most {
            return Err(HostError::Broken {
                path: socket.clone(),
                source: std::io::ErrorKind::FileTooLarge.into(),
            });
        }
        self.write(into, brought.as_bytes(), Owner::ROOT, Mode(0o600))?;
        Ok(rest)
    }

    fn sql(&self, statement: &str) -> HostResult<Vec<Vec<String>>> {
        let inside = &mut *self.inside();
        if !inside.machine.running.contains_key("mariadb.service") {
            return Err(HostError::SqlSilent {
                detail: "cannot connect to /run/mysqld/mysqld.sock".to_owned(),
            });
        }
        inside.passing.statements.push(statement.to_owned());
        if let Some(rows) = inside.passing.rows.get(statement) {
            return Ok(rows.clone());
        }
        let answer = inside.machine.mariadb.run(statement);
        answer.map_err(|detail| HostError::Sql { detail })
    }

    fn dump(&self, login: &JobLogin, to: &mut dyn Write) -> HostResult<Output> {
        let answer = self.inside().machine.mariadb.dump(login);
        let text = match answer {
            Ok(text) => text,
            Err(complaint) => return Ok(failed(2, complaint)),
        };
        let passed = to.write_all(text.as_bytes()).and_then(|()| to.flush());
        passed.map_err(|error| HostError::Program {
            program: Program::MariadbDump.path(),
            what: format!("did not get to its end: {error}"),
        })?;
        Ok(done(""))
    }

    fn load(&self, login: &JobLogin, from: &mut dyn Read) -> HostResult<Output> {
        let mut text = String::new();
        let read = from.read_to_string(&mut text);
        read.map_err(|error| HostError::Program {
            program: Program::Mariadb.path(),
            what: format!("did not get to its end: {error}"),
        })?;
        Ok(match self.inside().machine.mariadb.load(login, &text) {
            Ok(()) => done(""),
            Err(complaint) => failed(1, complaint),
        })
    }

    fn pour(
        &self,
        from: &JobLogin,
        to: &JobLogin,
        watch: &mut dyn Write,
    ) -> HostResult<(Output, Output)> {
        let mut text = Vec::new();
        let dumped = self.dump(from, &mut text)?;
        let watched = watch.write_all(&text);
        watched.map_err(|error| HostError::Program {
            program: Program::Mariadb.path(),
            what: format!("did not get to its end: {error}"),
        })?;
        let loaded = self.load(to, &mut text.as_slice())?;
        Ok((dumped, loaded))
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.inside().passing.clock)
    }

    fn pause(&self, millis: u64) {
        let passing = &mut self.inside().passing;
        passing.clock = passing.clock.saturating_add(millis.min(1000));
    }

    fn random(&self, bytes: &mut [u8]) -> HostResult<()> {
        let passing = &mut self.inside().passing;
        for byte in bytes {
            passing.drawn = passing.drawn.wrapping_add(1);
            *byte = mixed(passing.drawn);
        }
        Ok(())
    }
}

/// One byte of a fixed sequence (splitmix64), so that a test sees the same numbers every time.
fn mixed(count: u64) -> u8 {
    let mut word = count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (word ^ (word >> 31))
        .to_le_bytes()
        .first()
        .copied()
        .unwrap_or(0)
}
