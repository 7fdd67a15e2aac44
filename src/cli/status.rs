//! `lalapanel status`
//!
//! Invariant: it only looks.

use crate::cli::Outcome;
use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::{Exit, Output, table};
use crate::domain::fault::Fault;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::{ServiceView, StatusView};

/// Prints it.
pub fn run(agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let status = look(agent)?;
    output.document(&status);
    let php: Vec<String> = status.php.iter().map(ToString::to_string).collect();
    let tenths = status.agent_memory * 10 / (1024 * 1024);
    let memory = format!("{}.{} MiB", tenths / 10, tenths % 10);
    let sites = format!("{} ({} online)", status.sites, status.sites_enabled);
    let facts = [
        ("panel", status.version.clone()),
        ("system", status.distribution.clone()),
        ("services by", status.service_manager.clone()),
        ("php", php.join(", ")),
        ("sites", sites),
        ("agent memory", memory),
    ];
    let mut lines: Vec<Vec<String>> = facts
        .into_iter()
        .map(|(name, value)| vec![name.to_owned(), value])
        .collect();
    lines.extend(rows(&status.services));
    for row in table(&lines) {
        output.line(row);
    }
    for id in &status.stuck {
        output.line(format!("needs you: lalapanel op show {id}"));
    }
    Ok(Exit::Done)
}

pub(super) fn look(agent: &mut dyn Ask) -> Result<StatusView, Fault> {
    match agent.ask(Request::Status {})? {
        Reply::Status(status) => Ok(status),
        other => Err(unexpected(other)),
    }
}

pub(super) fn rows(services: &[ServiceView]) -> Vec<Vec<String>> {
    let mark = |service: &ServiceView| {
        if service.healthy {
            service.state.clone()
        } else {
            format!("{} (not as it should be)", service.state)
        }
    };
    services
        .iter()
        .map(|service| vec![service.name.clone(), mark(service)])
        .collect()
}
