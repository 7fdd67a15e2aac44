//! An archive of WordPress that is fetched: from where, and what is known of it once it is here.
//!
//! Invariant: an address begins with `https://` and has no query, so that its publisher's checksum stands beside it.

use serde::{Deserialize, Serialize};

use crate::domain::parsed_text;
use crate::domain::path::HostPath;
use crate::domain::time::Timestamp;
use crate::domain::tree_size::bytes;
use crate::domain::wordpress::{ArchiveDigest, archives};

/// Where WordPress's makers publish it.
pub const OFFICIAL: &str = "https://wordpress.org/latest.tar.gz";
/// A fetched archive is used for so long; after that there may be a newer one.
const FRESH_MILLIS: u64 = 86_400_000;
const LONGEST: usize = 512;

/// The address of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ArchiveUrl(String);

/// The text is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the address of an archive begins with `https://` and ends with a file, without a query")]
pub struct BadArchiveUrl;

impl ArchiveUrl {
    /// Reads an address: `https://`, a host, a file, and nothing that has to be escaped.
    pub fn parse(text: &str) -> Result<Self, BadArchiveUrl> {
        let rest = text.strip_prefix("https://").ok_or(BadArchiveUrl)?;
        let (host, path) = rest.split_once('/').ok_or(BadArchiveUrl)?;
        let plain = text.len() <= LONGEST
            && rest
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~:/%[]".contains(&b));
        let is_file = !path.is_empty() && !path.ends_with('/');
        if plain && is_file && !host.is_empty() && !host.starts_with(':') {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadArchiveUrl)
        }
    }

    /// Where WordPress's makers publish it.
    #[must_use]
    pub fn official() -> Self {
        Self(OFFICIAL.to_owned())
    }

    /// Its host with the port, where one is named.
    #[must_use]
    pub fn host(&self) -> &str {
        let rest = self.0.strip_prefix("https://").unwrap_or(&self.0);
        rest.split('/').next().unwrap_or_default()
    }

    /// The name of its file.
    #[must_use]
    pub fn file(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

parsed_text!(ArchiveUrl, BadArchiveUrl);

/// A checksum as publishers print it: SHA-256 or SHA-1, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Checksum(String);

/// The text is no such checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a checksum has 64 (SHA-256) or 40 (SHA-1) hexadecimal digits")]
pub struct BadChecksum;

impl Checksum {
    /// Reads one; upper case is folded.
    pub fn parse(text: &str) -> Result<Self, BadChecksum> {
        let is_hex = text.bytes().all(|b| b.is_ascii_hexdigit());
        if is_hex && matches!(text.len(), 40 | 64) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(BadChecksum)
        }
    }

    /// Whether it is a SHA-256, and no SHA-1.
    #[must_use]
    pub fn is_sha256(&self) -> bool {
        self.0.len() == 64
    }

    /// Its kind, for people.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        if self.is_sha256() { "SHA-256" } else { "SHA-1" }
    }

    /// How the file beside an archive ends that holds one of this kind.
    #[must_use]
    pub fn ending(&self) -> &'static str {
        if self.is_sha256() { "sha256" } else { "sha1" }
    }
}

parsed_text!(Checksum, BadChecksum);

/// A version of WordPress, as an archive calls itself: `6.8.2`, `7.0-beta1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WordpressVersion(String);

/// The text is no version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version of WordPress looks like 6.8.2")]
pub struct BadWordpressVersion;

impl WordpressVersion {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, BadWordpressVersion> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b".-".contains(&b);
        let begins = text.bytes().next().is_some_and(|b| b.is_ascii_digit());
        if begins && text.len() <= 24 && text.bytes().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadWordpressVersion)
        }
    }
}

parsed_text!(WordpressVersion, BadWordpressVersion);

/// An archive that was fetched, and what it was compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FetchedArchive {
    /// From where.
    pub url: ArchiveUrl,
    /// Its SHA-256, by which it is installed.
    pub archive: ArchiveDigest,
    /// What its publisher says, and what was found to be so.
    pub published: Checksum,
    /// What it calls itself; none where it does not say.
    pub version: Option<WordpressVersion>,
    /// Its size.
    pub bytes: u64,
    /// When.
    pub fetched: Timestamp,
}

impl FetchedArchive {
    /// Where it is written down.
    #[must_use]
    pub fn record() -> HostPath {
        archives().join("fetched.json")
    }

    /// Whether it is used still.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now.millis_since(self.fetched) < FRESH_MILLIS
    }

    /// `WordPress 6.8.2`.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.version {
            Some(version) => format!("WordPress {version}"),
            None => "WordPress".to_owned(),
        }
    }

    /// What it was compared with: `its SHA-1 is the one in latest.tar.gz.sha1 there`.
    #[must_use]
    pub fn checked(&self) -> String {
        let (kind, file) = (self.published.kind(), self.url.file());
        let ending = self.published.ending();
        format!("its {kind} is the one in {file}.{ending} there")
    }

    /// All of it in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        format!(
            "{} was fetched from {} on {} ({}); {}, and its SHA-256 is {}",
            self.name(),
            self.url,
            self.fetched,
            bytes(self.bytes),
            self.checked(),
            self.archive
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_addresses_of_files_without_a_query_are_taken() {
        for good in [OFFICIAL, "https://[::1]:8443/a/wordpress-6.8.2.tar.gz"] {
            assert_eq!(ArchiveUrl::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "http://wordpress.org/latest.tar.gz",
            "https://wordpress.org",
            "https://wordpress.org/",
            "https:///latest.tar.gz",
            "https://:1/x",
            "https://wordpress.org/x?y=1",
            "https://mara@wordpress.org/x",
            "https://wordpress.org/a b",
            "",
        ] {
            assert!(ArchiveUrl::parse(bad).is_err(), "{bad}");
        }
        let own = ArchiveUrl::parse("https://mirror.example:444/wp/latest.tar.gz").unwrap();
        assert_eq!(
            (own.host(), own.file()),
            ("mirror.example:444", "latest.tar.gz")
        );
    }

    #[test]
    fn checksums_are_told_apart_by_their_length() {
        let sha1 = Checksum::parse(&"AB".repeat(20)).unwrap();
        assert_eq!(
            (sha1.kind(), sha1.as_str()),
            ("SHA-1", "ab".repeat(20).as_str())
        );
        assert!(Checksum::parse(&"ab".repeat(32)).unwrap().is_sha256());
        assert!(Checksum::parse(&"ab".repeat(16)).is_err() && Checksum::parse("<html>").is_err());
    }

    #[test]
    fn a_version_is_nothing_but_a_version() {
        for good in ["6.8.2", "7.0-beta1"] {
            assert!(WordpressVersion::parse(good).is_ok());
        }
        for bad in ["", "x", "6.8 <b>", "6';", &"6".repeat(25)] {
            assert!(WordpressVersion::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_archive_is_used_for_a_day_and_says_what_it_was_compared_with() {
        let fetched = Timestamp::from_millis(1_767_225_600_000);
        let archive = FetchedArchive {
            url: ArchiveUrl::official(),
            archive: ArchiveDigest::parse(&"cd".repeat(32)).unwrap(),
            published: Checksum::parse(&"ab".repeat(20)).unwrap(),
            version: WordpressVersion::parse("6.8.2").ok(),
            bytes: 28 << 20,
            fetched,
        };
        assert!(archive.is_fresh(fetched) && archive.is_fresh(fetched.plus_seconds(86_399)));
        assert!(!archive.is_fresh(fetched.plus_seconds(86_400)));
        let said = archive.sentence();
        assert!(said.starts_with("WordPress 6.8.2 was fetched from https://wordpress.org/"));
        assert!(said.contains("its SHA-1 is the one in latest.tar.gz.sha1 there"));
        assert!(said.ends_with(&"cd".repeat(32)));
    }
}
