//! The panel's own certificate as people see it, among those of the sites.
//!
//! Invariant: looking at it orders nothing.

use crate::agent::certificates;
use crate::agent::holder::PanelHolder;
use crate::agent::issuance::Issuer;
use crate::domain::certificate::{Certificate, Source};
use crate::domain::fault::Fault;
use crate::domain::time::Timestamp;
use crate::domain::tls::TlsMode;
use crate::rpc::certificate_view::CertificateView;
use crate::rpc::issuance::{self, IssuanceView};
use crate::rpc::view::{Finding, Level};

/// The doctor's word for it, by which the first page finds the page to show.
pub(super) const CHECK: &str = "panel.certificate";

/// What the panel shows.
pub(super) fn view(
    panel: PanelHolder,
    order: Option<IssuanceView>,
    now: Timestamp,
) -> CertificateView {
    let certificate = panel.certificate;
    let days_left = certificate.as_ref().and_then(|one| one.days_left(now));
    let (state, mode) = match certificate.as_ref().map(|one| &one.source) {
        None => ("placeholder", TlsMode::Auto),
        Some(Source::Uploaded) => ("uploaded", TlsMode::Uploaded),
        Some(Source::Acme { .. }) => ("issued", TlsMode::Auto),
    };
    CertificateView {
        hostname: panel.hostname,
        panel: true,
        state: state.to_owned(),
        mode,
        https_only: true,
        hsts: false,
        uncovered: Vec::new(),
        dns: None,
        has_ended: certificate.is_some() && days_left.is_none(),
        days_left,
        authority: issuance::authority(certificate.as_ref(), order.as_ref()),
        certificate,
        order,
    }
}

/// For the doctor and the first page; none while all is well, and where the panel has no name.
pub(super) fn finding(issuer: &Issuer, now: Timestamp) -> Option<Finding> {
    let panel = issuer.panel().ok()??;
    let order = issuer.panel_view(&panel).ok()?;
    told(&panel, order.as_ref(), now).map(|(title, hint)| Finding {
        check: CHECK.to_owned(),
        level: Level::Warning,
        title,
        hint,
        site: None,
    })
}

fn told(
    panel: &PanelHolder,
    order: Option<&IssuanceView>,
    now: Timestamp,
) -> Option<(String, String)> {
    let name = &panel.hostname;
    let failure = order
        .and_then(|order| order.last.as_ref()?.failure.as_ref())
        .filter(|_| panel.shown().auto);
    let Some(certificate) = &panel.certificate else {
        return failure.map(|fault| about(name.as_str(), fault));
    };
    let failing = failure.filter(|_| is_late(certificate, now));
    let ending = certificates::ending_soon(certificate, now)
        .map(|when| format!("The panel's certificate for {name} {when}"));
    match (ending, failing) {
        (Some(title), Some(fault)) => Some((title, format!("{}: {}", fault.title, fault.hint))),
        (Some(title), None) => Some((
            title,
            format!("get a new one: `lalapanel cert issue {name}`"),
        )),
        (None, failing) => failing.map(|fault| about(name.as_str(), fault)),
    }
}

fn about(name: &str, fault: &Fault) -> (String, String) {
    let title = format!(
        "The panel has no new certificate for {name}: {}",
        fault.title
    );
    (title, fault.hint.clone())
}

/// Half of the time for renewing it is over.
fn is_late(certificate: &Certificate, now: Timestamp) -> bool {
    let life = certificate.not_after.millis_since(certificate.not_before);
    certificate.not_after.millis_since(now) < life / 6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::certificate::samples;
    use crate::domain::fault::Code;
    use crate::domain::issuance::Attempt;
    use crate::domain::name::Hostname;

    fn panel(certificate: Option<Certificate>) -> PanelHolder {
        let hostname = Hostname::parse("panel.shop.de").unwrap();
        PanelHolder::with(hostname, 8443, certificate)
    }

    fn issued(days: i64) -> Certificate {
        let mut certificate = samples::certificate(&["panel.shop.de"], days);
        certificate.source = Source::Acme {
            ca: "ca.example".to_owned(),
            test: false,
        };
        certificate
    }

    fn failed(now: Timestamp) -> IssuanceView {
        IssuanceView {
            running: false,
            next: None,
            failures: 1,
            issuer: None,
            last: Some(Attempt {
                began: now,
                authority: None,
                names: Vec::new(),
                moments: Vec::new(),
                installed: false,
                failure: Some(Fault::new(
                    Code::CertificateUnissued,
                    "DNS is silent",
                    "ask it",
                )),
            }),
        }
    }

    #[test]
    fn people_are_told_of_a_panel_that_gets_none_and_of_one_that_ends() {
        let now = samples::now();
        let failed = failed(now);
        assert_eq!(told(&panel(None), None, now), None);
        let (title, hint) = told(&panel(None), Some(&failed), now).unwrap();
        assert!(title.contains("panel.shop.de: DNS is silent") && hint == "ask it");
        // With two thirds of its life left, one failure is nobody's business.
        assert_eq!(told(&panel(Some(issued(90))), Some(&failed), now), None);
        let late = now.plus_seconds(85 * 86_400);
        let (title, hint) = told(&panel(Some(issued(90))), Some(&failed), late).unwrap();
        assert!(title.contains("ends in 4 days") && hint.contains("DNS is silent"));
        let over = now.plus_seconds(95 * 86_400);
        let (title, hint) = told(&panel(Some(issued(90))), None, over).unwrap();
        assert!(title.contains("ended on") && hint.contains("cert issue panel.shop.de"));
    }

    #[test]
    fn one_word_says_what_the_panel_shows() {
        let now = samples::now();
        let state = |certificate| view(panel(certificate), None, now).state;
        assert_eq!(state(None), "placeholder");
        assert_eq!(state(Some(issued(90))), "issued");
        let own = samples::certificate(&["panel.shop.de"], 90);
        assert_eq!(state(Some(own)), "uploaded");
        let ended = view(panel(Some(issued(1))), None, now.plus_seconds(2 * 86_400));
        assert!(ended.has_ended && ended.panel);
    }
}
