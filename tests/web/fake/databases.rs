//! Databases of the agent made of memory.
//!
//! Invariant: of a password only its hash arrives here, and the last one is kept to be compared.

use lalapanel::domain::change::Change;
use lalapanel::domain::database::{DatabaseName, DatabaseUser};
use lalapanel::domain::database_access::{AccessAct, ConnectionLimit, Rights};
use lalapanel::domain::database_inside::{Inside, Table};
use lalapanel::domain::database_job::ImportId;
use lalapanel::domain::fault::{Code, Fault};
use lalapanel::domain::time::Timestamp;
use lalapanel::rpc::database::{
    DatabaseDetail, DatabaseView, ExportedView, InTrash, Known, LoadedView, UserAccess,
};
use lalapanel::rpc::filling::Brought;
use lalapanel::rpc::protocol::{Answer, Call, Reply, Request};
use lalapanel::rpc::view::PlanStepView;

use tokio::sync::mpsc;

use super::{Fake, State};

/// One database as the agent would show it.
pub(crate) fn database(name: &str, site: Option<&str>, created: Timestamp) -> DatabaseView {
    DatabaseView {
        name: DatabaseName::parse(name).unwrap(),
        site: site.map(|site| site.parse().unwrap()),
        users: vec![DatabaseUser::parse(name).unwrap()],
        access: vec![UserAccess {
            user: DatabaseUser::parse(name).unwrap(),
            own: true,
            rights: Rights::All,
            max_connections: ConnectionLimit::default(),
        }],
        locked: false,
        created,
        bytes: Some(4_300_000),
        sized: Some(created),
        trash: None,
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
        Change::DatabaseAccess(access) => {
            let who = access.act.user().map(ToString::to_string);
            let who = who.unwrap_or_else(|| "everybody".to_owned());
            let title = format!("{}: {who}", access.act.word());
            let command = match &access.act {
                AccessAct::Add { terms, .. } => Some(terms.to_string()),
                AccessAct::Set { rights, .. } => rights.as_ref().map(ToString::to_string),
                _ => None,
            };
            vec![step(title, command.as_deref())]
        }
        Change::DatabaseImport { name, .. } => vec![step(
            format!("Put the 1 tables that were loaded in the place of the 2 of {name}"),
            None,
        )],
        Change::DatabaseSitePassword { .. } => vec![step(
            "Make a password, and write it into htdocs/wp-config.php as the site's user".to_owned(),
            None,
        )],
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

/// What an export comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Dump {
    #[default]
    Whole,
    Broken,
    Refused,
}

/// The pieces of a dump.
const PIECES: [&str; 2] = ["CREATE TABLE t (x INT);\n", "-- Dump completed\n"];

pub(super) async fn pour(fake: &Fake, call: Call, to: mpsc::Sender<Vec<u8>>) -> Answer {
    let Request::DatabaseExport { .. } = call.request else {
        panic!("{:?}", call.request);
    };
    let dump = fake.state.lock().unwrap().dump;
    let refused = || Fault::new(Code::MariadbSilent, "MariaDB does not answer", "start it");
    if dump == Dump::Refused {
        return Err(refused());
    }
    for piece in PIECES {
        let _ = to.send(piece.as_bytes().to_vec()).await;
        if dump == Dump::Broken {
            return Err(refused());
        }
    }
    let bytes = PIECES.concat().len() as u64;
    Ok(Reply::Exported(ExportedView {
        bytes,
        beside: Vec::new(),
        unimported: Vec::new(),
    }))
}

/// Reads what comes to its end, or refuses after the first piece.
pub(super) async fn fill(fake: &Fake, call: Call, mut from: mpsc::Receiver<Brought>) -> Answer {
    let Request::DatabaseLoad { unfinished, .. } = call.request else {
        panic!("{:?}", call.request);
    };
    let mut sql = Vec::new();
    loop {
        match from.recv().await {
            Some(Ok(piece)) if piece.is_empty() => break,
            Some(Ok(piece)) => sql.extend(piece),
            Some(Err(_)) | None => return Err(unloaded("the file cannot be read to its end")),
        }
        if sql.starts_with(b"GRANT") {
            return Err(unloaded("the dump could not be loaded"));
        }
    }
    let sql = String::from_utf8(sql).unwrap();
    if !unfinished && !sql.contains("-- Dump completed") {
        return Err(unloaded(
            "the dump has no line `-- Dump completed` at its end",
        ));
    }
    let bytes = sql.len() as u64;
    fake.state.lock().unwrap().loaded = Some(sql);
    let import = ImportId::parse("0123abcd").unwrap();
    Ok(Reply::Loaded(LoadedView {
        import,
        tables: 1,
        bytes,
    }))
}

fn unloaded(title: &str) -> Fault {
    Fault::new(Code::DatabaseUnloaded, title, "mend it").detail("ERROR 1044 at line 1: denied")
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
        Change::DatabaseImport { .. } if state.loaded.is_none() => {
            Err(unloaded("what was loaded is not there any more"))
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
        Change::DatabaseAccess(access) => {
            let mut all = state.databases.iter_mut();
            let Some(one) = all.find(|one| one.name == access.name) else {
                return;
            };
            match &access.act {
                AccessAct::Add { user, hash, terms } => {
                    one.users.push(user.clone());
                    one.access.push(UserAccess {
                        user: user.clone(),
                        own: false,
                        rights: terms.rights.clone(),
                        max_connections: terms.connections,
                    });
                    state.database_hash = Some(hash.clone());
                }
                AccessAct::Remove { user } => {
                    one.users.retain(|other| other != user);
                    one.access.retain(|other| other.user != *user);
                }
                AccessAct::Repair {} => state.grants_differ.clear(),
                _ => {}
            }
        }
        Change::DatabaseDelete { name, now: true } => {
            state.databases.retain(|one| one.name != *name);
        }
        Change::DatabaseDelete { name, now: false } => {
            for one in &mut state.databases {
                if one.name == *name {
                    one.trash = Some(InTrash::of(now, now));
                }
            }
        }
        Change::DatabaseRestore { name } => {
            for one in &mut state.databases {
                if one.name == *name {
                    one.trash = None;
                }
            }
        }
        _ => {}
    }
}

/// One of them in full; where exports are refused, MariaDB is silent.
pub(super) fn show(state: &State, name: &DatabaseName) -> Answer {
    let Some(view) = state.databases.iter().find(|one| one.name == *name) else {
        return Err(Fault::new(
            Code::DatabaseNotFound,
            format!("there is no database {name} of this panel"),
            "see `lalapanel db list`",
        ));
    };
    let table = |name: &str, bytes| Table {
        name: name.to_owned(),
        kind: "table".to_owned(),
        engine: Some("InnoDB".to_owned()),
        collation: Some("utf8mb4_unicode_ci".to_owned()),
        rows: Some(12),
        bytes: Some(bytes),
    };
    let inside = Inside {
        charset: "utf8mb4".to_owned(),
        collation: "utf8mb4_general_ci".to_owned(),
        tables: vec![table("wp_options", 98_304), table("wp_posts", 4_194_304)],
    };
    let known = state.dump != Dump::Refused;
    Ok(Reply::Database(Box::new(DatabaseDetail {
        view: view.clone(),
        mariadb: if known { Known::Answers } else { Known::Silent },
        inside: known.then_some(inside),
        grants_differ: known.then(|| state.grants_differ.clone()),
    })))
}
