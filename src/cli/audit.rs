//! `lalapanel audit …`
//!
//! Invariant: a broken trail is never told as a sound one; it exits with the code for "a person is needed".

use clap::Subcommand;
use serde_json::json;

use crate::cli::Outcome;
use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::{Exit, Output, moment, table};
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::AuditEntry;

/// What can be done with the audit trail.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// The newest entries first
    List {
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Check that no entry was changed or removed
    Verify,
}

/// Runs one.
pub fn run(verb: &Verb, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    match verb {
        Verb::List { limit } => list(*limit, agent, output),
        Verb::Verify => verify(agent, output),
    }
}

fn list(limit: u32, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let entries = match agent.ask(Request::AuditList { limit })? {
        Reply::Audit(entries) => entries,
        other => return Err(unexpected(other)),
    };
    output.document(&json!({ "entries": entries }));
    let header = ["TIME", "WHO", "FROM", "WHAT", "ON", "RESULT"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(entries.iter().map(row));
    for row in table(&rows) {
        output.line(row);
    }
    Ok(Exit::Done)
}

fn row(entry: &AuditEntry) -> Vec<String> {
    vec![
        moment(entry.time),
        entry.actor.clone(),
        entry
            .from
            .map_or_else(|| "-".to_owned(), |from| from.to_string()),
        entry.action.clone(),
        entry.object.clone(),
        entry.result.clone(),
    ]
}

fn verify(agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    match agent.ask(Request::AuditVerify {})? {
        Reply::AuditSound { entries } => {
            output.document(&json!({ "sound": true, "entries": entries }));
            output.line(format!("The audit trail is sound: {entries} entries"));
            Ok(Exit::Done)
        }
        other => Err(unexpected(other)),
    }
}
