//! Paths: on the host (absolute, ours) and inside a site (relative, the tenant's).
//!
//! Invariant: neither kind holds `.` or `..` components or control characters, so joining never climbs.

use serde::{Deserialize, Serialize};

use crate::domain::parsed_text;

/// An absolute, normal path on the host.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPath(String);

/// The text is not a path of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the path is not a plain one: no `.` or `..`, no control characters, at most 4096 bytes")]
pub struct BadPath;

fn is_plain_component(part: &str) -> bool {
    !part.is_empty() && part != "." && part != ".." && crate::domain::text::is_clean(part)
}

impl HostPath {
    /// Reads an absolute path.
    pub fn parse(text: &str) -> Result<Self, BadPath> {
        if text == "/" {
            return Ok(Self("/".to_owned()));
        }
        match text.strip_prefix('/') {
            Some(rest) if text.len() <= 4096 && rest.split('/').all(is_plain_component) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(BadPath),
        }
    }

    /// A path written in our own source; a wrong one becomes `/nonexistent`, which no operation accepts.
    ///
    /// Why not a panic: root code does not panic; a unit test holds every caller to a good text.
    #[must_use]
    pub fn fixed(text: &'static str) -> Self {
        debug_assert!(Self::parse(text).is_ok(), "{text}");
        Self::parse(text).unwrap_or_else(|_| Self("/nonexistent".to_owned()))
    }

    /// One component below this path. What is not a plain component gives a path that does not exist.
    #[must_use]
    pub fn join(&self, part: &str) -> Self {
        let part = if is_plain_component(part) && !part.contains('/') {
            part
        } else {
            "nonexistent"
        };
        Self(format!("{}/{part}", self.0.trim_end_matches('/')))
    }

    /// The directory that holds this path; `/` holds itself.
    #[must_use]
    pub fn parent(&self) -> Self {
        match self.0.rsplit_once('/') {
            Some(("", _)) | None => Self("/".to_owned()),
            Some((parent, _)) => Self(parent.to_owned()),
        }
    }

    /// The last component.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// True for this path and everything below it.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other.0 == self.0
            || other
                .0
                .strip_prefix(self.0.as_str())
                .is_some_and(|rest| rest.starts_with('/') || self.0 == "/")
    }
}

parsed_text!(HostPath, BadPath);

/// A relative path inside a site's directory; only `worker`, with the site's uid, walks it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SitePath(String);

impl SitePath {
    /// Reads a relative path.
    pub fn parse(text: &str) -> Result<Self, BadPath> {
        if text.len() <= 4096 && text.split('/').all(is_plain_component) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadPath)
        }
    }

    /// The components, first to last.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

parsed_text!(SitePath, BadPath);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_climb_or_hide_are_refused() {
        for bad in ["", "a", "/a/../b", "/a/./b", "/a//b", "/a/", "/a\n", "//"] {
            assert!(HostPath::parse(bad).is_err(), "{bad:?}");
        }
        for bad in ["", "/a", "../a", "a/..", "a//b", "./a", "a\0b"] {
            assert!(SitePath::parse(bad).is_err(), "{bad:?}");
        }
        assert!(SitePath::parse("htdocs/index.php").is_ok());
    }

    #[test]
    fn joining_never_climbs() {
        let base = HostPath::fixed("/var/www");
        assert_eq!(base.join("shop.example").as_str(), "/var/www/shop.example");
        assert_eq!(base.join("../etc").as_str(), "/var/www/nonexistent");
        assert_eq!(HostPath::fixed("/").join("a").as_str(), "/a");
        assert_eq!(base.join("a").parent(), base);
        assert!(base.contains(&base.join("a")) && !base.contains(&HostPath::fixed("/var/www2")));
    }
}
