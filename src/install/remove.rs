//! `lalapanel uninstall`: the panel alone, or with `--purge` everything that came with it.
//!
//! Invariant: without `--purge` no site is touched; where nothing of the panel is here, nothing is changed.

use std::sync::Arc;

use crate::domain::fault::{Code, Fault};
use crate::host::Host;
use crate::install::console::Console;
use crate::install::follow;
use crate::install::journal::Journal;
use crate::install::options::RemoveOptions;
use crate::install::preflight;
use crate::install::purge;
use crate::install::removal;
use crate::install::report::{Removed, Report};
use crate::install::run::{fault_of, is_here, this_host, unconfirmed};
use crate::ops::{panel, view};
use crate::system::service;

/// Removes the panel from this machine.
pub fn remove(options: RemoveOptions, console: &mut dyn Console) -> Result<Report, Fault> {
    let host = this_host()?;
    if !crate::install::facts::is_root(host.as_ref())? {
        return Err(preflight::not_root());
    }
    if !is_here(host.as_ref())? {
        return Err(Fault::new(
            Code::NotInstalled,
            "there is no Lala Panel on this server",
            "`lalapanel install` would bring one",
        ));
    }
    let report = if options.purge {
        purge::everything(&host, options, console)?
    } else {
        panel_alone(&host, options, console)?
    };
    if !options.plan {
        host.remove(&panel::program())?;
    }
    Ok(report)
}

fn panel_alone(
    host: &Arc<dyn Host>,
    options: RemoveOptions,
    console: &mut dyn Console,
) -> Result<Report, Fault> {
    let services = service::manager(host.as_ref())?;
    let plan = || removal::plan(host.as_ref(), services).map_err(Fault::from);
    if options.plan {
        return Ok(Report::Planned(Box::new(view::plan(
            &plan()?,
            host.as_ref(),
        ))));
    }
    agree(
        options,
        "Remove the panel, and leave its sites served?",
        console,
    )?;
    let journal = Journal::open(host)?;
    for id in journal.unfinished()? {
        let outcome = follow::take_up(&journal, id, console)?;
        fault_of(outcome).map_or(Ok(()), Err)?;
    }
    let plan = plan()?;
    let notes = plan.notes.clone();
    if !plan.steps.is_empty() {
        let record = journal.begin(plan)?;
        let outcome = follow::run(&journal, &record, console)?;
        fault_of(outcome).map_or(Ok(()), Err)?;
    }
    Ok(Report::Removed(Removed {
        notes,
        ..Removed::default()
    }))
}

/// Asks, unless `--yes` was given.
pub(super) fn agree(
    options: RemoveOptions,
    question: &str,
    console: &mut dyn Console,
) -> Result<(), Fault> {
    if options.yes {
        return Ok(());
    }
    match console.ask(question) {
        Some(true) => Ok(()),
        answer => Err(unconfirmed(answer, "lalapanel uninstall --plan")),
    }
}
