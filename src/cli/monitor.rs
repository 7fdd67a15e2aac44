//! `lalapanel monitor`
//!
//! Invariant: it only looks; a figure that was not seen is a dash.

use clap::{Args, ValueEnum};

use crate::cli::Outcome;
use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::{Exit, Output, moment, table};
use crate::domain::sample::{Range, Sample};
use crate::rpc::monitor::MonitorView;
use crate::rpc::protocol::{Reply, Request};

/// What can be typed after it.
#[derive(Debug, Args)]
pub struct Monitor {
    /// How far back
    #[arg(long, value_enum, default_value = "day")]
    pub range: Typed,
}

/// The ranges there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Typed {
    /// The last hour, by the minute
    Hour,
    /// The last 24 hours, by the minute
    Day,
    /// The last 7 days, by the hour
    Week,
    /// The last 30 days, by the hour
    Month,
    /// The last 365 days, by the hour
    Year,
}

impl Typed {
    fn range(self) -> Range {
        match self {
            Self::Hour => Range::Hour,
            Self::Day => Range::Day,
            Self::Week => Range::Week,
            Self::Month => Range::Month,
            Self::Year => Range::Year,
        }
    }
}

type Figure = (&'static str, fn(&Sample) -> Option<u64>, fn(u64) -> String);

const FIGURES: [Figure; 7] = [
    (
        "cpu",
        |one| one.cpu,
        |share| format!("{}.{:02} %", share / 100, share % 100),
    ),
    (
        "load",
        |one| one.load,
        |load| format!("{}.{:02}", load / 100, load % 100),
    ),
    ("memory", |one| one.memory, mebibytes),
    ("disk", |one| one.disk, mebibytes),
    ("inodes left", |one| one.inodes, |left| left.to_string()),
    ("received", |one| one.received, |rate| format!("{rate} B/s")),
    ("sent", |one| one.sent, |rate| format!("{rate} B/s")),
];

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes / (1024 * 1024))
}

/// Prints it.
pub fn run(typed: &Monitor, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let range = typed.range.range();
    let view = match agent.ask(Request::Monitor { range })? {
        Reply::Monitor(view) => *view,
        other => return Err(unexpected(other)),
    };
    output.document(&view);
    for row in table(&rows(&view)) {
        output.line(row);
    }
    if !view.php.is_empty() {
        output.line("");
        for row in table(&php(&view)) {
            output.line(row);
        }
    }
    if view.samples.is_empty() {
        output.note("nothing was seen yet: the first look is a minute after the agent's start");
    }
    Ok(Exit::Done)
}

fn php(view: &MonitorView) -> Vec<Vec<String>> {
    let heading = ["SITE", "PHP", "AT MOST", "MEMORY"].map(str::to_owned);
    let mut rows = vec![heading.to_vec()];
    rows.extend(view.php.iter().map(|one| {
        vec![
            one.hostname.to_string(),
            one.processes.to_string(),
            one.most.to_string(),
            mebibytes(one.memory),
        ]
    }));
    rows
}

fn rows(view: &MonitorView) -> Vec<Vec<String>> {
    let heading = ["FIGURE", "LAST", "MEAN", "HIGHEST", "AT"].map(str::to_owned);
    let mean = Sample::mean(view.since, &view.samples);
    let mut rows = vec![heading.to_vec()];
    rows.extend(FIGURES.iter().map(|(name, of, words)| {
        let told = |figure: Option<u64>| figure.map_or_else(|| "-".to_owned(), words);
        let highest = view.samples.iter().max_by_key(|one| of(one));
        vec![
            (*name).to_owned(),
            told(view.samples.last().and_then(of)),
            told(of(&mean)),
            told(highest.and_then(of)),
            highest.map_or_else(|| "-".to_owned(), |one| moment(one.at)),
        ]
    }));
    rows
}
