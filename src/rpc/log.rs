//! Lines of logs on their way to people.
//!
//! Invariant: a text here holds no control character but ends of lines and tabs; the agent has written out all others.

use serde::{Deserialize, Serialize};

use crate::domain::log::{LogFile, LogPlace};
use crate::domain::path::HostPath;

/// A part of a log, the oldest record first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogView {
    /// Which log.
    pub file: LogFile,
    /// Where it is.
    pub path: HostPath,
    /// False where somebody deleted the file: what is logged now is lost until it is put back.
    pub exists: bool,
    /// What was found.
    pub records: Vec<LogRecord>,
    /// Ask with `before` this for what is older; none where there is nothing older to be read here.
    pub older: Option<LogPlace>,
    /// Ask with `after` this for what is newer; none before the file exists.
    pub newer: Option<LogPlace>,
    /// Bytes that were passed over: more was logged than could be shown in time.
    pub skipped: u64,
}

/// One record: a line, or a line with what follows it up to the next beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRecord {
    /// When, in the words of whoever wrote it.
    pub time: Option<String>,
    /// The answer's status, in the access log.
    pub status: Option<u16>,
    /// How bad, in the other logs: `error`, `warn`, `Fatal error`.
    pub level: Option<String>,
    /// What happened.
    pub text: String,
    /// More of it: who asked, how large, how long.
    pub note: String,
    /// Bytes that were cut off because the record is too long.
    pub cut: u64,
}
