//! `lalapanel service …`
//!
//! Invariant: it lists the services the panel answers for, and no others.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::output::{Exit, Output, table};
use crate::cli::{Outcome, change};
use crate::cli::{agent::Ask, status};
use crate::domain::change::Change;
use crate::domain::fault::{Code, Fault};
use crate::domain::service::{Service, ServiceVerb};

/// What can be done with services.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// All services the panel needs, and whether they run
    List,
    /// Start one
    Start(Which),
    /// Stop one, until it is started again or the server boots
    Stop(Which),
    /// Stop and start one; its configuration is tested first
    Restart(Which),
}

/// Which.
#[derive(Debug, Args)]
pub struct Which {
    /// nginx, mariadb or lalapanel-web
    pub name: String,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// Runs one.
pub fn run(verb: &Verb, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let (which, verb) = match verb {
        Verb::List => return list(agent, output),
        Verb::Start(which) => (which, ServiceVerb::Start),
        Verb::Stop(which) => (which, ServiceVerb::Stop),
        Verb::Restart(which) => (which, ServiceVerb::Restart),
    };
    let service = parse(&which.name)?;
    let change = Change::Service { service, verb };
    change::run(&change, which.plan, None, agent, output)
}

fn parse(name: &str) -> Result<Service, Fault> {
    let name = name.strip_suffix(".service").unwrap_or(name);
    Service::parse(name).map_err(|bad| {
        let hint = match name {
            "lalapanel-agent" | "lalapanel" => {
                "the agent cannot tell of its own end: run `systemctl restart lalapanel-agent`"
            }
            _ => "give one of these; `lalapanel service list` tells whether they run",
        };
        Fault::new(Code::ServiceRefused, bad.to_string(), hint)
    })
}

fn list(agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let status = status::look(agent)?;
    output.document(&json!({ "services": status.services }));
    for row in table(&status::rows(&status.services)) {
        output.line(row);
    }
    Ok(Exit::Done)
}
