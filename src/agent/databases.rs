//! Answers what is asked about databases.
//!
//! Invariant: what there is comes from the state, so a stopped MariaDB hides nothing; what it would have said is absent then.

use std::io::{Read, Write};

use crate::agent::database_sizes::Sizes;
use crate::domain::database::{Database, DatabaseName};
use crate::domain::database_job::ImportId;
use crate::domain::fault::Fault;
use crate::domain::time::Timestamp;
use crate::host::HostError;
use crate::ops::engine::Engine;
use crate::ops::state::State;
use crate::ops::{database_export, database_import};
use crate::rpc::database::{DatabaseDetail, DatabaseView, ExportedView, Known, LoadedView};
use crate::system::database_facts;

/// All of them, by name; after them those in the trash. Their sizes are those of the last look.
pub(super) fn list(engine: &Engine, sizes: &Sizes) -> Result<Vec<DatabaseView>, Fault> {
    let (state, now) = (State::read(engine.store())?, engine.host().now());
    let all = state.databases.iter().chain(&state.trashed_databases);
    let mut views: Vec<DatabaseView> = all.map(|one| view(one, &state, now)).collect();
    let looker = engine.clone();
    if let Some((at, sizes)) = sizes.read(now, move || database_facts::sizes(looker.host())) {
        for view in &mut views {
            // One that was made since is not known yet; one without a table is none of MariaDB's tablespaces.
            if view.created <= at {
                view.bytes = Some(sizes.get(view.name.as_str()).copied().unwrap_or_default());
                view.sized = Some(at);
            }
        }
    }
    Ok(views)
}

/// One, with what MariaDB says of it now.
pub(super) fn show(engine: &Engine, name: &DatabaseName) -> Result<DatabaseDetail, Fault> {
    let (state, now) = (State::read(engine.store())?, engine.host().now());
    let found = state
        .database(name)
        .or_else(|fault| state.trashed_database(name).map_err(|_| fault))?;
    let mut detail = DatabaseDetail {
        view: view(found, &state, now),
        mariadb: Known::Silent,
        inside: None,
        grants_differ: None,
    };
    let looked = database_facts::inside(engine.host(), name).and_then(|inside| {
        let differ = database_facts::differing(engine.host(), found)?;
        Ok((inside, differ))
    });
    match looked {
        Ok((Some((inside, bytes)), differ)) => {
            detail.view.bytes = Some(bytes);
            detail.view.sized = Some(now);
            detail.mariadb = Known::Answers;
            detail.inside = Some(inside);
            detail.grants_differ = Some(differ);
        }
        Ok((None, differ)) => {
            detail.mariadb = Known::Missing;
            detail.grants_differ = Some(differ);
        }
        Err(HostError::SqlSilent { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(detail)
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
        unimported: whole.unimported,
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
