//! `lalapanel php …`
//!
//! Invariant: what is listed as installed has its FPM here, and what is listed as available is in apt's own lists.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::{Exit, Output, table};
use crate::cli::{Outcome, change};
use crate::domain::change::Change;
use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::domain::php::PhpVersion;
use crate::domain::php_extension::PhpExtension;
use crate::rpc::document;
use crate::rpc::php::{PhpVersionView, PhpView};
use crate::rpc::protocol::{Reply, Request};

/// What can be done with PHP.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Installed and available versions, newest first, and how long they get security fixes
    List,
    /// Install a version beside the others
    Install(Which),
    /// Remove a version that no site uses
    Remove(Which),
    /// Extensions of a version: what it has, what apt could add
    #[command(subcommand)]
    Extension(Extension),
    /// The extra repository for versions that the distribution does not have
    #[command(subcommand)]
    Repository(Repository),
}

/// A version.
#[derive(Debug, Args)]
pub struct Which {
    /// For example 8.4
    pub version: PhpVersion,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// What can be done with extensions.
#[derive(Debug, Subcommand)]
pub enum Extension {
    /// What a version has, and the common ones that apt could add
    List {
        /// For example 8.4
        version: PhpVersion,
    },
    /// Install one and have the sites of the version read it, each checked by its home page
    Install(One),
    /// Remove one that neither the version nor a database of a site needs
    Remove(One),
}

/// An extension of a version.
#[derive(Debug, Args)]
pub struct One {
    /// For example 8.4
    pub version: PhpVersion,
    /// As its package is called after `phpV-`, for example redis
    pub name: PhpExtension,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// What can be done with the extra repository.
#[derive(Debug, Subcommand)]
pub enum Repository {
    /// Whether it is on, and what to know before
    Status,
    /// Take packages from it as well
    Enable {
        /// Print what would change, and change nothing
        #[arg(long)]
        plan: bool,
    },
    /// Take packages from the distribution alone
    Disable {
        /// Print what would change, and change nothing
        #[arg(long)]
        plan: bool,
    },
}

/// Runs one.
pub fn run(verb: &Verb, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let (change, plan) = match *verb {
        Verb::List => return list(agent, output),
        Verb::Extension(ref verb) => return extension(verb, agent, output),
        Verb::Repository(Repository::Status) => return status(agent, output),
        Verb::Install(Which { version: php, plan }) => (Change::PhpInstall { php }, plan),
        Verb::Remove(Which { version: php, plan }) => (Change::PhpRemove { php }, plan),
        Verb::Repository(Repository::Enable { plan }) => {
            (Change::PhpRepository { enabled: true }, plan)
        }
        Verb::Repository(Repository::Disable { plan }) => {
            (Change::PhpRepository { enabled: false }, plan)
        }
    };
    change::run(&change, plan, None, agent, output)
}

fn extension(verb: &Extension, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let (change, plan) = match verb {
        Extension::List { version } => return extensions(*version, agent, output),
        Extension::Install(One {
            version,
            name,
            plan,
        }) => {
            let (php, extension) = (*version, name.clone());
            (Change::PhpExtensionInstall { php, extension }, *plan)
        }
        Extension::Remove(One {
            version,
            name,
            plan,
        }) => {
            let (php, extension) = (*version, name.clone());
            (Change::PhpExtensionRemove { php, extension }, *plan)
        }
    };
    change::run(&change, plan, None, agent, output)
}

fn extensions(php: PhpVersion, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let view = look(agent)?;
    let found = view.versions.iter().find(|one| one.version == php);
    let Some(one) = found.filter(|one| one.installed) else {
        return Err(Fault::new(
            Code::PhpNotInstalled,
            format!("PHP {php} is not installed"),
            "see `lalapanel php list` for the versions that are",
        ));
    };
    let (here, there) = (&one.extensions.installed, &one.extensions.available);
    output.document(&json!({ "version": php, "installed": here, "available": there }));
    let mut rows = vec![["EXTENSION", "STATE"].map(str::to_owned).to_vec()];
    let row = |name: &String, state: &str| vec![name.clone(), state.to_owned()];
    rows.extend(here.iter().map(|name| row(name, "installed")));
    rows.extend(there.iter().map(|name| row(name, "available")));
    for row in table(&rows) {
        output.line(row);
    }
    Ok(Exit::Done)
}

fn look(agent: &mut dyn Ask) -> Result<PhpView, Fault> {
    match agent.ask(Request::PhpList {})? {
        Reply::Php(view) => Ok(*view),
        other => Err(unexpected(other)),
    }
}

fn list(agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let view = look(agent)?;
    output.document(&document::of_php(&view));
    let mut rows = vec![
        ["VERSION", "STATE", "SITES", "SECURITY FIXES"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(view.versions.iter().map(|one| {
        vec![
            one.version.to_string(),
            state(one).to_owned(),
            sites(one),
            one.support(),
        ]
    }));
    for row in table(&rows) {
        output.line(row);
    }
    for one in view.versions.iter().filter(|one| one.installed) {
        let (here, there) = (&one.extensions.installed, &one.extensions.available);
        output.line(format!("PHP {} has {}", one.version, words(here)));
        if !there.is_empty() {
            output.line(format!("  apt could add {}", words(there)));
        }
    }
    if !view.repository.enabled && view.repository.possible {
        output.line("More versions: see `lalapanel php repository status`");
    }
    Ok(Exit::Done)
}

fn state(one: &PhpVersionView) -> &'static str {
    if one.installed {
        "installed"
    } else {
        "available"
    }
}

fn words(extensions: &[String]) -> String {
    if extensions.is_empty() {
        "none of the common extensions".to_owned()
    } else {
        extensions.join(", ")
    }
}

fn sites(one: &PhpVersionView) -> String {
    let names: Vec<&str> = one.sites.iter().take(3).map(Hostname::as_str).collect();
    match one.sites.len() {
        0 => "-".to_owned(),
        1..=3 => names.join(", "),
        more => format!("{} and {} more", names.join(", "), more - 3),
    }
}

fn status(agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let view = look(agent)?.repository;
    output.document(&view);
    output.line(match (view.enabled, view.possible) {
        (true, _) => "The extra PHP repository is on",
        (false, true) => {
            "The extra PHP repository is off; turn it on with `lalapanel php repository enable`"
        }
        (false, false) => {
            "The extra PHP repository is off, and cannot be turned on for this distribution"
        }
    });
    for line in &view.explanation {
        output.line(format!("- {line}"));
    }
    Ok(Exit::Done)
}
