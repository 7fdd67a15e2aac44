//! Watches an operation until it ends, one line for each step.
//!
//! Invariant: an agent that restarts meanwhile is waited for, because what it had begun has an end all the same.

use std::collections::BTreeSet;

use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::Output;
use crate::domain::fault::{Code, Fault};
use crate::domain::id::OperationId;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::{OperationState, OperationStepView, OperationView, StepState};

/// How often an agent that is gone is asked again.
const TRIES: u32 = 20;

/// Follows to the end; an operation that was not done is the fault that stopped it.
pub fn follow(
    id: OperationId,
    agent: &mut dyn Ask,
    output: &mut Output,
) -> Result<OperationView, Fault> {
    let mut told = Told::default();
    let mut after = 0;
    loop {
        let view = next(id, after, agent)?;
        after = view.sequence;
        told.tell(&view, output);
        if view.summary.state.is_final() {
            output.clear_unfinished();
            return end(view);
        }
    }
}

fn next(id: OperationId, after: u64, agent: &mut dyn Ask) -> Result<OperationView, Fault> {
    let mut tries = 0;
    loop {
        match agent.ask(Request::OperationFollow { id, after }) {
            Ok(Reply::Operation(view)) => return Ok(*view),
            Ok(other) => return Err(unexpected(other)),
            Err(fault) if fault.code == Code::AgentUnreachable && tries < TRIES => {
                tries += 1;
                agent.pause();
            }
            Err(fault) => return Err(fault.in_operation(id)),
        }
    }
}

fn end(view: OperationView) -> Result<OperationView, Fault> {
    let id = view.summary.id;
    match view.summary.state {
        OperationState::Done => Ok(view),
        OperationState::Stuck => Err(stuck(&view).in_operation(id)),
        _ => Err(undone(view).in_operation(id)),
    }
}

fn undone(view: OperationView) -> Fault {
    view.fault.unwrap_or_else(|| {
        Fault::new(
            Code::HostFailed,
            "It was undone; the server is as before",
            "see its steps with `lalapanel op show`",
        )
    })
}

fn stuck(view: &OperationView) -> Fault {
    let mut lines: Vec<String> = view.fault.iter().map(|fault| fault.title.clone()).collect();
    lines.extend(view.remaining.iter().map(|command| format!("$ {command}")));
    Fault::new(
        Code::OperationStuck,
        "It could not be undone by itself",
        format!(
            "run what is listed above, then `lalapanel op check {}`",
            view.summary.id
        ),
    )
    .detail(lines.join("\n"))
}

/// Which steps were told with which end.
#[derive(Default)]
struct Told(BTreeSet<(usize, &'static str)>);

impl Told {
    fn tell(&mut self, view: &OperationView, output: &mut Output) {
        let mut working = None;
        for (number, step) in view.steps.iter().enumerate() {
            match step.state {
                StepState::Waiting => {}
                StepState::Working => working = Some(step),
                ended => {
                    if self.0.insert((number, ended.word())) {
                        output.clear_unfinished();
                        output.note(line(step));
                    }
                }
            }
        }
        if let Some(step) = working {
            output.unfinished(&format!("  … {}", step.title));
        }
    }
}

fn line(step: &OperationStepView) -> String {
    let mark = match step.state {
        StepState::Done => '✓',
        StepState::Failed => '✗',
        StepState::Undone => '↺',
        StepState::Waiting | StepState::Working => '…',
    };
    let word = match step.state {
        StepState::Undone => " (undone)",
        StepState::Failed => " (failed)",
        _ => "",
    };
    let found = step.note.iter().map(|note| format!(": {note}"));
    let word = format!("{}{word}", found.collect::<String>());
    match (step.began, step.ended) {
        (Some(began), Some(ended)) => {
            let tenths = ended.millis_since(began) / 100;
            format!(
                "  {mark} {}{word}  {}.{} s",
                step.title,
                tenths / 10,
                tenths % 10
            )
        }
        _ => format!("  {mark} {}{word}", step.title),
    }
}
