//! PHP versions as Debian names them: two numbers and a dot.
//!
//! Invariant: a version is two small numbers, so it can stand in a package, unit or path name as it is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A PHP branch such as 8.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhpVersion {
    major: u8,
    minor: u8,
}

/// The text is not a PHP version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a PHP version looks like 8.4")]
pub struct BadPhpVersion;

impl PhpVersion {
    /// A version from its two numbers.
    #[must_use]
    pub const fn new(major: u8, minor: u8) -> Self {
        Self { major, minor }
    }

    /// Reads `8.4`.
    pub fn parse(text: &str) -> Result<Self, BadPhpVersion> {
        let (major, minor) = text.split_once('.').ok_or(BadPhpVersion)?;
        let number = |part: &str| {
            let plain = !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_digit())
                && (part == "0" || !part.starts_with('0'));
            part.parse::<u8>()
                .ok()
                .filter(|_| plain)
                .ok_or(BadPhpVersion)
        };
        let version = Self {
            major: number(major)?,
            minor: number(minor)?,
        };
        if (5..=20).contains(&version.major) && version.minor < 20 {
            Ok(version)
        } else {
            Err(BadPhpVersion)
        }
    }
}

impl fmt::Display for PhpVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for PhpVersion {
    type Err = BadPhpVersion;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for PhpVersion {
    type Error = BadPhpVersion;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<PhpVersion> for String {
    fn from(version: PhpVersion) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_strictly_and_ordered_by_number() {
        assert_eq!(PhpVersion::parse("8.4").unwrap(), PhpVersion::new(8, 4));
        assert!(PhpVersion::parse("8.10").unwrap() > PhpVersion::parse("8.9").unwrap());
        for bad in [
            "", "8", "8.", ".4", "8.4.1", "8.04", "+8.4", "8.4 ", "../8.4", "99.1", "８.4",
        ] {
            assert!(PhpVersion::parse(bad).is_err(), "{bad:?}");
        }
    }
}
