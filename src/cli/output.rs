//! What people and scripts get to see.
//!
//! Invariant: a failure has its code, its title and its next step, in words and in JSON alike.

use std::io::{IsTerminal, Write};

use serde::Serialize;

use crate::domain::fault::{Code, Fault, Kind};
use crate::domain::text::is_forbidden;
use crate::rpc::document;

/// The exit codes that scripts rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Refused or failed; nothing changed.
    Refused,
    /// Wrong usage.
    Usage,
    /// The agent is not reachable.
    Unreachable,
    /// A person is needed.
    Stuck,
}

impl Exit {
    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
            Self::Stuck => 4,
        }
    }

    /// What a fault means for a script.
    #[must_use]
    pub fn of(fault: &Fault) -> Self {
        match (fault.code, fault.kind()) {
            (Code::AgentUnreachable, _) => Self::Unreachable,
            (_, Kind::Stuck) => Self::Stuck,
            _ => Self::Refused,
        }
    }
}

/// Standard output and standard error.
pub struct Output {
    json: bool,
    terminal: bool,
    closed: bool,
    out: Box<dyn Write>,
    err: Box<dyn Write>,
}

impl Output {
    /// The real ones.
    #[must_use]
    pub fn standard(json: bool) -> Self {
        Self {
            json,
            terminal: std::io::stderr().is_terminal(),
            closed: false,
            out: Box::new(std::io::stdout()),
            err: Box::new(std::io::stderr()),
        }
    }

    /// Others, for tests.
    #[must_use]
    pub fn to(json: bool, out: Box<dyn Write>, err: Box<dyn Write>) -> Self {
        Self {
            json,
            terminal: false,
            closed: false,
            out,
            err,
        }
    }

    /// True where one JSON document is wanted.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// True where a person watches progress.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.terminal && !self.json
    }

    /// One line of data; nothing in JSON mode. Why failures to write are dropped: nobody is left to read of them.
    pub fn line(&mut self, text: impl AsRef<str>) {
        if !self.json {
            let written = writeln!(self.out, "{}", printable(text.as_ref()));
            self.closed |= written.is_err();
        }
    }

    /// Standard output itself, for data that is no text of ours.
    pub fn raw(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// True once nobody reads the data any more: the reason to stop what would go on for ever.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// In JSON mode one of many documents, in a line of its own; nothing otherwise.
    pub fn document_line<T: Serialize>(&mut self, value: &T) {
        if self.json
            && let Ok(text) = serde_json::to_string(value)
        {
            self.closed |= writeln!(self.out, "{text}").is_err();
        }
    }

    /// The one document of JSON mode; nothing otherwise.
    pub fn document<T: Serialize>(&mut self, value: &T) {
        if !self.json {
            return;
        }
        if let Ok(text) = serde_json::to_string_pretty(value) {
            let _ = writeln!(self.out, "{text}");
        }
    }

    /// A word besides the data, on standard error.
    pub fn note(&mut self, text: impl AsRef<str>) {
        let _ = writeln!(self.err, "{}", printable(text.as_ref()));
    }

    /// Replaces the last unfinished line of a terminal.
    pub fn unfinished(&mut self, text: &str) {
        if self.is_terminal() {
            let _ = write!(self.err, "\r\u{1b}[2K{}", printable(text));
            let _ = self.err.flush();
        }
    }

    /// Removes it again.
    pub fn clear_unfinished(&mut self) {
        if self.is_terminal() {
            let _ = write!(self.err, "\r\u{1b}[2K");
        }
    }

    /// Tells a fault and what the exit code is.
    pub fn failure(&mut self, fault: &Fault) -> Exit {
        if self.json {
            self.document(&document::of_fault(fault));
        } else {
            self.note(format!("error[{}]: {}", fault.code.as_str(), fault.title));
            for line in fault.detail.lines() {
                self.note(format!("  {line}"));
            }
            self.note(format!("  hint: {}", fault.hint));
            if let Some(operation) = fault.operation {
                self.note(format!("  operation: {operation}"));
            }
        }
        Exit::of(fault)
    }
}

/// Foreign text may hold escape sequences; a terminal must not obey them. Lines and tabs stay.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            c if is_forbidden(c) => '\u{FFFD}',
            c => c,
        })
        .collect()
}

/// Rows as columns that align, two blanks between them.
#[must_use]
pub fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    rows.iter()
        .map(|row| {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect()
}

/// A time as a table shows it: to the second, in UTC.
#[must_use]
pub fn moment(time: crate::domain::time::Timestamp) -> String {
    let text = time.to_string();
    let whole = text.split('.').next().unwrap_or_default();
    format!("{}Z", whole.trim_end_matches('Z'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::usage::Captured;
    use serde_json::json;

    fn fault(code: Code) -> Fault {
        Fault::new(code, "shop.example is taken", "choose another").detail("by site s1007")
    }

    #[test]
    fn a_failure_is_told_with_its_next_step() {
        let captured = Captured::default();
        let exit = captured.output(false).failure(&fault(Code::HostnameTaken));
        assert_eq!(exit, Exit::Refused);
        assert_eq!(captured.out(), "");
        assert_eq!(
            captured.err(),
            "error[site.hostname_taken]: shop.example is taken\n  by site s1007\n  hint: choose another\n"
        );
    }

    #[test]
    fn a_failure_in_json_is_one_document_with_every_field() {
        let captured = Captured::default();
        captured.output(true).failure(&fault(Code::HostnameTaken));
        let value: serde_json::Value = serde_json::from_str(&captured.out()).unwrap();
        assert_eq!(
            value,
            json!({"error": {"code": "site.hostname_taken", "title": "shop.example is taken",
                "detail": "by site s1007", "hint": "choose another", "operation": null}})
        );
        assert_eq!(captured.err(), "");
    }

    #[test]
    fn exit_codes_are_the_promised_ones() {
        assert_eq!(Exit::of(&fault(Code::AgentUnreachable)).code(), 3);
        assert_eq!(Exit::of(&fault(Code::OperationStuck)).code(), 4);
        assert_eq!(Exit::of(&fault(Code::AuditBroken)).code(), 4);
        assert_eq!(Exit::of(&fault(Code::DiskFull)).code(), 1);
        assert_eq!((Exit::Done.code(), Exit::Usage.code()), (0, 2));
    }

    #[test]
    fn a_terminal_is_not_told_what_to_do_by_foreign_text() {
        let captured = Captured::default();
        captured.output(false).line("a\u{1b}[2Jb\tc");
        assert_eq!(captured.out(), "a\u{FFFD}[2Jb\tc\n");
    }

    #[test]
    fn columns_align() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        assert_eq!(
            table(&[row(["a", "b"]), row(["long", ""])]),
            ["a     b", "long"]
        );
    }
}
