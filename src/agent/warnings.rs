//! What needs somebody now, as the first page says it, for those who are told by mail and webhook.
//!
//! Invariant: the words are the doctor's; what is about one thing has one key for as long as it lasts.

use crate::agent::issuance::Issuer;
use crate::agent::operations::Operations;
use crate::agent::{doctor, own_certificate};
use crate::domain::certificate::Certificate;
use crate::domain::fault::Fault;
use crate::domain::notice::Warning;
use crate::domain::site::Site;
use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::rpc::view::{Finding, Level};

/// No sentence of ours is longer; words of others in it may be.
const LONGEST: usize = 500;
/// A check that is told for each operation.
const STUCK: &str = "operations.stuck";

/// All of it.
pub(super) fn now(operations: &Operations, issuer: &Issuer) -> Result<Vec<Warning>, Fault> {
    let engine = operations.engine();
    let sites = engine.store().sites()?;
    let now = engine.host().now();
    let panel = issuer.panel()?.and_then(|panel| panel.certificate);
    let mut warnings: Vec<Warning> = operations.stuck()?.into_iter().map(stuck).collect();
    let findings = doctor::quick(operations, issuer);
    let pressing = findings
        .iter()
        .filter(|finding| finding.level != Level::Ok && finding.check != STUCK);
    warnings.extend(pressing.map(|finding| {
        let certificate = match (finding.check.as_str(), &finding.site) {
            (own_certificate::CHECK, _) => panel.as_ref(),
            ("certificates", Some(name)) => {
                let site = sites.iter().find(|site| site.hostname == *name);
                site.and_then(|site: &Site| site.tls.certificate.as_ref())
            }
            _ => None,
        };
        of(finding, certificate, now)
    }));
    Ok(warnings)
}

fn stuck(id: crate::domain::id::OperationId) -> Warning {
    Warning {
        key: format!("{STUCK} {id}"),
        title: "An operation could not be undone and waits for you".to_owned(),
        hint: format!("run `lalapanel op show {id}`; it names the commands that are left"),
        stage: 0,
    }
}

fn of(finding: &Finding, certificate: Option<&Certificate>, now: Timestamp) -> Warning {
    let key = match &finding.site {
        Some(site) => format!("{} {site}", finding.check),
        None => finding.check.clone(),
    };
    Warning {
        key,
        title: shown(&finding.title, LONGEST),
        hint: shown(&finding.hint, LONGEST),
        stage: certificate.map_or(0, |certificate| stage(certificate, now)),
    }
}

/// A week, three days, a day before its end, and past it.
fn stage(certificate: &Certificate, now: Timestamp) -> u8 {
    match certificate.days_left(now) {
        None => 4,
        Some(0 | 1) => 3,
        Some(2 | 3) => 2,
        Some(4..=7) => 1,
        Some(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::certificate::samples;
    use crate::domain::name::Hostname;

    #[test]
    fn a_certificate_is_more_pressing_a_week_three_days_and_a_day_before_its_end() {
        let certificate = samples::certificate(&["shop.example"], 30);
        let stages: Vec<u8> = (0..32)
            .map(|day| stage(&certificate, samples::now().plus_seconds(day * 86_400 + 60)))
            .collect();
        let mut steps = stages.clone();
        steps.dedup();
        assert_eq!(steps, [0, 1, 2, 3, 4], "{stages:?}");
        let first = |wanted| stages.iter().position(|stage| *stage == wanted);
        assert_eq!(
            (first(1), first(2), first(3)),
            (Some(22), Some(26), Some(28))
        );
    }

    #[test]
    fn a_warning_has_the_words_of_the_page_without_what_ends_a_line() {
        let finding = Finding {
            check: "files.drift".to_owned(),
            level: Level::Warning,
            title: "a file\r\nBcc: eve@evil.example".to_owned(),
            hint: "see it".to_owned(),
            site: Some(Hostname::parse("shop.example").unwrap()),
        };
        let warning = of(&finding, None, samples::now());
        assert_eq!(warning.key, "files.drift shop.example");
        assert!(!warning.title.contains(['\r', '\n']));
        assert!(warning.title.starts_with("a file"));
    }
}
