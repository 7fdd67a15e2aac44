//! Answers what is asked about databases.
//!
//! Invariant: the list is read from the state alone, so a stopped MariaDB hides nothing.

use std::io::Write;

use crate::domain::database::{Database, DatabaseName};
use crate::domain::fault::Fault;
use crate::ops::database_export;
use crate::ops::engine::Engine;
use crate::ops::state::State;
use crate::rpc::database::{DatabaseView, ExportedView};

/// All of them, by name.
pub(super) fn list(engine: &Engine) -> Result<Vec<DatabaseView>, Fault> {
    let state = State::read(engine.store())?;
    let views = state.databases.iter().map(|one| view(one, &state));
    Ok(views.collect())
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

fn view(database: &Database, state: &State) -> DatabaseView {
    let live = state.sites.iter().map(|site| (site, false));
    let trashed = state.trash.iter().map(|gone| (&gone.site, true));
    let owner = live
        .chain(trashed)
        .find(|(site, _)| Some(site.id) == database.site);
    let locked = owner.is_some_and(|(_, locked)| locked);
    let hostname = owner.map(|(site, _)| site.hostname.clone());
    DatabaseView::of(database, hostname, locked)
}
