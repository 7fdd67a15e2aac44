//! What a new WordPress is made of: which archive, the site's title, its administrator.
//!
//! Invariant: an archive is named by the SHA-256 of its bytes, never by a path, and the administrator's password by a hash.

use serde::{Deserialize, Serialize};

use crate::domain::parsed_text;
use crate::domain::path::HostPath;
use crate::domain::text::is_clean;
use crate::domain::visitor::VisitorHash;

/// The SHA-256 of an archive, 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ArchiveDigest(String);

/// The text is no such digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 has 64 hexadecimal digits")]
pub struct BadDigest;

impl ArchiveDigest {
    /// Reads one; upper case is folded.
    pub fn parse(text: &str) -> Result<Self, BadDigest> {
        if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(BadDigest)
        }
    }

    /// Where root puts such an archive for the agent.
    #[must_use]
    pub fn file(&self) -> HostPath {
        archives().join(&self.0)
    }
}

/// Archives on their way; root's alone.
#[must_use]
pub fn archives() -> HostPath {
    HostPath::fixed("/var/lib/lalapanel/archives")
}

parsed_text!(ArchiveDigest, BadDigest);

/// What the names of a WordPress's tables begin with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TablePrefix(String);

/// The text is no such beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a table prefix has at most 40 letters, digits and _")]
pub struct BadPrefix;

impl TablePrefix {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, BadPrefix> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if text.len() <= 40 && text.bytes().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadPrefix)
        }
    }

    /// The name of the table with WordPress's own settings; there is nothing in it that needs more than backticks.
    #[must_use]
    pub fn options(&self) -> String {
        format!("{}options", self.0)
    }
}

parsed_text!(TablePrefix, BadPrefix);

/// The title of a new site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SiteTitle(String);

/// The text is no title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a title has 1 to 120 characters on one line")]
pub struct BadTitle;

impl SiteTitle {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, BadTitle> {
        let text = text.trim();
        if (1..=120).contains(&text.chars().count()) && is_clean(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadTitle)
        }
    }
}

parsed_text!(SiteTitle, BadTitle);

/// The name of WordPress's administrator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AdminName(String);

/// The text is no such name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an administrator's name has 1 to 60 letters, digits and . _ -")]
pub struct BadAdminName;

impl AdminName {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, BadAdminName> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        if (1..=60).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadAdminName)
        }
    }
}

parsed_text!(AdminName, BadAdminName);

/// The administrator's address; WordPress writes to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AdminEmail(String);

/// The text is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an e-mail address looks like mara@shop.example")]
pub struct BadAdminEmail;

impl AdminEmail {
    /// Reads one: what WordPress would refuse is refused here, before anything is made.
    pub fn parse(text: &str) -> Result<Self, BadAdminEmail> {
        let local = |b: u8| b.is_ascii_alphanumeric() || b".!#$%&*+/=?^_{|}~-".contains(&b);
        let Some((user, host)) = text.split_once('@') else {
            return Err(BadAdminEmail);
        };
        let good = (1..=64).contains(&user.len())
            && user.bytes().all(local)
            && text.len() <= 100
            && crate::domain::name::Hostname::parse(host).is_ok_and(|name| name.as_str() == host);
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadAdminEmail)
        }
    }
}

parsed_text!(AdminEmail, BadAdminEmail);

/// A WordPress to be installed with a new site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewWordpress {
    /// From which archive.
    pub archive: ArchiveDigest,
    /// The title.
    pub title: SiteTitle,
    /// Who may do everything in it.
    pub admin: AdminName,
    /// That one's address.
    pub email: AdminEmail,
    /// The hash of that one's password, as crypt(5) and PHP know it; WordPress makes its own of it at the first sign-in.
    pub hash: VisitorHash,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_break_an_installation_is_refused_before_it_begins() {
        assert!(ArchiveDigest::parse(&"Ab".repeat(32)).is_ok());
        assert!(ArchiveDigest::parse("../x").is_err() && ArchiveDigest::parse("").is_err());
        assert_eq!(
            SiteTitle::parse(" Mara's <Shop> ").unwrap().as_str(),
            "Mara's <Shop>"
        );
        assert!(SiteTitle::parse("").is_err() && SiteTitle::parse("a\nb").is_err());
        assert!(AdminName::parse("mara").is_ok());
        for bad in ["", "a b", "a'b", "a\\", "ä"] {
            assert!(AdminName::parse(bad).is_err(), "{bad}");
        }
        assert!(AdminEmail::parse("mara@shop.example").is_ok());
        for bad in [
            "",
            "mara",
            "@x.example",
            "mara@",
            "mara@localhost",
            "a b@x.example",
            "a@x..y",
        ] {
            assert!(AdminEmail::parse(bad).is_err(), "{bad}");
        }
    }
}
