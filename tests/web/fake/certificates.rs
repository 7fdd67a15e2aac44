//! Certificates of the agent made of memory: what a site shows follows from the word in its view.

use lalapanel::domain::authority::{DirectoryUrl, PRODUCTION};
use lalapanel::domain::certificate::{Certificate, Fingerprint, PrivateKey, Source};
use lalapanel::domain::fault::{Code, Fault};
use lalapanel::domain::issuance::Attempt;
use lalapanel::domain::order::Moment;
use lalapanel::domain::time::Timestamp;
use lalapanel::domain::tls::TlsMode;
use lalapanel::rpc::certificate_view::{CertificateView, DepositedView};
use lalapanel::rpc::issuance::IssuanceView;
use lalapanel::rpc::protocol::{Answer, Reply};
use lalapanel::rpc::view::SiteView;

const DAY: u64 = 86_400;

/// What a site shows.
pub(super) fn view(site: &SiteView, now: Timestamp) -> CertificateView {
    let certificate = (site.tls.state == "uploaded").then(|| sample(site, now));
    let uncovered = site.aliases.iter().filter(|_| certificate.is_some());
    CertificateView {
        hostname: site.hostname.clone(),
        panel: false,
        state: site.tls.state.clone(),
        mode: TlsMode::Uploaded,
        https_only: certificate.is_some(),
        hsts: false,
        uncovered: uncovered.cloned().collect(),
        dns: None,
        has_ended: false,
        days_left: certificate.as_ref().map(|_| 23),
        authority: None,
        certificate,
        order: order(site, now),
    }
}

/// What the panel itself shows.
pub(crate) fn of_panel(now: Timestamp, issued: bool) -> CertificateView {
    let site = super::site("panel.example", None, true, now);
    let mut view = view(&site, now);
    view.panel = true;
    if issued { "issued" } else { "placeholder" }.clone_into(&mut view.state);
    view.certificate = issued.then(|| sample(&site, now));
    view.days_left = issued.then_some(23);
    view
}

/// A site that `failing` is written under has an order that failed.
fn order(site: &SiteView, now: Timestamp) -> Option<IssuanceView> {
    let failing = site.tls.issuer.as_deref() == Some("failing");
    let running = site.tls.issuer.as_deref() == Some("running");
    (failing || running).then(|| IssuanceView {
        running,
        next: Some(now.plus_seconds(600)),
        failures: 2,
        issuer: None,
        last: Some(Attempt {
            began: now,
            authority: DirectoryUrl::parse(PRODUCTION).ok(),
            names: vec![site.hostname.clone().into()],
            moments: vec![Moment {
                after: 800,
                what: "the order is placed".to_owned(),
            }],
            installed: false,
            failure: Some(Fault::new(
                Code::CertificateUnissued,
                "Let's Encrypt could not reach port 80 of shop.example",
                "open port 80 in your provider's firewall",
            )),
        }),
    })
}

fn sample(site: &SiteView, now: Timestamp) -> Certificate {
    Certificate {
        names: vec![site.hostname.clone().into()],
        addresses: Vec::new(),
        issuer: "Example Trust TLS 2026".to_owned(),
        not_before: now,
        not_after: now.plus_seconds(23 * DAY + 60),
        serial: "04a7b3".to_owned(),
        fingerprint: Fingerprint::parse(&"ab".repeat(32)).unwrap(),
        self_signed: false,
        source: Source::Uploaded,
    }
}

/// Takes what says `good`.
pub(super) fn deposit(site: &SiteView, chain: &str, key: &PrivateKey, now: Timestamp) -> Answer {
    if !chain.contains("good") {
        return Err(Fault::new(
            Code::CertificateRefused,
            "there is no certificate in this file",
            "choose the file that begins with `-----BEGIN CERTIFICATE-----`",
        ));
    }
    if !key.reveal().contains("good") {
        return Err(Fault::new(
            Code::CertificateRefused,
            "this key does not belong to this certificate",
            "choose the key file that was made with it",
        ));
    }
    Ok(Reply::Deposited(Box::new(DepositedView {
        hostname: site.hostname.clone(),
        certificate: sample(site, now),
        notes: Vec::new(),
    })))
}
