//! Certificates as people see them: which site shows which, until when, and what comes in by hand.
//!
//! Invariant: a key that comes in goes into a file of root's alone; no answer, note or fault holds anything of it.

use std::collections::BTreeMap;

use crate::agent::issuance::Issuer;
use crate::agent::operations::Operations;
use crate::agent::own_certificate;
use crate::domain::certificate::{Certificate, Fingerprint, PrivateKey, Source};
use crate::domain::fault::Fault;
use crate::domain::name::Hostname;
use crate::domain::site::Site;
use crate::domain::time::Timestamp;
use crate::domain::tls::TlsMode;
use crate::ops::engine::Engine;
use crate::ops::pairs;
use crate::ops::state::State;
use crate::rpc::certificate_view::{CertificateView, DepositedView};
use crate::rpc::issuance::{self, IssuanceView};
use crate::rpc::view::{Finding, Level, TlsView};
use crate::schedule::renewals;

/// From so many days on, people are told on the home page.
const SOON_DAYS: u64 = 7;
const DAY_MILLIS: u64 = 86_400_000;
/// How long an operation before it is waited for.
const WAIT_MILLIS: u64 = 5_000;

/// Every site with HTTPS or an order for it, the one that ends first in front.
pub(super) fn list(engine: &Engine, issuer: &Issuer) -> Result<Vec<CertificateView>, Fault> {
    let (sites, now) = (engine.store().sites()?, engine.host().now());
    let mut views = Vec::new();
    for site in sites.iter() {
        let order = issuer.view(site)?;
        if site.has_tls() || order.is_some() {
            views.push(view(site, order, now));
        }
    }
    if let Some(panel) = issuer.panel()? {
        let order = issuer.panel_view(&panel)?;
        views.push(own_certificate::view(panel, order, now));
    }
    // The panel without one goes behind the sites without one.
    views.sort_by_key(|view| {
        let until = view.certificate.as_ref().map(|one| one.not_after);
        (view.panel && until.is_none(), until)
    });
    Ok(views)
}

/// One site's, or the panel's.
pub(super) fn show(
    engine: &Engine,
    issuer: &Issuer,
    hostname: &Hostname,
) -> Result<CertificateView, Fault> {
    if let Some(panel) = issuer.panel_named(hostname)? {
        let order = issuer.panel_view(&panel)?;
        return Ok(own_certificate::view(panel, order, engine.host().now()));
    }
    let state = State::read(engine.store())?;
    let site = state.site(hostname)?;
    Ok(view(site, issuer.view(site)?, engine.host().now()))
}

/// Puts down what was uploaded, where nothing refers to it yet.
pub(super) fn deposit(
    engine: &Engine,
    hostname: &Hostname,
    chain: &str,
    key: &PrivateKey,
) -> Result<DepositedView, Fault> {
    let state = State::read(engine.store())?;
    let site = state.site(hostname)?;
    let (host, now) = (engine.host(), engine.host().now());
    let put = pairs::deposit(host, site, chain, key, Source::Uploaded, now)?;
    Ok(DepositedView {
        hostname: site.hostname.clone(),
        certificate: put.certificate,
        notes: put.notes,
    })
}

/// Destroys what was put down and is not shown.
pub(super) fn discard(
    engine: &Engine,
    hostname: &Hostname,
    fingerprint: &Fingerprint,
) -> Result<(), Fault> {
    // While the engine is held, no operation is about to show it.
    let _pass = engine.enter(WAIT_MILLIS)?;
    let state = State::read(engine.store())?;
    pairs::discard(engine.host(), state.site(hostname)?, fingerprint)
}

fn view(site: &Site, order: Option<IssuanceView>, now: Timestamp) -> CertificateView {
    let certificate = site.tls.certificate.clone();
    let days_left = certificate.as_ref().and_then(|one| one.days_left(now));
    CertificateView {
        hostname: site.hostname.clone(),
        panel: false,
        state: state(site).to_owned(),
        mode: site.tls.mode,
        https_only: site.trusted().is_some(),
        hsts: site.tls.hsts,
        uncovered: site.uncovered(),
        dns: site.tls.dns.clone(),
        has_ended: certificate.is_some() && days_left.is_none(),
        days_left,
        authority: issuance::authority(certificate.as_ref(), order.as_ref()),
        certificate,
        order,
    }
}

/// One word for what visitors are shown.
fn state(site: &Site) -> &'static str {
    match (&site.tls.certificate, site.tls.mode) {
        (_, TlsMode::Off) => "off",
        (None, _) => "placeholder",
        (Some(certificate), _) => match &certificate.source {
            Source::Uploaded => "uploaded",
            Source::Acme { test: false, .. } => "issued",
            Source::Acme { test: true, .. } => "test",
        },
    }
}

/// The part of a site's view.
pub(super) fn tls(site: &Site) -> TlsView {
    let certificate = site.tls.certificate.as_ref();
    TlsView {
        state: state(site).to_owned(),
        issuer: certificate.map(|one| one.issuer.clone()),
        not_after: certificate.map(|one| one.not_after),
        names: certificate.map_or_else(Vec::new, |one| one.names.clone()),
    }
}

/// A certificate that has ended, or ends within a week (one of the panel's own with a short life: within half of the time in which
/// it is renewed): whose, and the sentence for people.
pub(super) fn ending(sites: &[Site], now: Timestamp) -> Vec<(Hostname, String)> {
    let one = |site: &Site| {
        let certificate = site.tls.certificate.as_ref().filter(|_| site.has_tls())?;
        let name = &site.hostname;
        let when = ending_soon(certificate, now)?;
        Some((name.clone(), format!("The certificate of {name} {when}")))
    };
    sites.iter().filter_map(one).collect()
}

/// `ends in 3 days, on …` where that is soon, and `ended on …`.
pub(super) fn ending_soon(certificate: &Certificate, now: Timestamp) -> Option<String> {
    let until = certificate.not_after;
    let is_pressing = is_pressing(certificate, now);
    Some(match certificate.days_left(now) {
        None => format!("ended on {until}; browsers warn visitors"),
        Some(0) if is_pressing => format!("ends within a day, on {until}"),
        Some(1) if is_pressing => format!("ends in 1 day, on {until}"),
        Some(days) if is_pressing && days <= SOON_DAYS => {
            format!("ends in {days} days, on {until}")
        }
        Some(_) => return None,
    })
}

/// For the doctor and the first page: each certificate that needs somebody.
pub(super) fn findings(operations: &Operations, issuer: &Issuer) -> Vec<Finding> {
    let engine = operations.engine();
    let Ok(sites) = engine.store().sites() else {
        return Vec::new();
    };
    let now = engine.host().now();
    let failures: BTreeMap<Hostname, Fault> = sites
        .iter()
        .filter_map(|site| Some((site.hostname.clone(), failing(engine, site, now)?)))
        .collect();
    let mut found: Vec<Finding> = ending(&sites, now)
        .into_iter()
        .map(|(site, title)| {
            let hint = match failures.get(&site) {
                Some(fault) => format!("{}: {}", fault.title, fault.hint),
                None => format!(
                    "get a new one: `lalapanel cert issue {site}`, or `lalapanel cert upload {site} --chain FILE --key FILE`"
                ),
            };
            finding(site, title, hint)
        })
        .collect();
    found.extend(own_certificate::finding(issuer, now));
    for (site, fault) in failures {
        if !found.iter().any(|one| one.site.as_ref() == Some(&site)) {
            found.push(finding(site, fault.title, fault.hint));
        }
    }
    found
}

fn finding(site: Hostname, title: String, hint: String) -> Finding {
    Finding {
        check: "certificates".to_owned(),
        level: Level::Warning,
        title,
        hint,
        site: Some(site),
    }
}

/// Why a site has no certificate that browsers trust although one was ordered, or why its own is not renewed while half of the
/// time for that is over.
fn failing(engine: &Engine, site: &Site, now: Timestamp) -> Option<Fault> {
    let issuance = engine.store().issuance(site.id).ok()??;
    if !renewals::is_wanted(site, Some(&issuance)) {
        return None;
    }
    let late = |certificate: &Certificate| {
        let life = certificate.not_after.millis_since(certificate.not_before);
        certificate.not_after.millis_since(now) < life / 6
    };
    let is_pressing = site.trusted().is_none_or(late);
    issuance.last?.failure.filter(|_| is_pressing)
}

/// Within a week of its end; one that lives for some days only, within a sixth of its life.
fn is_pressing(certificate: &Certificate, now: Timestamp) -> bool {
    let life = certificate.not_after.millis_since(certificate.not_before);
    let week = SOON_DAYS.saturating_add(1).saturating_mul(DAY_MILLIS);
    let least = match certificate.source {
        Source::Acme { .. } => week.min(life / 6),
        Source::Uploaded => week,
    };
    certificate.not_after.millis_since(now) < least
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::certificate::samples;
    use crate::render::golden::php_site;

    #[test]
    fn people_are_told_a_week_before_a_certificate_ends_and_after_it_has() {
        let now = samples::now();
        let mut site = php_site();
        site.tls.mode = TlsMode::Uploaded;
        site.tls.certificate = Some(samples::certificate(&["shop.example"], 30));
        let told = |days: u64| {
            let then = now.plus_seconds(days * 86_400);
            let told = ending(std::slice::from_ref(&site), then);
            told.into_iter().next().map(|(_, sentence)| sentence)
        };
        assert_eq!(told(0), None);
        assert!(told(23).unwrap().contains("in 6 days"));
        assert!(told(28).unwrap().contains("in 1 day,"));
        assert!(told(29).unwrap().contains("within a day"));
        assert!(told(31).unwrap().contains("ended on"));
        assert_eq!(tls(&site).state, "uploaded");
    }

    #[test]
    fn one_of_the_panels_own_that_lives_for_six_days_is_not_told_before_its_last() {
        let now = samples::now();
        let mut site = php_site();
        site.tls.mode = TlsMode::Auto;
        let mut certificate = samples::certificate(&["shop.example"], 6);
        certificate.not_before = now;
        certificate.source = Source::Acme {
            ca: "ca.example".to_owned(),
            test: false,
        };
        let end = certificate.not_after;
        site.tls.certificate = Some(certificate);
        let is_told = |hours: u64| {
            let then = Timestamp::from_millis(end.millis() - hours * 3_600_000);
            !ending(std::slice::from_ref(&site), then).is_empty()
        };
        assert!(!is_told(30) && is_told(20));
    }
}
