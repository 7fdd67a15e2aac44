//! The archive of WordPress that is fetched: whole, compared and written down, or nothing of it, whatever fails.

use std::panic::{self, AssertUnwindSafe};

use lalapanel::domain::archive::{ArchiveUrl, FetchedArchive};
use lalapanel::domain::fault::Code;
use lalapanel::domain::path::HostPath;
use lalapanel::host::Host;
use lalapanel::host::memory::faults::{Crash, FaultyHost, Plan as Fault, Strike};
use lalapanel::host::memory::systemd::Running;
use lalapanel::ops::engine::Outcome;
use lalapanel::ops::wordpress_archive::{Source, at_hand, fetch, sweep};
use lalapanel::rpc::courier::SOCKET;
use sha1::Sha1;
use sha2::Digest;

use crate::wordpress::{ARCHIVE, digest, install, wordpress};
use crate::world::World;

fn source() -> Source {
    Source {
        url: ArchiveUrl::official(),
        roots: None,
    }
}

/// A courier that brings `archive`, and says that its publisher says so of `published`.
fn brings(archive: &str, published: &str) -> World {
    let world = World::installed();
    let sum = lalapanel::domain::secret::hex(&Sha1::digest(published));
    let returns = serde_json::json!({"Ok": {"fetched": {
        "published": sum, "version": "6.8.2", "bytes": archive.len()
    }}});
    world.host.change(|machine| {
        let socket = Running {
            unit: String::new(),
            configuration: String::new(),
            sockets: vec![HostPath::fixed(SOCKET)],
        };
        let unit = "lalapanel-courier.socket".to_owned();
        machine.running.insert(unit, socket);
        machine.courier_returns = returns.to_string();
        archive.clone_into(&mut machine.courier_brings);
    });
    world
}

fn good() -> World {
    brings(ARCHIVE, ARCHIVE)
}

#[test]
fn an_archive_is_fetched_once_a_day_and_the_plan_says_what_it_is() {
    let world = good();
    let made = fetch(&world.host, source()).unwrap();
    assert_eq!(made.archive, digest());
    let meta = world.host.stat(&made.archive.file()).unwrap().unwrap();
    assert_eq!((meta.mode.0, meta.owner.uid), (0o600, 0));
    world.host.change(|machine| machine.courier_brings.clear());
    assert_eq!(fetch(&world.host, source()).unwrap(), made);
    let plan = world.plan(&install(wordpress())).unwrap().unwrap();
    assert_eq!(plan.notes, [made.sentence()]);
    let says = |words: &str| plan.steps.iter().any(|one| one.title.contains(words));
    assert!(says("Unpack WordPress 6.8.2 as"));
    let outcome = world.run(9, &install(wordpress())).unwrap();
    assert_eq!(outcome, Some(Outcome::Done));
    assert_eq!(at_hand(&world.host, &made.url).unwrap(), Some(made.clone()));
    world.host.set_now(made.fetched.plus_seconds(86_400));
    assert_eq!(at_hand(&world.host, &made.url).unwrap(), None);
    // It would be fetched anew, and nothing comes: the old one goes as well.
    assert!(fetch(&world.host, source()).is_err());
    assert!(!is_anything_left(&world));
}

#[test]
fn what_is_not_as_its_publisher_says_or_does_not_come_leaves_nothing() {
    let fault = fetch(&brings(ARCHIVE, "another").host, source()).unwrap_err();
    assert_eq!(fault.code, Code::WordpressArchive);
    assert!(fault.hint.contains("--archive FILE"));
    let refused = r#"{"Err":{"code":"wordpress.unfetched","title":"a","hint":"b"}}"#;
    let cut =
        r#"{"Ok":{"fetched":{"published":"0123456789012345678901234567890123456789","bytes":1}}}"#;
    for (returns, code) in [
        (refused, Code::WordpressUnfetched),
        (cut, Code::WordpressArchive),
        (
            r#"{"Ok":{"pong":{"version":"0"}}}"#,
            Code::CourierUnreachable,
        ),
        ("?", Code::CourierUnreachable),
    ] {
        let world = good();
        let before = world.machine();
        world
            .host
            .change(|machine| returns.clone_into(&mut machine.courier_returns));
        assert_eq!(fetch(&world.host, source()).unwrap_err().code, code);
        assert!(!is_anything_left(&world), "{returns}");
        world.host.change(|machine| {
            machine.courier_returns.clone_from(&before.courier_returns);
        });
        assert_eq!(world.machine().differences(&before), Vec::<String>::new());
    }
    let silent = good();
    silent.host.change(|machine| {
        machine.running.remove("lalapanel-courier.socket");
    });
    let fault = fetch(&silent.host, source()).unwrap_err();
    assert_eq!(fault.code, Code::CourierUnreachable);
    let large = good();
    large.host.change(|machine| {
        machine.courier_brings = "x".repeat((100 << 20) + 1);
    });
    assert!(fetch(&large.host, source()).is_err());
    assert!(!is_anything_left(&large));
}

fn is_anything_left(world: &World) -> bool {
    let directory = digest().file().parent();
    world.host.stat(&directory).unwrap().is_some()
}

#[test]
fn struck_anywhere_it_is_there_and_good_or_gone_once_the_agent_starts() {
    let counted = good();
    let counting = FaultyHost::counting(counted.host.clone());
    fetch(&counting, source()).unwrap();
    let (mut kept, mut gone) = (0, 0);
    for call in 0..counting.calls() {
        for strike in Strike::ALL {
            let world = good();
            let host = FaultyHost::striking(world.host.clone(), Fault { call, strike });
            let result = panic::catch_unwind(AssertUnwindSafe(|| fetch(&host, source())));
            if let Err(payload) = &result {
                assert!(payload.is::<Crash>(), "call {call} {strike:?}");
            }
            if result.is_ok_and(|answer| answer.is_err()) {
                assert!(!is_half(&world), "call {call} {strike:?}");
            }
            sweep(&world.host, &ArchiveUrl::official()).unwrap();
            let at_hand = at_hand(&world.host, &ArchiveUrl::official()).unwrap();
            if let Some(archive) = at_hand {
                let text = world.host.read(&archive.archive.file(), 999).unwrap();
                assert_eq!(text, ARCHIVE.as_bytes());
                kept += 1;
            } else {
                assert!(!is_anything_left(&world), "call {call} {strike:?}");
                gone += 1;
            }
            // Whatever it was, the next try ends well.
            fetch(&world.host, source()).unwrap();
        }
    }
    assert!(kept > 0 && gone > 0, "{kept} kept, {gone} gone");
}

/// Something that is neither a whole archive nor the record of one.
fn is_half(world: &World) -> bool {
    let half = digest().file().parent().join("fetching");
    world.host.stat(&half).unwrap().is_some()
}

#[test]
fn archives_that_nobody_took_away_again_are_removed_and_a_fresh_one_stays() {
    let world = good();
    let before = world.machine();
    let put = |name: &str| {
        let path = digest().file().parent().join(name);
        world
            .host
            .change(|machine| machine.tree.put_text(&path, "half of one"));
    };
    sweep(&world.host, &ArchiveUrl::official()).unwrap();
    put(".half");
    put(&"0".repeat(64));
    sweep(&world.host, &ArchiveUrl::official()).unwrap();
    assert_eq!(world.machine().differences(&before), Vec::<String>::new());
    let made = fetch(&world.host, source()).unwrap();
    put(".half");
    sweep(&world.host, &made.url).unwrap();
    let names = world.host.list(&digest().file().parent()).unwrap();
    assert_eq!(
        names,
        [made.archive.as_str(), FetchedArchive::record().name()]
    );
    let mirror = ArchiveUrl::parse("https://mirror.example/latest.tar.gz").unwrap();
    sweep(&world.host, &mirror).unwrap();
    assert_eq!(world.machine().differences(&before), Vec::<String>::new());
}

#[test]
fn a_record_that_lies_leads_to_no_other_file() {
    let world = good();
    let secret = HostPath::fixed("/etc/passwd");
    let text = world.machine().tree.text(&secret).unwrap();
    let record = serde_json::json!({"url": "https://wordpress.org/latest.tar.gz",
        "archive": "../../../../etc/passwd", "published": "ab", "version": null, "bytes": text.len(),
        "fetched": world.host.now()});
    world.host.change(|machine| {
        let path = FetchedArchive::record();
        machine.tree.put_text(&path, &record.to_string());
    });
    assert_eq!(at_hand(&world.host, &ArchiveUrl::official()).unwrap(), None);
    sweep(&world.host, &ArchiveUrl::official()).unwrap();
    assert_eq!(world.machine().tree.text(&secret), Some(text));
}

#[test]
fn an_archive_by_hand_has_no_word_of_where_it_came_from() {
    let world = World::installed();
    world
        .host
        .change(|machine| machine.tree.put_text(&digest().file(), ARCHIVE));
    let plan = world.plan(&install(wordpress())).unwrap().unwrap();
    assert_eq!(plan.notes, Vec::<String>::new());
}
