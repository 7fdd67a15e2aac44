//! `lalapanel site visitor`: who may pass the protected paths of a site.
//!
//! Invariant: the password is hashed here; neither the agent nor the journal ever sees it.

use clap::{Args, Subcommand};

use crate::cli::agent::Ask;
use crate::cli::output::Output;
use crate::cli::site::parse;
use crate::cli::{Outcome, change as changes, prompt};
use crate::domain::change::Change;
use crate::domain::fault::{Code, Fault};
use crate::domain::secret::Password;
use crate::domain::visitor::{VisitorHash, VisitorName};

/// What can be done with visitors.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Let somebody pass; the password is asked for, or read from a file
    Add(Add),
    /// Let nobody of that name pass any more
    Remove(Remove),
}

/// Somebody new, or with a new password.
#[derive(Debug, Args)]
pub struct Add {
    /// The site
    pub hostname: String,
    /// The name
    pub name: String,
    /// Read the password from the first line of this file; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<String>,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// Somebody to remove.
#[derive(Debug, Args)]
pub struct Remove {
    /// The site
    pub hostname: String,
    /// The name
    pub name: String,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// Runs one.
pub(super) fn run(verb: &Verb, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let (hostname, name, plan_only) = match verb {
        Verb::Add(add) => (&add.hostname, &add.name, add.plan),
        Verb::Remove(remove) => (&remove.hostname, &remove.name, remove.plan),
    };
    let hostname = parse(hostname)?;
    let name = VisitorName::parse(name).map_err(|bad| {
        Fault::new(
            Code::SettingInvalid,
            bad.to_string(),
            "choose another name, then try again",
        )
    })?;
    let hash = match verb {
        Verb::Add(add) => Some(hash(&prompt::password(add.password_file.as_deref())?)?),
        Verb::Remove(_) => None,
    };
    let change = Change::SiteVisitor {
        hostname,
        name,
        hash,
    };
    changes::run(&change, plan_only, None, agent, output)
}

/// The hash of a password, as crypt(5) knows it.
pub(super) fn hash(password: &Password) -> Result<VisitorHash, Fault> {
    let failed = || {
        Fault::new(
            Code::HostFailed,
            "the password could not be hashed",
            "try again; if it stays so, report it with the version of the panel",
        )
    };
    let mut salt = [0; 12];
    getrandom::fill(&mut salt).map_err(|_| failed())?;
    VisitorHash::of(password, salt).map_err(|_| failed())
}
