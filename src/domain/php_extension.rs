//! Extensions of PHP as their packages are called after `phpV-`.
//!
//! Invariant: a name is lower-case letters, digits and single dashes inside, so it can stand in a package name: apt takes a
//! dash or a plus at the end for an order of its own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::php::PhpVersion;

/// Packages of a version that are no extensions.
const PARTS: &[&str] = &["cgi", "cli", "common", "dev", "fpm", "phpdbg"];

/// An extension such as `redis`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhpExtension(String);

/// The text names no extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an extension is named as its package is after `phpV-`, such as redis or sqlite3")]
pub struct BadPhpExtension;

impl PhpExtension {
    /// Reads `redis`.
    pub fn parse(text: &str) -> Result<Self, BadPhpExtension> {
        let is_plain = |part: &str| {
            let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            !part.is_empty() && part.bytes().all(allowed)
        };
        let begins = text.starts_with(|first: char| first.is_ascii_lowercase());
        let is_name = begins && text.len() <= 30 && text.split('-').all(is_plain);
        if !is_name || PARTS.contains(&text) || text.ends_with("-dbgsym") {
            return Err(BadPhpExtension);
        }
        Ok(Self(text.to_owned()))
    }

    /// As it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `php8.4-redis`.
    #[must_use]
    pub fn package(&self, php: PhpVersion) -> String {
        format!("php{php}-{self}")
    }
}

/// Extensions that a site may do without, each with the settings files that load it, in `mods-available`.
const OPTIONAL: &[(&str, &[&str])] = &[
    ("apcu", &["apcu"]),
    ("bcmath", &["bcmath"]),
    ("curl", &["curl"]),
    ("gd", &["gd"]),
    ("gmp", &["gmp"]),
    ("imagick", &["imagick"]),
    ("imap", &["imap"]),
    ("intl", &["intl"]),
    ("ldap", &["ldap"]),
    ("mbstring", &["mbstring"]),
    ("memcached", &["memcached"]),
    ("mysql", &["mysqlnd", "mysqli", "pdo_mysql"]),
    ("pgsql", &["pgsql", "pdo_pgsql"]),
    ("redis", &["redis"]),
    ("soap", &["soap"]),
    ("sqlite3", &["sqlite3", "pdo_sqlite"]),
    ("xdebug", &["xdebug"]),
    (
        "xml",
        &["dom", "simplexml", "xml", "xmlreader", "xmlwriter", "xsl"],
    ),
    ("zip", &["zip"]),
];

/// An extension that a site may do without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OptionalExtension(PhpExtension);

impl OptionalExtension {
    /// Reads `xdebug`; the error names those that there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        let known = OPTIONAL.iter().any(|(name, _)| *name == text);
        let extension = PhpExtension::parse(text).ok().filter(|_| known);
        extension.map(Self).ok_or_else(|| {
            let names: Vec<&str> = OPTIONAL.iter().map(|(name, _)| *name).collect();
            format!("a site may do without one of {}", names.join(", "))
        })
    }

    /// The names of the settings files that load it.
    #[must_use]
    pub fn modules(&self) -> &'static [&'static str] {
        let found = OPTIONAL.iter().find(|(name, _)| *name == self.0.as_str());
        found.map_or(&[], |(_, modules)| *modules)
    }
}

impl fmt::Display for OptionalExtension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for OptionalExtension {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<OptionalExtension> for String {
    fn from(extension: OptionalExtension) -> Self {
        extension.0.into()
    }
}

impl fmt::Display for PhpExtension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PhpExtension {
    type Err = BadPhpExtension;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for PhpExtension {
    type Error = BadPhpExtension;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<PhpExtension> for String {
    fn from(extension: PhpExtension) -> Self {
        extension.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_may_do_without_what_php_itself_does_not_need() {
        let mysql = OptionalExtension::parse("mysql").unwrap();
        assert_eq!(mysql.modules(), ["mysqlnd", "mysqli", "pdo_mysql"]);
        for bad in ["opcache", "readline", "fpm", "../xml", "nosuchthing", ""] {
            assert!(OptionalExtension::parse(bad).is_err(), "{bad:?}");
        }
        assert!(
            OPTIONAL
                .iter()
                .all(|(name, _)| OptionalExtension::parse(name).is_ok())
        );
    }

    #[test]
    fn a_name_is_one_of_an_extension_and_no_order_to_apt() {
        let redis = PhpExtension::parse("redis").unwrap();
        assert_eq!(redis.package(PhpVersion::new(8, 4)), "php8.4-redis");
        assert!(PhpExtension::parse("libvirt-php").is_ok());
        for bad in [
            "",
            "-",
            "redis-",
            "redis+",
            "-redis",
            "Redis",
            "redis gd",
            "re--dis",
            "redis/trixie",
            "redis=1",
            "8redis",
            "fpm",
            "cli",
            "common",
            "redis-dbgsym",
            "rédis",
            "a234567890123456789012345678901",
        ] {
            assert!(PhpExtension::parse(bad).is_err(), "{bad:?}");
        }
    }
}
