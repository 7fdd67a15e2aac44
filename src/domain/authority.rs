//! A certificate authority: where it is reached, and who we are there.
//!
//! Invariant: its address begins with `https://`, and no secret of an account there is shown by `Debug`.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::domain::parsed_text;

/// Let's Encrypt, whose certificates browsers trust.
pub const PRODUCTION: &str = "https://acme-v02.api.letsencrypt.org/directory";
/// Let's Encrypt's place for trying, whose certificates nobody trusts.
pub const STAGING: &str = "https://acme-staging-v02.api.letsencrypt.org/directory";
const LONGEST: usize = 512;

/// The address of an authority's directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DirectoryUrl(String);

/// The text is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the directory of an authority is an address that begins with `https://`")]
pub struct BadDirectoryUrl;

impl DirectoryUrl {
    /// Reads an address: `https://`, a host, and nothing that has to be escaped.
    pub fn parse(text: &str) -> Result<Self, BadDirectoryUrl> {
        let rest = text.strip_prefix("https://").ok_or(BadDirectoryUrl)?;
        let plain = text.len() <= LONGEST
            && rest
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~:/?&=%[]".contains(&b));
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        if plain && !host.is_empty() && !host.starts_with(':') {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadDirectoryUrl)
        }
    }

    /// Its host with the port, where one is named.
    #[must_use]
    pub fn host(&self) -> &str {
        let rest = self.0.strip_prefix("https://").unwrap_or(&self.0);
        rest.split(['/', '?']).next().unwrap_or_default()
    }

    /// Its name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        match self.as_str() {
            PRODUCTION => "Let's Encrypt",
            STAGING => "Let's Encrypt's staging authority",
            _ => self.host(),
        }
    }
}

parsed_text!(DirectoryUrl, BadDirectoryUrl);

/// After so many failures in a row of the first authority the second one is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Failures(u32);

/// The number is none of that kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the second authority is asked after 1 to 12 failures")]
pub struct BadFailures;

impl Failures {
    /// With tries after 1 and 10 minutes, the third comes a quarter of an hour after the first.
    pub const USUAL: Self = Self(3);

    /// The number.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Failures {
    type Error = BadFailures;
    fn try_from(number: u32) -> Result<Self, BadFailures> {
        if (1..=12).contains(&number) {
            Ok(Self(number))
        } else {
            Err(BadFailures)
        }
    }
}

impl From<Failures> for u32 {
    fn from(failures: Failures) -> Self {
        failures.0
    }
}

/// A key as text: seen by whoever signs with it, and shown by nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyText(Zeroizing<String>);

impl KeyText {
    /// Takes it.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for signing and storing only.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyText(hidden)")
    }
}

/// An account that people made at the authority by other means; ours is bound to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// Its key id.
    pub kid: String,
    /// Its key, in base64url.
    pub key: KeyText,
}

/// An authority, as an order needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// Its directory.
    pub directory: DirectoryUrl,
    /// Where it may write to.
    pub email: Option<String>,
    /// Roots to trust for its own HTTPS beside the usual ones, as PEM.
    pub roots: Option<String>,
    /// The account ours is bound to.
    pub binding: Option<Binding>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_addresses_are_directories() {
        for good in [PRODUCTION, STAGING, "https://127.0.0.1:14000/dir"] {
            assert_eq!(DirectoryUrl::parse(good).unwrap().as_str(), good);
        }
        let bad = [
            "http://ca.example/dir",
            "https://",
            "https:///dir",
            "https://ca.example/a b",
            "ftp://x",
            "",
        ];
        for bad in bad {
            assert!(DirectoryUrl::parse(bad).is_err(), "{bad}");
        }
        let pebble = DirectoryUrl::parse("https://127.0.0.1:14000/dir").unwrap();
        assert_eq!(
            (pebble.host(), pebble.name()),
            ("127.0.0.1:14000", "127.0.0.1:14000")
        );
        assert_eq!(
            DirectoryUrl::parse(PRODUCTION).unwrap().name(),
            "Let's Encrypt"
        );
    }

    #[test]
    fn a_key_is_never_shown() {
        let binding = Binding {
            kid: "kid-1".to_owned(),
            key: KeyText::new("c2VjcmV0".to_owned()),
        };
        assert!(!format!("{binding:?}").contains("c2Vj"));
    }
}
