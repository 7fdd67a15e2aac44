//! `lalapanel log` as people and scripts use it.
//!
//! Invariant: test code only.

use std::collections::VecDeque;

use super::*;
use crate::cli::usage::Captured;
use crate::domain::path::HostPath;
use crate::rpc::protocol::Answer;

/// Gives these answers, then an agent that is of no use any more.
struct Script {
    answers: VecDeque<LogView>,
    asked: Vec<String>,
}

impl Ask for Script {
    fn ask(&mut self, request: Request) -> Answer {
        self.asked.push(serde_json::to_string(&request).unwrap());
        match self.answers.pop_front() {
            Some(view) => Ok(Reply::Log(Box::new(view))),
            None => Err(Fault::new(Code::SiteNotFound, "the site is gone", "b")),
        }
    }
    fn pause(&mut self) {}
}

fn record(text: &str) -> LogRecord {
    LogRecord {
        time: Some("12:00".to_owned()),
        status: Some(404),
        level: None,
        text: text.to_owned(),
        note: "192.0.2.7".to_owned(),
        cut: 0,
    }
}

fn view(texts: &[&str], older: Option<u64>, newer: Option<u64>) -> LogView {
    let place = |offset| LogPlace { inode: 7, offset };
    LogView {
        file: LogFile::Access,
        path: HostPath::fixed("/var/log/lalapanel/shop.example/access.log"),
        exists: true,
        records: texts.iter().map(|text| record(text)).collect(),
        older: older.map(place),
        newer: newer.map(place),
        skipped: 0,
    }
}

struct Ran {
    outcome: Outcome,
    out: String,
    err: String,
    asked: Vec<String>,
}

fn ran(line: &str, answers: Vec<LogView>) -> Ran {
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        log: Log,
        #[arg(long)]
        json: bool,
    }
    let line = <Line as clap::Parser>::try_parse_from(line.split(' ')).unwrap();
    let captured = Captured::default();
    let mut script = Script {
        answers: answers.into(),
        asked: Vec::new(),
    };
    let outcome = run(line.log, &mut script, &mut captured.output(line.json));
    Ran {
        outcome,
        out: captured.out(),
        err: captured.err(),
        asked: script.asked,
    }
}

#[test]
fn lines_are_printed_in_their_order_and_older_parts_are_asked_for() {
    let ran = ran(
        "log shop.example access --lines 3 --status 4XX --text admin",
        vec![
            view(&["c"], Some(50), Some(99)),
            view(&["a", "b\nc"], None, None),
        ],
    );
    assert_eq!(ran.outcome.unwrap(), Exit::Done);
    assert_eq!(
        ran.out,
        "12:00  404  a  192.0.2.7\n12:00  404  b\n    c  192.0.2.7\n12:00  404  c  192.0.2.7\n"
    );
    assert!(
        ran.asked[0]
            .contains(r#""filter":{"status":"4xx","text":"admin"},"lines":3,"before":null"#)
    );
    assert!(
        ran.asked[1].contains(r#""lines":2,"before":"7-50""#),
        "{}",
        ran.asked[1]
    );
}

#[test]
fn in_json_there_is_one_document_and_one_a_line_while_following() {
    let whole = ran(
        "log shop.example access --json",
        vec![view(&["a"], None, None)],
    );
    let document: serde_json::Value = serde_json::from_str(&whole.out).unwrap();
    assert_eq!(document["records"][0]["status"], 404);
    let followed = ran(
        "log shop.example access --json --follow",
        vec![view(&["a"], None, Some(5)), view(&["b"], None, Some(6))],
    );
    assert_eq!(followed.out.lines().count(), 2);
    assert!(followed.asked[1].contains(r#""after":"7-5","whole":true"#));
    assert!(followed.asked[2].contains(r#""after":"7-6""#));
    assert_eq!(followed.outcome.unwrap_err().code, Code::SiteNotFound);
}

#[test]
fn a_log_that_is_gone_is_told_with_the_way_back() {
    let mut gone = view(&[], None, None);
    gone.exists = false;
    let ran_once = ran("log shop.example access", vec![gone.clone()]);
    let fault = ran_once.outcome.unwrap_err();
    assert_eq!(fault.code, Code::LogMissing);
    assert!(fault.hint.contains("lalapanel log shop.example --restore"));
    let back = view(&["x"], None, Some(1));
    let followed = ran("log shop.example access --follow", vec![gone, back]);
    assert!(followed.err.contains("was deleted") && followed.err.contains("is back"));
    assert!(followed.out.contains('x'));
}

#[test]
fn wrong_usage_is_told_before_anything_is_asked() {
    for line in [
        "log shop.example",
        "log shop.example mail",
        "log shop.example access --status 99",
        "log shop.example access --restore",
        "log shop.example access --plan",
    ] {
        let line = format!("lalapanel {line}");
        let parsed = <crate::cli::Cli as clap::Parser>::try_parse_from(line.split(' '));
        assert_eq!(parsed.unwrap_err().exit_code(), 2, "{line}");
    }
    for line in [
        "shop.example slow -f --lines 9",
        "shop.example --restore --plan --json",
    ] {
        let line = format!("lalapanel log {line}");
        assert!(
            <crate::cli::Cli as clap::Parser>::try_parse_from(line.split(' ')).is_ok(),
            "{line}"
        );
    }
}
