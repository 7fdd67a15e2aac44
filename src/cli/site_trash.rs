//! `lalapanel site delete`, `site restore`, `site list --trash`: into the trash, out of it, and past it.
//!
//! Invariant: nothing is deleted without the hostname typed by a person or `--yes` typed by a script.

use clap::Args;
use serde_json::json;

use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::{Exit, Output, moment, table};
use crate::cli::site::parse;
use crate::cli::{Outcome, change, plan, prompt};
use crate::domain::change::Change;
use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::domain::text::shown;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::trash::TrashedView;

/// A site to delete.
#[derive(Debug, Args)]
pub struct Delete {
    /// Its hostname; s1001 names a site in the trash
    pub hostname: String,
    /// For good and at once, past the trash
    #[arg(long)]
    pub now: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// A site to put back.
#[derive(Debug, Args)]
pub struct Restore {
    /// The hostname it had, or its number such as s1001
    pub site: String,
    /// Another name for it
    #[arg(long = "as", value_name = "HOSTNAME")]
    pub name: Option<String>,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// Everything in the trash.
pub(super) fn list(agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let trash = trash(agent)?;
    output.document(&json!({ "trash": trash }));
    if trash.is_empty() {
        output.line("The trash is empty; deleted sites stay here for 7 days");
        return Ok(Exit::Done);
    }
    let mut rows = vec![
        ["ID", "HOSTNAME", "TYPE", "DELETED", "KEPT UNTIL"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(trash.iter().map(|site| {
        vec![
            site.id.clone(),
            site.hostname.to_string(),
            site.r#type.clone(),
            moment(site.deleted),
            moment(site.until),
        ]
    }));
    for row in table(&rows) {
        output.line(row);
    }
    Ok(Exit::Done)
}

/// Deletes a site.
pub(super) fn remove(delete: &Delete, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    if is_number(&delete.hostname) {
        return discard(delete, agent, output);
    }
    let hostname = parse(&delete.hostname)?;
    let change = Change::SiteDelete {
        hostname: hostname.clone(),
        now: delete.now,
    };
    let end = if delete.now {
        "to delete it for good"
    } else {
        "to move it to the trash"
    };
    confirmed(&change, &hostname, end, delete, agent, output)
}

/// Deletes a site that is in the trash already.
fn discard(delete: &Delete, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let site = find(&delete.hostname, agent)?;
    if !delete.now {
        return Err(Fault::new(
            Code::SiteConfirmation,
            format!("{} ({}) is in the trash already", site.id, site.hostname),
            "add `--now` to delete it for good",
        ));
    }
    let hostname = site.hostname;
    let change = Change::SiteDiscard {
        site: site.number,
        hostname: hostname.clone(),
    };
    let end = "to delete it for good";
    confirmed(&change, &hostname, end, delete, agent, output)
}

fn confirmed(
    wanted: &Change,
    hostname: &Hostname,
    end: &str,
    delete: &Delete,
    agent: &mut dyn Ask,
    output: &mut Output,
) -> Outcome {
    if delete.plan || delete.yes {
        return change::run(wanted, delete.plan, None, agent, output);
    }
    let not_asked = || {
        Fault::new(
            Code::SiteConfirmation,
            format!("Deleting {hostname} needs your word"),
            "add `--yes`, or run it in a terminal",
        )
    };
    if output.is_json() || !prompt::is_possible() {
        return Err(not_asked());
    }
    let Some(seen) = change::preview(wanted, agent)? else {
        return change::nothing_to_do(wanted, agent, output);
    };
    plan::print(&seen, output);
    if prompt::line(&format!("Type {hostname} {end}: "))? != hostname.as_str() {
        return Err(not_asked());
    }
    change::run(wanted, false, Some(seen.hash), agent, output)
}

/// Puts a site back.
pub(super) fn restore(restore: &Restore, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let site = find(&restore.site, agent)?;
    let hostname = match &restore.name {
        Some(name) => parse(name)?,
        None => site.hostname,
    };
    let change = Change::SiteRestore {
        site: site.number,
        hostname,
    };
    change::run(&change, restore.plan, None, agent, output)
}

/// What is in the trash.
pub(super) fn trash(agent: &mut dyn Ask) -> Result<Vec<TrashedView>, Fault> {
    match agent.ask(Request::SiteTrash {})? {
        Reply::Trash(trash) => Ok(trash),
        other => Err(unexpected(other)),
    }
}

/// A number such as `s1001`: no hostname, since it has no dot.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('s').unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// What was deleted, with what it is put back by.
pub(super) fn deleted(
    hostname: &Hostname,
    agent: &mut dyn Ask,
) -> Result<Option<TrashedView>, Fault> {
    let trash = trash(agent)?.into_iter();
    Ok(trash
        .filter(|site| site.hostname == *hostname)
        .max_by_key(|site| site.deleted))
}

/// The one site in the trash that is meant.
fn find(text: &str, agent: &mut dyn Ask) -> Result<TrashedView, Fault> {
    let hostname = if is_number(text) {
        None
    } else {
        Some(parse(text)?)
    };
    let mut trash = trash(agent)?;
    trash.retain(|site| match &hostname {
        Some(hostname) => site.hostname == *hostname,
        None => site.id == text,
    });
    let ids: Vec<String> = trash.iter().map(|site| site.id.clone()).collect();
    match trash.pop() {
        Some(site) if trash.is_empty() => Ok(site),
        Some(site) => Err(Fault::new(
            Code::SiteConfirmation,
            format!("{} sites in the trash were {}", ids.len(), site.hostname),
            format!(
                "name one of them: {}; `lalapanel site list --trash` shows when each was deleted",
                ids.join(", ")
            ),
        )),
        None => Err(Fault::new(
            Code::SiteNotFound,
            format!("there is no site {} in the trash", shown(text, 80)),
            "see `lalapanel site list --trash` for what is in it",
        )),
    }
}
