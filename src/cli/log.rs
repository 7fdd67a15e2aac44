//! `lalapanel log …`
//!
//! Invariant: lines are printed in the order in which they were written; no byte of a log reaches the terminal unread.

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::{Exit, Output};
use crate::cli::{Outcome, change as changes, site};
use crate::domain::change::Change;
use crate::domain::fault::{Code, Fault};
use crate::domain::log::{LogFile, LogFilter, LogPlace, SearchText, StatusFilter};
use crate::domain::name::Hostname;
use crate::rpc::log::{LogRecord, LogView};
use crate::rpc::protocol::{Reply, Request};

/// How often an agent that is gone is asked again.
const TRIES: u32 = 20;

/// What can be typed after it.
#[derive(Debug, Args)]
pub struct Log {
    /// The site's hostname
    pub hostname: String,
    /// Which log
    #[arg(value_enum, required_unless_present = "restore")]
    pub file: Option<Which>,
    /// Go on with what comes next
    #[arg(long, short)]
    pub follow: bool,
    /// Only answers of this kind: 404, or 5xx for all errors of the server
    #[arg(long, value_name = "STATUS")]
    pub status: Option<StatusFilter>,
    /// Only what holds this text, in upper or lower case
    #[arg(long, value_name = "TEXT")]
    pub text: Option<SearchText>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub lines: usize,
    /// Put back log files that were deleted, and have nginx write to them
    #[arg(long, conflicts_with_all = ["file", "follow", "status", "text"])]
    pub restore: bool,
    /// With --restore: print what would change, and change nothing
    #[arg(long, requires = "restore", conflicts_with = "file")]
    pub plan: bool,
}

/// The logs there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// Every request
    Access,
    /// What nginx could not do
    Error,
    /// What PHP complains about
    Php,
    /// Where PHP was when a request took longer than 5 s
    Slow,
}

impl Which {
    fn file(self) -> LogFile {
        match self {
            Self::Access => LogFile::Access,
            Self::Error => LogFile::Error,
            Self::Php => LogFile::Php,
            Self::Slow => LogFile::Slow,
        }
    }
}

/// A question about one log.
struct Question {
    hostname: Hostname,
    file: LogFile,
    filter: LogFilter,
}

/// Runs it.
pub fn run(typed: Log, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let hostname = site::parse(&typed.hostname)?;
    let Some(which) = typed.file else {
        let change = Change::SiteLogs { hostname };
        return changes::run(&change, typed.plan, None, agent, output);
    };
    let question = Question {
        hostname,
        file: which.file(),
        filter: LogFilter {
            status: typed.status,
            text: typed.text,
        },
    };
    let view = question.read(typed.lines, agent)?;
    if !typed.follow {
        if !view.exists && view.records.is_empty() {
            return Err(gone(&view, &question.hostname));
        }
        output.document(&json!({
            "file": view.file, "path": view.path, "exists": view.exists, "records": view.records,
        }));
        tell(&view, output);
        if !view.exists {
            output.note(gone(&view, &question.hostname).title);
        }
        return Ok(Exit::Done);
    }
    tell_each(&view, output);
    question.follow(view, agent, output)
}

impl Question {
    /// The newest records, from as many answers as it takes.
    fn read(&self, wanted: usize, agent: &mut dyn Ask) -> Result<LogView, Fault> {
        let mut view = self.part(wanted, None, agent)?;
        while view.records.len() < wanted
            && let Some(before) = view.older
        {
            let mut older = self.part(wanted - view.records.len(), Some(before), agent)?;
            older.records.append(&mut view.records);
            view.records = older.records;
            view.older = older.older;
        }
        Ok(view)
    }

    fn part(
        &self,
        wanted: usize,
        before: Option<LogPlace>,
        agent: &mut dyn Ask,
    ) -> Result<LogView, Fault> {
        let request = Request::LogRead {
            hostname: self.hostname.clone(),
            file: self.file,
            filter: self.filter.clone(),
            lines: u32::try_from(wanted).unwrap_or(u32::MAX),
            before,
        };
        log_of(agent.ask(request)?)
    }

    /// Goes on until nobody reads any more.
    fn follow(&self, first: LogView, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
        let (mut after, mut exists) = (first.newer, true);
        let mut view = first;
        loop {
            if view.exists != exists {
                output.note(if view.exists {
                    format!("`{}` is back", view.path)
                } else {
                    gone(&view, &self.hostname).title
                });
                if !view.exists {
                    output.note(format!("  hint: {}", gone(&view, &self.hostname).hint));
                }
            }
            exists = view.exists;
            if output.is_closed() {
                return Ok(Exit::Done);
            }
            view = self.next(after, agent)?;
            after = view.newer.or(after);
            tell_each(&view, output);
        }
    }

    fn next(&self, after: Option<LogPlace>, agent: &mut dyn Ask) -> Result<LogView, Fault> {
        let mut tries = 0;
        loop {
            let request = Request::LogFollow {
                hostname: self.hostname.clone(),
                file: self.file,
                filter: self.filter.clone(),
                after,
                whole: true,
            };
            match agent.ask(request) {
                Err(fault) if fault.code == Code::AgentUnreachable && tries < TRIES => {
                    tries += 1;
                    agent.pause();
                }
                answer => return log_of(answer?),
            }
        }
    }
}

fn log_of(reply: Reply) -> Result<LogView, Fault> {
    match reply {
        Reply::Log(view) => Ok(*view),
        other => Err(unexpected(other)),
    }
}

fn gone(view: &LogView, hostname: &Hostname) -> Fault {
    Fault::new(
        Code::LogMissing,
        format!("`{}` was deleted: what is logged now is lost", view.path),
        format!("put it back with `lalapanel log {hostname} --restore`"),
    )
}

fn tell(view: &LogView, output: &mut Output) {
    for record in &view.records {
        output.line(line(record));
    }
}

/// The same where more may come: in JSON, one document a line.
fn tell_each(view: &LogView, output: &mut Output) {
    for record in &view.records {
        output.document_line(record);
        output.line(line(record));
    }
}

/// One record; what goes on in further lines is set in.
fn line(record: &LogRecord) -> String {
    let status = record.status.map(|status| status.to_string());
    let level = record.level.as_ref().map(|level| format!("[{level}]"));
    let cut = (record.cut > 0).then(|| format!("… {} B more", record.cut));
    let text = record.text.replace('\n', "\n    ");
    let parts = [record.time.clone(), status, level, Some(text)];
    let rest = [Some(record.note.clone()), cut];
    let told: Vec<String> = parts
        .into_iter()
        .chain(rest)
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    told.join("  ")
}

#[cfg(test)]
mod tests;
