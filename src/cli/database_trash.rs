//! `lalapanel db delete`, `db restore`, `db list --trash`: into the trash, out of it, and past it.
//!
//! Invariant: nothing is deleted without the name typed by a person or `--yes` typed by a script.

use clap::Args;
use serde_json::json;

use crate::cli::agent::Ask;
use crate::cli::database::{find, look, site_of};
use crate::cli::output::{Exit, Output, moment, table};
use crate::cli::{Outcome, change, plan, prompt};
use crate::domain::change::Change;
use crate::domain::database::DatabaseName;
use crate::domain::fault::{Code, Fault};

/// A database to delete.
#[derive(Debug, Args)]
pub struct Delete {
    /// Its name
    pub name: String,
    /// For good and at once, past the trash or out of it
    #[arg(long)]
    pub now: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// A database to put back.
#[derive(Debug, Args)]
pub struct Restore {
    /// Its name
    pub name: String,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// Everything in the trash.
pub(super) fn list(agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let mut views = look(agent)?;
    views.retain(|view| view.trash.is_some());
    output.document(&json!({ "trash": views }));
    if views.is_empty() {
        output.line("No database is in the trash; deleted ones stay here for 7 days");
        return Ok(Exit::Done);
    }
    let mut rows = vec![
        ["NAME", "SITE", "DELETED", "KEPT UNTIL"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(views.iter().filter_map(|view| {
        let trash = view.trash.as_ref()?;
        Some(vec![
            view.name.to_string(),
            site_of(view),
            moment(trash.deleted),
            moment(trash.until),
        ])
    }));
    for row in table(&rows) {
        output.line(row);
    }
    Ok(Exit::Done)
}

/// Deletes one.
pub(super) fn delete(
    name: &DatabaseName,
    typed: &Delete,
    agent: &mut dyn Ask,
    output: &mut Output,
) -> Outcome {
    let now = typed.now;
    let wanted = Change::DatabaseDelete {
        name: name.clone(),
        now,
    };
    let tell = |agent: &mut dyn Ask, output: &mut Output| {
        if now {
            return Ok(json!({ "name": name }));
        }
        output.line(format!("  put it back with: lalapanel db restore {name}"));
        find(name, agent).map(|view| json!(view))
    };
    if typed.plan || typed.yes {
        return change::run_and_tell(&wanted, typed.plan, None, agent, output, &tell);
    }
    let not_asked = || {
        Fault::new(
            Code::DatabaseConfirmation,
            format!("Deleting the database {name} needs your word"),
            "add `--yes`, or run it in a terminal",
        )
    };
    if output.is_json() || !prompt::is_possible() {
        return Err(not_asked());
    }
    let Some(seen) = change::preview(&wanted, agent)? else {
        return change::nothing_to_do(&wanted, agent, output);
    };
    plan::print(&seen, output);
    let end = if now {
        "to delete it for good"
    } else {
        "to move it to the trash"
    };
    if prompt::line(&format!("Type {name} {end}: "))? != name.as_str() {
        return Err(not_asked());
    }
    change::run_and_tell(&wanted, false, Some(seen.hash), agent, output, &tell)
}

/// Puts one back.
pub(super) fn restore(
    name: &DatabaseName,
    plan: bool,
    agent: &mut dyn Ask,
    output: &mut Output,
) -> Outcome {
    let wanted = Change::DatabaseRestore { name: name.clone() };
    let tell = |agent: &mut dyn Ask, _: &mut Output| find(name, agent).map(|view| json!(view));
    change::run_and_tell(&wanted, plan, None, agent, output, &tell)
}
