//! Databases that were deleted: into the trash, out of it, and past it.
//!
//! Invariant: a database in the trash stays where it is with its users locked and its name taken; what is dropped is dropped by
//! `database::sweep` after the operation has ended.

use crate::domain::change::Change;
use crate::domain::database::{Database, DatabaseFacts, DatabaseName};
use crate::domain::fault::{Code, Fault};
use crate::domain::time::Timestamp;
use crate::domain::trash::{DAYS, until};
use crate::ops::database::{about, lock};
use crate::ops::plan::Plan;
use crate::ops::site_parts::Steps;
use crate::ops::state::State;
use crate::store::{Effect, Store};

/// Plans the end of a database: past the trash, or out of it, where it shall be `for_good`.
pub fn delete(
    name: &DatabaseName,
    for_good: bool,
    state: &State,
    now: Timestamp,
) -> Result<Plan, Fault> {
    let in_trash = state.trashed_database(name);
    if in_trash.is_ok() && !for_good {
        return Err(Fault::new(
            Code::DatabaseConfirmation,
            format!("the database {name} is in the trash already"),
            "add `--now` to delete it for good",
        ));
    }
    let found = in_trash.or_else(|_| state.database(name))?;
    let plan = locked(format!("Delete the database {name}"), found, state);
    Ok(if for_good {
        plan.note(
            "The database is dropped for good, with everything in it, once all steps are done.",
        )
        .effect(Effect::DropDatabase(name.clone()))
    } else {
        plan.note(format!(
            "The database stays in the trash for {DAYS} days and can be put back until then. Its name stays taken."
        ))
        .effect(Effect::PutDatabase(Box::new(Database {
            deleted: Some(now),
            ..found.clone()
        })))
    })
}

fn locked(title: String, database: &Database, state: &State) -> Plan {
    let mut steps = Steps::default();
    lock(&mut steps, database, true);
    about(
        Plan::new(title, "db delete").steps(steps.into_list()),
        database,
        state,
    )
}

/// Plans the way back from the trash.
pub fn restore(name: &DatabaseName, state: &State, facts: &DatabaseFacts) -> Result<Plan, Fault> {
    let found = state.trashed_database(name)?;
    refuse_lost(found, facts)?;
    if let Some(site) = state
        .trash
        .iter()
        .find(|gone| Some(gone.site.id) == found.site)
    {
        let (id, hostname) = (site.site.id, &site.site.hostname);
        return Err(Fault::new(
            Code::DatabaseNotFound,
            format!("{hostname}, the site of {name}, is in the trash as well"),
            format!("put the site back first: `lalapanel site restore {id}`"),
        ));
    }
    let mut steps = Steps::default();
    let mut present = found.clone();
    present
        .users
        .retain(|user| facts.users.iter().any(|one| one == user.as_str()));
    lock(&mut steps, &present, false);
    let plan = Plan::new(format!("Put the database {name} back"), "db restore");
    let back = Database {
        deleted: None,
        ..found.clone()
    };
    Ok(about(plan.steps(steps.into_list()), found, state)
        .effect(Effect::PutDatabase(Box::new(back))))
}

fn refuse_lost(database: &Database, facts: &DatabaseFacts) -> Result<(), Fault> {
    let name = database.name.as_str();
    // A further user that is gone is made again with a new password; without its own user a database is nobody's.
    let is_there =
        facts.names.iter().any(|one| one == name) && facts.users.iter().any(|one| one == name);
    if is_there {
        return Ok(());
    }
    Err(Fault::new(
        Code::DatabaseNotFound,
        format!("somebody removed the database {name} or its user from MariaDB"),
        format!("forget it with `lalapanel db delete {name} --now`"),
    ))
}

/// The changes that end the databases whose time in the trash is over.
pub fn due(store: &Store, now: Timestamp) -> Result<Vec<Change>, Fault> {
    let is_over = |one: &Database| one.deleted.is_some_and(|deleted| until(deleted) <= now);
    let databases = store.databases()?.into_iter();
    Ok(databases.filter(is_over).map(end_of).collect())
}

/// The change that ends a database, wherever it is.
#[must_use]
pub fn end_of(database: Database) -> Change {
    let name = database.name;
    Change::DatabaseDelete { name, now: true }
}
