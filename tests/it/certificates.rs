//! Certificates of sites: every change of them, every fault at every call, and what is never written down.

use std::sync::LazyLock;

use lalapanel::domain::certificate::{Fingerprint, PrivateKey, Source};
use lalapanel::domain::change::Change;
use lalapanel::domain::fault::Code;
use lalapanel::domain::path::HostPath;
use lalapanel::domain::site::{NewSite, NewSiteKind, Site};
use lalapanel::domain::tls::TlsMode;
use lalapanel::host::exec::{Command, Program};
use lalapanel::host::memory::tree::Kind;
use lalapanel::host::{Host, Meta, Mode, Node, Owner};
use lalapanel::ops::engine::Outcome;
use lalapanel::ops::event::Event;
use lalapanel::ops::plan::Plan;
use lalapanel::ops::{pairs, view};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use time::OffsetDateTime;

use crate::faults::every_fault;
use crate::world::{World, name, operation, set, text};

/// A certificate of an authority, with its key.
struct Sample {
    chain: String,
    key: PrivateKey,
}

fn sample(names: &[&str], days: i64) -> Sample {
    // The clock of the memory machine begins here.
    let now = OffsetDateTime::from_unix_timestamp(1_767_225_600).unwrap();
    let root_key = KeyPair::generate().unwrap();
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = Issuer::new(root, root_key);
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut leaf = CertificateParams::new(names).unwrap();
    leaf.not_before = now - time::Duration::DAY;
    leaf.not_after = now + time::Duration::days(days);
    let certificate = leaf.signed_by(&key, &issuer).unwrap();
    Sample {
        chain: certificate.pem(),
        key: PrivateKey::typed(key.serialize_pem()),
    }
}

static FIRST: LazyLock<Sample> = LazyLock::new(|| sample(&["shop.example"], 90));
static SECOND: LazyLock<Sample> =
    LazyLock::new(|| sample(&["shop.example", "www.shop.example"], 90));

fn shop(world: &World) -> Site {
    world
        .store
        .site_named(&name("shop.example"))
        .unwrap()
        .unwrap()
}

fn put(world: &World, sample: &Sample) -> Fingerprint {
    let put = pairs::deposit(
        &world.host,
        &shop(world),
        &sample.chain,
        &sample.key,
        Source::Uploaded,
        world.host.now(),
    );
    put.unwrap().certificate.fingerprint
}

fn install(fingerprint: Fingerprint) -> Change {
    Change::CertificateInstall {
        hostname: name("shop.example"),
        fingerprint,
        source: Source::Uploaded,
    }
}

fn done(world: &World, number: u64, change: &Change) {
    let outcome = world.run(number, change).unwrap();
    assert!(matches!(outcome, Some(Outcome::Done)), "{change:?}");
}

/// The first certificate lies there, and nothing refers to it.
fn deposited() -> World {
    let world = World::with_sites();
    put(&world, &FIRST);
    world
}

pub(crate) fn with_certificate() -> World {
    let world = World::with_sites();
    let fingerprint = put(&world, &FIRST);
    done(&world, 3, &install(fingerprint));
    world
}

fn both_deposited() -> World {
    let world = with_certificate();
    put(&world, &SECOND);
    world
}

fn first() -> Fingerprint {
    put(&World::with_sites(), &FIRST)
}

fn shown(world: &World) -> String {
    let command = Command::new(Program::Lalapanel, ["handshake", "shop.example", "443"]);
    world.host.run(&command).unwrap().stdout
}

#[test]
fn a_placeholder_ends_old_or_new_whatever_fails() {
    every_fault(World::with_sites, &set("shop.example", &[("tls", "auto")]));
}

#[test]
fn a_site_with_tls_from_the_start_ends_old_or_new_whatever_fails() {
    let change = Change::SiteCreate(NewSite {
        hostname: name("more.example"),
        aliases: Vec::new(),
        redirected: Vec::new(),
        kind: NewSiteKind::Static { spa: false },
        database: None,
        wordpress: None,
        tls: TlsMode::Auto,
    });
    every_fault(World::with_sites, &change);
}

#[test]
fn a_first_certificate_ends_old_or_new_whatever_fails() {
    every_fault(deposited, &install(first()));
}

#[test]
fn a_new_certificate_in_place_of_one_ends_old_or_new_whatever_fails() {
    let fingerprint = put(&World::with_sites(), &SECOND);
    every_fault(both_deposited, &install(fingerprint));
}

#[test]
fn a_certificate_taken_away_ends_old_or_new_whatever_fails() {
    let change = Change::CertificateRemove {
        hostname: name("shop.example"),
    };
    every_fault(with_certificate, &change);
}

#[test]
fn deleting_a_site_with_a_certificate_ends_old_or_new_whatever_fails() {
    let now = true;
    let hostname = name("shop.example");
    every_fault(with_certificate, &Change::SiteDelete { hostname, now });
}

#[test]
fn a_certificate_is_shown_and_visitors_are_sent_to_it() {
    let world = with_certificate();
    let site = shop(&world);
    assert_eq!(shown(&world), first().as_str());
    let file = text(&world, site.nginx_file().as_str());
    assert!(file.contains("listen 443 ssl;") && file.contains("https://$host$request_uri"));
    let meta = |path: &HostPath| -> Meta { world.host.stat(path).unwrap().unwrap() };
    let pair = site.pair().unwrap();
    for name in ["privkey.pem", "fullchain.pem"] {
        assert_eq!(meta(&pair.join(name)).mode, Mode(0o600));
    }
    assert_eq!(meta(&pair).mode, Mode(0o700));
    let link = meta(&site.certificate_link()).node;
    assert!(matches!(link, Node::Link { target } if target.starts_with("../pairs/s1001-")));
    assert!(world.plan(&install(first())).unwrap().is_none(), "it is so");
}

#[test]
fn a_name_that_is_not_covered_stays_on_plain_http() {
    let world = with_certificate();
    done(
        &world,
        4,
        &set("shop.example", &[("aliases", "other.example")]),
    );
    let site = shop(&world);
    assert_eq!(site.uncovered().len(), 1);
    let file = text(&world, site.nginx_file().as_str());
    let plain = file
        .split("server {")
        .find(|block| block.contains("server_name other.example;") && block.contains("listen 80;"));
    assert!(!plain.unwrap().contains("return 301"));
}

#[test]
fn a_certificate_goes_along_to_the_trash_and_back() {
    let world = with_certificate();
    let id = shop(&world).id;
    let hostname = name("shop.example");
    let now = false;
    let delete = Change::SiteDelete { hostname, now };
    done(&world, 4, &delete);
    let link = HostPath::fixed("/var/lib/lalapanel/certificates/shop.example");
    assert_eq!(world.host.stat(&link).unwrap(), None);
    pairs::tidy(&world.host, &world.store).unwrap();
    let back = Change::SiteRestore {
        site: id,
        hostname: name("shop.example"),
    };
    done(&world, 5, &back);
    assert_eq!(shown(&world), first().as_str());
}

#[test]
fn nothing_is_left_of_the_pairs_of_a_site_that_is_gone_for_good() {
    let world = with_certificate();
    let hostname = name("shop.example");
    let now = true;
    done(&world, 4, &Change::SiteDelete { hostname, now });
    for path in [
        "/var/lib/lalapanel/pairs",
        "/var/lib/lalapanel/certificates",
    ] {
        assert_eq!(world.host.stat(&HostPath::fixed(path)).unwrap(), None);
    }
}

#[test]
fn pairs_that_nobody_shows_are_tidied_away_and_the_shown_one_stays() {
    let world = both_deposited();
    pairs::tidy(&world.host, &world.store).unwrap();
    let left = world
        .host
        .list(&HostPath::fixed("/var/lib/lalapanel/pairs"))
        .unwrap();
    assert_eq!(left, [shop(&world).pair_name().unwrap()]);
}

#[test]
fn a_certificate_that_is_not_there_any_more_is_said_to_be() {
    let world = World::with_sites();
    let fault = world.plan(&install(first())).unwrap_err();
    assert_eq!(fault.code, Code::CertificateMissing);
}

#[test]
fn what_no_browser_would_accept_is_refused_and_nothing_is_put_down() {
    let world = World::with_sites();
    let ended = sample(&["shop.example"], 0);
    let other = sample(&["other.example"], 90);
    let mixed = Sample {
        chain: FIRST.chain.clone(),
        key: SECOND.key.clone(),
    };
    for (bad, words) in [
        (ended, "ended"),
        (other, "only for other.example"),
        (mixed, "does not belong"),
    ] {
        let (host, now) = (&world.host, world.host.now());
        let site = shop(&world);
        let fault =
            pairs::deposit(host, &site, &bad.chain, &bad.key, Source::Uploaded, now).unwrap_err();
        assert_eq!(fault.code, Code::CertificateRefused);
        assert!(fault.title.contains(words), "{}", fault.title);
    }
    let place = HostPath::fixed("/var/lib/lalapanel/pairs");
    assert_eq!(world.host.stat(&place).unwrap(), None);
}

#[test]
fn no_key_is_in_a_plan_a_journal_or_a_view() {
    let world = with_certificate();
    let record = world
        .store
        .operation::<Plan>(operation(3))
        .unwrap()
        .unwrap();
    let events = world.store.events::<Event>(operation(3)).unwrap();
    let view = view::operation(&record, &events);
    let kept = serde_json::to_string(&(&record.plan, events, view)).unwrap();
    let lines: Vec<&str> = FIRST.key.reveal().lines().collect();
    let secret = lines.get(1).unwrap();
    assert!(!kept.contains(secret) && !kept.contains("PRIVATE KEY"));
    let hexadecimal = lalapanel::domain::secret::hex(secret.as_bytes());
    assert!(!kept.contains(&hexadecimal));
}

#[test]
fn a_port_that_another_program_has_is_refused_before_anything_changes() {
    let world = World::with_sites();
    world.host.change(|machine| {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: 00000000:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n";
        machine.tree.put_text(&HostPath::fixed("/proc/net/tcp"), table);
        machine.tree.put_text(&HostPath::fixed("/proc/77/comm"), "apache2\n");
        let link = Kind::Link("socket:[4711]".to_owned());
        let handle = HostPath::fixed("/proc/77/fd/3");
        machine.tree.put(&handle, link, Owner::ROOT, 0o777);
    });
    let fault = world
        .plan(&set("shop.example", &[("tls", "auto")]))
        .unwrap_err();
    assert_eq!(fault.code, Code::PortTaken);
    assert!(fault.title.contains("apache2"));
}
