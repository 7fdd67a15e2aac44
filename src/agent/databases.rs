//! Answers what is asked about databases.
//!
//! Invariant: the list is read from the state alone, so a stopped MariaDB hides nothing.

use std::io::{Read, Write};

use crate::domain::database::{Database, DatabaseName};
use crate::domain::database_job::ImportId;
use crate::domain::fault::Fault;
use crate::domain::time::Timestamp;
use crate::ops::engine::Engine;
use crate::ops::state::State;
use crate::ops::{database_export, database_import};
use crate::rpc::database::{DatabaseView, ExportedView, LoadedView};

/// All of them, by name; after them those in the trash.
pub(super) fn list(engine: &Engine) -> Result<Vec<DatabaseView>, Fault> {
    let (state, now) = (State::read(engine.store())?, engine.host().now());
    let all = state.databases.iter().chain(&state.trashed_databases);
    Ok(all.map(|one| view(one, &state, now)).collect())
}

/// Writes one out as SQL.
pub(super) fn export(
    engine: &Engine,
    name: &DatabaseName,
    to: &mut dyn Write,
) -> Result<ExportedView, Fault> {
    let whole = database_export::export(engine.host(), engine.store(), name, to)?;
    Ok(ExportedView {
        bytes: whole.bytes,
        beside: whole.beside,
    })
}

/// Loads a dump beside the database it is for.
pub(super) fn load(
    engine: &Engine,
    name: &DatabaseName,
    unfinished: bool,
    from: &mut dyn Read,
) -> Result<LoadedView, Fault> {
    let loaded = database_import::load(engine.host(), engine.store(), name, unfinished, from)?;
    Ok(LoadedView {
        import: loaded.import,
        tables: u64::try_from(loaded.tables).unwrap_or(u64::MAX),
        bytes: loaded.bytes,
    })
}

/// Forgets one.
pub(super) fn discard(
    engine: &Engine,
    name: &DatabaseName,
    import: &ImportId,
) -> Result<(), Fault> {
    database_import::discard(engine.host(), engine.store(), name, import)
}

fn view(database: &Database, state: &State, now: Timestamp) -> DatabaseView {
    let live = state.sites.iter().map(|site| (site, false));
    let trashed = state.trash.iter().map(|gone| (&gone.site, true));
    let owner = live
        .chain(trashed)
        .find(|(site, _)| Some(site.id) == database.site);
    let locked = owner.is_some_and(|(_, locked)| locked);
    let hostname = owner.map(|(site, _)| site.hostname.clone());
    DatabaseView::of(database, hostname, locked, now)
}
