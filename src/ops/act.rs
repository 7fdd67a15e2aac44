//! What each step does, how its way back is captured, and how it is taken back. The only place where plans meet the machine.
//!
//! Invariant: acting twice ends like acting once, and so does undoing twice; the engine relies on both after a crash.

use crate::domain::facts::ServiceManager;
use crate::domain::fault::Fault;
use crate::domain::name::UnixName;
use crate::domain::path::HostPath;
use crate::host::exec::{Command, Program};
use crate::host::{Host, HostResult, Mode, Owner};
pub use crate::ops::context::Context;
use crate::ops::fault::of_program;
use crate::ops::step::{ServiceAct, Step, When};
use crate::ops::undo::{Before, Undo};
use crate::ops::{
    apt_lock, database, database_access, database_clone, database_import, database_site, home,
    jobs, nginx, packages, pairs, panel, php_trial, service, site_tls, user, wordpress,
};
use crate::system::{config_edit, database as sql, database_job, users};

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
        Step::TestNginx { .. } => restore_all(host, &nginx::staged_files())?,
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
        Step::CreateUser(u) if !users::exists(host, &u.name)? => Undo::DeleteUser(u.clone()),
        Step::DeleteUser(user) if users::exists(host, &user.name)? => {
            Undo::CreateUser(user.clone())
        }
        Step::MoveHome { name, from, to } => undo_of_home(host, name, from, to)?,
        Step::Job(job) => jobs::undo_of(job),
        Step::Claim { path } => panel::claim(host, path)?,
        Step::PanelCertificate { .. } => panel::certificate_undo(host)?,
        Step::Panel(step) => step.look(host)?,
        Step::MakePlaceholder { pair, .. } => pairs::placeholder_undo(host, pair)?,
        Step::PlaceProgram { .. } => panel::claim(host, &panel::program())?,
        Step::Service {
            services,
            unit,
            act,
        } => undo_of_act(host, *services, unit, *act)?,
        Step::StartPhp { unit, .. } => undo_of_service(host, ServiceManager::Systemd, unit)?,
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
        Step::RemovePackages { names } => Undo::InstallPackages {
            names: packages::present(host, names)?,
        },
        Step::CreateDatabase { .. }
        | Step::CreateDatabaseUser { .. }
        | Step::SetDatabasePassword { .. }
        | Step::ConfigureWordpress { .. }
        | Step::MoveLogin(_)
        | Step::LockDatabaseUser { .. } => database::look(step, host)?,
        Step::GrantDatabaseUser(_) | Step::DropDatabaseUser { .. } => {
            database_access::look(step, host)?
        }
        Step::EditLogin(edit) => database_site::look_back(host, edit)?,
        Step::SwapDatabase { name, import } => database_import::look(host, name, import)?,
        Step::CopyDatabase { .. } | Step::SetWordpressAddress(_) => {
            database_clone::look_back(step, context.operation)
        }
        // Files and tables are in what earlier steps of the same plan made.
        Step::UnpackWordpress { .. }
        | Step::CopyFiles { .. }
        | Step::InstallWordpress(_)
        | Step::CreateUser(_)
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
        | Step::TryPhp(_)
        | Step::DrainPhp { .. }
        | Step::LookAtHome { .. }
        | Step::CompareHome { .. }
        | Step::AwaitPackages {}
        | Step::ConfirmCertificate { .. }
        | Step::ProbeSite { .. }
        | Step::RefreshPackageLists {}
        | Step::FetchSource { .. }
        | Step::FinishPackages {}
        | Step::Sql { .. } => Undo::Nothing,
    })
}

/// A home that is another one already stays.
fn undo_of_home(
    host: &dyn Host,
    name: &UnixName,
    from: &HostPath,
    to: &HostPath,
) -> HostResult<Undo> {
    if users::home(host, name)?.as_deref() != Some(from.as_str()) {
        return Ok(Undo::Nothing);
    }
    Ok(Undo::MoveHome {
        name: name.clone(),
        from: to.clone(),
        to: from.clone(),
    })
}

fn undo_of_act(
    host: &dyn Host,
    services: ServiceManager,
    unit: &str,
    act: ServiceAct,
) -> HostResult<Undo> {
    let unit_name = unit.to_owned();
    match act {
        ServiceAct::Reload | ServiceAct::Retire | ServiceAct::Renew => Ok(Undo::Nothing),
        ServiceAct::RestartOnUndo => Ok(Undo::RestartService {
            services,
            unit: unit_name,
        }),
        ServiceAct::ReloadOnUndo => Ok(Undo::ReloadService {
            services,
            unit: unit_name,
        }),
        _ => undo_of_service(host, services, unit),
    }
}

fn undo_of_service(host: &dyn Host, services: ServiceManager, unit: &str) -> HostResult<Undo> {
    Ok(Undo::Service {
        services,
        unit: unit.to_owned(),
        was: service::state(host, services, unit)?,
    })
}

fn restore(host: &dyn Host, path: &HostPath) -> HostResult<Undo> {
    Ok(Undo::Restore {
        path: path.clone(),
        before: Before::look(host, path)?,
    })
}

fn restore_all(host: &dyn Host, paths: &[HostPath]) -> HostResult<Undo> {
    let undos = paths.iter().map(|path| restore(host, path));
    let undos = undos.collect::<HostResult<_>>()?;
    Ok(Undo::All { undos })
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
            let (uid, gid) = (site.uid(), *gid);
            host.make_dir(&base.join(name), Owner { uid, gid }, *mode)
                .map_err(Fault::from)
        }
        Step::Link { target, path } => host.link(target, path).map_err(Fault::from),
        Step::Claim { .. } => Ok(()),
        Step::PanelCertificate { name, addresses } => panel::certify(host, name, addresses),
        Step::MakePlaceholder { pair, hostname } => pairs::make_placeholder(host, pair, hostname),
        Step::ConfirmCertificate { hostname, pair } => site_tls::see(host, hostname, pair),
        Step::Panel(step) => step.act(host),
        Step::PlaceProgram { from } => panel::place_program(host, from),
        Step::Move { from, to } => move_away(host, from, to),
        Step::CreateUser(user) => user::create(host, user),
        Step::DeleteUser(user) => user::delete(host, user),
        Step::MoveHome { name, from, to } => user::move_home(host, name, from, to),
        Step::Job(job) => jobs::run(host, job),
        Step::CopyFiles { from, to } => jobs::copy(from, to, context),
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
        Step::PingPhp { socket } => php_trial::ping(host, socket),
        Step::StartPhp { unit, php } => php_trial::start(host, unit, *php),
        Step::DrainPhp { socket } => {
            php_trial::drain(host, socket);
            Ok(())
        }
        Step::TryPhp(trial) => php_trial::run(trial, context),
        Step::LookAtHome { hostname } => home::look(hostname, context),
        Step::CompareHome { hostname } => home::compare(hostname, context),
        Step::ProbeSite { hostname, expect } => nginx::probe(host, hostname, *expect),
        Step::AwaitPackages {} => apt_lock::wait(context),
        Step::InstallPackages { names } => packages::install(host, names),
        Step::RemovePackages { names } => packages::uninstall(host, names),
        Step::RefreshPackageLists {} => packages::refresh(host),
        Step::FetchSource { path } => packages::fetch(host, path),
        Step::FinishPackages {} => packages::finish(host),
        Step::Sql { statements } => run_all(host, statements),
        Step::CreateDatabase { .. }
        | Step::SetDatabasePassword { .. }
        | Step::LockDatabaseUser { .. } => database::act(host, step),
        Step::CreateDatabaseUser { .. }
        | Step::GrantDatabaseUser(_)
        | Step::DropDatabaseUser { .. } => database_access::act(host, step).map_err(Fault::from),
        Step::EditLogin(edit) => database_site::act(host, edit),
        Step::SwapDatabase { name, import } => database_import::swap(host, name, import),
        Step::UnpackWordpress { .. }
        | Step::ConfigureWordpress { .. }
        | Step::InstallWordpress(_) => wordpress::act(host, step),
        Step::CopyDatabase { .. } | Step::MoveLogin(_) | Step::SetWordpressAddress(_) => {
            database_clone::act(step, context)
        }
    }
}

fn run_all(host: &dyn Host, statements: &[String]) -> Result<(), Fault> {
    let mut statements = statements.iter();
    statements.try_for_each(|statement| host.sql(statement).map(drop).map_err(Fault::from))
}

/// Takes a step back.
pub fn undo(undo: &Undo, context: &Context<'_>) -> Result<(), Fault> {
    let host = context.host;
    match undo {
        Undo::Nothing => Ok(()),
        Undo::Restore { path, before } => before.restore(host, path).map_err(Fault::from),
        Undo::RemoveSiteDirectory { site, base, name } => {
            jobs::remove_site_directory(host, *site, base, name)
        }
        Undo::MoveBack { from, to } => move_away(host, from, to),
        Undo::DeleteUser(user) => user::delete(host, user),
        Undo::CreateUser(user) => user::create(host, user),
        Undo::MoveHome { name, from, to } => user::move_home(host, name, from, to),
        Undo::Job(job) => match host.stat(&job.base)? {
            Some(_) => jobs::run(host, job),
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
        Undo::InstallPackages { names } => packages::bring_back(host, names),
        Undo::DropDatabase { name } => sql::drop_database(host, name).map_err(Fault::from),
        Undo::DropDatabaseUser { user } => sql::drop_user(host, user).map_err(Fault::from),
        Undo::DropJobUsers { users } => users
            .iter()
            .try_for_each(|user| database_job::drop_user(host, user).map_err(Fault::from)),
        Undo::CreateDatabaseUser { .. } | Undo::GrantDatabaseUser { .. } => {
            database_access::undo(host, undo)
        }
        Undo::SetDatabasePassword { user, hash } => {
            sql::set_password(host, user, hash).map_err(Fault::from)
        }
        Undo::LockDatabaseUser { user, locked } => database::set_locked(host, user, *locked),
        Undo::SwapDatabaseBack {
            name,
            import,
            tables,
        } => database_import::swap_back(host, name, import, tables),
        Undo::SetConfig { values } => config_edit::put(host, values),
        Undo::All { undos } => undos
            .iter()
            .try_for_each(|inner| self::undo(inner, context)),
    }
}

fn move_away(host: &dyn Host, from: &HostPath, to: &HostPath) -> Result<(), Fault> {
    if host.stat(from)?.is_none() {
        return Ok(());
    }
    host.rename(from, to).map_err(Fault::from)
}

fn reload_units(host: &dyn Host) -> Result<(), Fault> {
    must(
        host,
        &Command::new(Program::Systemctl, ["daemon-reload"]).within(60),
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
