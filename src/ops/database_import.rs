//! Replaces what is in a database by what a dump holds: loaded beside it first, then put in its place in one step.
//!
//! Invariant: a dump runs as a user that may fill the import's own database and nothing else, and the database it is for is not
//! touched before everything was loaded. The former tables are kept until the operation has ended.

use std::io::Read;

use crate::domain::database::DatabaseName;
use crate::domain::database_job::{ImportId, Scratch};
use crate::domain::fault::{Code, Fault};
use crate::domain::text::shown;
use crate::host::exec::Output;
use crate::host::{Host, HostResult};
use crate::ops::database_dump::Watched;
use crate::ops::plan::Plan;
use crate::ops::state::State;
use crate::ops::step::Step;
use crate::ops::undo::Undo;
use crate::store::Store;
use crate::system::database_job::{self as job, Move};

/// More tables than this are not moved in one statement.
const MOST_TABLES: usize = 10_000;

/// How the server ends a statement that wants more than tables in the import's own database.
const LOADING_DENIED: &str = "to database 'lalapanel-import-";

/// A dump that was loaded and waits to be put in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Its number.
    pub import: ImportId,
    /// How many tables it has.
    pub tables: usize,
    /// Bytes of SQL.
    pub bytes: u64,
}

/// Loads a dump beside the database it is for; `unfinished` takes one without its last line.
pub fn load(
    host: &dyn Host,
    store: &Store,
    name: &DatabaseName,
    unfinished: bool,
    from: &mut dyn Read,
) -> Result<Loaded, Fault> {
    State::read(store)?.database(name)?;
    refuse_besides(name, &job::besides_tables(host, name.as_str())?)?;
    drop_former(host, store, name)?;
    let mut random = [0; 4];
    host.random(&mut random)?;
    let import = ImportId::from_random(random);
    let scratch = Scratch::loaded(&import, name);
    let filled = job::make_scratch(host, &scratch)
        .map_err(Fault::from)
        .and_then(|()| fill(host, &scratch, unfinished, from));
    match filled {
        Ok((tables, bytes)) => Ok(Loaded {
            import,
            tables,
            bytes,
        }),
        Err(fault) => {
            // What cannot be dropped now goes with the next import, or when the agent starts.
            let _ = job::drop_scratch(host, &scratch);
            Err(fault)
        }
    }
}

fn fill(
    host: &dyn Host,
    scratch: &Scratch,
    unfinished: bool,
    from: &mut dyn Read,
) -> Result<(usize, u64), Fault> {
    let login = job::make_writer(host, scratch)?;
    let mut watched = Watched::new(host, from);
    let ended = host.load(&login, &mut watched);
    let dropped = job::drop_user(host, &login.user);
    let watch = watched.watch;
    if let Some(refused) = watch.refused {
        return Err(refused);
    }
    let output = ended?;
    if !output.is_success() {
        return Err(unloaded(&output));
    }
    if !unfinished && !watch.is_whole() {
        return Err(Fault::new(
            Code::DatabaseUnloaded,
            "the dump has no line `-- Dump completed` at its end",
            "it may be cut off: make it anew; if it came from a program that writes no such line, add `--unfinished`",
        ));
    }
    dropped?;
    let tables = job::tables(host, &scratch.to_string())?.len();
    if tables == 0 || tables > MOST_TABLES {
        return Err(Fault::new(
            Code::DatabaseUnloaded,
            format!("the dump makes {tables} tables"),
            "give one that makes at least one table and at most 10000",
        ));
    }
    Ok((tables, watch.bytes))
}

/// Why the client did not get through; the line of the dump is in its own words.
pub(super) fn unloaded(output: &Output) -> Fault {
    let mut lines = output.stderr.lines().map(str::trim);
    let culprit = lines.find(|line| line.starts_with("ERROR"));
    let culprit = culprit.unwrap_or("mariadb ended without a word");
    let denied = |word: &str| culprit.contains(word) && culprit.contains("denied");
    let hint = if ["VIEW", "TRIGGER", "ROUTINE", "EVENT"]
        .into_iter()
        .any(denied)
        || culprit.contains("alter routine")
        // Of routines and events MariaDB says no more than which database they were to be in: this one.
        || culprit.contains(LOADING_DENIED)
    {
        "views, triggers, routines and events are not imported: write the dump without them (`mariadb-dump --skip-triggers --ignore-table=DATABASE.VIEW`)"
    } else if culprit.contains("to database") {
        "a dump may not name a database: write it without `--databases`"
    } else {
        "mend that line of the dump, or make it anew, then import again"
    };
    Fault::new(
        Code::DatabaseUnloaded,
        "the dump could not be loaded; the database is as before",
        hint,
    )
    .detail(shown(culprit, 400))
}

fn refuse_besides(name: &DatabaseName, besides: &[String]) -> Result<(), Fault> {
    if besides.is_empty() {
        return Ok(());
    }
    Err(Fault::new(
        Code::DatabaseUnloaded,
        format!("{name} holds more than tables, which an import cannot keep or replace"),
        "write it out with `lalapanel db export`, drop what the detail names, then import",
    )
    .detail(shown(&besides.join(", "), 400)))
}

/// Forgets a dump that was loaded.
pub fn discard(
    host: &dyn Host,
    store: &Store,
    name: &DatabaseName,
    import: &ImportId,
) -> Result<(), Fault> {
    if is_quiet(store)? {
        job::drop_scratch(host, &Scratch::loaded(import, name))?;
    }
    Ok(())
}

/// Earlier dumps for the same database that were never put in place.
fn drop_former(host: &dyn Host, store: &Store, name: &DatabaseName) -> Result<(), Fault> {
    if !is_quiet(store)? {
        return Ok(());
    }
    for former in loaded(host)? {
        if former.of() == name {
            job::drop_scratch(host, &former)?;
        }
    }
    Ok(())
}

fn loaded(host: &dyn Host) -> HostResult<impl Iterator<Item = Scratch>> {
    let all = job::scratches(host)?.into_iter();
    Ok(all.filter(|one| !one.is_before()))
}

/// True where no operation needs what imports left.
fn is_quiet(store: &Store) -> Result<bool, Fault> {
    Ok(store.unfinished()?.is_empty() && store.stuck()?.is_empty())
}

/// Drops what exports and imports left that were killed. To be called while none runs, at the agent's start.
pub fn sweep(host: &dyn Host, store: &Store) -> Result<(), Fault> {
    for user in job::users(host)? {
        job::drop_user(host, &user)?;
    }
    if is_quiet(store)? {
        for left in loaded(host)? {
            job::drop_scratch(host, &left)?;
        }
    }
    Ok(())
}

/// Drops the former tables of imports that have ended. To be called while the engine is held.
pub fn close(host: &dyn Host, store: &Store) -> Result<(), Fault> {
    let all = job::scratches(host)?;
    let former = all.iter().filter(|one| one.is_before());
    for before in former {
        if !is_quiet(store)? {
            return Ok(());
        }
        // The emptied one first: as long as this one is there, both are found.
        for emptied in all.iter().filter(|one| one.is_loaded_of(before)) {
            job::drop_scratch(host, emptied)?;
        }
        job::drop_scratch(host, before)?;
    }
    Ok(())
}

/// Plans the exchange.
pub fn plan(
    name: &DatabaseName,
    import: &ImportId,
    state: &State,
    host: &dyn Host,
) -> Result<Plan, Fault> {
    let found = state.database(name)?;
    refuse_besides(name, &job::besides_tables(host, name.as_str())?)?;
    let new = job::tables(host, &Scratch::loaded(import, name).to_string())?.len();
    if new == 0 {
        return Err(lost());
    }
    let old = job::tables(host, name.as_str())?.len();
    let step = Step::SwapDatabase {
        name: name.clone(),
        import: import.clone(),
    };
    let plan = Plan::new(format!("Replace what is in the database {name}"), "db import")
        .step(
            format!("Put the {new} tables that were loaded in the place of the {old} of {name}"),
            step,
        )
        .note("They change places in one step: nobody sees a part of them. Whoever uses one is waited for, half a minute.")
        .note("The former tables are dropped for good once that is done.");
    Ok(super::database::about(plan, found, state))
}

fn lost() -> Fault {
    Fault::new(
        Code::DatabaseUnloaded,
        "what was loaded is not there any more",
        "import the dump again",
    )
}

/// Captures the way back: which tables are to come.
pub(super) fn look(host: &dyn Host, name: &DatabaseName, import: &ImportId) -> HostResult<Undo> {
    Ok(Undo::SwapDatabaseBack {
        name: name.clone(),
        import: import.clone(),
        tables: job::tables(host, &Scratch::loaded(import, name).to_string())?,
    })
}

/// Puts what was loaded in place, and what was there aside.
pub(super) fn swap(host: &dyn Host, name: &DatabaseName, import: &ImportId) -> Result<(), Fault> {
    let (loaded, before) = places(name, import);
    let new = job::tables(host, &loaded.to_string())?;
    let is_begun = job::scratches(host)?.contains(&before);
    if new.is_empty() {
        return if is_begun { Ok(()) } else { Err(lost()) };
    }
    let old = job::tables(host, name.as_str())?;
    if !is_begun {
        job::make_scratch(host, &before)?;
    }
    exchange(host, name, [(&before, &old), (&loaded, &new)], true)
}

/// Puts it back as it was. Whether it was exchanged shows in what was loaded: it is there, all of it, or it is not.
pub(super) fn swap_back(
    host: &dyn Host,
    name: &DatabaseName,
    import: &ImportId,
    tables: &[String],
) -> Result<(), Fault> {
    let (loaded, before) = places(name, import);
    if !job::scratches(host)?.contains(&before) {
        return Ok(());
    }
    if job::tables(host, &loaded.to_string())?.is_empty() {
        let former = job::tables(host, &before.to_string())?;
        let there = job::tables(host, name.as_str())?;
        let ours = tables.iter().filter(|table| there.contains(table));
        let ours: Vec<String> = ours.cloned().collect();
        exchange(host, name, [(&loaded, &ours), (&before, &former)], false)?;
    }
    if !job::tables(host, &before.to_string())?.is_empty() {
        return Err(Fault::new(
            Code::HostFailed,
            format!("the former tables of {name} are still in `{before}`"),
            format!("move them to `{name}` with RENAME TABLE"),
        ));
    }
    job::drop_scratch(host, &before).map_err(Fault::from)
}

fn places(name: &DatabaseName, import: &ImportId) -> (Scratch, Scratch) {
    (Scratch::loaded(import, name), Scratch::before(import, name))
}

/// Moves tables out of the database into the first place, and those of the second place into it.
fn exchange(
    host: &dyn Host,
    name: &DatabaseName,
    [(out, going), (from, coming)]: [(&Scratch, &Vec<String>); 2],
    forward: bool,
) -> Result<(), Fault> {
    let (out, from) = (out.to_string(), from.to_string());
    let moves = [
        Move {
            from: name.as_str(),
            to: &out,
            tables: going,
        },
        Move {
            from: &from,
            to: name.as_str(),
            tables: coming,
        },
    ];
    job::rename(host, &moves).map_err(|error| {
        let fault = Fault::from(error);
        if forward && fault.code == Code::MariadbRefused {
            return Fault::new(
                Code::DatabaseUnloaded,
                format!("the tables of {name} could not be exchanged"),
                "somebody may use one of them all the time, or a trigger has come: see the detail, then try again",
            )
            .detail(fault.detail);
        }
        fault
    })
}
