//! `lalapanel site clone`: another site with the settings and the files of one that is there.
//!
//! Invariant: what a copy does not bring along is told at its end, also to who did not ask for the plan.

use clap::Args;
use serde_json::json;

use crate::cli::agent::Ask;
use crate::cli::output::Output;
use crate::cli::site::parse;
use crate::cli::{Outcome, change};
use crate::domain::change::Change;

/// A site and the name of its clone.
#[derive(Debug, Args)]
pub struct SiteClone {
    /// Its hostname
    pub hostname: String,
    /// The hostname of the new site
    pub name: String,
    /// Copy its databases too, each under a name, a user and a password of its own
    #[arg(long)]
    pub databases: bool,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// Makes the clone.
pub(super) fn clone(clone: &SiteClone, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let (hostname, name) = (parse(&clone.hostname)?, parse(&clone.name)?);
    let wanted = Change::SiteClone {
        hostname: hostname.clone(),
        name: name.clone(),
        databases: clone.databases,
    };
    // Read before, since afterwards there is no plan of it any more; where it is refused, the change itself says why.
    let plan = if clone.plan {
        None
    } else {
        change::preview(&wanted, agent)?
    };
    let tell = |_: &mut dyn Ask, output: &mut Output| {
        let notes = plan.as_ref().map(|plan| plan.notes.clone());
        let notes = notes.unwrap_or_default();
        for note in &notes {
            output.line(note);
        }
        Ok(json!({ "notes": notes }))
    };
    change::run_and_tell(&wanted, clone.plan, None, agent, output, &tell)
}
