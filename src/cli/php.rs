//! `lalapanel php …`
//!
//! Invariant: a version is listed only where its FPM is installed.

use clap::Subcommand;
use serde_json::json;

use crate::cli::Outcome;
use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::{Exit, Output};
use crate::rpc::protocol::{Reply, Request};

/// What can be done with PHP.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Installed versions, newest first
    List,
}

/// Runs one.
pub fn run(verb: &Verb, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    match verb {
        Verb::List => match agent.ask(Request::SiteOptions {})? {
            Reply::SiteOptions(options) => {
                output.document(&json!({ "php": options.php }));
                for version in &options.php {
                    output.line(version.to_string());
                }
                Ok(Exit::Done)
            }
            other => Err(unexpected(other)),
        },
    }
}
