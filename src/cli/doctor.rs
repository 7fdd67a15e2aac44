//! `lalapanel doctor`
//!
//! Invariant: whatever is not well is printed with what to do, and a problem is an exit code scripts notice.

use clap::Args;

use crate::cli::Outcome;
use crate::cli::agent::{Ask, unexpected};
use crate::cli::handbook;
use crate::cli::output::{Exit, Output};
use crate::domain::fault::Fault;
use crate::install::{self, InstallOptions, Report, Terminal};
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::{DoctorReport, Finding, Level};

/// What can be typed after it.
#[derive(Debug, Clone, Copy, Args)]
pub struct Doctor {
    /// Put right what belongs to the panel: its files, its units, the services it needs
    #[arg(long)]
    pub fix: bool,
}

/// Puts the panel's own things right.
pub(super) type Repair<'a> = &'a mut dyn FnMut(&mut Output) -> Result<(), Fault>;

/// Prints what is so; with `fix` after putting right what can be.
pub(super) fn run(
    typed: Doctor,
    repair: Repair<'_>,
    agent: &mut dyn Ask,
    output: &mut Output,
) -> Outcome {
    // An agent that does not answer is itself something to put right.
    if typed.fix && !look(agent).is_ok_and(|report| worst(&report) == Level::Ok) {
        repair(output)?;
    }
    let report = look(agent)?;
    output.document(&report);
    for finding in &report.findings {
        print(finding, output);
    }
    Ok(match worst(&report) {
        Level::Problem => Exit::Refused,
        Level::Ok | Level::Warning => Exit::Done,
    })
}

/// `install` on a server that has the panel does exactly what is missing.
pub(super) fn install_again(output: &mut Output) -> Result<(), Fault> {
    let options = InstallOptions {
        yes: true,
        json: output.is_json(),
        handbook: handbook::files(),
        ..InstallOptions::default()
    };
    if let Report::Installed(report) = install::run(&options, &mut Terminal::new())? {
        // Without an account a new link was made, and the one before works no more.
        if let Some(link) = report.link {
            output.note(format!("make the first account: {link}"));
        }
    }
    Ok(())
}

fn look(agent: &mut dyn Ask) -> Result<DoctorReport, Fault> {
    match agent.ask(Request::Doctor {})? {
        Reply::Doctor(report) => Ok(report),
        other => Err(unexpected(other)),
    }
}

fn worst(report: &DoctorReport) -> Level {
    let has = |level| report.findings.iter().any(|finding| finding.level == level);
    if has(Level::Problem) {
        Level::Problem
    } else if has(Level::Warning) {
        Level::Warning
    } else {
        Level::Ok
    }
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

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::cli::usage::Captured;
    use crate::domain::fault::Code;
    use crate::rpc::protocol::Answer;

    /// An agent whose examinations find these levels, one after the other; none means that it does not answer.
    struct Patient(VecDeque<Option<Level>>);

    impl Ask for Patient {
        fn ask(&mut self, _: Request) -> Answer {
            let Some(level) = self.0.pop_front().expect("looked at once too often") else {
                return Err(Fault::new(Code::AgentUnreachable, "a", "b"));
            };
            let finding = Finding {
                check: "service.nginx".to_owned(),
                level,
                title: "nginx".to_owned(),
                hint: "start it".to_owned(),
                site: None,
            };
            Ok(Reply::Doctor(DoctorReport {
                findings: vec![finding],
            }))
        }
        fn pause(&mut self) {}
    }

    fn examined(fix: bool, found: &[Option<Level>]) -> (Outcome, u32, String) {
        let mut patient = Patient(found.iter().copied().collect());
        let captured = Captured::default();
        let mut repairs = 0;
        let mut repair = |_: &mut Output| {
            repairs += 1;
            Ok(())
        };
        let mut output = captured.output(false);
        let outcome = run(Doctor { fix }, &mut repair, &mut patient, &mut output);
        assert!(patient.0.is_empty());
        (outcome, repairs, captured.out())
    }

    #[test]
    fn a_problem_is_told_with_what_to_do_and_an_exit_code() {
        let (outcome, repairs, out) = examined(false, &[Some(Level::Problem)]);
        assert_eq!((outcome.unwrap(), repairs), (Exit::Refused, 0));
        assert_eq!(out, "problem  service.nginx  nginx\n         start it\n");
        let (outcome, _, _) = examined(false, &[Some(Level::Warning)]);
        assert_eq!(outcome.unwrap(), Exit::Done);
    }

    #[test]
    fn fixing_repairs_what_is_wrong_and_looks_again() {
        for before in [Some(Level::Problem), Some(Level::Warning), None] {
            let (outcome, repairs, _) = examined(true, &[before, Some(Level::Ok)]);
            assert_eq!((outcome.unwrap(), repairs), (Exit::Done, 1), "{before:?}");
        }
        let (outcome, _, _) = examined(true, &[Some(Level::Problem), Some(Level::Problem)]);
        assert_eq!(outcome.unwrap(), Exit::Refused);
    }

    #[test]
    fn nothing_is_repaired_where_all_is_well() {
        let (outcome, repairs, _) = examined(true, &[Some(Level::Ok), Some(Level::Ok)]);
        assert_eq!((outcome.unwrap(), repairs), (Exit::Done, 0));
    }
}
