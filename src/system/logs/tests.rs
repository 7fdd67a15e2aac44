//! Logs as they grow, rotate, vanish and come back, on real files below a scratch directory.
//!
//! Invariant: test code only.

use std::io::Write as _;
use std::path::PathBuf;

use super::*;
use crate::domain::log::{SearchText, StatusFilter};
use crate::host::linux::LinuxHost;

struct Scene {
    scratch: tempfile::TempDir,
    host: LinuxHost,
}

impl Scene {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let host = LinuxHost::at(scratch.path()).unwrap();
        Self { scratch, host }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn log(&self, file: LogFile) -> Log<'_> {
        Log {
            host: &self.host,
            file,
            path: HostPath::fixed("/access.log"),
            writer: nix::unistd::geteuid().as_raw(),
        }
    }

    fn append(&self, text: &str) {
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.at("access.log"))
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn lines(&self, numbers: std::ops::Range<u32>) {
        let text: String = numbers.map(line).collect();
        self.append(&text);
    }

    #[expect(clippy::disallowed_methods, reason = "what logrotate does")]
    fn rotate(&self) {
        std::fs::rename(self.at("access.log"), self.at("access.log.1")).unwrap();
    }

    #[expect(clippy::disallowed_methods, reason = "what an admin does")]
    fn delete(&self) {
        std::fs::remove_file(self.at("access.log")).unwrap();
    }

    fn read(&self, wanted: usize, before: Option<LogPlace>) -> LogView {
        self.log(LogFile::Access)
            .read(&LogFilter::default(), wanted, before)
            .unwrap()
    }

    fn newer(&self, after: LogPlace, whole: bool) -> LogView {
        self.log(LogFile::Access)
            .newer(&LogFilter::default(), after, whole)
            .unwrap()
    }
}

fn line(number: u32) -> String {
    format!("{{\"s\":{},\"u\":\"/{number}\"}}\n", 200 + number % 400)
}

fn told(view: &LogView) -> Vec<u32> {
    let number = |record: &LogRecord| record.text.trim().trim_start_matches('/').parse().unwrap();
    view.records.iter().map(number).collect()
}

fn numbers(range: std::ops::Range<u32>) -> Vec<u32> {
    range.collect()
}

#[test]
fn the_newest_lines_come_and_older_ones_on_demand_across_a_rotation() {
    let scene = Scene::new();
    scene.lines(0..50);
    scene.rotate();
    scene.lines(50..60);
    let view = scene.read(8, None);
    assert_eq!(told(&view), numbers(52..60));
    let view = scene.read(8, view.older);
    assert_eq!(told(&view), numbers(44..52));
    let view = scene.read(100, view.older);
    assert_eq!(told(&view), numbers(0..44));
    assert_eq!(view.older, None);
}

#[test]
fn a_long_log_is_read_from_its_end_in_windows_and_every_line_is_met_once() {
    let scene = Scene::new();
    let pad = "x".repeat(300);
    let lines =
        (0..12_000).map(|number| format!("{{\"u\":\"/{number}\",\"s\":200,\"z\":\"{pad}\"}}"));
    let text: Vec<String> = lines.collect();
    scene.append(&(text.join("\n") + "\n"));
    let mut met: Vec<u32> = Vec::new();
    let mut before = None;
    loop {
        let view = scene.read(MOST_RECORDS, before);
        assert!(view.records.len() <= MOST_RECORDS);
        let mut older = told(&view);
        older.append(&mut met);
        met = older;
        before = view.older;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(met, numbers(0..12_000));
}

#[test]
fn a_filter_that_finds_nothing_in_a_window_says_where_to_go_on() {
    let scene = Scene::new();
    scene.append("{\"u\":\"/needle\",\"s\":500}\n");
    let pad = format!(
        "{{\"u\":\"/hay\",\"s\":200,\"z\":\"{}\"}}\n",
        "x".repeat(1000)
    );
    scene.append(&pad.repeat(2500));
    let log = scene.log(LogFile::Access);
    let filter = LogFilter {
        status: Some(StatusFilter::parse("5xx").unwrap()),
        text: Some(SearchText::parse("needle").unwrap()),
    };
    let (mut before, mut asked) = (None, 0);
    let found = loop {
        let view = log.read(&filter, 10, before).unwrap();
        asked += 1;
        if !view.records.is_empty() {
            break view;
        }
        before = Some(view.older.unwrap());
    };
    assert_eq!((found.records[0].status, asked), (Some(500), 3));
}

#[test]
fn a_line_that_is_still_being_written_waits_for_its_end() {
    let scene = Scene::new();
    scene.lines(0..2);
    scene.append("{\"s\":200,\"u\":\"/2\"");
    let view = scene.read(10, None);
    assert_eq!(told(&view), [0, 1]);
    let after = view.newer.unwrap();
    assert_eq!(told(&scene.newer(after, false)), [0; 0]);
    scene.append("}\n");
    assert_eq!(told(&scene.newer(after, false)), [2]);
}

#[test]
fn following_survives_a_rotation_and_loses_nothing() {
    let scene = Scene::new();
    scene.lines(0..5);
    let mut after = scene.read(1, None).newer.unwrap();
    let mut seen = Vec::new();
    let mut look = |scene: &Scene| {
        let view = scene.newer(after, true);
        after = view.newer.unwrap();
        seen.extend(told(&view));
        view.exists
    };
    scene.lines(5..8);
    scene.rotate();
    assert!(!look(&scene), "nothing is there between rename and create");
    scene.append("");
    assert!(look(&scene));
    // nginx has not been told yet: it goes on in the old file.
    let old = line(8);
    let path = scene.at("access.log.1");
    let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(old.as_bytes()).unwrap();
    assert!(look(&scene));
    scene.lines(9..11);
    assert!(look(&scene));
    scene.lines(11..12);
    assert!(look(&scene));
    assert_eq!(seen, numbers(5..12));
}

#[test]
fn a_deleted_log_is_said_to_be_gone_and_is_followed_again_when_it_is_back() {
    let scene = Scene::new();
    scene.lines(0..3);
    let after = scene.read(1, None).newer.unwrap();
    scene.delete();
    let view = scene.newer(after, false);
    assert!(!view.exists && view.records.is_empty());
    assert_eq!(view.newer, Some(after));
    let read = scene.read(9, None);
    assert!(!read.exists && read.records.is_empty() && read.newer.is_none());
    // Another file first, so that the inode is not given out again.
    scene.append("");
    scene.rotate();
    scene.lines(3..5);
    assert_eq!(told(&scene.newer(after, false)), [3, 4]);
}

#[test]
fn an_empty_log_of_somebody_else_is_not_the_one_that_is_written() {
    let scene = Scene::new();
    scene.append("");
    let mut log = scene.log(LogFile::Access);
    log.writer += 1;
    let read = |log: &Log<'_>| log.read(&LogFilter::default(), 9, None).unwrap();
    assert!(!read(&log).exists);
    scene.lines(0..1);
    assert!(read(&log).exists);
}

#[test]
fn a_flood_is_passed_over_unless_all_of_it_is_asked_for() {
    let scene = Scene::new();
    scene.lines(0..1);
    let after = scene.read(1, None).newer.unwrap();
    scene.lines(1..100_000);
    let view = scene.newer(after, false);
    assert!(view.skipped > 1 << 20, "{}", view.skipped);
    assert!(told(&view)[0] > 80_000);
    let (mut place, mut count) = (after, 0);
    while count < 99_999 {
        let view = scene.newer(place, true);
        assert_eq!(
            (view.skipped, view.records.len() <= MOST_RECORDS),
            (0, true)
        );
        count += view.records.len();
        place = view.newer.unwrap();
    }
    assert_eq!(count, 99_999);
}

#[test]
fn an_emptied_log_begins_anew_and_a_line_without_end_is_cut() {
    let scene = Scene::new();
    scene.lines(0..9);
    let after = scene.read(1, None).newer.unwrap();
    std::fs::File::create(scene.at("access.log")).unwrap();
    scene.lines(3..4);
    assert_eq!(told(&scene.newer(after, false)), [3]);
    let after = scene.read(1, None).newer.unwrap();
    scene.append(&"y".repeat(WINDOW + 9));
    let view = scene.newer(after, true);
    assert_eq!(view.records.len(), 1);
    assert!(view.records[0].cut > 1_000_000 && view.newer.unwrap().offset > after.offset);
}

#[test]
fn a_link_in_place_of_a_log_is_not_followed() {
    let scene = Scene::new();
    let secret = scene.at("secret");
    let mut file = std::fs::File::create(&secret).unwrap();
    file.write_all(b"secret\n").unwrap();
    std::os::unix::fs::symlink(&secret, scene.at("access.log")).unwrap();
    let log = scene.log(LogFile::Access);
    let refused = log.read(&LogFilter::default(), 9, None);
    assert!(matches!(refused, Err(HostError::Kind { .. })));
    let place = LogPlace {
        inode: 1,
        offset: 0,
    };
    let refused = log.newer(&LogFilter::default(), place, true);
    assert!(matches!(refused, Err(HostError::Kind { .. })));
}

#[test]
fn an_answer_fits_into_a_frame_whatever_is_in_the_log() {
    let scene = Scene::new();
    let nasty = format!("{}\n", "\"\\\u{1b}".repeat(5000));
    scene.append(&nasty.repeat(80));
    let view = scene.read(MOST_RECORDS, None);
    assert!(view.older.is_some());
    let length = serde_json::to_vec(&view).unwrap().len();
    assert!(length < 900 << 10, "{length}");
}
