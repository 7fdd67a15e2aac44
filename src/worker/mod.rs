//! The process for every act inside a site's tree: started with the site's uid, it gives up all else before it reads its job.
//!
//! Invariant: it never runs as root, and after the lock-down it can reach no file outside the directory it was handed.

use std::os::fd::AsFd;
use std::process::ExitCode;

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, PathBeneath, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError,
};
use nix::sys::prctl::{set_dumpable, set_no_new_privs, set_pdeathsig};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{getegid, geteuid, getgid, getgroups, getuid};

use crate::host::linux::work;

/// Runs the worker. Codes: 0 answered, 1 refused to work, 2 could not read its job or write its answer.
#[must_use]
pub fn main() -> ExitCode {
    if is_privileged() || lock_down().is_err() {
        return ExitCode::from(1);
    }
    match work::serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(2),
    }
}

/// True where any of this process's ids is root's, or a group came along that is not the site's.
fn is_privileged() -> bool {
    let root = [
        getuid().as_raw(),
        geteuid().as_raw(),
        getgid().as_raw(),
        getegid().as_raw(),
    ];
    let own = getegid();
    let foreign = getgroups().is_ok_and(|groups| groups.iter().any(|group| *group != own));
    root.contains(&0) || foreign
}

fn lock_down() -> nix::Result<()> {
    set_no_new_privs()?;
    // Another process of the site may not look into this one or steer it.
    set_dumpable(false)?;
    umask(Mode::S_IRWXO);
    // Whatever becomes of the agent, nobody works on where it takes back.
    set_pdeathsig(Signal::SIGKILL)?;
    // Handles for a walk, no dump of a site's data, no further process; the size of files is limited by the job.
    for (resource, most) in [
        (Resource::RLIMIT_NOFILE, 256),
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_NPROC, 0),
    ] {
        setrlimit(resource, most, most)?;
    }
    // Best effort: a kernel without Landlock still has the uid and openat2 between the job and the rest.
    let _ = confine();
    Ok(())
}

/// Landlock: files can be opened, made and removed below the handed directory only.
fn confine() -> Result<(), RulesetError> {
    let all = AccessFs::from_all(ABI::V3);
    let base = std::io::stdin();
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
        .create()?
        .add_rule(PathBeneath::new(base.as_fd(), all))?
        .restrict_self()?;
    Ok(())
}
