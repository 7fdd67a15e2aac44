//! What each step does, how its way back is captured, and how it is taken back. The only place where plans meet the machine.
//!
//! Invariant: acting twice ends like acting once, and so does undoing twice; the engine relies on both after a crash.

use crate::domain::fault::{Code, Fault};
use crate::domain::id::OperationId;
use crate::domain::name::UnixName;
use crate::domain::path::HostPath;
use crate::domain::text::shown;
use crate::host::exec::{Command, Program};
use crate::host::job::{Act, Job, JobResult};
use crate::host::{Host, HostResult, Mode, Owner};
use crate::ops::fault::{another_user, of_program};
use crate::ops::step::{ServiceAct, Step, User, When};
use crate::ops::undo::{Before, Undo};
use crate::ops::{nginx, service};
use crate::ops::{packages, panel};
use crate::system::{php_fpm, users};

/// What a step needs beside itself.
pub struct Context<'a> {
    /// The machine.
    pub host: &'a dyn Host,
    /// The operation it belongs to.
    pub operation: OperationId,
}

/// How often the processes of a user are ended before its removal is tried.
const KILL_TRIES: u32 = 25;
/// How long a new PHP-FPM may take to answer its first ping.
const PING_MILLIS: u64 = 10_000;

/// Captures the way back by looking.
pub fn look(step: &Step, context: &Context<'_>) -> HostResult<Undo> {
    let host = context.host;
    Ok(match step {
        Step::WriteFile { path, .. }
        | Step::RemoveFile { path }
        | Step::MakeDirectory { path, .. }
        | Step::Link { path, .. } => restore(host, path)?,
        Step::GiveFile { path, .. } => Undo::of_meta(host, path)?,
        Step::StampNginx {} => restore(host, &nginx::marker_file())?,
        Step::CheckNginx { with: Some(_) } => restore(host, &nginx::staged_file())?,
        Step::TestNginx { .. } => Undo::All {
            undos: nginx::staged_files()
                .iter()
                .map(|path| restore(host, path))
                .collect::<HostResult<_>>()?,
        },
        Step::MakeSiteDirectory {
            site, base, name, ..
        } => match host.stat(&base.join(name))? {
            None => Undo::RemoveSiteDirectory {
                site: *site,
                base: base.clone(),
                name: name.clone(),
            },
            Some(_) => restore(host, &base.join(name))?,
        },
        Step::Move { from, to } => match host.stat(from)? {
            Some(_) => Undo::MoveBack {
                from: to.clone(),
                to: from.clone(),
            },
            None => Undo::Nothing,
        },
        Step::CreateUser(user) if !users::exists(host, &user.name)? => {
            Undo::DeleteUser(user.clone())
        }
        Step::DeleteUser(user) if users::exists(host, &user.name)? => {
            Undo::CreateUser(user.clone())
        }
        Step::Job(job) => undo_of_job(job),
        Step::Service {
            act: ServiceAct::Reload,
            ..
        } => Undo::Nothing,
        Step::Claim { path } => panel::claim(host, path)?,
        Step::PanelCertificate { .. } => panel::certificate_undo(host)?,
        Step::PlaceProgram { .. } => panel::claim(host, &panel::program())?,
        Step::Service {
            services,
            unit,
            act: ServiceAct::RestartOnUndo,
        } => Undo::RestartService {
            services: *services,
            unit: unit.clone(),
        },
        Step::Service {
            services,
            unit,
            act: ServiceAct::ReloadOnUndo,
        } => Undo::ReloadService {
            services: *services,
            unit: unit.clone(),
        },
        Step::Service { services, unit, .. } => Undo::Service {
            services: *services,
            unit: unit.clone(),
            was: service::state(host, *services, unit)?,
        },
        Step::ReloadUnits {
            when: When::Undoing,
        } => Undo::ReloadUnits,
        Step::ReloadNginx {
            services,
            when: When::Undoing,
        } => Undo::ReloadNginx {
            services: *services,
        },
        Step::InstallPackages { names } => Undo::RemovePackages {
            names: packages::added_by(host, names)?,
        },
        Step::CreateUser(_)
        | Step::DeleteUser(_)
        | Step::ReloadUnits {
            when: When::Forward,
        }
        | Step::ReloadNginx {
            when: When::Forward,
            ..
        }
        | Step::CheckNginx { with: None }
        | Step::PingPhp { .. }
        | Step::ProbeSite { .. }
        | Step::RefreshPackageLists {}
        | Step::FinishPackages {}
        | Step::Sql { .. } => Undo::Nothing,
    })
}

fn restore(host: &dyn Host, path: &HostPath) -> HostResult<Undo> {
    Ok(Undo::Restore {
        path: path.clone(),
        before: Before::look(host, path)?,
    })
}

/// A file the job makes is removed again. One that existed stays: the job leaves it alone and so does the undo, since
/// planners put files only into directories that the same plan makes.
fn undo_of_job(job: &Job) -> Undo {
    match &job.act {
        Act::PutFile { path, .. } => Undo::Job(Job {
            act: Act::RemoveFile { path: path.clone() },
            ..job.clone()
        }),
        Act::RemoveFile { .. } | Act::MakeDirectory { .. } | Act::Empty { .. } => Undo::Nothing,
    }
}

/// Does the step.
pub fn act(step: &Step, context: &Context<'_>) -> Result<(), Fault> {
    let host = context.host;
    match step {
        Step::WriteFile {
            path,
            text,
            owner,
            mode,
        } => host
            .write(path, text.as_bytes(), *owner, *mode)
            .map_err(Fault::from),
        Step::GiveFile { path, owner, mode } => {
            host.set_meta(path, *owner, *mode).map_err(Fault::from)
        }
        Step::RemoveFile { path } => host.remove(path).map_err(Fault::from),
        Step::MakeDirectory { path, owner, mode } => {
            host.make_dir(path, *owner, *mode).map_err(Fault::from)
        }
        Step::MakeSiteDirectory {
            site,
            base,
            name,
            gid,
            mode,
        } => {
            let owner = Owner {
                uid: site.uid(),
                gid: *gid,
            };
            host.make_dir(&base.join(name), owner, *mode)
                .map_err(Fault::from)
        }
        Step::Link { target, path } => host.link(target, path).map_err(Fault::from),
        Step::Claim { .. } => Ok(()),
        Step::PanelCertificate { name, addresses } => panel::certify(host, name, addresses),
        Step::PlaceProgram { from } => panel::place_program(host, from),
        Step::Move { from, to } => move_away(host, from, to),
        Step::CreateUser(user) => create_user(host, user),
        Step::DeleteUser(user) => delete_user(host, user),
        Step::Job(job) => run_job(host, job),
        Step::Service {
            services,
            unit,
            act,
        } => service::act(host, *services, unit, *act),
        Step::ReloadUnits {
            when: When::Forward,
        } => reload_units(host),
        Step::StampNginx {} => nginx::stamp(host, context.operation),
        Step::CheckNginx { with } => nginx::check(host, with.as_ref()),
        Step::TestNginx {
            link,
            text,
            snippet,
        } => nginx::check_instead(host, link, text, snippet.as_deref()),
        Step::ReloadNginx {
            services,
            when: When::Forward,
        } => nginx::reload(host, *services),
        Step::ReloadUnits {
            when: When::Undoing,
        }
        | Step::ReloadNginx {
            when: When::Undoing,
            ..
        } => Ok(()),
        Step::PingPhp { socket } => ping(host, socket),
        Step::ProbeSite { hostname, expect } => nginx::probe(host, hostname, *expect),
        Step::InstallPackages { names } => packages::install(host, names),
        Step::RefreshPackageLists {} => packages::refresh(host),
        Step::FinishPackages {} => packages::finish(host),
        Step::Sql { statements } => statements
            .iter()
            .try_for_each(|statement| host.sql(statement).map(drop).map_err(Fault::from)),
    }
}

/// Takes a step back.
pub fn undo(undo: &Undo, context: &Context<'_>) -> Result<(), Fault> {
    let host = context.host;
    match undo {
        Undo::Nothing => Ok(()),
        Undo::Restore { path, before } => before.restore(host, path).map_err(Fault::from),
        Undo::RemoveSiteDirectory { site, base, name } => {
            remove_site_directory(host, *site, base, name)
        }
        Undo::MoveBack { from, to } => move_away(host, from, to),
        Undo::DeleteUser(user) => delete_user(host, user),
        Undo::CreateUser(user) => create_user(host, user),
        Undo::Job(job) => match host.stat(&job.base)? {
            Some(_) => run_job(host, job),
            None => Ok(()),
        },
        Undo::Service {
            services,
            unit,
            was,
        } => service::restore(host, *services, unit, *was),
        Undo::ReloadService { services, unit } => {
            service::act(host, *services, unit, ServiceAct::Reload)
        }
        Undo::ReloadUnits => reload_units(host),
        Undo::ReloadNginx { services } => nginx::reload_if_running(host, *services),
        Undo::RestartService { services, unit } => {
            service::restart_if_running(host, *services, unit)
        }
        Undo::RemovePackages { names } => packages::remove(host, names),
        Undo::All { undos } => undos
            .iter()
            .try_for_each(|inner| self::undo(inner, context)),
    }
}

/// Empties a directory of a site as that site, then removes it. Also how the graveyard is swept.
pub fn remove_site_directory(
    host: &dyn Host,
    site: crate::domain::id::SiteId,
    base: &HostPath,
    name: &str,
) -> Result<(), Fault> {
    let path = base.join(name);
    if host.stat(&path)?.is_none() {
        return Ok(());
    }
    if let Ok(inside) = crate::domain::path::SitePath::parse(name) {
        run_job(
            host,
            &Job {
                site,
                base: base.clone(),
                act: Act::Empty { path: inside },
            },
        )?;
    }
    host.remove(&path).map_err(Fault::from)
}

fn move_away(host: &dyn Host, from: &HostPath, to: &HostPath) -> Result<(), Fault> {
    if host.stat(from)?.is_none() {
        return Ok(());
    }
    host.rename(from, to).map_err(Fault::from)
}

fn create_user(host: &dyn Host, user: &User) -> Result<(), Fault> {
    match users::user(host, user.name.as_str())? {
        Some(found) if user.id.is_none_or(|wanted| wanted == found) => return Ok(()),
        Some(found) => return Err(another_user(&user.name, found)),
        None => {}
    }
    must(
        host,
        &users::create_command(&user.name, user.id, &user.home),
    )
}

/// Why first kill: `userdel` refuses while a process of the user lives, and a deleted user's process would go on.
fn delete_user(host: &dyn Host, user: &User) -> Result<(), Fault> {
    if !users::exists(host, &user.name)? {
        return Ok(());
    }
    for _ in 0..KILL_TRIES {
        if !kill(host, &user.name)? {
            break;
        }
        host.pause(20);
    }
    must(host, &users::delete_command(&user.name))
}

/// Ends what runs as a user; false once nothing did. Stopped first, so that nothing forks away between two looks.
fn kill(host: &dyn Host, name: &UnixName) -> Result<bool, Fault> {
    let mut found = false;
    for signal in ["STOP", "KILL"] {
        for whose in ["--uid", "--euid"] {
            let arguments = ["--signal", signal, whose, name.as_str()];
            found |= host
                .run(&Command::new(Program::Pkill, arguments))?
                .is_success();
        }
    }
    Ok(found)
}

fn run_job(host: &dyn Host, job: &Job) -> Result<(), Fault> {
    match host.job(job)? {
        JobResult::Done { .. } => Ok(()),
        JobResult::Failed {
            reason,
            disk_full: true,
        } => Err(Fault::new(
            Code::DiskFull,
            format!("no space is left for the files of {}", job.base),
            "free some space (`df -h` and `df -i` show where it went), then try again",
        )
        .detail(shown(&reason, 200))),
        JobResult::Failed { reason, .. } => Err(Fault::new(
            Code::HostFailed,
            format!("the files of {} could not be changed", job.base),
            "look at the named file, then try again",
        )
        .detail(shown(&reason, 200))),
    }
}

fn reload_units(host: &dyn Host) -> Result<(), Fault> {
    must(
        host,
        &Command::new(Program::Systemctl, ["daemon-reload"]).within(60),
    )
}

/// Why a loop: the shared PHP-FPM makes a new pool's socket only some time after its reload was said to be done.
fn ping(host: &dyn Host, socket: &HostPath) -> Result<(), Fault> {
    let deadline = host.now().millis().saturating_add(PING_MILLIS);
    loop {
        let answer = host.exchange(socket, &php_fpm::ping_request(), 4096, PING_MILLIS);
        if answer.is_ok_and(|answer| php_fpm::is_pong(&answer)) {
            return Ok(());
        }
        if host.now().millis() >= deadline {
            return Err(silent(socket));
        }
        host.pause(50);
    }
}

fn silent(socket: &HostPath) -> Fault {
    let name = socket.name().trim_end_matches(".sock");
    Fault::new(
        Code::PhpSilent,
        format!("PHP-FPM does not answer at `{socket}`"),
        format!("see `journalctl -u lalapanel-php-{name}` for its own words, then try again"),
    )
}

/// Runs a program that has to succeed.
pub fn must(host: &dyn Host, command: &Command) -> Result<(), Fault> {
    let output = host.run(command)?;
    if output.is_success() {
        Ok(())
    } else {
        Err(of_program(command, &output))
    }
}

/// Permission bits of configuration that everybody may read.
pub const READABLE: Mode = Mode(0o644);
