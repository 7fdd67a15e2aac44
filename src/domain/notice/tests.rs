//! A day of warnings, told and not told.
//!
//! Invariant: the clock is a number here.

use super::*;

const AFTER: u64 = 60;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000).plus_seconds(seconds)
}

fn warning(key: &str, stage: u8) -> Warning {
    Warning {
        key: key.to_owned(),
        title: format!("{key} is not well"),
        hint: "see to it".to_owned(),
        stage,
    }
}

/// Looks, and tells what is due; what was told comes back as `+key` and `-key`.
fn told(notices: &mut Notices, seen: &[Warning], now: Timestamp, reached: bool) -> String {
    notices.see(seen, AFTER, now);
    let due = notices.due(Way::Mail, AFTER, now);
    let mut words = Vec::new();
    if !due.is_empty() && notices.may_send(Way::Mail, now) {
        if reached {
            words.extend(due.begun.iter().map(|(key, _)| format!("+{key}")));
            words.extend(due.over.iter().map(|(key, _)| format!("-{key}")));
            notices.sent(Way::Mail, &due, now);
        } else {
            notices.failed(Way::Mail, "nobody answers", now);
        }
    }
    notices.forget(&[Way::Mail], AFTER, now);
    words.join(" ")
}

#[test]
fn it_is_told_once_when_it_begins_and_once_when_it_is_over() {
    let (mut notices, down) = (Notices::default(), [warning("a", 0)]);
    assert_eq!(told(&mut notices, &down, at(0), true), "");
    assert_eq!(told(&mut notices, &down, at(60), true), "+a");
    assert_eq!(told(&mut notices, &down, at(120), true), "");
    assert_eq!(told(&mut notices, &[], at(180), true), "");
    // Away for a moment only.
    assert_eq!(told(&mut notices, &down, at(200), true), "");
    assert_eq!(told(&mut notices, &[], at(240), true), "");
    assert_eq!(told(&mut notices, &[], at(300), true), "-a");
    assert_eq!(notices.matters, BTreeMap::new());
    assert_eq!(told(&mut notices, &[], at(360), true), "");
    // A new time is told anew.
    assert_eq!(told(&mut notices, &down, at(400), true), "");
    assert_eq!(told(&mut notices, &down, at(460), true), "+a");
}

#[test]
fn what_passes_by_itself_is_not_told_at_all() {
    let mut notices = Notices::default();
    assert_eq!(told(&mut notices, &[warning("a", 0)], at(0), true), "");
    assert_eq!(told(&mut notices, &[], at(30), true), "");
    assert_eq!(told(&mut notices, &[], at(600), true), "");
    assert_eq!(notices.matters, BTreeMap::new());
}

#[test]
fn a_certificate_is_told_at_each_of_its_stages() {
    let mut notices = Notices::default();
    let mut seen = String::new();
    for (day, stage) in [(0, 1), (1, 1), (4, 2), (5, 2), (6, 3), (7, 4), (8, 4)] {
        let warnings = [warning("c", stage)];
        let _ = told(&mut notices, &warnings, at(day * 86_400), true);
        let words = told(&mut notices, &warnings, at(day * 86_400 + 60), true);
        seen = format!("{seen}{day}{words} ");
    }
    // At day 4 and later the first look tells at once: it has long counted.
    assert_eq!(seen, "0+c 1 4 5 6 7 8 ");
    let stages: Vec<u8> = notices.told.values().map(|one| one.stages["c"]).collect();
    assert_eq!(stages, [4]);
}

#[test]
fn what_could_not_be_sent_is_sent_later_and_nothing_is_told_twice() {
    let (mut notices, down) = (Notices::default(), [warning("a", 0)]);
    let _ = told(&mut notices, &down, at(0), true);
    assert_eq!(told(&mut notices, &down, at(60), false), "");
    let failed = &notices.told[&Way::Mail];
    assert_eq!((failed.failures, failed.again), (1, Some(at(75))));
    // Too early.
    assert_eq!(told(&mut notices, &down, at(70), true), "");
    assert_eq!(told(&mut notices, &down, at(75), false), "");
    assert_eq!(notices.told[&Way::Mail].again, Some(at(105)));
    assert_eq!(told(&mut notices, &down, at(110), true), "+a");
    assert_eq!(notices.told[&Way::Mail].failure, None);
    assert_eq!(told(&mut notices, &down, at(170), true), "");
}

#[test]
fn what_began_and_ended_while_nobody_could_be_told_is_told_as_over() {
    let (mut notices, down) = (Notices::default(), [warning("a", 0)]);
    let _ = told(&mut notices, &down, at(0), false);
    let _ = told(&mut notices, &down, at(60), false);
    assert_eq!(told(&mut notices, &[], at(200), false), "");
    assert_eq!(told(&mut notices, &[], at(600), true), "-a");
    let matters = notices.matters.len();
    assert_eq!((matters, notices.told[&Way::Mail].over.len()), (0, 0));
}

#[test]
fn a_flood_is_told_together_and_a_day_has_an_end() {
    let mut notices = Notices::default();
    let many: Vec<Warning> = (0..200).map(|n| warning(&format!("w{n:03}"), 0)).collect();
    let _ = told(&mut notices, &many, at(0), true);
    let words = told(&mut notices, &many, at(60), true);
    assert_eq!(words.split(' ').count(), 200);
    let mut messages = 0;
    for minute in 2..1440 {
        // One that comes and goes every two minutes.
        let seen = if minute % 4 < 2 {
            &many[..]
        } else {
            &many[1..]
        };
        let words = told(&mut notices, seen, at(minute * 60), true);
        messages += usize::from(!words.is_empty());
    }
    assert!((10..MOST_A_DAY).contains(&messages), "{messages}");
}

#[test]
fn two_ways_know_by_themselves_and_one_that_is_gone_is_forgotten() {
    let (mut notices, down) = (Notices::default(), [warning("a", 0)]);
    notices.see(&down, 0, at(0));
    let ways = [Way::Mail, Way::Webhook];
    let due = notices.due(Way::Mail, 0, at(0));
    notices.sent(Way::Mail, &due, at(0));
    assert!(notices.due(Way::Mail, 0, at(1)).is_empty());
    assert_eq!(notices.due(Way::Webhook, 0, at(1)).begun.len(), 1);
    notices.see(&[], 0, at(2));
    let due = notices.due(Way::Mail, 0, at(2));
    notices.sent(Way::Mail, &due, at(2));
    notices.forget(&ways, 0, at(2));
    assert_eq!(notices.matters.len(), 1);
    notices.forget(&[Way::Mail], 0, at(2));
    assert_eq!((notices.matters.len(), notices.told.len()), (0, 1));
}

#[test]
fn all_of_it_survives_the_state_file() {
    let mut notices = Notices::default();
    let _ = told(&mut notices, &[warning("a", 0)], at(0), true);
    let _ = told(&mut notices, &[warning("a", 0)], at(60), true);
    notices.failed(Way::Webhook, "no", at(61));
    let text = serde_json::to_string(&notices).unwrap();
    assert_eq!(serde_json::from_str::<Notices>(&text).unwrap(), notices);
}
