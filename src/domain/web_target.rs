//! Where visitors are sent on to: paths of a site and addresses of other sites.
//!
//! Invariant: what is held here consists of characters that stand in a quoted word of an nginx file as they are.

use serde::{Deserialize, Serialize};

use crate::domain::name::Hostname;
use crate::domain::parsed_text;

/// A path of a site, from its root: `/old/page`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UrlPath(String);

/// The text is not such a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a path from the site's root, such as /old/page; special characters as %20")]
pub struct BadUrlPath;

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/._~%@+,:=&!()*-".contains(&byte)
}

impl UrlPath {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, BadUrlPath> {
        let climbs = text.split('/').any(|part| part == "." || part == "..");
        let fine = text.starts_with('/') && !text.starts_with("//") && text.len() <= 1024;
        if fine && !climbs && text.bytes().all(is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadUrlPath)
        }
    }
}

parsed_text!(UrlPath, BadUrlPath);

/// A whole address: `https://new.example/shop?from=old`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebAddress(String);

/// The text is not such an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a whole address, such as https://new.example or https://new.example/shop")]
pub struct BadWebAddress;

impl WebAddress {
    /// Reads one: http or https, a hostname, perhaps a port, a path, a query.
    pub fn parse(text: &str) -> Result<Self, BadWebAddress> {
        let (scheme, rest) = text.split_once("://").ok_or(BadWebAddress)?;
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "http" && scheme != "https" || text.len() > 1024 {
            return Err(BadWebAddress);
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, tail) = rest.split_at(end);
        let (name, port) = match host.split_once(':') {
            Some((name, port)) => (
                name,
                format!(":{}", port.parse::<u16>().map_err(|_| BadWebAddress)?),
            ),
            None => (host, String::new()),
        };
        let name = Hostname::parse(name).map_err(|_| BadWebAddress)?;
        let tail = if tail == "/" { "" } else { tail };
        if !tail.bytes().all(|byte| is_plain(byte) || byte == b'?') {
            return Err(BadWebAddress);
        }
        Ok(Self(format!("{scheme}://{name}{port}{tail}")))
    }

    /// True where only a server is named: then the path a visitor asked for is kept.
    #[must_use]
    pub fn names_a_server_only(&self) -> bool {
        self.0
            .split_once("://")
            .is_some_and(|(_, rest)| !rest.contains(['/', '?']))
    }

    /// The hostname it leads to.
    #[must_use]
    pub fn hostname(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let end = rest.find(['/', '?', ':']).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }
}

parsed_text!(WebAddress, BadWebAddress);

/// A place on this site or elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Destination {
    /// Another path of the same site.
    Here(UrlPath),
    /// Another address.
    Elsewhere(WebAddress),
}

impl Destination {
    /// Reads `/new` or `https://new.example/page`.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.starts_with('/') {
            return UrlPath::parse(text)
                .map(Self::Here)
                .map_err(|_| NO_DESTINATION);
        }
        WebAddress::parse(text)
            .map(Self::Elsewhere)
            .map_err(|_| NO_DESTINATION)
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Here(path) => path.as_str(),
            Self::Elsewhere(address) => address.as_str(),
        }
    }
}

const NO_DESTINATION: &str =
    "write where to: a path such as /new, or a whole address such as https://new.example/page";

/// The status of a redirect (RFC 9110, 15.4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub enum RedirectCode {
    /// 301
    #[default]
    Moved,
    /// 302
    Found,
    /// 307
    Temporary,
    /// 308
    Permanent,
}

impl RedirectCode {
    /// Reads `301`.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let number = text.parse::<u16>().unwrap_or(0);
        Self::try_from(number)
    }

    /// The digits.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Moved => "301",
            Self::Found => "302",
            Self::Temporary => "307",
            Self::Permanent => "308",
        }
    }
}

impl TryFrom<u16> for RedirectCode {
    type Error = &'static str;
    fn try_from(number: u16) -> Result<Self, Self::Error> {
        match number {
            301 => Ok(Self::Moved),
            302 => Ok(Self::Found),
            307 => Ok(Self::Temporary),
            308 => Ok(Self::Permanent),
            _ => Err("the status of a redirect is 301, 302, 307 or 308"),
        }
    }
}

impl From<RedirectCode> for u16 {
    fn from(code: RedirectCode) -> Self {
        match code {
            RedirectCode::Moved => 301,
            RedirectCode::Found => 302,
            RedirectCode::Temporary => 307,
            RedirectCode::Permanent => 308,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_that_names_a_server_keeps_the_path() {
        let server = WebAddress::parse("HTTPS://New.Example/").unwrap();
        assert_eq!(server.as_str(), "https://new.example");
        assert!(server.names_a_server_only());
        let page = WebAddress::parse("https://new.example:8443/a?b=c").unwrap();
        assert!(!page.names_a_server_only());
        assert_eq!(page.hostname(), "new.example");
        for bad in [
            "new.example",
            "ftp://new.example",
            "https://new.example/$host",
            "https://new.example/a\"b",
            "https://",
            "javascript:alert(1)",
        ] {
            assert!(WebAddress::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_safe_in_a_quoted_word(text in "[ -~]{0,40}|\\PC{0,20}|/[ -~]{0,20}") {
            for held in [
                UrlPath::parse(&text).map(|path| path.as_str().to_owned()).ok(),
                WebAddress::parse(&text).map(|address| address.as_str().to_owned()).ok(),
            ].into_iter().flatten() {
                let strange = held.contains(['"', '\'', '\\', '$', ';', '{', '}', ' ', '\n']);
                prop_assert!(!strange);
            }
        }
    }
}
