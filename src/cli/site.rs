//! `lalapanel site …`
//!
//! Invariant: nothing is deleted without the hostname typed by a person or `--yes` typed by a script.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::{Exit, Output, moment, table};
use crate::cli::site_new::{Create, new_site};
use crate::cli::site_set::{AliasVerb, Set};
use crate::cli::{Outcome, follow, plan, prompt, site_nginx, site_set, site_visitor};
use crate::domain::change::{Change, DriftChoice};
use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::domain::site_name::SiteName;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::{PlanView, SiteView};

/// What can be done with sites.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make a site
    Create(Create),
    /// All sites
    List,
    /// One site
    Show {
        /// Its hostname or an alias
        hostname: String,
    },
    /// Put a site back online
    Enable(Which),
    /// Take a site offline; nothing of it is deleted
    Disable(Which),
    /// Delete a site with its files, user and logs
    Delete(Delete),
    /// Change settings: KEY=VALUE…; without any, show them all
    Set(Set),
    /// Further names of a site
    Alias {
        /// What to do
        #[command(subcommand)]
        verb: AliasVerb,
    },
    /// Who may pass the protected paths of a site
    Visitor {
        /// What to do
        #[command(subcommand)]
        verb: site_visitor::Verb,
    },
    /// Forget the finished pages that nginx keeps
    Purge(Which),
    /// A site's own nginx directives: show them, or replace them
    Snippet(site_nginx::Own),
    /// Files of a site that were changed outside Lala: show them, or decide
    Drift(site_nginx::Changed),
}

/// An existing site.
#[derive(Debug, Args)]
pub struct Which {
    /// Its hostname
    pub hostname: String,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// A site to delete.
#[derive(Debug, Args)]
pub struct Delete {
    /// Its hostname
    pub hostname: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// Runs one.
pub fn run(verb: Verb, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    match verb {
        Verb::List => list(agent, output),
        Verb::Show { hostname } => show(&parse(&hostname)?, agent, output),
        Verb::Create(create) => {
            let plan_only = create.plan;
            let change = Change::SiteCreate(new_site(&create)?);
            change_site(&change, plan_only, None, agent, output)
        }
        Verb::Enable(which) => {
            let hostname = parse(&which.hostname)?;
            let change = Change::SiteEnable { hostname };
            change_site(&change, which.plan, None, agent, output)
        }
        Verb::Disable(which) => {
            let hostname = parse(&which.hostname)?;
            let change = Change::SiteDisable { hostname };
            change_site(&change, which.plan, None, agent, output)
        }
        Verb::Delete(delete) => remove(&delete, agent, output),
        Verb::Set(set) => site_set::set(&set, agent, output),
        Verb::Alias { verb } => site_set::alias(&verb, agent, output),
        Verb::Visitor { verb } => site_visitor::run(&verb, agent, output),
        Verb::Purge(which) => site_set::purge(&which, agent, output),
        Verb::Snippet(own) => site_nginx::snippet(&own, agent, output),
        Verb::Drift(changed) => site_nginx::drift(&changed, agent, output),
    }
}

/// Reads a hostname.
pub(super) fn parse(text: &str) -> Result<Hostname, Fault> {
    Hostname::parse(text).map_err(|reason| {
        Fault::new(
            Code::HostnameInvalid,
            reason.to_string(),
            "write it like shop.example",
        )
    })
}

pub(super) fn parse_name(text: &str) -> Result<SiteName, Fault> {
    SiteName::parse(text).map_err(|reason| {
        Fault::new(
            Code::HostnameInvalid,
            reason.to_string(),
            "write it like www.shop.example or *.shop.example",
        )
    })
}

fn list(agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let sites = match agent.ask(Request::SiteList {})? {
        Reply::Sites(sites) => sites,
        other => return Err(unexpected(other)),
    };
    let foreign = site_nginx::foreign(agent)?;
    output.document(&json!({ "sites": sites, "foreign": foreign }));
    if sites.is_empty() {
        output.line("There is no site yet; make one with `lalapanel site create shop.example`");
        site_nginx::print_foreign(&foreign, output);
        return Ok(Exit::Done);
    }
    let mut rows = vec![
        ["HOSTNAME", "TYPE", "STATE", "USER"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(sites.iter().map(|site| {
        vec![
            site.hostname.to_string(),
            kind(site),
            state(site).to_owned(),
            site.user.clone(),
        ]
    }));
    for row in table(&rows) {
        output.line(row);
    }
    site_nginx::print_foreign(&foreign, output);
    Ok(Exit::Done)
}

fn kind(site: &SiteView) -> String {
    match site.php {
        Some(version) => format!("PHP {version}"),
        None => site.r#type.clone(),
    }
}

fn state(site: &SiteView) -> &'static str {
    if site.enabled { "online" } else { "offline" }
}

pub(super) fn look_up(hostname: &Hostname, agent: &mut dyn Ask) -> Result<SiteView, Fault> {
    let hostname = hostname.clone();
    match agent.ask(Request::SiteShow { hostname })? {
        Reply::Site(site) => Ok(*site),
        other => Err(unexpected(other)),
    }
}

fn show(hostname: &Hostname, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let site = look_up(hostname, agent)?;
    output.document(&site);
    let mut rows = vec![
        ("hostname", site.hostname.to_string()),
        ("type", kind(&site)),
        ("state", state(&site).to_owned()),
        ("files", site.document_root.to_string()),
        ("user", site.user.clone()),
        ("created", moment(site.created)),
    ];
    if site.hostname_unicode != site.hostname.as_str() {
        rows.insert(1, ("written", site.hostname_unicode.clone()));
    }
    rows.extend(
        site.aliases
            .iter()
            .map(|alias| ("alias", alias.to_string())),
    );
    rows.extend(
        site.drift
            .iter()
            .map(|one| ("changed by others", one.path.to_string())),
    );
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(name, value)| vec![name.to_owned(), value])
        .collect();
    for row in table(&rows) {
        output.line(row);
    }
    Ok(Exit::Done)
}

fn remove(delete: &Delete, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let hostname = parse(&delete.hostname)?;
    let change = Change::SiteDelete {
        hostname: hostname.clone(),
    };
    if delete.plan || delete.yes {
        return change_site(&change, delete.plan, None, agent, output);
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
    let Some(seen) = preview(&change, agent)? else {
        return nothing_to_do(&change, agent, output);
    };
    plan::print(&seen, output);
    if prompt::line(&format!("Type {hostname} to delete it for good: "))? != hostname.as_str() {
        return Err(not_asked());
    }
    change_site(&change, false, Some(seen.hash), agent, output)
}

fn preview(change: &Change, agent: &mut dyn Ask) -> Result<Option<PlanView>, Fault> {
    let change = change.clone();
    match agent.ask(Request::Preview { change })? {
        Reply::Plan(plan) => Ok(Some(*plan)),
        Reply::Unchanged {} => Ok(None),
        other => Err(unexpected(other)),
    }
}

/// Plans or makes a change and tells what came of it.
pub(super) fn change_site(
    change: &Change,
    plan_only: bool,
    seen: Option<String>,
    agent: &mut dyn Ask,
    output: &mut Output,
) -> Outcome {
    if plan_only {
        if let Some(plan) = preview(change, agent)? {
            plan::print(&plan, output);
        } else {
            output.document(&json!({ "title": change.word(), "steps": [], "notes": [] }));
            output.line("Nothing would change");
        }
        return Ok(Exit::Done);
    }
    let request = Request::Apply {
        change: change.clone(),
        plan: seen,
        operation: None,
    };
    match agent.ask(request)? {
        Reply::Began { operation } => {
            let view = follow::follow(operation, agent, output)?;
            let told = json!({ "changed": true, "operation": view.summary.id });
            report(change, told, agent, output)
        }
        Reply::Unchanged {} => nothing_to_do(change, agent, output),
        other => Err(unexpected(other)),
    }
}

fn nothing_to_do(change: &Change, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let told = json!({ "changed": false, "operation": null });
    report(change, told, agent, output)
}

/// The site as it is now, with what was done to it.
fn report(change: &Change, told: Value, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let hostname = change.hostname();
    let changed = told.get("changed") == Some(&Value::Bool(true));
    output.line(sentence(change, changed));
    if output.is_json() {
        let mut document = match change {
            Change::SiteDelete { .. } => json!({ "hostname": hostname }),
            _ => json!(look_up(hostname, agent)?),
        };
        if let (Value::Object(fields), Value::Object(told)) = (&mut document, told) {
            fields.extend(told);
        }
        output.document(&document);
    }
    Ok(Exit::Done)
}

fn sentence(change: &Change, changed: bool) -> String {
    let hostname = change.hostname();
    if !changed {
        return format!("Nothing to do: {hostname} is that way already");
    }
    match change {
        Change::SiteCreate(_) => format!("{hostname} is online: {}", hostname.url()),
        Change::SiteEnable { .. } => format!("{hostname} is online again"),
        Change::SiteDisable { .. } => format!("{hostname} is offline; its files are kept"),
        Change::SiteLogs { .. } => format!("the logs of {hostname} are back"),
        Change::SiteDelete { .. } => format!("{hostname} is deleted"),
        Change::SiteSet { .. } => format!("{hostname} is changed"),
        Change::SiteVisitor { name, hash, .. } => match hash {
            Some(_) => format!("{name} may pass the protected paths of {hostname}"),
            None => format!("{name} may not pass the protected paths of {hostname} any more"),
        },
        Change::SiteSnippet { .. } => format!("{hostname} has its new nginx directives"),
        Change::SiteDrift { choice, .. } => match choice {
            DriftChoice::Keep => {
                format!("What was added to {hostname} is among its own directives")
            }
            DriftChoice::Restore => format!("{hostname} has Lala's files again"),
            DriftChoice::Leave => format!("The changed files of {hostname} stay as they are"),
        },
        Change::SitePurge { .. } => format!("The kept pages of {hostname} are forgotten"),
    }
}
