//! `lalapanel site rename`: another hostname for a site.
//!
//! Invariant: where nothing is said, the old name leads to the new one, so no visitor is lost by leaving a word out.

use clap::{Args, ValueEnum};

use crate::cli::agent::Ask;
use crate::cli::output::Output;
use crate::cli::site::parse;
use crate::cli::{Outcome, change};
use crate::domain::change::{Change, OldName};

/// A site and its new name.
#[derive(Debug, Args)]
pub struct Rename {
    /// Its hostname
    pub hostname: String,
    /// The hostname it gets
    pub name: String,
    /// What becomes of the name it has
    #[arg(long, value_enum, default_value_t = Old::Redirect)]
    pub old: Old,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// What becomes of the old name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Old {
    /// Its visitors are sent to the new name
    Redirect,
    /// The site answers to it as well
    Alias,
    /// Nothing answers to it any more
    Drop,
}

/// Gives a site another hostname.
pub(super) fn rename(rename: &Rename, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let change = Change::SiteRename {
        hostname: parse(&rename.hostname)?,
        name: parse(&rename.name)?,
        old: match rename.old {
            Old::Redirect => OldName::Redirect,
            Old::Alias => OldName::Alias,
            Old::Drop => OldName::Drop,
        },
    };
    change::run(&change, rename.plan, None, agent, output)
}
