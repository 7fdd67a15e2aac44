//! `lalapanel doctor`
//!
//! Invariant: whatever is not well is printed with what to do, and a problem is an exit code scripts notice.

use crate::cli::Outcome;
use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::{Exit, Output};
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::{Finding, Level};

/// Prints it.
pub fn run(agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let report = match agent.ask(Request::Doctor {})? {
        Reply::Doctor(report) => report,
        other => return Err(unexpected(other)),
    };
    output.document(&report);
    for finding in &report.findings {
        print(finding, output);
    }
    let has_problem = report
        .findings
        .iter()
        .any(|finding| finding.level == Level::Problem);
    Ok(if has_problem {
        Exit::Refused
    } else {
        Exit::Done
    })
}

fn print(finding: &Finding, output: &mut Output) {
    let word = match finding.level {
        Level::Ok => "ok     ",
        Level::Warning => "warning",
        Level::Problem => "problem",
    };
    output.line(format!("{word}  {}  {}", finding.check, finding.title));
    if finding.level != Level::Ok && !finding.hint.is_empty() {
        output.line(format!("         {}", finding.hint));
    }
}
