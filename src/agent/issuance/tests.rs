//! What is due is begun, and nothing else.
//!
//! Invariant: no test waits for an order; what would be begun is looked at.

use super::*;
use crate::agent::live::LiveSettings;
use crate::domain::certificate::{Source, samples};
use crate::domain::tls::TlsMode;
use crate::host::memory::MemoryHost;
use crate::host::memory::machine::Machine;
use crate::ops::engine::Engine;
use crate::render::golden::php_site;
use crate::store::Store;

/// So many sites with a certificate, none of which is due.
fn many(number: u32) -> Issuer {
    let host = MemoryHost::new(Machine::debian());
    host.set_now(samples::now());
    let store = Store::in_memory().unwrap();
    let mut certificate = samples::certificate(&["shop.example"], 90);
    certificate.source = Source::Acme {
        ca: "ca.example".to_owned(),
        test: false,
    };
    let later = samples::now().plus_seconds(40 * 86_400);
    for n in 0..number {
        let mut site = php_site();
        site.id = SiteId::new(SiteId::FIRST.number() + n);
        site.hostname = Hostname::parse(&format!("s{n}.example")).unwrap();
        site.aliases.clear();
        site.redirected.clear();
        site.tls.mode = TlsMode::Auto;
        site.tls.certificate = Some(certificate.clone());
        store.put_site(&site).unwrap();
        let issuance = Issuance {
            next: Some(later),
            ..Issuance::default()
        };
        store.put_issuance(site.id, &issuance).unwrap();
    }
    let engine = Engine::new(Arc::new(host), store);
    let operations = Operations::new(engine, LiveSettings::new(Config::default()));
    Issuer::new(operations)
}
#[test]
fn what_is_not_due_is_left_alone_until_the_moment_that_was_chosen() {
    let issuer = many(3);
    assert_eq!(issuer.tick().unwrap(), LONGEST_PAUSE);
    assert_eq!(issuer.jobs.count(), 0);
    let due = Issuance {
        next: Some(samples::now().plus_seconds(7)),
        ..Issuance::default()
    };
    let store = issuer.operations.engine().store();
    store.put_issuance(SiteId::FIRST, &due).unwrap();
    assert_eq!(issuer.tick().unwrap(), 7_000);
    let Reply::Issuing(begun) = issuer.renew(None, false).unwrap() else {
        panic!("renewals are answered with names");
    };
    assert_eq!(begun, []);
}

#[test]
#[ignore = "measures: `cargo test --lib -- --ignored --nocapture the_look_over`"]
fn the_look_over_500_certificates_takes_50_milliseconds_at_most() {
    let issuer = many(500);
    issuer.tick().unwrap();
    let mut took: Vec<Duration> = (0..21)
        .map(|_| {
            let begun = std::time::Instant::now();
            issuer.tick().unwrap();
            begun.elapsed()
        })
        .collect();
    took.sort();
    eprintln!("median {:?}, slowest {:?}", took[10], took[20]);
    assert!(took[10] <= Duration::from_millis(50), "{took:?}");
}
