//! When an authority would have a certificate renewed (RFC 9773), and what is made of that.
//!
//! Invariant: the moment is chosen once for a window and kept; no advice has a certificate renewed when it is hours old, nor leaves it
//! until it has nearly ended.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer as _;

use crate::domain::certificate::{Certificate, Fingerprint};
use crate::domain::parsed_text;
use crate::domain::time::Timestamp;

/// Under which an authority knows a certificate: its authority's key identifier and its serial number (RFC 9773, section 4.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RenewalId(String);

/// The text is no such name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a certificate is named by two parts in base64url with a dot between them")]
pub struct BadRenewalId;

impl RenewalId {
    /// Of a certificate, as DER; none where it names no authority's key.
    #[must_use]
    pub fn of(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let key = certificate.extensions().iter().find_map(|extension| {
            match extension.parsed_extension() {
                ParsedExtension::AuthorityKeyIdentifier(identifier) => {
                    identifier.key_identifier.as_ref().map(|key| key.0)
                }
                _ => None,
            }
        })?;
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        Some(Self(format!(
            "{}.{}",
            part(key),
            part(certificate.raw_serial())
        )))
    }

    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, BadRenewalId> {
        let is_part = |part: &str| {
            (1..=128).contains(&part.len())
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        match text.split_once('.') {
            Some((key, serial)) if is_part(key) && is_part(serial) => Ok(Self(text.to_owned())),
            _ => Err(BadRenewalId),
        }
    }
}

parsed_text!(RenewalId, BadRenewalId);

/// When the authority would have it renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Not before.
    pub start: Timestamp,
    /// Not after.
    pub end: Timestamp,
}

/// What is remembered of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advice {
    /// For which certificate.
    pub certificate: Fingerprint,
    /// What the authority said; none where it says nothing of the kind.
    pub window: Option<Window>,
    /// The moment that was chosen in it.
    pub chosen: Option<Timestamp>,
    /// When to ask again.
    pub look_again: Timestamp,
}

/// Half a day: an authority that has to revoke gives no more than a day.
const LONGEST_PAUSE: u64 = 12 * 3_600;
/// An authority that asks to be asked sooner is asked no more than this often.
const SHORTEST_PAUSE: u64 = 600;
/// Where the authority says nothing about it.
const USUAL_PAUSE: u64 = 6 * 3_600;

/// In how many seconds to ask again, given what the authority said (Retry-After).
#[must_use]
pub fn pause(retry_after: Option<u64>) -> u64 {
    retry_after
        .unwrap_or(USUAL_PAUSE)
        .clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
}

impl Window {
    /// One moment in it; `luck` is any number. A window that has passed means at once: the moment is in the past then.
    #[must_use]
    pub fn moment(self, certificate: &Certificate, luck: u64) -> Timestamp {
        let span = self.end.millis_since(self.start);
        let moment = self
            .start
            .millis()
            .saturating_add(luck.checked_rem(span).unwrap_or(0));
        let (from, until) = (certificate.not_before, certificate.not_after);
        let life = until.millis_since(from);
        // An authority that is in error must not have it renewed again and again, nor have it forgotten.
        let earliest = from.millis().saturating_add(life / 12);
        let latest = until.millis().saturating_sub(life / 10).max(earliest);
        Timestamp::from_millis(moment.clamp(earliest, latest))
    }
}

impl Advice {
    /// What the authority says now: the moment that was chosen stays where the window has not moved.
    #[must_use]
    pub fn heard(
        before: Option<&Self>,
        certificate: &Certificate,
        window: Option<Window>,
        look_again: Timestamp,
        luck: u64,
    ) -> Self {
        let same =
            before.filter(|one| one.certificate == certificate.fingerprint && one.window == window);
        let chosen = match same {
            Some(same) => same.chosen,
            None => window.map(|window| window.moment(certificate, luck)),
        };
        Self {
            certificate: certificate.fingerprint.clone(),
            window,
            chosen,
            look_again,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::certificate::samples;

    fn at(days: u64) -> Timestamp {
        samples::now().plus_seconds(days * 86_400)
    }

    #[test]
    fn the_name_is_that_of_the_rfc_or_none() {
        let id = RenewalId::parse("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE").unwrap();
        assert_eq!(id.as_str(), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
        for bad in ["", ".", "a.", "a.b.c", "a b.c", "../x.y", "a=.b"] {
            assert!(RenewalId::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(RenewalId::of(b"no certificate"), None);
    }

    #[test]
    fn a_moment_is_in_its_window_and_stays_while_that_does() {
        let certificate = samples::certificate(&["shop.example"], 90);
        let window = Window {
            start: at(50),
            end: at(52),
        };
        let heard = |before: Option<&Advice>, window, luck| {
            Advice::heard(before, &certificate, Some(window), at(1), luck)
        };
        let first = heard(None, window, 86_400_000);
        assert_eq!(first.chosen, Some(at(51)));
        assert_eq!(heard(Some(&first), window, 7).chosen, first.chosen);
        let moved = Window {
            start: at(10),
            end: at(11),
        };
        let second = heard(Some(&first), moved, 0);
        assert_eq!(second.chosen, Some(at(10)));
        assert_eq!(
            Advice::heard(Some(&second), &certificate, None, at(1), 0).chosen,
            None
        );
    }

    #[test]
    fn an_authority_in_error_has_nothing_renewed_at_once_or_too_late() {
        let certificate = samples::certificate(&["shop.example"], 90);
        let (from, until) = (certificate.not_before, certificate.not_after);
        let life = until.millis_since(from);
        let past = Window {
            start: Timestamp::from_millis(0),
            end: Timestamp::from_millis(1),
        };
        assert_eq!(
            past.moment(&certificate, 5).millis(),
            from.millis() + life / 12
        );
        let late = Window {
            start: until.plus_seconds(1),
            end: until.plus_seconds(2),
        };
        assert_eq!(
            late.moment(&certificate, 5).millis(),
            until.millis() - life / 10
        );
        let turned = Window {
            start: at(52),
            end: at(50),
        };
        assert_eq!(turned.moment(&certificate, 5), at(52));
    }

    #[test]
    fn it_is_asked_twice_a_day_at_least_and_not_every_second() {
        assert_eq!(
            (
                pause(None),
                pause(Some(1)),
                pause(Some(21_600)),
                pause(Some(999_999))
            ),
            (21_600, 600, 21_600, 43_200)
        );
    }
}
