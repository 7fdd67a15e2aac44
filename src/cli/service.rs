//! `lalapanel service …`
//!
//! Invariant: it lists the services the panel answers for, and no others.

use clap::Subcommand;
use serde_json::json;

use crate::cli::Outcome;
use crate::cli::output::{Exit, Output, table};
use crate::cli::{agent::Ask, status};

/// What can be done with services.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// All services the panel needs, and whether they run
    List,
}

/// Runs one.
pub fn run(verb: &Verb, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    match verb {
        Verb::List => {
            let status = status::look(agent)?;
            output.document(&json!({ "services": status.services }));
            for row in table(&status::rows(&status.services)) {
                output.line(row);
            }
            Ok(Exit::Done)
        }
    }
}
