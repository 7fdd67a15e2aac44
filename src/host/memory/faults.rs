//! A host that fails once, at a chosen call, in one of four ways: how the engine's promises are tested at every point.
//!
//! Invariant: exactly one call is struck; every call before and after it passes to the host inside unchanged.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::domain::database_job::JobLogin;
use crate::domain::path::HostPath;
use crate::domain::time::Timestamp;
use crate::host::exec::{Command, Output};
use crate::host::job::{Job, JobResult, TreeCopy};
use crate::host::{Host, HostError, HostResult, Meta, Mode, Owner, Part, Receiving, Space};

/// In which way a call is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strike {
    /// Nothing is done, an error comes back.
    ErrorBefore,
    /// It is done, and an error comes back all the same.
    ErrorAfter,
    /// The process dies before it is done.
    CrashBefore,
    /// The process dies after it is done.
    CrashAfter,
}

impl Strike {
    /// All four.
    pub const ALL: [Self; 4] = [
        Self::ErrorBefore,
        Self::ErrorAfter,
        Self::CrashBefore,
        Self::CrashAfter,
    ];
}

/// The payload of the panic that stands for the death of the process; catch it with `catch_unwind` and downcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crash;

/// When and how to strike: the `call`-th call counted from 0. Reading the clock, drawing numbers and pausing are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Which call.
    pub call: usize,
    /// How.
    pub strike: Strike,
}

/// A host with at most one fault planned. Clones share the count.
#[derive(Debug, Clone)]
pub struct FaultyHost<H> {
    inner: H,
    plan: Option<Plan>,
    calls: Arc<AtomicUsize>,
}

impl<H: Host> FaultyHost<H> {
    /// A host that only counts.
    pub fn counting(inner: H) -> Self {
        Self {
            inner,
            plan: None,
            calls: Arc::default(),
        }
    }

    /// A host that strikes once.
    pub fn striking(inner: H, plan: Plan) -> Self {
        Self {
            plan: Some(plan),
            ..Self::counting(inner)
        }
    }

    /// How many calls were counted so far.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// The host inside.
    #[must_use]
    pub fn inner(&self) -> &H {
        &self.inner
    }

    fn through<T>(
        &self,
        verb: &'static str,
        act: impl FnOnce(&H) -> HostResult<T>,
    ) -> HostResult<T> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        match self
            .plan
            .filter(|plan| plan.call == call)
            .map(|plan| plan.strike)
        {
            None => act(&self.inner),
            Some(Strike::ErrorBefore) => Err(struck(verb)),
            Some(Strike::ErrorAfter) => act(&self.inner).and_then(|_| Err(struck(verb))),
            Some(Strike::CrashBefore) => std::panic::resume_unwind(Box::new(Crash)),
            Some(Strike::CrashAfter) => {
                let _ = act(&self.inner);
                std::panic::resume_unwind(Box::new(Crash))
            }
        }
    }
}

fn struck(verb: &'static str) -> HostError {
    HostError::Io {
        doing: verb,
        path: HostPath::fixed("/struck"),
        source: std::io::Error::other("a planned fault"),
    }
}

impl<H: Host> Host for FaultyHost<H> {
    fn stat(&self, path: &HostPath) -> HostResult<Option<Meta>> {
        self.through("stat", |host| host.stat(path))
    }

    fn read(&self, path: &HostPath, limit: usize) -> HostResult<Vec<u8>> {
        self.through("read", |host| host.read(path, limit))
    }

    fn read_part(&self, path: &HostPath, from: u64, limit: usize) -> HostResult<Part> {
        self.through("read_part", |host| host.read_part(path, from, limit))
    }

    fn list(&self, path: &HostPath) -> HostResult<Vec<String>> {
        self.through("list", |host| host.list(path))
    }

    fn write(&self, path: &HostPath, bytes: &[u8], owner: Owner, mode: Mode) -> HostResult<()> {
        self.through("write", |host| host.write(path, bytes, owner, mode))
    }

    fn make_dir(&self, path: &HostPath, owner: Owner, mode: Mode) -> HostResult<()> {
        self.through("make_dir", |host| host.make_dir(path, owner, mode))
    }

    fn link(&self, target: &str, path: &HostPath) -> HostResult<()> {
        self.through("link", |host| host.link(target, path))
    }

    fn rename(&self, from: &HostPath, to: &HostPath) -> HostResult<()> {
        self.through("rename", |host| host.rename(from, to))
    }

    fn remove(&self, path: &HostPath) -> HostResult<()> {
        self.through("remove", |host| host.remove(path))
    }

    fn set_meta(&self, path: &HostPath, owner: Owner, mode: Mode) -> HostResult<()> {
        self.through("set_meta", |host| host.set_meta(path, owner, mode))
    }

    fn space(&self, path: &HostPath) -> HostResult<Space> {
        self.through("space", |host| host.space(path))
    }

    fn run(&self, command: &Command) -> HostResult<Output> {
        self.through("run", |host| host.run(command))
    }

    fn job(&self, job: &Job) -> HostResult<JobResult> {
        self.through("job", |host| host.job(job))
    }

    fn copy(&self, copy: &TreeCopy) -> HostResult<JobResult> {
        self.through("copy", |host| host.copy(copy))
    }

    fn exchange(
        &self,
        socket: &HostPath,
        bytes: &[u8],
        limit: usize,
        millis: u64,
    ) -> HostResult<Vec<u8>> {
        self.through("exchange", |host| {
            host.exchange(socket, bytes, limit, millis)
        })
    }

    fn receive(
        &self,
        socket: &HostPath,
        bytes: &[u8],
        into: &HostPath,
        limits: Receiving,
    ) -> HostResult<Vec<u8>> {
        self.through("receive", |host| host.receive(socket, bytes, into, limits))
    }

    fn sql(&self, statement: &str) -> HostResult<Vec<Vec<String>>> {
        self.through("sql", |host| host.sql(statement))
    }

    fn dump(&self, login: &JobLogin, to: &mut dyn Write) -> HostResult<Output> {
        self.through("dump", |host| host.dump(login, to))
    }

    fn load(&self, login: &JobLogin, from: &mut dyn Read) -> HostResult<Output> {
        self.through("load", |host| host.load(login, from))
    }

    fn pour(
        &self,
        from: &JobLogin,
        to: &JobLogin,
        watch: &mut dyn Write,
    ) -> HostResult<(Output, Output)> {
        self.through("pour", |host| host.pour(from, to, watch))
    }

    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    fn pause(&self, millis: u64) {
        self.inner.pause(millis);
    }

    fn random(&self, bytes: &mut [u8]) -> HostResult<()> {
        self.inner.random(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;

    fn act(strike: Strike) -> (bool, bool, bool) {
        let memory = MemoryHost::new(Machine::debian());
        let plan = Plan { call: 1, strike };
        let host = FaultyHost::striking(memory.clone(), plan);
        let path = HostPath::fixed("/etc/x");
        host.stat(&path).unwrap();
        let write = || host.write(&path, b"x", Owner::ROOT, Mode(0o644)).is_ok();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(write));
        let crashed = outcome.as_ref().is_err_and(|payload| payload.is::<Crash>());
        (
            outcome.unwrap_or(false),
            crashed,
            memory.stat(&path).unwrap().is_some(),
        )
    }

    #[test]
    fn each_of_the_four_faults_strikes_as_its_name_says() {
        assert_eq!(act(Strike::ErrorBefore), (false, false, false));
        assert_eq!(act(Strike::ErrorAfter), (false, false, true));
        assert_eq!(act(Strike::CrashBefore), (false, true, false));
        assert_eq!(act(Strike::CrashAfter), (false, true, true));
    }

    #[test]
    fn without_a_plan_calls_are_counted_and_nothing_else() {
        let host = FaultyHost::counting(MemoryHost::new(Machine::debian()));
        assert!(
            host.list(&HostPath::fixed("/etc"))
                .unwrap()
                .contains(&"passwd".to_owned())
        );
        host.now();
        assert_eq!(host.calls(), 1);
    }
}
