//! Telling, on a machine in memory whose courier answers what the test says.
//!
//! Invariant: the clock is set, never waited for.

use super::*;
use crate::agent::live::LiveSettings;
use crate::domain::notice::Warning;
use crate::domain::time::Timestamp;
use crate::host::memory::MemoryHost;
use crate::host::memory::machine::Machine;
use crate::host::memory::systemd::Running;
use crate::ops::engine::Engine;
use crate::rpc::courier::SOCKET;
use crate::store::Store;

const TAKEN: &str = r#"{"Ok":{"delivered":{"answer":"250 taken"}}}"#;
const REFUSED: &str = r#"{"Err":{"code":"notify.unsent","title":"The mail server cannot be reached","detail":"refused","hint":"see"}}"#;
const SETTINGS: &str = "[notify]\nmail_to = \"ops@shop.example\"\nsmtp_host = \"smtp.shop.example\"\nwebhook_url = \"https://chat.example/x\"\nafter_seconds = 60\n";

fn scene(returns: &str) -> (MemoryHost, Store) {
    let host = MemoryHost::new(Machine::debian());
    host.set_now(Timestamp::from_millis(1_700_000_000_000));
    host.change(|machine| {
        let socket = Running {
            unit: String::new(),
            configuration: String::new(),
            sockets: vec![HostPath::fixed(SOCKET)],
        };
        let unit = "lalapanel-courier.socket".to_owned();
        machine.running.insert(unit, socket);
        returns.clone_into(&mut machine.courier_returns);
        machine.tree.put_text(&config::file(), SETTINGS);
    });
    (host, Store::in_memory().unwrap())
}

fn notifier(host: &MemoryHost, store: &Store) -> Notifier {
    let engine = Engine::new(Arc::new(host.clone()), store.clone());
    let operations = Operations::new(engine, LiveSettings::new(Config::default()));
    let issuer = Issuer::new(operations.clone());
    Notifier::new(operations, issuer)
}

fn later(host: &MemoryHost, notifier: &Notifier, seconds: u64) {
    host.set_now(host.now().plus_seconds(seconds));
    notifier.look().unwrap();
}

/// Sent messages and waiting items of both ways.
fn counts(notifier: &Notifier) -> Vec<(u32, u32)> {
    let ways = notifier.view().unwrap().ways;
    ways.iter().map(|way| (way.sent, way.waiting)).collect()
}

#[test]
fn what_needs_somebody_is_told_once_also_after_a_restart() {
    let (host, store) = scene(TAKEN);
    let first = notifier(&host, &store);
    // nginx and MariaDB do not run on this machine.
    first.look().unwrap();
    assert_eq!(counts(&first), [(0, 0), (0, 0)]);
    later(&host, &first, 60);
    assert_eq!(counts(&first), [(1, 0), (1, 0)]);
    let matters = first.view().unwrap().matters;
    assert!(matters.iter().any(|one| one.key == "service.mariadb"));
    let again = notifier(&host, &store);
    later(&host, &again, 60);
    assert_eq!(counts(&again), [(1, 0), (1, 0)]);
}

#[test]
fn what_could_not_be_told_waits_and_is_told_later() {
    let (host, store) = scene(REFUSED);
    let notifier = notifier(&host, &store);
    notifier.look().unwrap();
    later(&host, &notifier, 60);
    let view = notifier.view().unwrap();
    assert_eq!(counts(&notifier)[0].0, 0);
    assert!(view.ways[0].waiting > 0);
    let why = view.ways[0].failure.clone().unwrap();
    assert_eq!(why, "The mail server cannot be reached: refused");
    host.change(|machine| TAKEN.clone_into(&mut machine.courier_returns));
    later(&host, &notifier, 15);
    assert_eq!(counts(&notifier), [(1, 0), (1, 0)]);
    assert_eq!(notifier.view().unwrap().ways[0].failure, None);
}

#[test]
fn a_try_says_what_came_back_and_changes_nothing_that_is_remembered() {
    let (host, store) = scene(TAKEN);
    let notifier = notifier(&host, &store);
    let Ok(Reply::NotifyTried(trials)) = notifier.try_out() else {
        panic!("a try is answered with what came back");
    };
    let answers: Vec<_> = trials.iter().map(|one| one.answer.as_deref()).collect();
    assert_eq!(answers, [Some("250 taken"), Some("250 taken")]);
    assert_eq!(store.notices().unwrap(), Notices::default());
    host.change(|machine| machine.tree.put_text(&config::file(), ""));
    let fault = notifier.try_out().unwrap_err();
    assert_eq!(fault.code, Code::NotifyUnset);
}

#[test]
fn where_it_cannot_be_written_down_nobody_is_told_every_minute() {
    let (host, store) = scene(TAKEN);
    let notifier = notifier(&host, &store);
    let mut known = Notices::default();
    let warning = Warning {
        key: "service.nginx".to_owned(),
        title: "nginx is stopped".to_owned(),
        hint: String::new(),
        stage: 0,
    };
    known.see(&[warning], 0, host.now());
    *notifier.known() = Some(known.clone());
    // Another state than in the file: the one in memory counts.
    assert_eq!(notifier.notices().unwrap(), known);
    assert_eq!(store.notices().unwrap(), Notices::default());
}

#[test]
fn a_mail_names_its_sender_and_a_webhook_is_signed() {
    let (host, _) = scene(TAKEN);
    let settings = format!("{SETTINGS}webhook_secret = \"Jefe\"\n");
    let settings = Config::parse(&settings).unwrap().notify;
    let sender = Sender {
        server: "panel.example".to_owned(),
        url: "https://panel.example:8443/".to_owned(),
    };
    let text = || "text".to_owned();
    let mail = mail(&host, &settings, &sender, text(), text()).unwrap();
    assert_eq!(mail.from.as_str(), "ops@shop.example");
    assert_eq!((mail.port, mail.name.as_str()), (587, "panel.example"));
    let webhook = webhook(&host, &settings, "{}".to_owned()).unwrap();
    assert_eq!(webhook.signature.map(|one| one.len()), Some(64));
    assert!(!format!("{settings:?}").contains("Jefe"));
}
