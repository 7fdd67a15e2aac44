//! A name a site answers to: a hostname, or every name one label below one (`*.shop.example`).
//!
//! Invariant: only the first label can be the star, so a name reads the same in DNS, in nginx and in a certificate (RFC 4592, RFC 6125).

use serde::{Deserialize, Serialize};

use crate::domain::name::{BadHostname, Hostname};

/// A name in a site's list of names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SiteName {
    /// One hostname.
    Exact(Hostname),
    /// All hostnames below this one.
    Wildcard(Hostname),
}

impl SiteName {
    /// Reads `shop.example` or `*.shop.example`.
    pub fn parse(text: &str) -> Result<Self, BadHostname> {
        match text.trim().strip_prefix("*.") {
            Some(rest) => Hostname::parse(rest).map(Self::Wildcard),
            None => Hostname::parse(text.trim()).map(Self::Exact),
        }
    }

    /// The hostname, without a star.
    #[must_use]
    pub fn hostname(&self) -> &Hostname {
        match self {
            Self::Exact(name) | Self::Wildcard(name) => name,
        }
    }

    /// The name as people of its language write it, for showing only.
    #[must_use]
    pub fn unicode(&self) -> String {
        match self {
            Self::Exact(name) => name.unicode(),
            Self::Wildcard(name) => format!("*.{}", name.unicode()),
        }
    }

    /// True where a visitor of `name` lands here.
    #[must_use]
    pub fn covers(&self, name: &Hostname) -> bool {
        match self {
            Self::Exact(own) => own == name,
            Self::Wildcard(base) => name
                .as_str()
                .strip_suffix(base.as_str())
                .is_some_and(|front| front.ends_with('.')),
        }
    }
}

impl From<Hostname> for SiteName {
    fn from(name: Hostname) -> Self {
        Self::Exact(name)
    }
}

impl std::fmt::Display for SiteName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(name) => write!(f, "{name}"),
            Self::Wildcard(name) => write!(f, "*.{name}"),
        }
    }
}

impl std::str::FromStr for SiteName {
    type Err = BadHostname;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for SiteName {
    type Error = BadHostname;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<SiteName> for String {
    fn from(name: SiteName) -> Self {
        name.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_the_first_label_only() {
        let star = SiteName::parse("*.shop.example").unwrap();
        assert_eq!(star.to_string(), "*.shop.example");
        assert!(star.covers(&Hostname::parse("a.shop.example").unwrap()));
        assert!(star.covers(&Hostname::parse("a.b.shop.example").unwrap()));
        assert!(!star.covers(&Hostname::parse("shop.example").unwrap()));
        assert!(!star.covers(&Hostname::parse("myshop.example").unwrap()));
        for bad in [
            "*",
            "*.",
            "*.example",
            "a.*.example",
            "**.example.com",
            "*shop.example",
        ] {
            assert!(SiteName::parse(bad).is_err(), "{bad}");
        }
    }
}
