//! Makes records of the lines of a log: where one begins, what it says, whether a filter lets it through.
//!
//! Invariant: whatever bytes a visitor or a site put into a log, a record is text without control characters, and short.

use serde_json::Value;

use crate::domain::log::{LogFile, LogFilter};
use crate::domain::text::written_out;
use crate::rpc::log::LogRecord;

/// Longer records are cut; the rest can be read on the server.
const LONGEST: usize = 16 * 1024;
const LONGEST_NOTE: usize = 2 * 1024;
/// What PHP calls its complaints (`main/main.c`), and how PHP-FPM writes its own (`zlog.c`).
const LEVELS: [(&str, &str); 11] = [
    ("Fatal error", "Fatal error"),
    ("Recoverable fatal error", "Recoverable fatal error"),
    ("Parse error", "Parse error"),
    ("Warning", "Warning"),
    ("Notice", "Notice"),
    ("Deprecated", "Deprecated"),
    ("Strict Standards", "Strict Standards"),
    ("NOTICE", "Notice"),
    ("WARNING", "Warning"),
    ("ERROR", "Error"),
    ("ALERT", "Alert"),
];

/// Where records begin in `bytes`, which begins with a line and ends with one. What stands before the first beginning
/// is the end of a record that began earlier: a record of its own only where `keep_tail` says so.
#[must_use]
pub fn split(file: LogFile, bytes: &[u8], keep_tail: bool) -> Vec<(usize, &[u8])> {
    let mut records: Vec<(usize, &[u8])> = Vec::new();
    let mut begun: Option<usize> = None;
    let mut at = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if (begins(file, line) || (begun.is_none() && keep_tail))
            && let Some(start) = begun.replace(at)
        {
            push(&mut records, bytes, start, at);
        }
        at += line.len();
    }
    if let Some(start) = begun {
        push(&mut records, bytes, start, at);
    }
    records
}

fn push<'b>(records: &mut Vec<(usize, &'b [u8])>, bytes: &'b [u8], start: usize, end: usize) {
    if let Some(record) = bytes.get(start..end)
        && !record.trim_ascii().is_empty()
    {
        records.push((start, record));
    }
}

/// True for a line that begins a record; others go on with the one before.
fn begins(file: LogFile, line: &[u8]) -> bool {
    let digits = |from: usize, to: usize| {
        line.get(from..to)
            .is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    match file {
        LogFile::Access => true,
        // 2026/11/23 00:50:48 [error] …
        LogFile::Error => digits(0, 4) && line.get(4) == Some(&b'/'),
        // [23-Nov-2026 00:50:48 UTC] …
        LogFile::Php | LogFile::Slow => {
            line.first() == Some(&b'[') && digits(1, 3) && line.get(3) == Some(&b'-')
        }
    }
}

/// The record, if the filter lets it through.
#[must_use]
pub fn read(file: LogFile, raw: &[u8], filter: &LogFilter) -> Option<LogRecord> {
    let line = String::from_utf8_lossy(raw);
    let line = line.trim_end();
    let record = match file {
        LogFile::Access => request(line),
        LogFile::Error => complaint_of_nginx(line),
        LogFile::Php | LogFile::Slow => complaint_of_php(line),
    };
    let wanted = filter
        .status
        .as_ref()
        .is_none_or(|status| record.status.is_some_and(|found| status.fits(found)));
    let found = filter
        .text
        .as_ref()
        .is_none_or(|text| holds(line, &record, text.as_str()));
    (wanted && found).then_some(record)
}

fn holds(line: &str, record: &LogRecord, text: &str) -> bool {
    let text = text.to_lowercase();
    [line, &record.text, &record.note]
        .iter()
        .any(|place| place.to_lowercase().contains(&text))
}

/// A record that nothing is known of but its text.
fn plain(text: &str) -> LogRecord {
    let (text, cut) = cut_to(LONGEST, text.trim());
    LogRecord {
        time: None,
        status: None,
        level: None,
        text,
        note: String::new(),
        cut,
    }
}

fn cut_to(limit: usize, text: &str) -> (String, u64) {
    let whole = written_out(text);
    if whole.len() <= limit {
        return (whole, 0);
    }
    let mut end = limit;
    while !whole.is_char_boundary(end) {
        end -= 1;
    }
    let cut = whole.len() - end;
    let mut short = whole;
    short.truncate(end);
    (short, u64::try_from(cut).unwrap_or(u64::MAX))
}

fn short(text: &str) -> String {
    cut_to(60, text).0.replace(['\n', '\t'], " ")
}

/// A line of our own format (`render/nginx.rs`); one that is none is shown as it is.
fn request(line: &str) -> LogRecord {
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(line) else {
        return plain(line);
    };
    let word = |name: &str| match fields.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let asked = [word("m"), word("u"), word("p")];
    let asked = asked.join(" ");
    let mut record = plain(if asked.trim().is_empty() {
        "(not a request)"
    } else {
        &asked
    });
    record.text = record.text.replace(['\n', '\t'], " ");
    record.time = Some(short(&word("t")));
    record.status = word("s").parse().ok();
    record.note = cut_to(LONGEST_NOTE, &note(&word))
        .0
        .replace(['\n', '\t'], " ");
    record
}

fn note(word: &dyn Fn(&str) -> String) -> String {
    let mut parts = vec![word("ip")];
    if !word("b").is_empty() {
        parts.push(format!("{} B", word("b")));
    }
    if !word("rt").is_empty() {
        parts.push(format!("{} s", word("rt")));
    }
    parts.extend([word("h"), word("c"), word("ref"), word("ua")]);
    parts.retain(|part| !part.is_empty() && part != "-");
    parts.join(" · ")
}

/// `2026/11/23 00:50:48 [error] 12#12: *3 text`
fn complaint_of_nginx(line: &str) -> LogRecord {
    let Some((time, rest)) = line.split_at_checked(19) else {
        return plain(line);
    };
    let Some((level, text)) = rest
        .strip_prefix(" [")
        .and_then(|rest| rest.split_once("] "))
    else {
        return plain(line);
    };
    LogRecord {
        time: Some(short(time)),
        level: Some(short(level)),
        ..plain(text)
    }
}

/// `[23-Nov-2026 00:50:48 UTC] PHP Warning:  text`; the slow log has the same beginning.
fn complaint_of_php(line: &str) -> LogRecord {
    let Some((time, rest)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) else {
        return plain(line);
    };
    let rest = rest.trim_start();
    let told = rest.strip_prefix("PHP ").unwrap_or(rest);
    let found = LEVELS.iter().find_map(|(written, level)| {
        let text = told.strip_prefix(written)?.strip_prefix(':')?;
        Some((*level, text))
    });
    let (level, text) = found.map_or((None, rest), |(level, text)| (Some(level), text));
    LogRecord {
        time: Some(short(time)),
        level: level.map(str::to_owned),
        ..plain(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::log::{SearchText, StatusFilter};
    use crate::domain::text::is_forbidden;
    use proptest::prelude::*;

    fn every(file: LogFile, bytes: &[u8]) -> Vec<LogRecord> {
        split(file, bytes, true)
            .into_iter()
            .filter_map(|(_, raw)| read(file, raw, &LogFilter::default()))
            .collect()
    }

    #[test]
    fn a_request_is_read_from_our_own_format() {
        let line = br#"{"t":"2026-11-23T00:50:48+00:00","ip":"192.0.2.7","h":"shop.example","m":"GET","u":"/a?b=1","p":"HTTP/1.1","s":502,"b":157,"rt":0.012,"ut":"-","ref":"","ua":"curl/8","id":"x"}
"#;
        let record = &every(LogFile::Access, line)[0];
        assert_eq!(record.time.as_deref(), Some("2026-11-23T00:50:48+00:00"));
        assert_eq!(
            (record.status, record.text.as_str()),
            (Some(502), "GET /a?b=1 HTTP/1.1")
        );
        assert_eq!(
            record.note,
            "192.0.2.7 · 157 B · 0.012 s · shop.example · curl/8"
        );
    }

    #[test]
    fn a_visitor_forges_no_line_and_moves_no_cursor() {
        let line = br#"{"t":"x","s":200,"m":"GET","u":"/\u001b[2J\n{\"s\":500}","p":"","ua":"\"}\u009b31m\u202e"}
"#;
        let records = every(LogFile::Access, line);
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].text, r#"GET /\x1b[2J {"s":500}"#);
        assert_eq!(records[0].note, r#""}\u{9b}31m\u{202e}"#);
    }

    #[test]
    fn a_line_of_another_format_is_shown_as_it_is() {
        let records = every(
            LogFile::Access,
            b"127.0.0.1 - - \"GET / HTTP/1.0\" 200\n[1]\n\xff\n",
        );
        let texts: Vec<&str> = records.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(
            texts,
            ["127.0.0.1 - - \"GET / HTTP/1.0\" 200", "[1]", "\u{FFFD}"]
        );
    }

    #[test]
    fn a_complaint_keeps_its_further_lines() {
        let log = b"2026/11/23 00:50:48 [error] 12#12: *3 FastCGI sent in stderr: \"a\nStack trace:\n#0\" while\n2026/11/23 00:50:49 [crit] 1#1: b\n";
        let records = every(LogFile::Error, log);
        assert_eq!(records.len(), 2);
        assert_eq!(records[0].level.as_deref(), Some("error"));
        assert!(records[0].text.ends_with("Stack trace:\n#0\" while"));
        assert_eq!(records[1].time.as_deref(), Some("2026/11/23 00:50:49"));
        let log = b"[23-Nov-2026 00:50:48 UTC] PHP Fatal error:  Uncaught Error\n#0 {main}\n[23-Nov-2026 00:50:49 UTC] hello: x\n";
        let records = every(LogFile::Php, log);
        assert_eq!(records[0].level.as_deref(), Some("Fatal error"));
        assert_eq!(records[0].text, "Uncaught Error\n#0 {main}");
        assert_eq!(
            (&records[1].level, records[1].text.as_str()),
            (&None, "hello: x")
        );
        let log = b"[23-Nov-2026 00:50:48] WARNING: [pool s1001] server reached pm.max_children setting (1)\n";
        let records = every(LogFile::Php, log);
        assert_eq!(records[0].level.as_deref(), Some("Warning"));
        assert!(records[0].text.starts_with("[pool s1001] server reached"));
    }

    #[test]
    fn a_slow_request_is_one_record() {
        let log = b"\n[23-Nov-2026 00:50:48]  [pool s1001] pid 7\nscript_filename = /a.php\n[0x00007f] sleep() /a.php:3\n";
        let records = every(LogFile::Slow, log);
        assert_eq!(records.len(), 1);
        assert!(records[0].text.ends_with("[0x00007f] sleep() /a.php:3"));
    }

    #[test]
    fn the_end_of_an_earlier_record_is_kept_on_demand() {
        let log = b"#1 {main}\n[23-Nov-2026 00:50:49 UTC] next\n";
        assert_eq!(split(LogFile::Php, log, false).len(), 1);
        assert_eq!(split(LogFile::Php, log, true)[0].1, b"#1 {main}\n");
    }

    #[test]
    fn a_filter_lets_through_what_it_names() {
        let line = br#"{"t":"x","s":404,"m":"GET","u":"/Missing","ua":"curl"}"#;
        let through = |status: Option<&str>, text: Option<&str>| {
            let filter = LogFilter {
                status: status.map(|text| StatusFilter::parse(text).unwrap()),
                text: text.map(|text| SearchText::parse(text).unwrap()),
            };
            read(LogFile::Access, line, &filter).is_some()
        };
        assert!(through(Some("4xx"), Some("get /missing")) && through(None, Some(r#""s":404"#)));
        assert!(!through(Some("5xx"), None) && !through(Some("404"), Some("other")));
        let filter = LogFilter {
            status: Some(StatusFilter::parse("4xx").unwrap()),
            text: None,
        };
        assert!(read(LogFile::Access, b"no request", &filter).is_none());
    }

    #[test]
    fn a_record_that_is_too_long_is_cut_and_says_so() {
        let record = read(
            LogFile::Php,
            "é".repeat(LONGEST).as_bytes(),
            &LogFilter::default(),
        );
        let record = record.unwrap();
        assert_eq!((record.text.len(), record.cut), (LONGEST, LONGEST as u64));
    }

    proptest! {
        #[test]
        fn no_bytes_become_a_control_character(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            for file in LogFile::ALL {
                for record in every(file, &bytes) {
                    let told = [Some(&record.text), Some(&record.note), record.time.as_ref(), record.level.as_ref()];
                    for text in told.into_iter().flatten() {
                        let bad = text.chars().find(|c| is_forbidden(*c) && !matches!(c, '\n' | '\t'));
                        prop_assert_eq!(bad, None);
                    }
                }
            }
        }
    }
}
