//! Settings of the panel, and its address, on a machine in memory.

use std::sync::OnceLock;

use lalapanel::domain::authority::KeyText;
use lalapanel::domain::change::Change;
use lalapanel::domain::fault::Code;
use lalapanel::domain::notify::WebhookUrl;
use lalapanel::domain::notify_setting::{NotifyKey, NotifySecrets, NotifySetting, SecretId};
use lalapanel::domain::panel_setting::{PanelSetting, TrialVerb};
use lalapanel::domain::path::HostPath;
use lalapanel::host::Host;
use lalapanel::host::exec::{Command, Program};
use lalapanel::ops::engine::Outcome;
use lalapanel::render;
use lalapanel::system::config::{self, Config};
use lalapanel::system::{notify_vault, panel_certificate, panel_trial};

use crate::faults::every_fault;
use crate::world::{World, refused};

const CONFIG: &str = "# mine\n[panel]\nhostname = \"panel.example\"\nport = 8443\ntrusted_proxies = []\n\n[acme]\nemail = \"a@b.example\"\neab_hmac_key = \"hidden-key\"\n";

/// The same one in every world.
static MADE: OnceLock<String> = OnceLock::new();

/// The panel at panel.example:8443, with its page running.
fn panel() -> World {
    let world = World::with_sites();
    let now = world.host.now();
    let make = || panel_certificate::make("panel.example", &[], now).unwrap();
    let made = MADE.get_or_init(|| make().certificate);
    world.host.change(|machine| {
        let put = |tree: &mut lalapanel::host::memory::tree::Tree, path: &HostPath, text: &str| {
            tree.put_text(path, text);
        };
        put(&mut machine.tree, &config::file(), CONFIG);
        let certificate = panel_certificate::certificate_file();
        put(&mut machine.tree, &certificate, made);
        let units =
            render::panel::services(lalapanel::domain::facts::ServiceManager::Systemd, 8443);
        for (file, line) in [
            (
                "/etc/passwd",
                "lalapanel:x:990:990::/nonexistent:/usr/sbin/nologin\n",
            ),
            ("/etc/group", "lalapanel:x:990:\n"),
        ] {
            let file = HostPath::fixed(file);
            let text = machine.tree.text(&file).unwrap_or_default();
            put(&mut machine.tree, &file, &format!("{text}{line}"));
        }
        let program = HostPath::fixed(Program::Lalapanel.path());
        put(&mut machine.tree, &program, "the program");
        for unit in units {
            put(&mut machine.tree, &unit.path, &unit.text);
        }
    });
    let owner = lalapanel::host::Owner::ROOT;
    let mode = lalapanel::host::Mode(0o600);
    world.host.set_meta(&config::file(), owner, mode).unwrap();
    for unit in [render::panel::SOCKET_UNIT, render::panel::WEB_UNIT] {
        let start = Command::new(Program::Systemctl, ["start", "--", unit]);
        let output = world.host.run(&start).unwrap();
        assert!(output.is_success(), "{unit}: {output:?}");
    }
    world
}

fn set(values: &[(&str, &str)]) -> Change {
    let values = values.iter();
    let values = values.map(|(key, text)| PanelSetting::parse(key, text).unwrap());
    Change::PanelSet {
        values: values.collect(),
    }
}

fn typed(text: &str) -> NotifySecrets {
    let text = || Some(KeyText::new(text.to_owned()));
    NotifySecrets {
        smtp_password: text(),
        webhook_url: WebhookUrl::parse("https://chat.example/hooks/canary").ok(),
        webhook_secret: text(),
    }
}

fn notify(values: &[(NotifyKey, &str)]) -> Change {
    let one = |(key, text): &(NotifyKey, &str)| NotifySetting::parse(*key, text).unwrap();
    Change::PanelSet {
        values: values.iter().map(one).map(PanelSetting::Notify).collect(),
    }
}

/// The number is the same in every world.
fn told(id: &SecretId) -> Change {
    notify(&[
        (NotifyKey::MailTo, "ops@b.example"),
        (NotifyKey::SmtpHost, "smtp.b.example"),
        (NotifyKey::SmtpUser, "ops"),
        (NotifyKey::SmtpPassword, id.as_str()),
        (NotifyKey::WebhookUrl, id.as_str()),
        (NotifyKey::WebhookSecret, id.as_str()),
        (NotifyKey::DiskPercent, "80"),
    ])
}

fn staged_in(world: &World, word: &str) -> SecretId {
    notify_vault::stage(&world.host, typed(word), None).unwrap()
}

fn staged() -> World {
    let world = panel();
    staged_in(&world, "canary-one");
    world
}

/// Somebody is told, and other secrets wait.
fn restaged() -> World {
    let world = panel();
    let change = told(&staged_in(&world, "canary-one"));
    assert_eq!(world.run(3, &change).unwrap(), Some(Outcome::Done));
    staged_in(&world, "canary-two");
    // What an operation kept for its undoing means nothing to the next one, which writes over it.
    world.host.remove(&notify_vault::former_file()).unwrap();
    world
}

/// Somebody is told, as the owner wrote it.
fn by_hand() -> World {
    let world = panel();
    let section = "\n[notify]\nmail_to = \"ops@b.example\" # us\nsmtp_host = \"smtp.b.example\"\nsmtp_user = \"ops\"\nsmtp_password = \"canary\"\nwebhook_url = \"https://chat.example/canary\"\nwebhook_secret = \"canary\"\n";
    let (owner, mode) = (lalapanel::host::Owner::ROOT, lalapanel::host::Mode(0o600));
    let text = format!("{CONFIG}{section}");
    let file = config::file();
    world
        .host
        .write(&file, text.as_bytes(), owner, mode)
        .unwrap();
    world
}

fn waiting(world: &World) -> SecretId {
    let directory = notify_vault::former_file().parent();
    let names = world.host.list(&directory).unwrap();
    let mut ids = names.iter().filter_map(|name| SecretId::parse(name).ok());
    ids.next().unwrap()
}

#[test]
fn who_is_told_is_changed_wholly_or_not_at_all_whatever_fails() {
    every_fault(staged, &told(&waiting(&staged())));
    every_fault(restaged, &told(&waiting(&restaged())));
    every_fault(
        by_hand,
        &notify(&[
            (NotifyKey::SmtpUser, ""),
            (NotifyKey::SmtpPassword, ""),
            (NotifyKey::WebhookUrl, ""),
            (NotifyKey::WebhookSecret, ""),
        ]),
    );
}

#[test]
fn secrets_of_who_is_told_go_into_the_file_and_nowhere_else() {
    let world = restaged();
    let config = Config::read(&world.host).unwrap();
    let secret = |config: &Config| config.notify.smtp_password.clone().unwrap();
    assert_eq!(secret(&config).reveal(), "canary-one");
    assert_eq!(config.notify.disk_percent.number(), 80);
    let kept = text(&world, &config::file());
    assert!(kept.starts_with(CONFIG), "{kept}");
    let change = told(&waiting(&world));
    let plan = world.plan(&change).unwrap().unwrap();
    let shown = format!(
        "{change:?} {:?}",
        lalapanel::ops::view::plan(&plan, &world.host)
    );
    assert!(!shown.contains("canary"), "{shown}");
    assert_eq!(world.run(4, &change).unwrap(), Some(Outcome::Done));
    assert_eq!(
        secret(&Config::read(&world.host).unwrap()).reveal(),
        "canary-two"
    );
    let events = world
        .store
        .events::<serde_json::Value>(crate::world::operation(4))
        .unwrap();
    assert!(!events.is_empty() && !format!("{events:?}").contains("canary"));
}

#[test]
fn who_is_told_is_refused_with_what_to_do_instead() {
    let world = restaged();
    let unfit = refused(&world, &notify(&[(NotifyKey::SmtpUser, "")]));
    assert!(unfit.title.contains("belong together"), "{}", unfit.title);
    let security = notify(&[(NotifyKey::SmtpSecurity, "none")]);
    assert!(refused(&world, &security).title.contains("this machine"));
    let elsewhere = refused(
        &world,
        &notify(&[(NotifyKey::SmtpHost, "smtp.evil.example")]),
    );
    assert!(
        elsewhere.hint.contains("type it again"),
        "{}",
        elsewhere.hint
    );
    let gone = told(&SecretId::parse(&"0".repeat(32)).unwrap());
    assert!(refused(&world, &gone).hint.contains("type it again"));
    let former = Change::PanelSet {
        values: vec![PanelSetting::Notify(NotifySetting::former(
            NotifyKey::SmtpPassword,
        ))],
    };
    assert!(refused(&world, &former).hint.contains("type it again"));
    let same = notify(&[
        (NotifyKey::MailTo, "ops@b.example"),
        (NotifyKey::AfterSeconds, ""),
    ]);
    assert_eq!(world.run(4, &same).unwrap(), None);
}

fn decide(verb: TrialVerb) -> Change {
    Change::PanelTrial { verb }
}

fn tried() -> World {
    let world = panel();
    let change = set(&[("panel.port", "9443"), ("panel.hostname", "p.example")]);
    assert_eq!(world.run(3, &change).unwrap(), Some(Outcome::Done));
    world
}

fn text(world: &World, path: &HostPath) -> String {
    String::from_utf8(world.host.read(path, 65_536).unwrap()).unwrap()
}

fn ports(world: &World) -> Vec<String> {
    let unit = text(world, &render::panel::socket(&[]).path);
    let lines = unit
        .lines()
        .filter_map(|line| line.strip_prefix("ListenStream="));
    lines.map(str::to_owned).collect()
}

#[test]
fn every_change_of_settings_ends_old_or_new_whatever_fails() {
    every_fault(
        panel,
        &set(&[
            ("acme.email", "new@b.example"),
            ("panel.trusted_proxies", "192.0.2.1"),
        ]),
    );
    every_fault(panel, &set(&[("panel.port", "9443")]));
    every_fault(panel, &set(&[("panel.hostname", "p.example")]));
    for verb in TrialVerb::ALL {
        every_fault(tried, &decide(verb));
    }
}

#[test]
fn a_new_address_is_tried_beside_the_one_of_now_and_kept_or_put_back() {
    let world = tried();
    assert_eq!(ports(&world), ["8443", "9443"]);
    assert_eq!(text(&world, &config::file()), CONFIG);
    let again = refused(&world, &set(&[("panel.port", "9444")]));
    assert!(again.title.contains("https://p.example:9443") && again.hint.contains("settings keep"));
    let until = panel_trial::now(&world.host).unwrap().unwrap().until;
    assert_eq!(
        world.run(4, &decide(TrialVerb::Longer)).unwrap(),
        Some(Outcome::Done)
    );
    let longer = panel_trial::now(&world.host).unwrap().unwrap().until;
    assert!(longer.millis_since(until) >= 200_000);
    assert_eq!(
        world.run(5, &decide(TrialVerb::Keep)).unwrap(),
        Some(Outcome::Done)
    );
    assert_eq!(ports(&world), ["9443"]);
    let kept = text(&world, &config::file());
    let wanted = CONFIG
        .replace("8443", "9443")
        .replace("panel.example", "p.example");
    assert_eq!(kept, wanted);
    assert!(panel_trial::now(&world.host).unwrap().is_none());
    assert_eq!(
        refused(&world, &decide(TrialVerb::Keep)).code,
        Code::SettingInvalid
    );

    let world = tried();
    assert_eq!(
        world.run(4, &decide(TrialVerb::Back)).unwrap(),
        Some(Outcome::Done)
    );
    assert_eq!(ports(&world), ["8443"]);
    assert_eq!(text(&world, &config::file()), CONFIG);
}

#[test]
fn what_would_lock_somebody_out_is_refused_before() {
    let world = panel();
    let taken = refused(&world, &set(&[("panel.hostname", "shop.example")]));
    assert_eq!(taken.code, Code::HostnameTaken);
    let line = "   0: 00000000:24E3 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n";
    world.host.change(|machine| {
        machine
            .tree
            .put_text(&HostPath::fixed("/proc/net/tcp"), line);
    });
    let taken = refused(&world, &set(&[("panel.port", "9443")]));
    assert_eq!(taken.code, Code::PortTaken);
    assert_eq!(world.run(4, &set(&[("panel.port", "8443")])).unwrap(), None);
}

#[test]
fn no_secret_of_the_settings_is_in_a_plan_or_in_the_state() {
    let world = panel();
    let change = set(&[("acme.email", "new@b.example"), ("panel.port", "9443")]);
    let plan = world.plan(&change).unwrap().unwrap();
    let shown = format!("{:?}", lalapanel::ops::view::plan(&plan, &world.host));
    assert!(!shown.contains("hidden-key") && shown.contains("9443"));
    assert_eq!(world.run(4, &change).unwrap(), Some(Outcome::Done));
    let events = world
        .store
        .events::<serde_json::Value>(crate::world::operation(4))
        .unwrap();
    assert!(!events.is_empty() && !format!("{events:?}").contains("hidden-key"));
    let config = Config::read(&world.host).unwrap();
    assert_eq!(config.acme.email.as_deref(), Some("new@b.example"));
    assert_eq!(config.acme.eab_hmac_key.as_deref(), Some("hidden-key"));
}
