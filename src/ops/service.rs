//! Services as steps see them: look, act, bring back.
//!
//! Invariant: bringing back ends in the state that was found, whatever happened in between.

use crate::domain::database_access::Terms;
use crate::domain::facts::ServiceManager;
use crate::domain::fault::Fault;
use crate::host::exec::Command;
use crate::host::{Host, HostResult};
use crate::ops::act::must;
use crate::ops::database_access;
use crate::ops::step::{ServiceAct, Step, When};
use crate::ops::undo::ServiceState;
use crate::system::service::{self, Verb};
use crate::system::{database, users};

/// How a service is now.
pub fn state(host: &dyn Host, services: ServiceManager, unit: &str) -> HostResult<ServiceState> {
    let found = service::state(host, services, unit)?;
    Ok(ServiceState {
        active: found.active,
        enabled: found.enabled,
        masked: found.masked,
    })
}

/// Does it.
pub fn act(
    host: &dyn Host,
    services: ServiceManager,
    unit: &str,
    act: ServiceAct,
) -> Result<(), Fault> {
    verbs(act)
        .iter()
        .flat_map(|verb| commands(services, *verb, unit))
        .try_for_each(|command| must(host, &command))
}

/// On the way back: where the service was stopped or removed meanwhile, there is nothing to restart.
pub fn restart_if_running(
    host: &dyn Host,
    services: ServiceManager,
    unit: &str,
) -> Result<(), Fault> {
    let now = state(host, services, unit)?;
    if now.active {
        act(host, services, unit, ServiceAct::Restart)
    } else {
        Ok(())
    }
}

/// Brings a service back to how it was found.
pub fn restore(
    host: &dyn Host,
    services: ServiceManager,
    unit: &str,
    was: ServiceState,
) -> Result<(), Fault> {
    let now = state(host, services, unit)?;
    let mut verbs = Vec::new();
    if now.masked && !was.masked {
        verbs.push(Verb::Unmask);
    }
    if was.enabled && !now.enabled {
        verbs.push(Verb::Enable);
    }
    if now.enabled && !was.enabled {
        verbs.push(Verb::Disable);
    }
    if was.active && !now.active {
        verbs.push(Verb::Start);
    }
    if now.active && !was.active {
        verbs.push(Verb::Stop);
    }
    if was.masked && !now.masked {
        verbs.push(Verb::Mask);
    }
    verbs
        .iter()
        .flat_map(|verb| commands(services, *verb, unit))
        .try_for_each(|command| must(host, &command))
}

fn verbs(act: ServiceAct) -> &'static [Verb] {
    match act {
        ServiceAct::EnableNow => &[Verb::Enable, Verb::Start],
        ServiceAct::DisableNow => &[Verb::Disable, Verb::Stop],
        ServiceAct::Mask => &[Verb::Stop, Verb::Disable, Verb::Mask],
        ServiceAct::Forbid => &[Verb::Mask],
        ServiceAct::Unmask => &[Verb::Unmask],
        ServiceAct::Start => &[Verb::Start],
        ServiceAct::Stop | ServiceAct::Retire => &[Verb::Stop],
        ServiceAct::Restart | ServiceAct::Renew => &[Verb::Restart],
        ServiceAct::Reload => &[Verb::Reload],
        ServiceAct::ReloadOnUndo | ServiceAct::RestartOnUndo => &[],
    }
}

fn commands(services: ServiceManager, verb: Verb, unit: &str) -> Vec<Command> {
    service::commands(services, verb, unit)
}

/// The command a step runs, as it could be typed.
#[must_use]
pub fn shown(step: &Step) -> Option<String> {
    let lines = |services, unit: &str, act| {
        verbs(act)
            .iter()
            .flat_map(|verb| commands(services, *verb, unit))
            .map(|command| command.shown())
            .collect::<Vec<_>>()
            .join("; ")
    };
    match step {
        Step::Service {
            services,
            unit,
            act,
        } => Some(lines(*services, unit, *act)).filter(|line| !line.is_empty()),
        Step::ReloadNginx {
            services,
            when: When::Forward,
        } => Some(lines(*services, "nginx", ServiceAct::Reload)),
        Step::ReloadUnits {
            when: When::Forward,
        } => Some("systemctl daemon-reload".to_owned()),
        Step::CreateUser(user) => {
            Some(users::create_command(&user.name, user.id, &user.home).shown())
        }
        Step::DeleteUser(user) => Some(users::delete_command(&user.name).shown()),
        Step::CheckNginx { .. } | Step::TestNginx { .. } => Some("nginx -t".to_owned()),
        Step::StartPhp { unit, .. } => {
            Some(lines(ServiceManager::Systemd, unit, ServiceAct::Start))
        }
        Step::RemovePackages { names } => Some(format!("apt-get remove {}", names.join(" "))),
        Step::InstallPackages { names } => Some(format!("apt-get install {}", names.join(" "))),
        Step::RefreshPackageLists {} => Some("apt-get update".to_owned()),
        Step::FinishPackages {} => Some("dpkg --configure -a".to_owned()),
        Step::Sql { statements } => Some(statements.join("; ")),
        Step::CreateDatabase { name } => Some(database::create_statement(name)),
        // What is shown of a user is what it may do: the hash of its password is nobody's business.
        Step::MoveLogin(login) => {
            let (user, name) = (login.to.user(), &login.to);
            Some(database_access::statements(&user, name, &Terms::default()))
        }
        Step::CreateDatabaseUser {
            user, name, terms, ..
        } => Some(database_access::statements(user, name, terms)),
        Step::GrantDatabaseUser(granting) => Some(granting.statements.join("; ")),
        Step::DropDatabaseUser { user } => Some(database::drop_user_statement(user)),
        Step::LockDatabaseUser { user, locked } => Some(database::lock_statement(user, *locked)),
        _ => None,
    }
}

/// How a person has a service read its configuration again.
#[must_use]
pub fn reload_line(services: ServiceManager, unit: &str) -> String {
    commands(services, Verb::Reload, unit)
        .iter()
        .map(Command::shown)
        .collect::<Vec<_>>()
        .join("; ")
}
