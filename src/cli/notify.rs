//! `lalapanel notify …`
//!
//! Invariant: no password and no secret is printed here.

use clap::Subcommand;
use serde_json::json;

use crate::cli::Outcome;
use crate::cli::agent::{Ask, unexpected};
use crate::cli::notify_set;
use crate::cli::output::{Exit, Output, moment, table};
use crate::domain::fault::Fault;
use crate::domain::notice::Way;
use crate::rpc::notify::{NotifyView, TrialView, WayView};
use crate::rpc::protocol::{Reply, Request};

/// What can be done with it.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Who is told, of what, and how that goes
    Status,
    /// Say who is told, and from when on
    Set(Box<notify_set::Changing>),
    /// Tell nobody any more
    Off(notify_set::Off),
    /// Tell everybody something for a try, and print what the other side answered
    Test,
}

/// Runs one.
pub fn run(verb: &Verb, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    match verb {
        Verb::Status => Ok(status(&look(agent)?, output)),
        Verb::Set(typed) => notify_set::set(typed, agent, output),
        Verb::Off(typed) => notify_set::off(typed, agent, output),
        Verb::Test => match agent.ask(Request::NotifyTest {})? {
            Reply::NotifyTried(trials) => Ok(tried(&trials, output)),
            other => Err(unexpected(other)),
        },
    }
}

pub(super) fn look(agent: &mut dyn Ask) -> Result<NotifyView, Fault> {
    match agent.ask(Request::NotifyStatus {})? {
        Reply::Notify(view) => Ok(*view),
        other => Err(unexpected(other)),
    }
}

pub(super) fn word(way: Way) -> &'static str {
    match way {
        Way::Mail => "mail",
        Way::Webhook => "webhook",
    }
}

fn status(view: &NotifyView, output: &mut Output) -> Exit {
    output.document(view);
    if view.ways.is_empty() {
        output.note(
            "nobody is told: `lalapanel notify set --mail-to ops@shop.example --smtp-host smtp.shop.example`, or `--webhook-url-file FILE`",
        );
        return Exit::Done;
    }
    let mut rows = vec![
        ["WAY", "TELLS", "LAST", "A DAY", "WAITING"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(view.ways.iter().map(row));
    for line in table(&rows) {
        output.line(line);
    }
    for way in &view.ways {
        if let Some(failure) = &way.failure {
            let again = way.again.map(moment).unwrap_or_default();
            let word = word(way.way);
            output.line(format!(
                "{word} failed, and is tried again at {again}: {failure}"
            ));
        }
    }
    for matter in &view.matters {
        let state = if matter.over { "over" } else { "goes on" };
        output.line(format!(
            "{state} since {}: {}",
            moment(matter.began),
            matter.title
        ));
    }
    output.note(format!(
        "told is what lasts for {} s; a disk over {} %, memory over {} %",
        view.after_seconds, view.disk_percent, view.memory_percent
    ));
    Exit::Done
}

fn row(way: &WayView) -> Vec<String> {
    vec![
        word(way.way).to_owned(),
        way.target.clone(),
        way.last.map_or_else(|| "-".to_owned(), moment),
        way.sent.to_string(),
        way.waiting.to_string(),
    ]
}

fn tried(trials: &[TrialView], output: &mut Output) -> Exit {
    output.document(&json!({ "trials": trials }));
    for trial in trials {
        let (way, target) = (word(trial.way), &trial.target);
        if let Some(answer) = &trial.answer {
            output.line(format!("{way} to {target} was taken: {answer}"));
        }
        if let Some(fault) = &trial.failure {
            output.line(format!("{way} to {target} failed: {}", fault.title));
            if !fault.detail.is_empty() {
                output.line(format!("  {}", fault.detail));
            }
            output.line(format!("  {}", fault.hint));
        }
    }
    if trials.iter().all(|trial| trial.failure.is_none()) {
        Exit::Done
    } else {
        Exit::Refused
    }
}
