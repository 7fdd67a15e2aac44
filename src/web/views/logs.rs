//! The logs of a site: the newest entries first, filtered, and what comes next as it comes.
//!
//! Invariant: what visitors and sites wrote into a log is text on this page, never markup; the stream only adds entries.

use std::sync::Arc;
use std::time::Duration;

use poem::Response;
use sailfish::Template;
use serde_json::json;

use crate::domain::log::{LogFile, LogFilter, LogPlace, SearchText, StatusFilter};
use crate::domain::name::Hostname;
use crate::rpc::log::{LogRecord, LogView};
use crate::rpc::protocol::{Reply, Request};
use crate::web::page::{ICONS, Problem};
use crate::web::refusal::Refusal;
use crate::web::stream::{self, Stream};
use crate::web::views::site::{find, site_frame};
use crate::web::visit::{Visit, show as respond, unexpected};
use crate::web::words::{self, Pill};

/// How many entries a page shows.
const LINES: u32 = 200;
/// Longer ones are folded.
const FOLD: usize = 280;
/// Between two events, so that a flood does not drown the browser.
const BREATH: Duration = Duration::from_millis(500);

struct Tab {
    file: &'static str,
    word: &'static str,
    current: bool,
}

struct Choice {
    value: &'static str,
    word: &'static str,
    chosen: bool,
}

/// One entry as it is shown.
struct Row {
    time: String,
    mark: String,
    kind: &'static str,
    text: String,
    /// The whole of it, where only its beginning is shown.
    rest: String,
    note: String,
}

#[derive(Template)]
#[template(path = "pages/logs.html.stpl")]
struct Logs {
    host: String,
    name: String,
    pill: Pill,
    tabs: Vec<Tab>,
    file: &'static str,
    explained: &'static str,
    path: String,
    exists: bool,
    statuses: Vec<Choice>,
    text: String,
    filtered: bool,
    problems: Vec<Problem>,
    query: String,
    after: Option<String>,
    older: Option<String>,
    is_older: bool,
    rows: Vec<Row>,
}

/// What the address asks for.
struct Asked {
    hostname: Hostname,
    file: LogFile,
    filter: LogFilter,
    problems: Vec<Problem>,
}

impl Asked {
    fn read(visit: &Visit, hostname: Hostname) -> Result<Self, Refusal> {
        let file = match visit.query.text("file") {
            "" => LogFile::Access,
            word => LogFile::parse(word).ok_or(Refusal::NOT_FOUND)?,
        };
        let mut problems = Vec::new();
        let mut filter = LogFilter::default();
        if file == LogFile::Access && visit.query.has("status") {
            match StatusFilter::parse(visit.query.text("status")) {
                Ok(status) => filter.status = Some(status),
                Err(error) => problems.push(problem("status", &error)),
            }
        }
        if !visit.query.text("text").is_empty() {
            match SearchText::parse(visit.query.text("text")) {
                Ok(text) => filter.text = Some(text),
                Err(error) => problems.push(problem("text", &error)),
            }
        }
        Ok(Self {
            hostname,
            file,
            filter,
            problems,
        })
    }

    /// The same as the part of an address after `?`.
    fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("file", self.file.word());
        if let Some(status) = &self.filter.status {
            query.append_pair("status", status.as_str());
        }
        if let Some(text) = &self.filter.text {
            query.append_pair("text", text.as_str());
        }
        query.finish()
    }

    /// The same on the command line; a text that a shell would not take as it is stays out.
    fn command(&self) -> String {
        let mut line = format!("lalapanel log {} {}", self.hostname, self.file.word());
        if let Some(status) = &self.filter.status {
            line.push_str(" --status ");
            line.push_str(status.as_str());
        }
        line
    }

    fn follow(&self, after: Option<LogPlace>) -> Request {
        Request::LogFollow {
            hostname: self.hostname.clone(),
            file: self.file,
            filter: self.filter.clone(),
            after,
            whole: false,
        }
    }
}

fn problem(field: &'static str, error: &impl std::fmt::Display) -> Problem {
    let text = error.to_string();
    let first = text.chars().take(1).flat_map(char::to_uppercase);
    Problem {
        field,
        text: first.chain(text.chars().skip(1)).collect(),
    }
}

/// `GET /sites/{host}/logs`.
pub(in crate::web) async fn show(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let site = find(&visit, visit.hostname()?).await?;
    let asked = Asked::read(&visit, site.hostname.clone())?;
    let before = LogPlace::parse(visit.query.text("before")).ok();
    let view = log_of(visit.ask(asked.read_request(before)).await?)?;
    let mut frame = site_frame(&visit, &site, Some("Logs")).await;
    frame.command = Some(asked.command());
    let body = Logs {
        host: site.hostname.to_string(),
        name: site.hostname_unicode.clone(),
        pill: words::site_pill(site.enabled, site.serving),
        tabs: tabs(site.php.is_some(), asked.file),
        file: asked.file.word(),
        explained: explained(asked.file),
        path: view.path.to_string(),
        exists: view.exists,
        statuses: statuses(&asked),
        text: crate::domain::text::shown(visit.query.text("text"), 200),
        filtered: asked.filter != LogFilter::default(),
        query: asked.query(),
        after: view
            .newer
            .filter(|_| asked.problems.is_empty())
            .map(|place| place.to_string()),
        older: view.older.map(|place| place.to_string()),
        is_older: before.is_some(),
        rows: view.records.iter().rev().map(Row::of).collect(),
        problems: asked.problems,
    };
    Ok(respond(&frame, &body))
}

impl Asked {
    fn read_request(&self, before: Option<LogPlace>) -> Request {
        Request::LogRead {
            hostname: self.hostname.clone(),
            file: self.file,
            filter: self.filter.clone(),
            lines: LINES,
            before,
        }
    }
}

fn log_of(reply: Reply) -> Result<LogView, Refusal> {
    match reply {
        Reply::Log(view) => Ok(*view),
        _ => Err(unexpected()),
    }
}

fn tabs(has_php: bool, current: LogFile) -> Vec<Tab> {
    LogFile::ALL
        .into_iter()
        .filter(|file| has_php || !file.is_of_php())
        .map(|file| Tab {
            file: file.word(),
            word: match file {
                LogFile::Access => "Access",
                LogFile::Error => "nginx errors",
                LogFile::Php => "PHP errors",
                LogFile::Slow => "Slow PHP",
            },
            current: file == current,
        })
        .collect()
}

fn explained(file: LogFile) -> &'static str {
    match file {
        LogFile::Access => "Every request, one JSON object a line, in",
        LogFile::Error => "What nginx could not do, in",
        LogFile::Php => "What PHP complains about, in",
        LogFile::Slow => "Where PHP was when a request took longer than 5 s, in",
    }
}

fn statuses(asked: &Asked) -> Vec<Choice> {
    if asked.file != LogFile::Access {
        return Vec::new();
    }
    let chosen = asked
        .filter
        .status
        .as_ref()
        .map_or("", StatusFilter::as_str);
    [
        ("", "Any status"),
        ("2xx", "2xx: fine"),
        ("3xx", "3xx: elsewhere"),
        ("4xx", "4xx: the visitor’s mistake"),
        ("5xx", "5xx: the server’s mistake"),
    ]
    .into_iter()
    .map(|(value, word)| Choice {
        value,
        word,
        chosen: value == chosen,
    })
    .collect()
}

impl Row {
    fn of(record: &LogRecord) -> Self {
        let (text, rest) = folded(record);
        Self {
            time: record.time.clone().unwrap_or_default(),
            mark: mark(record),
            kind: kind(record),
            text,
            rest,
            note: record.note.clone(),
        }
    }
}

fn mark(record: &LogRecord) -> String {
    match (record.status, &record.level) {
        (Some(status), _) => status.to_string(),
        (None, Some(level)) => level.clone(),
        (None, None) => String::new(),
    }
}

fn kind(record: &LogRecord) -> &'static str {
    match (record.status, record.level.as_deref()) {
        (Some(500..), _)
        | (_, Some("Fatal error" | "Parse error" | "error" | "crit" | "alert" | "emerg")) => "bad",
        (Some(400..), _) | (_, Some("Warning" | "warn" | "Recoverable fatal error")) => "warn",
        (Some(200..=299), _) => "ok",
        _ => "off",
    }
}

/// The beginning, and the whole where that is longer.
fn folded(record: &LogRecord) -> (String, String) {
    let first = record.text.lines().next().unwrap_or_default();
    let short: String = first.chars().take(FOLD).collect();
    if short.len() == record.text.len() && record.cut == 0 {
        return (short, String::new());
    }
    let mut whole = record.text.clone();
    if record.cut > 0 {
        whole = format!("{whole}\n… {} bytes more on the server", record.cut);
    }
    (format!("{short} …"), whole)
}

/// `GET /sites/{host}/logs/events`: what comes into the log after the place the browser saw last.
pub(in crate::web) async fn events(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let asked = Asked::read(&visit, visit.hostname()?)?;
    let after = LogPlace::parse(stream::last_seen(&visit)).ok();
    let place = stream::place(&visit)?;
    if !asked.problems.is_empty() {
        return Err(Refusal::BAD_REQUEST);
    }
    find(&visit, asked.hostname.clone()).await?;
    Ok(stream::answer(visit, place, |to| pour(asked, after, to)))
}

async fn pour(asked: Asked, mut after: Option<LogPlace>, mut to: Stream) -> std::io::Result<()> {
    to.open().await?;
    let mut existed = true;
    while let Some(Reply::Log(view)) = to.ask(asked.follow(after)).await? {
        after = view.newer.or(after);
        let is_news = !view.records.is_empty() || view.skipped > 0 || view.exists != existed;
        existed = view.exists;
        if is_news {
            to.send(&event(&view, after)).await?;
            tokio::time::sleep(BREATH).await;
        } else {
            to.still_here().await?;
        }
    }
    Ok(())
}

fn event(view: &LogView, after: Option<LogPlace>) -> String {
    let rows: Vec<_> = view
        .records
        .iter()
        .map(|record| {
            let row = Row::of(record);
            json!([row.time, row.kind, row.mark, row.text, row.rest, row.note])
        })
        .collect();
    let skipped = (view.skipped > 0).then(|| words::bytes(view.skipped));
    let data = json!({ "rows": rows, "exists": view.exists, "skipped": skipped });
    let id = after.map_or_else(String::new, |place| place.to_string());
    format!("id: {id}\nevent: lines\ndata: {data}\n\n")
}
