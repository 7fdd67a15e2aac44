//! `lalapanel site …`
//!
//! Invariant: nothing is deleted without the hostname typed by a person or `--yes` typed by a script.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::{Exit, Output, moment, table};
use crate::cli::site_clone::SiteClone;
use crate::cli::site_new::Create;
use crate::cli::site_rename::Rename;
use crate::cli::site_set::{AliasVerb, Set};
use crate::cli::site_trash::{Delete, Restore};
use crate::cli::{
    Outcome, change, site_clone, site_new, site_nginx, site_rename, site_set, site_trash,
    site_visitor,
};
use crate::domain::change::Change;
use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::domain::php::PhpVersion;
use crate::domain::site_name::SiteName;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::SiteView;

/// What can be done with sites.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make a site
    Create(Create),
    /// All sites
    List {
        /// Those in the trash
        #[arg(long)]
        trash: bool,
    },
    /// One site
    Show {
        /// Its hostname or an alias
        hostname: String,
    },
    /// Put a site back online
    Enable(Which),
    /// Take a site offline; nothing of it is deleted
    Disable(Which),
    /// Move a site to the trash, where it stays for 7 days
    Delete(Delete),
    /// Put a site back from the trash
    Restore(Restore),
    /// Give a site another hostname; its files, logs and settings go with it
    Rename(Rename),
    /// Make a site with the settings and a copy of the files of another
    Clone(SiteClone),
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
    /// Have a site run by another PHP version
    Php(Php),
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

/// A site and the PHP version that shall run it.
#[derive(Debug, Args)]
pub struct Php {
    /// Its hostname
    pub hostname: String,
    /// An installed version
    pub version: PhpVersion,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// Runs one.
pub fn run(verb: Verb, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    match verb {
        Verb::List { trash: true } => site_trash::list(agent, output),
        Verb::List { trash: false } => list(agent, output),
        Verb::Show { hostname } => show(&parse(&hostname)?, agent, output),
        Verb::Create(create) => site_new::run(&create, agent, output),
        Verb::Enable(which) => {
            let hostname = parse(&which.hostname)?;
            let change = Change::SiteEnable { hostname };
            change::run(&change, which.plan, None, agent, output)
        }
        Verb::Disable(which) => {
            let hostname = parse(&which.hostname)?;
            let change = Change::SiteDisable { hostname };
            change::run(&change, which.plan, None, agent, output)
        }
        Verb::Delete(delete) => site_trash::remove(&delete, agent, output),
        Verb::Restore(restore) => site_trash::restore(&restore, agent, output),
        Verb::Rename(rename) => site_rename::rename(&rename, agent, output),
        Verb::Clone(clone) => site_clone::clone(&clone, agent, output),
        Verb::Set(set) => site_set::set(&set, agent, output),
        Verb::Alias { verb } => site_set::alias(&verb, agent, output),
        Verb::Visitor { verb } => site_visitor::run(&verb, agent, output),
        Verb::Purge(which) => site_set::purge(&which, agent, output),
        Verb::Snippet(own) => site_nginx::snippet(&own, agent, output),
        Verb::Drift(changed) => site_nginx::drift(&changed, agent, output),
        Verb::Php(typed) => {
            let hostname = parse(&typed.hostname)?;
            let php = typed.version;
            let change = Change::SitePhp { hostname, php };
            change::run(&change, typed.plan, None, agent, output)
        }
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
            site.runs(),
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

fn state(site: &SiteView) -> &'static str {
    if site.enabled { "online" } else { "offline" }
}

fn show(hostname: &Hostname, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let site = change::look_up(hostname, agent)?;
    output.document(&site);
    let mut rows = vec![
        ("hostname", site.hostname.to_string()),
        ("type", site.runs()),
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
    rows.extend(site.databases.iter().map(|name| ("database", name.clone())));
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
