//! Databases of the agent made of memory.
//!
//! Invariant: of a password only its hash arrives here, and the last one is kept to be compared.

use lalapanel::domain::change::Change;
use lalapanel::domain::database::{DatabaseName, DatabaseUser};
use lalapanel::domain::fault::{Code, Fault};
use lalapanel::domain::time::Timestamp;
use lalapanel::rpc::database::DatabaseView;
use lalapanel::rpc::view::PlanStepView;

use super::State;

/// One database as the agent would show it.
pub(crate) fn database(name: &str, site: Option<&str>, created: Timestamp) -> DatabaseView {
    DatabaseView {
        name: DatabaseName::parse(name).unwrap(),
        site: site.map(|site| site.parse().unwrap()),
        users: vec![DatabaseUser::parse(name).unwrap()],
        locked: false,
        created,
    }
}

/// What a plan about a database says. Another password makes another plan, as with the real agent.
pub(super) fn steps(change: &Change) -> Vec<PlanStepView> {
    let step = |title: String, command: Option<&str>| PlanStepView {
        title,
        target: String::new(),
        command: command.map(str::to_owned),
        diff: None,
    };
    match change {
        Change::DatabaseCreate { name, .. } => vec![
            step(
                format!("Create the database {name}"),
                Some("CREATE DATABASE …"),
            ),
            step(
                format!("Create the database user {name}, for this database alone"),
                Some("GRANT ALL PRIVILEGES …"),
            ),
        ],
        Change::DatabasePassword { name, .. } => vec![step(
            format!("Give the database user {name} the new password"),
            None,
        )],
        other => vec![step(
            format!("Keep the users of {} from signing in", other.subject()),
            None,
        )],
    }
}

pub(super) fn refuse(state: &State, change: &Change) -> Result<(), Fault> {
    match change {
        Change::DatabaseCreate { name, .. }
            if state.databases.iter().any(|one| one.name == *name) =>
        {
            Err(Fault::new(
                Code::DatabaseTaken,
                format!("there is a database {name} already"),
                "choose another name",
            ))
        }
        _ => Ok(()),
    }
}

pub(super) fn take_effect(state: &mut State, change: &Change, now: Timestamp) {
    match change {
        Change::DatabaseCreate {
            name,
            hostname,
            hash,
        } => {
            let site = hostname.as_ref().map(ToString::to_string);
            let made = database(name.as_str(), site.as_deref(), now);
            state.databases.push(made);
            state.database_hash = Some(hash.clone());
        }
        Change::DatabasePassword { hash, .. } => state.database_hash = Some(hash.clone()),
        Change::DatabaseDelete { name } => state.databases.retain(|one| one.name != *name),
        _ => {}
    }
}
