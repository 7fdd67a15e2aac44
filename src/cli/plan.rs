//! A plan in words: numbered lines, the command or the diff below each.
//!
//! Invariant: what is printed here is what the browser shows and what would run; nothing is left out.

use crate::cli::output::Output;
use crate::rpc::view::{PlanStepView, PlanView};

/// Prints it.
pub fn print(plan: &PlanView, output: &mut Output) {
    output.document(plan);
    output.line(&plan.title);
    for (number, step) in plan.steps.iter().enumerate() {
        print_step(number + 1, step, output);
    }
    for note in &plan.notes {
        output.line(format!("note: {note}"));
    }
}

fn print_step(number: usize, step: &PlanStepView, output: &mut Output) {
    output.line(format!("{number:>3}. {}", step.title));
    match &step.command {
        Some(command) => output.line(format!("       $ {command}")),
        None if !step.target.is_empty() && !step.title.contains(&step.target) => {
            output.line(format!("       {}", step.target));
        }
        None => {}
    }
    for line in step.diff.iter().flat_map(|diff| diff.lines()) {
        output.line(format!("       {line}"));
    }
}
