//! A certificate as a value: which names, from whom, until when; and what is put on the disk for it.
//!
//! Invariant: a `Certificate` describes what was read from a `Chain`; nothing in it was typed by a person.

mod chain;
mod key;
mod pem;
mod refused;
#[cfg(test)]
pub(crate) mod samples;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::domain::name::Hostname;
use crate::domain::parsed_text;
use crate::domain::site_name::SiteName;
use crate::domain::time::Timestamp;

pub use chain::{Chain, leaf_of};
pub use key::PrivateKey;
pub use refused::{Refused, Shape};

const DAY_MILLIS: u64 = 86_400_000;

/// Where a certificate came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    /// Somebody brought it, with its key.
    Uploaded,
    /// The panel got it from an authority.
    Acme {
        /// Which, in words: `Let's Encrypt`.
        ca: String,
        /// True where browsers do not trust that authority: it is for trying only.
        #[serde(default)]
        test: bool,
    },
}

/// SHA-256 over the whole certificate, as 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(String);

/// The text is not a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint has 64 hexadecimal digits")]
pub struct BadFingerprint;

impl Fingerprint {
    /// Reads `ab12…` or, as browsers show it, `AB:12:…`.
    pub fn parse(text: &str) -> Result<Self, BadFingerprint> {
        let plain: String = text.chars().filter(|c| *c != ':').collect();
        let plain = plain.to_ascii_lowercase();
        if plain.len() == 64 && plain.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self(plain))
        } else {
            Err(BadFingerprint)
        }
    }

    /// As browsers show it: `AB:12:…`.
    #[must_use]
    pub fn shown(&self) -> String {
        let upper = self.0.to_ascii_uppercase();
        let pairs: Vec<&str> = (0..upper.len())
            .step_by(2)
            .filter_map(|start| upper.get(start..start + 2))
            .collect();
        pairs.join(":")
    }
}

parsed_text!(Fingerprint, BadFingerprint);

/// A certificate that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The DNS names it is good for.
    pub names: Vec<SiteName>,
    /// The addresses it is good for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpAddr>,
    /// Who signed it, in words.
    pub issuer: String,
    /// From then on.
    pub not_before: Timestamp,
    /// Until then.
    pub not_after: Timestamp,
    /// Its number at its issuer, in hexadecimal.
    pub serial: String,
    /// Which certificate it is.
    pub fingerprint: Fingerprint,
    /// True where it signed itself.
    #[serde(default)]
    pub self_signed: bool,
    /// Where it came from.
    pub source: Source,
}

impl Certificate {
    /// True where a browser accepts it for this name. A star in it stands for one label (RFC 6125), and a site's own star
    /// needs the same star.
    #[must_use]
    pub fn covers(&self, name: &SiteName) -> bool {
        self.names.iter().any(|own| match (own, name) {
            (SiteName::Exact(own), SiteName::Exact(name)) => own == name,
            (SiteName::Wildcard(base), SiteName::Exact(name)) => is_one_below(name, base),
            (SiteName::Wildcard(own), SiteName::Wildcard(name)) => own == name,
            (SiteName::Exact(_), SiteName::Wildcard(_)) => false,
        })
    }

    /// True where visitors may be sent to HTTPS: it came from outside and is not for trying only.
    #[must_use]
    pub fn is_for_visitors(&self) -> bool {
        !self.self_signed && !matches!(self.source, Source::Acme { test: true, .. })
    }

    /// True while it is good.
    #[must_use]
    pub fn is_current(&self, now: Timestamp) -> bool {
        self.not_before <= now && now < self.not_after
    }

    /// Whole days until it ends; none once it has ended.
    #[must_use]
    pub fn days_left(&self, now: Timestamp) -> Option<u64> {
        (now < self.not_after).then(|| self.not_after.millis_since(now) / DAY_MILLIS)
    }

    /// Refuses a certificate that no browser would accept for this name now.
    pub fn refuse_for(&self, hostname: &Hostname, now: Timestamp) -> Result<(), Refused> {
        if self.not_after <= now {
            return Err(Refused::Expired {
                on: self.not_after.to_string(),
            });
        }
        if self.not_before > now {
            return Err(Refused::NotYet {
                from: self.not_before.to_string(),
            });
        }
        if self.covers(&SiteName::Exact(hostname.clone())) {
            return Ok(());
        }
        let names: Vec<String> = self.names.iter().map(ToString::to_string).collect();
        Err(Refused::OtherNames {
            wanted: hostname.to_string(),
            names: names.join(", "),
        })
    }
}

fn is_one_below(name: &Hostname, base: &Hostname) -> bool {
    name.as_str()
        .split_once('.')
        .is_some_and(|(_, rest)| rest == base.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> SiteName {
        SiteName::parse(text).unwrap()
    }

    #[test]
    fn a_star_stands_for_one_label_and_for_the_same_star() {
        let certificate = samples::certificate(&["*.shop.example", "shop.example"], 90);
        for covered in ["shop.example", "www.shop.example", "*.shop.example"] {
            assert!(certificate.covers(&name(covered)), "{covered}");
        }
        for other in ["a.b.shop.example", "myshop.example", "*.a.shop.example"] {
            assert!(!certificate.covers(&name(other)), "{other}");
        }
    }

    #[test]
    fn what_no_browser_would_accept_is_refused_with_a_date_or_the_names() {
        let certificate = samples::certificate(&["shop.example"], 90);
        let now = samples::now();
        let hostname = Hostname::parse("shop.example").unwrap();
        assert_eq!(certificate.refuse_for(&hostname, now), Ok(()));
        let other = Hostname::parse("other.example").unwrap();
        let refused = certificate.refuse_for(&other, now).unwrap_err();
        assert!(refused.to_string().contains("only for shop.example"));
        let late = now.plus_seconds(91 * 86_400);
        assert!(matches!(
            certificate.refuse_for(&hostname, late),
            Err(Refused::Expired { .. })
        ));
        let early = Timestamp::from_millis(now.millis() - 2 * DAY_MILLIS);
        assert!(matches!(
            certificate.refuse_for(&hostname, early),
            Err(Refused::NotYet { .. })
        ));
        assert_eq!(certificate.days_left(late), None);
        assert_eq!(certificate.days_left(now), Some(89));
    }

    #[test]
    fn a_fingerprint_is_shown_as_browsers_do() {
        let print = Fingerprint::parse(&"ab".repeat(32)).unwrap();
        assert_eq!(Fingerprint::parse(&print.shown()), Ok(print.clone()));
        assert!(print.shown().starts_with("AB:AB:"));
        assert!(Fingerprint::parse("ab").is_err());
    }
}
