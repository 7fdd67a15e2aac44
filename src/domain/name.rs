//! Names that reach the machine: hostnames and Unix users.
//!
//! Invariant: a `Hostname` holds `[a-z0-9.-]` only, has two labels or more and is no address, so it can stand in a path or an nginx file as it is.

use serde::{Deserialize, Serialize};

use crate::domain::id::SiteId;
use crate::domain::parsed_text;

/// A hostname in its stored form: lower-case A-labels, no trailing dot (RFC 1123, RFC 5891).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hostname(String);

/// Why a text is not a hostname.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadHostname {
    /// Nothing was typed.
    #[error("the hostname is empty")]
    Empty,
    /// RFC 1035 allows 253 characters.
    #[error("the hostname is longer than 253 characters")]
    TooLong,
    /// A URL, a path, a port or a space was typed.
    #[error(
        "the hostname holds a character that no hostname has; write it without https://, spaces or a path"
    )]
    Character,
    /// An empty label: `..`, a leading dot.
    #[error("the hostname has an empty part between two dots")]
    EmptyLabel,
    /// A label over 63 characters, or with a hyphen at its end.
    #[error("a part of the hostname is longer than 63 characters or begins or ends with a hyphen")]
    Label,
    /// `localhost`, `intranet`.
    #[error("the hostname needs a dot, as in shop.example")]
    OneLabel,
    /// An address, or a name a resolver would read as one.
    #[error("an IP address is not a hostname")]
    Address,
    /// Not valid by IDNA.
    #[error("the hostname is not valid by the rules for international names (IDNA)")]
    Idna,
    /// A name RFC 6761 keeps for the machine itself.
    #[error("`localhost` always means this machine itself")]
    Local,
}

impl Hostname {
    /// Reads what a person typed: upper case is folded, one trailing dot is dropped, an IDN becomes its A-labels.
    pub fn parse(text: &str) -> Result<Self, BadHostname> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(BadHostname::Empty);
        }
        if text.len() > 1024 {
            return Err(BadHostname::TooLong);
        }
        if text.contains([':', '[', ']'])
            && text
                .trim_matches(['[', ']'])
                .parse::<std::net::Ipv6Addr>()
                .is_ok()
        {
            return Err(BadHostname::Address);
        }
        if !crate::domain::text::is_clean(text) || text.bytes().any(is_never_in_a_hostname) {
            return Err(BadHostname::Character);
        }
        // Why not only IDNA: its own message for these is less helpful than ours.
        if text.split('.').any(str::is_empty) {
            return Err(BadHostname::EmptyLabel);
        }
        let ascii = idna::domain_to_ascii_cow(text.as_bytes(), idna::AsciiDenyList::STD3)
            .map_err(|_| BadHostname::Idna)?
            .into_owned();
        Self::check(&ascii)?;
        Ok(Self(ascii))
    }

    /// False for names that are kept for documents, tests and one's own network (RFC 2606, 6761, 6762, 8375; `.internal` by ICANN):
    /// no public authority issues for them.
    #[must_use]
    pub fn is_public(&self) -> bool {
        let kept = [
            "example",
            "test",
            "invalid",
            "localhost",
            "local",
            "internal",
            "lan",
            "home.arpa",
            "onion",
            "example.com",
            "example.net",
            "example.org",
        ];
        let is_below = |base: &str| {
            let rest = self.0.strip_suffix(base);
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        !kept.into_iter().any(is_below)
    }

    fn check(ascii: &str) -> Result<(), BadHostname> {
        if ascii.len() > 253 {
            return Err(BadHostname::TooLong);
        }
        let mut labels = 0_usize;
        for label in ascii.split('.') {
            labels += 1;
            if label.is_empty() {
                return Err(BadHostname::EmptyLabel);
            }
            if label.len() > 63 || label.starts_with('-') || label.ends_with('-') {
                return Err(BadHostname::Label);
            }
            if !label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            {
                return Err(BadHostname::Character);
            }
        }
        let last = ascii.rsplit('.').next().unwrap_or_default();
        if last == "localhost" {
            return Err(BadHostname::Local);
        }
        if labels < 2 {
            return Err(BadHostname::OneLabel);
        }
        // A last label of digits or 0x… is read as an IPv4 address by browsers (WHATWG URL, "ends in a number").
        if last.bytes().all(|b| b.is_ascii_digit())
            || (last.starts_with("0x") && last.bytes().skip(2).all(|b| b.is_ascii_hexdigit()))
        {
            return Err(BadHostname::Address);
        }
        Ok(())
    }

    /// The name as people of its language write it, for showing only.
    #[must_use]
    pub fn unicode(&self) -> String {
        let (text, result) = idna::domain_to_unicode(&self.0);
        match result {
            Ok(()) if crate::domain::text::is_clean(&text) => text,
            _ => self.0.clone(),
        }
    }

    /// The address a visitor types.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.0)
    }
}

fn is_never_in_a_hostname(byte: u8) -> bool {
    byte.is_ascii() && !(byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}

parsed_text!(Hostname, BadHostname);

/// The Unix user of a site. Minted from the site's number, never typed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UnixName(String);

/// The text is not a Unix user name as `useradd` takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a Unix name begins with a letter and has at most 31 letters, digits, `-` and `_`")]
pub struct BadUnixName;

impl UnixName {
    /// Reads a name from the state or from the host.
    pub fn parse(text: &str) -> Result<Self, BadUnixName> {
        let mut bytes = text.bytes();
        let first = bytes
            .next()
            .is_some_and(|b| b.is_ascii_lowercase() || b == b'_');
        let rest =
            bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        if first && rest && text.len() <= 31 {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadUnixName)
        }
    }

    /// The user of a site.
    #[must_use]
    pub fn of_site(id: SiteId) -> Self {
        Self(id.to_string())
    }
}

parsed_text!(UnixName, BadUnixName);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_folded_to_their_stored_form() {
        for (typed, stored) in [
            ("shop.example", "shop.example"),
            ("Shop.EXAMPLE", "shop.example"),
            ("shop.example.", "shop.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("straße.example", "xn--strae-oqa.example"),
            ("a-1.b.c.example", "a-1.b.c.example"),
        ] {
            assert_eq!(Hostname::parse(typed).unwrap().as_str(), stored, "{typed}");
        }
        assert_eq!(
            Hostname::parse("xn--bcher-kva.example").unwrap().unicode(),
            "bücher.example"
        );
    }

    #[test]
    fn what_is_no_hostname_is_refused_with_the_reason() {
        let long = format!("{}.example", "a".repeat(250));
        let label = format!("{}.example", "a".repeat(64));
        for (typed, why) in [
            ("", BadHostname::Empty),
            (".", BadHostname::Empty),
            ("..", BadHostname::EmptyLabel),
            ("a..b", BadHostname::EmptyLabel),
            (".example", BadHostname::EmptyLabel),
            ("shop example", BadHostname::Character),
            ("shop.example/x", BadHostname::Character),
            ("https://shop.example", BadHostname::Character),
            ("shop.example:80", BadHostname::Character),
            ("a_b.example", BadHostname::Character),
            ("*.example", BadHostname::Character),
            ("shop.example\n", BadHostname::Character),
            ("shop.example;", BadHostname::Character),
            ("$host.example", BadHostname::Character),
            ("../../etc", BadHostname::Character),
            ("shop", BadHostname::OneLabel),
            ("localhost", BadHostname::Local),
            ("a.localhost", BadHostname::Local),
            ("192.0.2.1", BadHostname::Address),
            ("1.0x7f", BadHostname::Address),
            ("[::1]", BadHostname::Address),
            ("2001:db8::1", BadHostname::Address),
            ("-a.example", BadHostname::Label),
            ("a-.example", BadHostname::Label),
        ] {
            assert_eq!(Hostname::parse(typed), Err(why), "{typed:?}");
        }
        for typed in [
            long.as_str(),
            label.as_str(),
            "a\u{202E}b.example",
            "\u{0}.example",
        ] {
            assert!(Hostname::parse(typed).is_err(), "{typed:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_safe_in_files(text in "\\PC{0,80}|[a-z.-]{0,80}|.{0,40}") {
            if let Ok(name) = Hostname::parse(&text) {
                prop_assert!(name.as_str().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.'));
                prop_assert!(!name.as_str().contains(".."));
                prop_assert_eq!(Hostname::parse(name.as_str()).unwrap(), name);
            }
        }
    }

    #[test]
    fn unix_names_are_boring() {
        assert_eq!(UnixName::of_site(SiteId::FIRST).as_str(), "s1001");
        for bad in ["", "-rf", "..", "Root", "a b", "a/b", "1a"] {
            assert!(UnixName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_for_documents_and_for_ones_own_network_are_not_public() {
        let is_public = |text: &str| Hostname::parse(text).unwrap().is_public();
        for kept in [
            "panel.example",
            "a.b.test",
            "nas.local",
            "www.example.com",
            "x.home.arpa",
        ] {
            assert!(!is_public(kept), "{kept}");
        }
        for public in [
            "panel.shop.de",
            "myexample.com",
            "test.shop.de",
            "latest.shop",
        ] {
            assert!(is_public(public), "{public}");
        }
    }
}
