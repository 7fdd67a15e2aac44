//! The machine: processors, memory, disk and network as charts drawn here, each with a sentence and a table.
//!
//! Invariant: a gap in what was seen is a gap in the line; a chart says nothing that its table does not.

use std::fmt::Write as _;
use std::sync::Arc;

use poem::Response;
use sailfish::Template;

use crate::domain::sample::{Range, Sample};
use crate::domain::time::Timestamp;
use crate::rpc::monitor::{MonitorView, PhpProcesses};
use crate::rpc::protocol::{Reply, Request};
use crate::web::page::Section;
use crate::web::refusal::Refusal;
use crate::web::views::chart::{self, Frame};
use crate::web::visit::{Visit, show as respond, unexpected};
use crate::web::words;

/// So many rows the table beneath a chart has.
const ROWS: u64 = 12;
/// More points than this are put together: no screen shows them apart.
const POINTS: u64 = 288;

/// So many sites stand in the list of PHP processes.
const PHP_LISTED: usize = 20;

type Of = fn(&Sample) -> Option<u64>;
type Words = fn(u64) -> String;

/// One figure, or two that belong together.
struct Figure {
    id: &'static str,
    name: &'static str,
    lines: &'static [(&'static str, Of)],
    words: Words,
}

const FIGURES: &[Figure] = &[
    Figure {
        id: "cpu",
        name: "Processors",
        lines: &[("Busy", |one| one.cpu)],
        words: |share| format!("{} %", share / 100),
    },
    Figure {
        id: "load",
        name: "Load",
        lines: &[("Load", |one| one.load)],
        words: |load| format!("{}.{:02}", load / 100, load % 100),
    },
    Figure {
        id: "memory",
        name: "Memory",
        lines: &[("In use", |one| one.memory)],
        words: words::bytes,
    },
    Figure {
        id: "disk",
        name: "Disk",
        lines: &[("In use", |one| one.disk)],
        words: words::bytes,
    },
    Figure {
        id: "network",
        name: "Network",
        lines: &[("Received", |one| one.received), ("Sent", |one| one.sent)],
        words: |rate| format!("{}/s", words::bytes(rate)),
    },
];

/// A line of a chart: its number chooses how it is drawn, its pieces are what was seen without a gap.
struct Line {
    number: usize,
    pieces: Vec<String>,
}

/// The PHP processes of a site.
struct PhpRow {
    host: String,
    name: String,
    processes: String,
    memory: String,
}

struct Chart {
    id: &'static str,
    name: &'static str,
    sentence: String,
    top: String,
    lines: Vec<Line>,
    /// What each line is, where there are several.
    keys: Vec<(usize, &'static str)>,
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
}

#[derive(Template)]
#[template(path = "pages/system.html.stpl")]
struct System {
    /// The words in the address, the names, and whether it is this one.
    ranges: Vec<(&'static str, &'static str, bool)>,
    charts: Vec<Chart>,
    gaps: Vec<String>,
    begins: String,
    ends: String,
    php: Vec<PhpRow>,
    /// How many sites have PHP processes beyond those listed.
    php_more: usize,
}

/// `GET /system`.
pub(in crate::web) async fn show(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let range = Range::parse(visit.query.text("range")).unwrap_or_default();
    let Reply::Monitor(view) = visit.ask(Request::Monitor { range }).await? else {
        return Err(unexpected());
    };
    let mut frame = visit.frame("System", Section::System).await;
    frame.command = Some(format!("lalapanel monitor --range {}", range.word()));
    let body = System {
        ranges: Range::ALL
            .map(|one| (one.word(), name(one), one == range))
            .to_vec(),
        charts: FIGURES.iter().map(|figure| drawn(figure, &view)).collect(),
        gaps: gaps(&view),
        begins: minute(view.since),
        ends: minute(view.until),
        php: view.php.iter().take(PHP_LISTED).map(php_row).collect(),
        php_more: view.php.len().saturating_sub(PHP_LISTED),
    };
    Ok(respond(&frame, &body))
}

fn php_row(one: &PhpProcesses) -> PhpRow {
    PhpRow {
        host: one.hostname.to_string(),
        name: one.hostname.unicode(),
        processes: format!("{} of {}", one.processes, one.most),
        memory: words::bytes(one.memory),
    }
}

/// `2026-11-22 14:20`.
fn minute(time: Timestamp) -> String {
    words::stamp(time).chars().take(16).collect()
}

fn name(range: Range) -> &'static str {
    match range {
        Range::Hour => "1 hour",
        Range::Day => "24 hours",
        Range::Week => "7 days",
        Range::Month => "30 days",
        Range::Year => "1 year",
    }
}

/// What the whole of it is measured against, where that is known.
fn whole(figure: &Figure, view: &MonitorView) -> Option<u64> {
    match figure.id {
        "cpu" => Some(10_000),
        "memory" => view.memory.map(|usage| usage.total),
        "disk" => view.disk.map(|usage| usage.total),
        _ => None,
    }
}

fn drawn(figure: &Figure, view: &MonitorView) -> Chart {
    let seen = figure
        .lines
        .iter()
        .flat_map(|(_, of)| view.samples.iter().filter_map(of));
    let highest = seen.max().unwrap_or_default();
    let top = whole(figure, view).unwrap_or(highest).max(1);
    let lines = figure
        .lines
        .iter()
        .enumerate()
        .map(|(number, (_, of))| Line {
            number: number + 1,
            pieces: pieces(view, *of, top),
        });
    let mut heads = vec!["From".to_owned()];
    for (word, _) in figure.lines {
        heads.extend([format!("{word}, mean"), format!("{word}, highest")]);
    }
    Chart {
        id: figure.id,
        name: figure.name,
        sentence: sentence(figure, view),
        top: (figure.words)(top),
        lines: lines.collect(),
        keys: (1..)
            .zip(figure.lines.iter().map(|(word, _)| *word))
            .collect(),
        heads,
        rows: rows(figure, view),
    }
}

/// `Busy: average 23 %, highest 71 % at 2026-11-22 03:10:00 UTC.`
fn sentence(figure: &Figure, view: &MonitorView) -> String {
    let mean = Sample::mean(view.since, &view.samples);
    let mut text = String::new();
    for (word, of) in figure.lines {
        let highest = view
            .samples
            .iter()
            .filter(|one| of(one).is_some())
            .max_by_key(|one| of(one));
        let (Some(average), Some(highest)) = (of(&mean), highest) else {
            continue;
        };
        let most = of(highest).unwrap_or_default();
        let (average, most) = ((figure.words)(average), (figure.words)(most));
        let _ = write!(
            text,
            "{word}: average {average}, highest {most} at {}. ",
            words::stamp(highest.at)
        );
    }
    match whole(figure, view) {
        _ if text.is_empty() => return "Nothing was seen yet.".to_owned(),
        Some(whole) if figure.id != "cpu" => {
            let _ = write!(text, "Of {} in all.", (figure.words)(whole));
        }
        _ => {}
    }
    text.trim_end().to_owned()
}

/// The samples put together where there are more than can be told apart.
fn thinned(view: &MonitorView) -> Vec<Sample> {
    let range = view.until.millis_since(view.since) / 1000;
    let step = (range / POINTS).max(view.step_seconds);
    let part = |one: &Sample| one.at.millis() / 1000 / step;
    view.samples
        .chunk_by(|one, other| part(one) == part(other))
        .filter_map(|together| Some(Sample::mean(together.first()?.at, together)))
        .collect()
}

fn pieces(view: &MonitorView, of: Of, top: u64) -> Vec<String> {
    let range = view.until.millis_since(view.since).max(1);
    let far = (range / POINTS).max(view.step_seconds * 1000) * 5 / 2;
    let frame = Frame {
        since: view.since,
        until: view.until,
        far,
        top,
    };
    chart::pieces(frame, thinned(view).iter().map(|one| (one.at, of(one))))
}

fn rows(figure: &Figure, view: &MonitorView) -> Vec<Vec<String>> {
    let part = (view.until.millis_since(view.since) / ROWS).max(1);
    let number = |one: &Sample| one.at.millis_since(view.since) / part;
    let told = |known: Option<u64>| known.map_or_else(|| "–".to_owned(), figure.words);
    let row = |together: &[Sample]| {
        let first = together.first()?;
        let mean = Sample::mean(first.at, together);
        let mut row = vec![words::stamp(first.at)];
        for (_, of) in figure.lines {
            row.extend([told(of(&mean)), told(together.iter().filter_map(of).max())]);
        }
        Some(row)
    };
    let parts = view
        .samples
        .chunk_by(|one, other| number(one) == number(other));
    parts.filter_map(row).collect()
}

/// When nothing was seen, in words.
fn gaps(view: &MonitorView) -> Vec<String> {
    let far = view.step_seconds * 2_500;
    let pairs = view.samples.windows(2).filter_map(|pair| match pair {
        [one, next] if next.at.millis_since(one.at) > far => Some((one.at, next.at)),
        _ => None,
    });
    let told = |(from, until)| {
        format!(
            "No data from {} to {}.",
            words::stamp(from),
            words::stamp(until)
        )
    };
    pairs.map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINCE: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn view(minutes: &[(u64, u64)]) -> MonitorView {
        let sample = |(minute, cpu): &(u64, u64)| Sample {
            cpu: Some(*cpu),
            ..Sample::empty(SINCE.plus_seconds(minute * 60))
        };
        MonitorView {
            range: Range::Hour,
            step_seconds: 60,
            since: SINCE,
            until: SINCE.plus_seconds(3_600),
            processors: 2,
            memory: None,
            disk: None,
            samples: minutes.iter().map(sample).collect(),
            php: Vec::new(),
        }
    }

    #[test]
    fn a_line_runs_from_left_to_right_and_breaks_where_nothing_was_seen() {
        let view = view(&[(0, 0), (1, 5_000), (30, 10_000), (60, 10_000)]);
        let pieces = pieces(&view, |one| one.cpu, 10_000);
        assert_eq!(pieces, ["0.0,120.0 10.0,60.0 ", "300.0,0.0 ", "600.0,0.0 "]);
        assert_eq!(gaps(&view).len(), 2);
    }

    #[test]
    fn the_sentence_tells_mean_and_highest_and_nothing_of_what_was_not_seen() {
        let view = view(&[(0, 1_000), (1, 3_000)]);
        let told = sentence(&FIGURES[0], &view);
        assert!(
            told.starts_with("Busy: average 20 %, highest 30 % at "),
            "{told}"
        );
        assert_eq!(sentence(&FIGURES[2], &view), "Nothing was seen yet.");
        assert_eq!(rows(&FIGURES[0], &view).len(), 1);
    }

    #[test]
    fn a_year_is_drawn_with_as_many_points_as_a_screen_can_show() {
        let mut long = view(&[]);
        long.until = SINCE.plus_seconds(Range::Year.seconds());
        long.step_seconds = 3_600;
        long.samples = (0..365 * 24)
            .map(|hour| Sample {
                cpu: Some(1),
                ..Sample::empty(SINCE.plus_seconds(hour * 3_600))
            })
            .collect();
        assert!(thinned(&long).len() <= 2 + usize::try_from(POINTS).unwrap());
        assert_eq!(pieces(&long, |one| one.cpu, 2).len(), 1);
    }
}
