//! Who may do what in a database: further users, their terms, and grants put right that somebody changed.
//!
//! Invariant: a further user of a database is among its users, so that it is locked, put back and dropped with it; the own user of a
//! database keeps every right in it; what a plan shows is what MariaDB is told.

use crate::domain::database::{Database, DatabaseFacts, DatabaseHash, DatabaseName, DatabaseUser};
use crate::domain::database_access::{AccessAct, ConnectionLimit, DatabaseAccess, Rights, Terms};
use crate::domain::fault::{Code, Fault};
use crate::host::{Host, HostError, HostResult};
use crate::ops::database::about;
use crate::ops::plan::Plan;
use crate::ops::state::State;
use crate::ops::step::{Granting, Step};
use crate::ops::undo::Undo;
use crate::store::Effect;
use crate::system::database as sql;
use crate::system::database_grants::{self, Access};

/// Plans one of them; `None` where there is nothing to do.
pub(super) fn plan(
    change: &DatabaseAccess,
    state: &State,
    host: &dyn Host,
) -> Result<Option<Plan>, Fault> {
    let found = state.database(&change.name)?;
    let planned = match &change.act {
        AccessAct::Add { user, hash, terms } => {
            let facts = sql::look(host)?;
            Some(add(found, user, hash, terms, state, &facts)?)
        }
        AccessAct::Set {
            user,
            rights,
            connections,
        } => {
            let terms = changed(found, user, rights.as_ref(), *connections)?;
            set(found, user, &terms, &present(host, found, user)?)
        }
        AccessAct::Password { user, hash } => {
            known(found, user)?;
            let facts = sql::look(host)?;
            let title = format!("Give the user {user} of {} a new password", found.name);
            let plan = password(
                Plan::new(title, change.act.word()),
                found,
                user,
                hash,
                &facts,
            );
            Some(plan)
        }
        AccessAct::Remove { user } => Some(remove(found, user)?),
        AccessAct::Repair {} => repair(found, host)?,
    };
    Ok(planned.map(|plan| about(plan, found, state)))
}

fn known(database: &Database, user: &DatabaseUser) -> Result<(), Fault> {
    if database.users.contains(user) {
        return Ok(());
    }
    let name = &database.name;
    Err(Fault::new(
        Code::DatabaseUserNotFound,
        format!("the database {name} has no user {user} of this panel"),
        format!("see `lalapanel db show {name}` for its users"),
    ))
}

fn is_own(database: &Database, user: &DatabaseUser) -> bool {
    *user == database.name.user()
}

fn own(title: String, hint: String) -> Fault {
    Fault::new(Code::DatabaseOwnUser, title, hint)
}

fn add(
    database: &Database,
    user: &DatabaseUser,
    hash: &DatabaseHash,
    terms: &Terms,
    state: &State,
    facts: &DatabaseFacts,
) -> Result<Plan, Fault> {
    let name = &database.name;
    refuse_taken(user, state, facts)?;
    let gone = state.trash.iter();
    if let Some(gone) = gone
        .map(|gone| &gone.site)
        .find(|site| Some(site.id) == database.site)
    {
        return Err(Fault::new(
            Code::DatabaseNotFound,
            format!("{}, the site of {name}, is in the trash", gone.hostname),
            format!(
                "put the site back first: `lalapanel site restore {}`",
                gone.id
            ),
        ));
    }
    let step = Step::CreateDatabaseUser {
        user: user.clone(),
        hash: hash.clone(),
        name: name.clone(),
        terms: terms.clone(),
    };
    let new = database.clone().with_user(user, terms);
    Ok(Plan::new(
        format!("Add the user {user} to the database {name}"),
        "db user add",
    )
    .step(
        format!("Create the database user {user}, for {name} alone: {terms}"),
        step,
    )
    .effect(Effect::PutDatabase(Box::new(new))))
}

fn refuse_taken(user: &DatabaseUser, state: &State, facts: &DatabaseFacts) -> Result<(), Fault> {
    let taken = |title: String| {
        let hint = "choose another name; each user of a database has one of its own";
        Err(Fault::new(Code::DatabaseTaken, title, hint))
    };
    let name = user.as_str();
    let kept = [&state.databases, &state.trashed_databases, &state.doomed];
    let mut kept = kept.into_iter().flatten();
    if let Some(other) = kept.find(|one| one.users.contains(user) || one.name.as_str() == name) {
        return taken(format!("{user} belongs to the database {}", other.name));
    }
    let same = |other: &String| other.eq_ignore_ascii_case(name);
    if facts.users.iter().any(same) {
        return taken(format!("MariaDB has a user {user} already"));
    }
    if facts.grants.iter().any(|(_, owner)| same(owner)) {
        return taken(format!("MariaDB holds grants of an earlier user {user}"));
    }
    Ok(())
}

fn changed(
    database: &Database,
    user: &DatabaseUser,
    rights: Option<&Rights>,
    connections: Option<ConnectionLimit>,
) -> Result<Terms, Fault> {
    known(database, user)?;
    let was = database.terms_of(user);
    let terms = Terms {
        rights: rights.cloned().unwrap_or(was.rights),
        connections: connections.unwrap_or(was.connections),
    };
    if is_own(database, user) && terms.rights != Rights::All {
        let name = &database.name;
        return Err(own(
            format!("{user} is the own user of {name}, and keeps every right in it"),
            format!("make a further user: `lalapanel db user add {name} NAME --rights read-only`"),
        ));
    }
    Ok(terms)
}

/// What a user may do now; refused where somebody removed it.
fn present(host: &dyn Host, database: &Database, user: &DatabaseUser) -> Result<Access, Fault> {
    let name = &database.name;
    database_grants::look(host, user)?.ok_or_else(|| {
        let again = if is_own(database, user) {
            format!("make it again with `lalapanel db password {name}`")
        } else {
            format!("make it again with `lalapanel db user password {name} {user}`")
        };
        Fault::new(
            Code::DatabaseUserNotFound,
            format!("somebody removed the database user {user} from MariaDB"),
            again,
        )
    })
}

fn granting(database: &Database, user: &DatabaseUser, terms: &Terms, now: &Access) -> Option<Step> {
    let wanted = database_grants::wanted(&database.name, terms);
    let statements = now.towards(&wanted, user);
    (!statements.is_empty()).then(|| {
        Step::GrantDatabaseUser(Box::new(Granting {
            user: user.clone(),
            name: database.name.clone(),
            terms: terms.clone(),
            statements,
        }))
    })
}

fn set(database: &Database, user: &DatabaseUser, terms: &Terms, now: &Access) -> Option<Plan> {
    let name = &database.name;
    let step = granting(database, user, terms, now);
    if step.is_none() && database.terms_of(user) == *terms {
        return None;
    }
    let title = format!("Let the user {user} of {name} do this: {terms}");
    let new = database.clone().with_user(user, terms);
    let mut plan = Plan::new(title, "db user set").effect(Effect::PutDatabase(Box::new(new)));
    if let Some(step) = step {
        plan = plan
            .step(format!("Change what {user} may do in {name}"), step)
            .note("Where rights are taken, open connections of the user end.");
    }
    Some(plan)
}

/// Another password; a user that somebody removed from MariaDB is made again.
pub(super) fn password(
    plan: Plan,
    database: &Database,
    user: &DatabaseUser,
    hash: &DatabaseHash,
    facts: &DatabaseFacts,
) -> Plan {
    let (user, hash) = (user.clone(), hash.clone());
    let plan = if facts.users.iter().any(|one| one == user.as_str()) {
        let title = format!("Give the database user {user} the new password");
        plan.step(title, Step::SetDatabasePassword { user, hash })
    } else {
        let title = format!("Make the database user {user} again, which somebody removed");
        let (name, terms) = (database.name.clone(), database.terms_of(&user));
        let step = Step::CreateDatabaseUser {
            user,
            hash,
            name,
            terms,
        };
        plan.step(title, step)
    };
    plan.note("What signs in as this user cannot do so any more until it has the new password.")
}

fn remove(database: &Database, user: &DatabaseUser) -> Result<Plan, Fault> {
    known(database, user)?;
    let name = &database.name;
    if is_own(database, user) {
        return Err(own(
            format!("{user} is the own user of {name}, and stays as long as it"),
            format!(
                "delete the database with `lalapanel db delete {name}`, or give the user another password"
            ),
        ));
    }
    let (one, locked) = (user.clone(), true);
    Ok(Plan::new(
        format!("Remove the user {user} from {name}"),
        "db user remove",
    )
    .step(
        format!("Keep the database user {user} from signing in, and end its connections"),
        Step::LockDatabaseUser { user: one, locked },
    )
    .step(
        "Remove it with everything it was granted",
        Step::DropDatabaseUser { user: user.clone() },
    )
    .note("The database and its other users stay as they are.")
    .effect(Effect::PutDatabase(Box::new(
        database.clone().without_user(user),
    ))))
}

fn repair(database: &Database, host: &dyn Host) -> Result<Option<Plan>, Fault> {
    let name = &database.name;
    let title = format!("Give the users of {name} the rights again that they should have");
    let mut plan = Plan::new(title, "db repair");
    for user in &database.users {
        let now = present(host, database, user)?;
        if let Some(step) = granting(database, user, &database.terms_of(user), &now) {
            plan = plan.step(format!("Put right what {user} may do"), step);
        }
    }
    if plan.steps.is_empty() {
        return Ok(None);
    }
    Ok(Some(plan.note(
        "What somebody granted beside the panel is taken. Open connections of users that lose rights end.",
    )))
}

/// What a new user may do, as statements without its password.
pub(super) fn statements(user: &DatabaseUser, name: &DatabaseName, terms: &Terms) -> String {
    let wanted = database_grants::wanted(name, terms);
    Access::default().towards(&wanted, user).join("; ")
}

/// Captures the way back of a step about what users may do.
pub(super) fn look(step: &Step, host: &dyn Host) -> HostResult<Undo> {
    let lines = |user: &DatabaseUser| -> HostResult<Option<Vec<String>>> {
        let access = database_grants::look(host, user)?;
        Ok(access.map(|access| access.lines(user)))
    };
    Ok(match step {
        Step::GrantDatabaseUser(granting) => match lines(&granting.user)? {
            Some(grants) => Undo::GrantDatabaseUser {
                user: granting.user.clone(),
                grants,
            },
            None => Undo::Nothing,
        },
        Step::DropDatabaseUser { user } => match (sql::user(host, user)?, lines(user)?) {
            (Some(was), Some(grants)) => Undo::CreateDatabaseUser {
                user: user.clone(),
                hash: was.hash.ok_or_else(|| HostError::Sql {
                    detail: format!("the user {user} signs in without a password"),
                })?,
                locked: was.locked,
                grants,
            },
            _ => Undo::Nothing,
        },
        _ => Undo::Nothing,
    })
}

/// Makes a user, gives it what it should have, or removes it.
pub(super) fn act(host: &dyn Host, step: &Step) -> HostResult<()> {
    match step {
        Step::CreateDatabaseUser {
            user,
            hash,
            name,
            terms,
        } => sql::create_user(host, user, hash, name, terms),
        Step::GrantDatabaseUser(granting) => {
            let wanted = database_grants::wanted(&granting.name, &granting.terms);
            database_grants::bring(host, &granting.user, &wanted)
        }
        Step::DropDatabaseUser { user } => sql::drop_user(host, user),
        _ => Ok(()),
    }
}

/// Takes such a step back.
pub(super) fn undo(host: &dyn Host, undo: &Undo) -> Result<(), Fault> {
    match undo {
        Undo::CreateDatabaseUser {
            user,
            hash,
            locked,
            grants,
        } => {
            sql::make_user(host, user, hash)?;
            sql::set_locked(host, user, *locked)?;
            let was = database_grants::read(grants.iter().cloned());
            database_grants::bring(host, user, &was)?;
        }
        Undo::GrantDatabaseUser { user, grants } if sql::user(host, user)?.is_some() => {
            let was = database_grants::read(grants.iter().cloned());
            database_grants::bring(host, user, &was)?;
        }
        _ => {}
    }
    Ok(())
}
