//! Copies of the databases of a site that is cloned: filled, with a user of their own, and named in the clone's own files.
//!
//! Invariant: the original's databases are only read, by users that live for the copy alone; the dump passes by no client that is
//! root's; passwords are made when the step acts and are in no plan and no journal.

use sha2::{Digest, Sha256};

use crate::domain::database::{Database, DatabaseHash, DatabaseName};
use crate::domain::database_access::Terms;
use crate::domain::database_job::JobUser;
use crate::domain::facts::{CopyFacts, DatabaseCopy};
use crate::domain::fault::{Code, Fault};
use crate::domain::id::OperationId;
use crate::domain::path::{HostPath, SitePath};
use crate::domain::secret::Password;
use crate::domain::site::Site;
use crate::domain::site_login::{Finding, LoginFile, SiteLogin};
use crate::domain::text::shown;
use crate::domain::tree_size::bytes;
use crate::host::exec::Output;
use crate::host::job::{Act, Job};
use crate::host::{Host, HostResult};
use crate::ops::context::Context;
use crate::ops::database_dump::{DATA, RESERVE, Watch};
use crate::ops::site_parts::Steps;
use crate::ops::state::State;
use crate::ops::step::{LoginMove, Step, WordpressAddress};
use crate::ops::undo::Undo;
use crate::ops::{database, database_export, database_import, database_site, jobs};
use crate::system::{database as sql, database_facts, database_job as job};

/// Looks at the databases of a site, at its files that name them, and at the room.
pub(super) fn look(host: &dyn Host, old: &Site, state: &State) -> Result<Vec<DatabaseCopy>, Fault> {
    let own = state.databases_of(old.id);
    own.map(|one| look_at(host, old, one)).collect()
}

fn look_at(host: &dyn Host, old: &Site, found: &Database) -> Result<DatabaseCopy, Fault> {
    let name = &found.name;
    if !sql::exists(host, name)? {
        return Err(database_export::gone(name));
    }
    let tables = job::tables(host, name.as_str())?;
    let files = match old.kind.php() {
        Some(_) => database_site::logins(host, old, found)?,
        None => Vec::new(),
    };
    let fits = |file: &&LoginFile| matches!(file.finding, Finding::Fits { .. });
    let wordpress = files.iter().filter(fits).find_map(|file| {
        let prefix = file.prefix.clone()?;
        tables.contains(&prefix.options()).then_some(prefix)
    });
    Ok(DatabaseCopy {
        name: name.clone(),
        users: found.users.clone(),
        tables: tables.len(),
        bytes: database_facts::inside(host, name)?.map_or(0, |(_, bytes)| bytes),
        besides: job::besides_tables(host, name.as_str())?,
        unsafe_tables: job::tables_beside(host, name)?,
        files: files
            .iter()
            .filter(fits)
            .map(|file| file.path.clone())
            .collect(),
        wordpress,
    })
}

/// Bytes that are free where MariaDB keeps its data.
pub(super) fn room(host: &dyn Host) -> HostResult<u64> {
    host.space(&HostPath::fixed(DATA)).map(|space| space.free)
}

/// Whether the copied files lead to the copies alone, as far as the panel can know.
pub(super) fn is_led(copy: &CopyFacts) -> bool {
    copy.databases.iter().all(|one| !one.files.is_empty())
}

/// What cannot be copied whole is not copied at all.
pub(super) fn refuse(old: &Site, copy: &CopyFacts) -> Result<(), Fault> {
    let hostname = &old.hostname;
    if copy.databases.is_empty() {
        return Err(Fault::new(
            Code::DatabaseNotFound,
            format!("{hostname} has no database of this panel"),
            "make the clone without its databases; `lalapanel db list` shows which site has one",
        ));
    }
    if let Some(one) = copy.databases.iter().find(|one| !one.besides.is_empty()) {
        return Err(Fault::new(
            Code::DatabaseUnloaded,
            format!(
                "{} holds more than tables, which a clone does not bring along",
                one.name
            ),
            "make the clone without its databases, or drop what the detail names first (`lalapanel db export` writes it out)",
        )
        .detail(shown(&one.besides.join(", "), 400)));
    }
    let needed = copy.databases.iter().map(|one| one.bytes).sum::<u64>();
    let room = copy.database_room.saturating_sub(RESERVE);
    if needed > room {
        return Err(Fault::new(
            Code::DiskFull,
            format!(
                "the databases of {hostname} will not fit: they are {}, and {} are free for them",
                bytes(needed),
                bytes(room)
            ),
            "free some space (`df -h /var/lib/mysql` shows where), then try again",
        ));
    }
    Ok(())
}

/// Makes the copies, one after the other; the files of the clone are there already.
pub(super) fn steps(steps: &mut Steps, new: &Site, copy: &CopyFacts, names: &[DatabaseName]) {
    for (one, to) in copy.databases.iter().zip(names) {
        database::make(steps, to);
        steps.add(
            format!(
                "Copy what is in the database {} into {to}: {}, {}",
                one.name,
                match one.tables {
                    1 => "1 table".to_owned(),
                    count => format!("{count} tables"),
                },
                bytes(one.bytes)
            ),
            Step::CopyDatabase {
                from: one.name.clone(),
                to: to.clone(),
            },
        );
        steps.add(
            match list(&one.files) {
                Some(files) => format!("Create the database user {to} with a new password, and write both into {files} of the clone as the site's user"),
                None => format!("Create the database user {to} with a new password that nobody knows"),
            },
            Step::MoveLogin(Box::new(LoginMove {
                site: new.id,
                base: new.root(),
                paths: one.files.clone(),
                from: SiteLogin {
                    database: one.name.clone(),
                    users: one.users.clone(),
                },
                to: to.clone(),
            })),
        );
        if let Some(prefix) = &one.wordpress {
            steps.add(
                format!("Set the address of WordPress in {to} to {}", new.hostname),
                Step::SetWordpressAddress(WordpressAddress {
                    database: to.clone(),
                    prefix: prefix.clone(),
                    hostname: new.hostname.clone(),
                }),
            );
        }
    }
}

fn list(files: &[SitePath]) -> Option<String> {
    let mut files = files.iter().map(ToString::to_string);
    let first = files.next()?;
    Some(files.fold(first, |all, next| format!("{all} and {next}")))
}

/// What people should know beforehand.
pub(super) fn notes(
    old: &Site,
    new: &Site,
    copy: &CopyFacts,
    names: &[DatabaseName],
) -> Vec<String> {
    let (from, to) = (&old.hostname, &new.hostname);
    let mut notes = Vec::new();
    for (one, name) in copy.databases.iter().zip(names) {
        if one.files.is_empty() {
            notes.push(format!(
                "No `wp-config.php` and no `.env` of {from} plainly names the database {}, so the clone is made offline: its files may still lead to the original's. Give it {name} first (`lalapanel db password {name}` shows a password), and put it online with `lalapanel site enable {to}`.",
                one.name
            ));
        }
        if !one.unsafe_tables.is_empty() {
            notes.push(format!(
                "Tables of {} that know no transactions may be of another moment than the rest: {}.",
                one.name,
                shown(&one.unsafe_tables.join(", "), 200)
            ));
        }
        if one.wordpress.is_some() {
            notes.push(format!(
                "Links inside posts and settings of plugins still name {from}: WordPress's own address alone is changed."
            ));
        }
    }
    notes
}

/// The users that a step has for itself: made of the operation, so that its way back knows them after a crash.
fn users(operation: OperationId, to: &DatabaseName, what: &str) -> (JobUser, JobUser) {
    let number = |role: &str| {
        let digest = Sha256::digest(format!("{operation} {to} {what} {role}"));
        let mut number = [0; 8];
        number
            .iter_mut()
            .zip(digest)
            .for_each(|(to, byte)| *to = byte);
        number
    };
    (
        JobUser::for_export(number("from")),
        JobUser::for_import(number("to")),
    )
}

/// Captures the way back: what is copied goes with its database, so it is the users alone.
pub(super) fn look_back(step: &Step, operation: OperationId) -> Undo {
    let (from, to) = match step {
        Step::CopyDatabase { to, .. } => users(operation, to, "copy"),
        Step::SetWordpressAddress(new) => users(operation, &new.database, "address"),
        _ => return Undo::Nothing,
    };
    Undo::DropJobUsers {
        users: vec![from, to],
    }
}

/// Does one of the three steps; nothing for others.
pub(super) fn act(step: &Step, context: &Context<'_>) -> Result<(), Fault> {
    let host = context.host;
    match step {
        Step::CopyDatabase { from, to } => copy(host, context.operation, from, to),
        Step::MoveLogin(login) => lead(host, login),
        Step::SetWordpressAddress(new) => set_address(host, context.operation, new),
        _ => Ok(()),
    }
}

fn copy(
    host: &dyn Host,
    operation: OperationId,
    from: &DatabaseName,
    to: &DatabaseName,
) -> Result<(), Fault> {
    let (reader, filler) = users(operation, to, "copy");
    sql::take_after(host, to, from)?;
    let reader = job::make_reader(host, reader, from)?;
    let filler = job::make_filler(host, filler, to)?;
    let mut watch = Watch::new(host);
    let ended = host.pour(&reader, &filler, &mut watch);
    let dropped = [&reader.user, &filler.user].map(|user| job::drop_user(host, user));
    if let Some(refused) = watch.refused {
        return Err(refused);
    }
    let (dumped, loaded) = ended?;
    let has_a_reason = dumped.is_success() || !dumped.stderr.is_empty();
    if !watch.is_whole() && has_a_reason {
        return Err(database_export::unfinished(from, &dumped));
    }
    if !loaded.is_success() {
        let title = format!("what is in {from} could not be read in again");
        return Err(unloaded(title, &loaded));
    }
    if !dumped.is_success() || !watch.is_whole() {
        return Err(database_export::unfinished(from, &dumped));
    }
    dropped.into_iter().collect::<HostResult<()>>()?;
    Ok(())
}

/// In the client's own words.
fn unloaded(title: String, output: &Output) -> Fault {
    let hint = "mend what the detail names, or make the clone without its databases";
    Fault::new(Code::DatabaseUnloaded, title, hint).detail(database_import::unloaded(output).detail)
}

fn lead(host: &dyn Host, login: &LoginMove) -> Result<(), Fault> {
    let mut random = [0; 32];
    host.random(&mut random)?;
    let password = Password::from_random(random);
    let (user, hash) = (login.to.user(), DatabaseHash::of(&password));
    sql::create_user(host, &user, &hash, &login.to, &Terms::default())?;
    sql::set_password(host, &user, &hash)?;
    for path in &login.paths {
        let act = Act::MoveLogin {
            path: path.clone(),
            login: login.from.clone(),
            to: login.to.clone(),
            password: password.clone(),
        };
        jobs::run(host, &Job::new(login.site, &login.base, act))?;
    }
    Ok(())
}

/// Both rows keep their scheme and what stands behind the name.
fn set_address(
    host: &dyn Host,
    operation: OperationId,
    new: &WordpressAddress,
) -> Result<(), Fault> {
    let (database, hostname) = (&new.database, &new.hostname);
    let (_, filler) = users(operation, database, "address");
    let login = job::make_filler(host, filler, database)?;
    let text = format!(
        "UPDATE `{}` SET option_value = CONCAT(SUBSTRING_INDEX(option_value, '://', 1), '://{hostname}', SUBSTRING(option_value, CHAR_LENGTH(SUBSTRING_INDEX(option_value, '/', 3)) + 1)) WHERE option_name IN ('siteurl', 'home') AND option_value LIKE 'http%://%';\n",
        new.prefix.options()
    );
    let ended = host.load(&login, &mut text.as_bytes());
    let dropped = job::drop_user(host, &login.user);
    let output = ended?;
    if !output.is_success() {
        let title = format!("the address of WordPress in {database} could not be set");
        return Err(unloaded(title, &output));
    }
    dropped.map_err(Fault::from)
}
