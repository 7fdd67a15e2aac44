//! Certificates of the agent made of memory: what a site shows follows from the word in its view.

use lalapanel::domain::certificate::{Certificate, Fingerprint, PrivateKey, Source};
use lalapanel::domain::fault::{Code, Fault};
use lalapanel::domain::time::Timestamp;
use lalapanel::domain::tls::TlsMode;
use lalapanel::rpc::certificate_view::{CertificateView, DepositedView};
use lalapanel::rpc::protocol::{Answer, Reply};
use lalapanel::rpc::view::SiteView;

const DAY: u64 = 86_400;

/// What a site shows.
pub(super) fn view(site: &SiteView, now: Timestamp) -> CertificateView {
    let certificate = (site.tls.state == "uploaded").then(|| sample(site, now));
    let uncovered = site.aliases.iter().filter(|_| certificate.is_some());
    CertificateView {
        hostname: site.hostname.clone(),
        state: site.tls.state.clone(),
        mode: TlsMode::Uploaded,
        https_only: certificate.is_some(),
        hsts: false,
        uncovered: uncovered.cloned().collect(),
        has_ended: false,
        days_left: certificate.as_ref().map(|_| 23),
        certificate,
        order: None,
    }
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
