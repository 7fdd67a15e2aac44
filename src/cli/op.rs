//! `lalapanel op …`
//!
//! Invariant: an operation that waits for a person is told with the commands that are left.

use clap::Subcommand;
use serde_json::json;

use crate::cli::Outcome;
use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::{Exit, Output, moment, table};
use crate::domain::fault::{Code, Fault};
use crate::domain::id::OperationId;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::{OperationState, OperationSummary, OperationView};

/// What can be done with operations.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// The newest operations first
    List {
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// One operation with its steps
    Show {
        /// Its id
        id: String,
    },
    /// Look at a stuck operation again, after you ran what was missing
    Check {
        /// Its id
        id: String,
    },
}

/// Runs one.
pub fn run(verb: &Verb, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    match verb {
        Verb::List { limit } => list(*limit, agent, output),
        Verb::Show { id } => {
            let id = parse(id)?;
            let view = look(Request::OperationShow { id }, agent)?;
            print(&view, output);
            Ok(Exit::Done)
        }
        Verb::Check { id } => {
            let id = parse(id)?;
            let view = look(Request::OperationCheck { id }, agent)?;
            print(&view, output);
            Ok(match view.summary.state {
                OperationState::Stuck => Exit::Stuck,
                _ => Exit::Done,
            })
        }
    }
}

fn parse(text: &str) -> Result<OperationId, Fault> {
    OperationId::parse(text).map_err(|_| {
        Fault::new(
            Code::OperationNotFound,
            format!("There is no operation `{text}`"),
            "see `lalapanel op list` for the operations there are",
        )
    })
}

fn list(limit: u32, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let operations = match agent.ask(Request::OperationList { limit })? {
        Reply::Operations(operations) => operations,
        other => return Err(unexpected(other)),
    };
    output.document(&json!({ "operations": operations }));
    let mut rows = vec![
        ["OPERATION", "BEGAN", "STATE", "BY", "WHAT"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(operations.iter().map(row));
    for row in table(&rows) {
        output.line(row);
    }
    Ok(Exit::Done)
}

fn row(operation: &OperationSummary) -> Vec<String> {
    vec![
        operation.id.to_string(),
        moment(operation.began),
        operation.state.word().to_owned(),
        operation.actor.clone(),
        operation.title.clone(),
    ]
}

fn look(request: Request, agent: &mut dyn Ask) -> Result<OperationView, Fault> {
    match agent.ask(request)? {
        Reply::Operation(view) => Ok(*view),
        other => Err(unexpected(other)),
    }
}

fn print(view: &OperationView, output: &mut Output) {
    output.document(view);
    let summary = &view.summary;
    output.line(format!("{} ({})", summary.title, summary.state.word()));
    output.line(format!(
        "began {} by {}",
        moment(summary.began),
        summary.actor
    ));
    if view.recovered {
        output.line("brought to its end after a restart of the agent");
    }
    for (number, step) in view.steps.iter().enumerate() {
        output.line(format!(
            "{:>3}. {:<8} {}",
            number + 1,
            step.state.word(),
            step.title
        ));
    }
    if let Some(fault) = &view.fault {
        output.line(format!("error[{}]: {}", fault.code.as_str(), fault.title));
        for line in fault.detail.lines() {
            output.line(format!("  {line}"));
        }
        output.line(format!("  hint: {}", fault.hint));
    }
    if !view.remaining.is_empty() {
        output.line("left to do by hand:");
        for command in &view.remaining {
            output.line(format!("  $ {command}"));
        }
        output.line(format!("then: lalapanel op check {}", summary.id));
    }
}
