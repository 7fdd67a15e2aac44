//! Databases: made with a user of their own, given another password, locked, dropped.
//!
//! Invariant: what MariaDB or a grant already holds is never taken over, and nothing is dropped inside an operation: `sweep`
//! does it after the end, users before their database, since dropping a database leaves its grants for the next one of that name.

use std::collections::BTreeMap;

use crate::domain::database::{Database, DatabaseFacts, DatabaseHash, DatabaseName, covers};
use crate::domain::database_access::Terms;
use crate::domain::fault::{Code, Fault};
use crate::domain::id::SiteId;
use crate::domain::name::Hostname;
use crate::domain::site::Site;
use crate::domain::time::Timestamp;
use crate::host::{Host, HostResult};
use crate::ops::database_access;
use crate::ops::plan::Plan;
use crate::ops::site_parts::Steps;
use crate::ops::state::State;
use crate::ops::step::Step;
use crate::ops::undo::Undo;
use crate::store::{Effect, Store};
use crate::system::database;

/// Plans a new database.
pub fn create(
    name: &DatabaseName,
    hostname: Option<&Hostname>,
    hash: &DatabaseHash,
    state: &State,
    facts: &DatabaseFacts,
    now: Timestamp,
) -> Result<Plan, Fault> {
    refuse_taken(name, state, facts)?;
    let site = hostname.map(|hostname| state.site(hostname)).transpose()?;
    let new = of(name, site.map(|site| site.id), now);
    let mut steps = Steps::default();
    make(&mut steps, name);
    make_user(&mut steps, name, hash);
    let plan = Plan::new(format!("Create the database {name}"), "db create")
        .steps(steps.into_list())
        .effect(Effect::PutDatabase(Box::new(new)));
    Ok(match site {
        Some(site) => plan.about(&site.hostname),
        None => plan,
    })
}

/// A database with one user of the same name.
#[must_use]
pub fn of(name: &DatabaseName, site: Option<SiteId>, created: Timestamp) -> Database {
    Database {
        name: name.clone(),
        site,
        users: vec![name.user()],
        terms: BTreeMap::new(),
        created,
        deleted: None,
    }
}

pub(super) fn make(steps: &mut Steps, name: &DatabaseName) {
    let step = Step::CreateDatabase { name: name.clone() };
    steps.add(format!("Create the database {name}"), step);
}

pub(super) fn make_user(steps: &mut Steps, name: &DatabaseName, hash: &DatabaseHash) {
    let user = name.user();
    steps.add(
        format!("Create the database user {user}, for this database alone"),
        Step::CreateDatabaseUser {
            user,
            hash: hash.clone(),
            name: name.clone(),
            terms: Terms::default(),
        },
    );
}

/// The name a new site's database gets: the hostname's, or where somebody has that, one with the site's number.
pub(super) fn name_for(
    site: &Site,
    state: &State,
    facts: &DatabaseFacts,
) -> Result<DatabaseName, Fault> {
    let plain = DatabaseName::of_site(&site.hostname, None);
    if refuse_taken(&plain, state, facts).is_ok() {
        return Ok(plain);
    }
    let numbered = DatabaseName::of_site(&site.hostname, Some(site.id));
    refuse_taken(&numbered, state, facts).map(|()| numbered)
}

/// The names that copies of so many databases get with a new site, each free and none twice.
pub(super) fn names_for(
    site: &Site,
    count: usize,
    state: &State,
    facts: &DatabaseFacts,
) -> Result<Vec<DatabaseName>, Fault> {
    let mut names: Vec<DatabaseName> = Vec::new();
    for place in 1..=count {
        let plain = DatabaseName::one_of_site(&site.hostname, None, place);
        let numbered = DatabaseName::one_of_site(&site.hostname, Some(site.id), place);
        let is_free =
            |name: &DatabaseName| !names.contains(name) && refuse_taken(name, state, facts).is_ok();
        if is_free(&plain) {
            names.push(plain);
        } else {
            refuse_taken(&numbered, state, facts)?;
            names.push(numbered);
        }
    }
    Ok(names)
}

fn refuse_taken(name: &DatabaseName, state: &State, facts: &DatabaseFacts) -> Result<(), Fault> {
    let taken = |title: String, hint: &str| Err(Fault::new(Code::DatabaseTaken, title, hint));
    let same = |other: &String| other.eq_ignore_ascii_case(name.as_str());
    if state.doomed.iter().any(|one| one.name == *name) {
        return taken(
            format!("an older database {name} is just being deleted"),
            "try again in a minute, or choose another name",
        );
    }
    if state.trashed_databases.iter().any(|one| one.name == *name) {
        return taken(
            format!("a database {name} is in the trash and keeps its name there"),
            "put it back with `lalapanel db restore`, delete it for good with `lalapanel db delete --now`, or choose another name",
        );
    }
    if state.databases.iter().any(|one| one.name == *name) || facts.names.iter().any(same) {
        return taken(
            format!("there is a database {name} already"),
            "choose another name; `lalapanel db list` shows those of this panel",
        );
    }
    if facts.users.iter().any(same) {
        return taken(
            format!("MariaDB has a user {name} already"),
            "choose another name: the database's user has the same",
        );
    }
    match facts
        .grants
        .iter()
        .find(|(pattern, _)| covers(pattern, name))
    {
        None => Ok(()),
        Some((pattern, user)) => taken(
            format!(
                "the MariaDB user {user} may use every database `{pattern}`, so also one named {name}"
            ),
            "choose another name, or take that grant away",
        ),
    }
}

/// Plans another password of its own user; further users keep theirs.
pub fn password(
    name: &DatabaseName,
    hash: &DatabaseHash,
    state: &State,
    host: &dyn Host,
) -> Result<Option<Plan>, Fault> {
    let (found, facts) = (state.database(name)?, database::look(host)?);
    let plan = Plan::new(format!("Give {name} a new password"), "db password");
    let plan = database_access::password(plan, found, &name.user(), hash, &facts);
    Ok(Some(about(plan, found, state)))
}

pub(super) fn about(plan: Plan, database: &Database, state: &State) -> Plan {
    let owner = state
        .sites
        .iter()
        .find(|site| Some(site.id) == database.site);
    match owner {
        Some(site) => plan.about(&site.hostname),
        None => plan,
    }
}

/// Keeps the users of all databases of a site from signing in, or lets them.
pub(super) fn lock_all(steps: &mut Steps, site: SiteId, state: &State, locked: bool) {
    for database in state.databases_of(site) {
        lock(steps, database, locked);
    }
}

pub(super) fn lock(steps: &mut Steps, database: &Database, locked: bool) {
    for user in &database.users {
        let title = if locked {
            format!("Keep the database user {user} from signing in")
        } else {
            format!("Let the database user {user} sign in again")
        };
        let user = user.clone();
        steps.add(title, Step::LockDatabaseUser { user, locked });
    }
}

/// Captures the way back of a step about databases; none for other steps.
pub(super) fn look(step: &Step, host: &dyn Host) -> HostResult<Undo> {
    Ok(match step {
        Step::CreateDatabase { name } if !database::exists(host, name)? => {
            Undo::DropDatabase { name: name.clone() }
        }
        Step::CreateDatabaseUser { user, .. } if database::user(host, user)?.is_none() => {
            Undo::DropDatabaseUser { user: user.clone() }
        }
        Step::ConfigureWordpress { database: name, .. }
            if database::user(host, &name.user())?.is_none() =>
        {
            Undo::DropDatabaseUser { user: name.user() }
        }
        Step::MoveLogin(login) if database::user(host, &login.to.user())?.is_none() => {
            Undo::DropDatabaseUser {
                user: login.to.user(),
            }
        }
        Step::SetDatabasePassword { user, .. } => {
            match database::user(host, user)?.and_then(|was| was.hash) {
                Some(hash) => Undo::SetDatabasePassword {
                    user: user.clone(),
                    hash,
                },
                None => Undo::Nothing,
            }
        }
        Step::LockDatabaseUser { user, .. } => match database::user(host, user)? {
            Some(was) => Undo::LockDatabaseUser {
                user: user.clone(),
                locked: was.locked,
            },
            None => Undo::Nothing,
        },
        _ => Undo::Nothing,
    })
}

/// Does a step about databases; nothing for others.
pub(super) fn act(host: &dyn Host, step: &Step) -> Result<(), Fault> {
    match step {
        Step::CreateDatabase { name } => database::create(host, name),
        Step::SetDatabasePassword { user, hash } => database::set_password(host, user, hash),
        Step::LockDatabaseUser { user, locked } => return set_locked(host, user, *locked),
        _ => Ok(()),
    }
    .map_err(Fault::from)
}

/// A user that somebody removed cannot sign in: there is nothing to keep it from. To let it in, it has to be there.
pub(super) fn set_locked(
    host: &dyn Host,
    user: &crate::domain::database::DatabaseUser,
    locked: bool,
) -> Result<(), Fault> {
    if locked && database::user(host, user)?.is_none() {
        return Ok(());
    }
    database::set_locked(host, user, locked).map_err(Fault::from)
}

/// Drops the databases that were deleted. What cannot be dropped now, since MariaDB is stopped, waits for the next time.
pub fn sweep(host: &dyn Host, store: &Store) -> Result<(), Fault> {
    for doomed in store.doomed_databases()? {
        for user in &doomed.users {
            database::drop_user(host, user)?;
        }
        database::drop_database(host, &doomed.name)?;
        store.forget_database(&doomed.name)?;
    }
    Ok(())
}
