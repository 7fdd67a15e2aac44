//! Which sites need a certificate now.
//!
//! Invariant: a site whose next try was put off is left alone until then, whatever its certificate says.

use crate::acme::Jitter;
use crate::acme::retry;
use crate::domain::certificate::{Certificate, Source};
use crate::domain::issuance::Issuance;
use crate::domain::site::Site;
use crate::domain::time::Timestamp;
use crate::domain::tls::TlsMode;

/// Orders at the same time, so that many sites at once stay below what authorities allow.
pub const AT_ONCE: usize = 4;

/// A certificate that was asked for once is tried for so often: that takes about ten days.
const MOST_FAILURES: u32 = 12;

/// What counts about whoever shows a certificate: a site, or the panel.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// Whether the panel sees to it.
    pub auto: bool,
    /// What is shown; none for one that signed itself.
    pub certificate: Option<&'a Certificate>,
}

impl<'a> From<&'a Site> for Shown<'a> {
    fn from(site: &'a Site) -> Self {
        Self {
            auto: site.tls.mode == TlsMode::Auto,
            certificate: site.tls.certificate.as_ref(),
        }
    }
}

/// When it is to be ordered for: at the moment that was chosen, or at once where none was.
#[must_use]
pub fn next<'a>(
    shown: impl Into<Shown<'a>>,
    issuance: Option<&Issuance>,
    now: Timestamp,
) -> Option<Timestamp> {
    let shown = shown.into();
    if !is_wanted(shown, issuance) {
        return None;
    }
    let chosen = issuance.and_then(|one| one.next);
    match (shown.certificate, chosen) {
        (_, Some(chosen)) => Some(chosen),
        (Some(certificate), None) if is_ours(certificate) => Some(renewal(certificate, 0)),
        _ => Some(now),
    }
}

/// Whether the panel sees to the certificate, or was asked to get one and has not tried for too long.
#[must_use]
pub fn is_wanted<'a>(shown: impl Into<Shown<'a>>, issuance: Option<&Issuance>) -> bool {
    let Shown { auto, certificate } = shown.into();
    let asked = issuance.and_then(|one| Some((one.asked.as_ref()?, one.failures)));
    let print = certificate.map(|one| &one.fingerprint);
    let goes_on = asked.is_some_and(|(asked, failures)| {
        asked.in_place_of.as_ref() == print && failures < MOST_FAILURES
    });
    auto || goes_on
}

/// True for one that an authority issued to the panel, not for trying only.
fn is_ours(certificate: &Certificate) -> bool {
    matches!(certificate.source, Source::Acme { test: false, .. })
}

/// When to renew it.
#[must_use]
pub fn renewal(certificate: &Certificate, seed: u64) -> Timestamp {
    let (from, until) = (certificate.not_before, certificate.not_after);
    retry::renewal(from, until, &mut Jitter::new(seed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::certificate::samples;
    use crate::domain::issuance::Asked;
    use crate::render::golden::php_site;

    fn site() -> Site {
        let mut site = php_site();
        site.tls.mode = TlsMode::Auto;
        site
    }

    #[test]
    fn a_site_without_a_certificate_is_due_at_once_and_one_put_off_is_not() {
        let now = samples::now();
        assert_eq!(next(&site(), None, now), Some(now));
        let later = now.plus_seconds(600);
        let put_off = Issuance {
            next: Some(later),
            ..Issuance::default()
        };
        assert_eq!(next(&site(), Some(&put_off), now), Some(later));
        let mut off = site();
        off.tls.mode = TlsMode::Off;
        assert_eq!(next(&off, None, now), None);
    }

    #[test]
    fn one_that_was_asked_for_is_tried_until_something_else_is_decided_or_it_was_tried_too_often() {
        let now = samples::now();
        let mut off = site();
        off.tls.mode = TlsMode::Off;
        let asked = |failures| Issuance {
            failures,
            next: Some(now.plus_seconds(60)),
            asked: Some(Asked { in_place_of: None }),
            ..Issuance::default()
        };
        assert!(next(&off, Some(&asked(1)), now).is_some());
        assert_eq!(next(&off, Some(&asked(MOST_FAILURES)), now), None);
        off.tls.mode = TlsMode::Uploaded;
        off.tls.certificate = Some(samples::certificate(&["shop.example"], 30));
        assert_eq!(next(&off, Some(&asked(1)), now), None);
    }
}
