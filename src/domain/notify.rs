//! Where warnings go: a mailbox, a mail server, an address that programs listen at.
//!
//! Invariant: nothing here can end a line or an argument of a mail server's, so what is told adds no header and no recipient.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::domain::name::Hostname;
use crate::domain::parsed_text;

/// RFC 5321, §4.5.3.1.
const LONGEST_ADDRESS: usize = 254;
const LONGEST_URL: usize = 512;

/// Whom mail is for, or from: `ops@shop.example`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MailAddress(String);

/// The text is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an address for mail is written like ops@shop.example, without a name and without quotes")]
pub struct BadMailAddress;

impl MailAddress {
    /// Reads an address of letters, digits and what mail servers everywhere take; no quoted parts, no address literals.
    pub fn parse(text: &str) -> Result<Self, BadMailAddress> {
        let (local, domain) = text.rsplit_once('@').ok_or(BadMailAddress)?;
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
        let is_local = local.len() <= 64
            && local
                .split('.')
                .all(|part| !part.is_empty() && part.bytes().all(is_plain));
        if !is_local || text.len() > LONGEST_ADDRESS {
            return Err(BadMailAddress);
        }
        let is_local_host = domain == "localhost";
        let domain = Hostname::parse(domain).map(|name| name.to_string());
        match domain {
            Ok(domain) => Ok(Self(format!("{local}@{domain}"))),
            Err(_) if is_local_host => Ok(Self(text.to_owned())),
            Err(_) => Err(BadMailAddress),
        }
    }
}

parsed_text!(MailAddress, BadMailAddress);

/// Whom mail is for: one address or several, with commas between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Recipients(Vec<MailAddress>);

impl Recipients {
    /// Reads them; ten at most.
    pub fn parse(text: &str) -> Result<Self, BadMailAddress> {
        let all = text.split(',').map(|one| MailAddress::parse(one.trim()));
        let all: Vec<MailAddress> = all.collect::<Result<_, _>>()?;
        let fits = all.len() <= 10;
        fits.then_some(Self(all)).ok_or(BadMailAddress)
    }

    /// Each of them.
    #[must_use]
    pub fn all(&self) -> &[MailAddress] {
        &self.0
    }
}

impl TryFrom<String> for Recipients {
    type Error = BadMailAddress;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Recipients> for String {
    fn from(all: Recipients) -> Self {
        let all: Vec<Self> = all.0.into_iter().map(Self::from).collect();
        all.join(", ")
    }
}

/// A mail server, by name or address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MailHost(String);

/// The text is no such server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a mail server is a hostname or an address, without a port")]
pub struct BadMailHost;

impl MailHost {
    /// Reads a hostname, `localhost` or an address.
    pub fn parse(text: &str) -> Result<Self, BadMailHost> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self(address.to_string()));
        }
        if text == "localhost" {
            return Ok(Self(text.to_owned()));
        }
        let name = Hostname::parse(text).map_err(|_| BadMailHost)?;
        Ok(Self(name.to_string()))
    }

    /// True for this machine itself: the one way that needs no encryption.
    #[must_use]
    pub fn is_this_machine(&self) -> bool {
        let address = self.0.parse::<IpAddr>();
        self.0 == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

parsed_text!(MailHost, BadMailHost);

/// How the way to the mail server is closed to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailSecurity {
    /// TLS after a plain greeting; nothing is said before.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None: for a server on this machine.
    None,
}

impl MailSecurity {
    /// As it is typed.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Starttls => "starttls",
            Self::Tls => "tls",
            Self::None => "none",
        }
    }

    /// The port such servers have.
    #[must_use]
    pub fn port(self) -> u16 {
        match self {
            Self::Starttls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

/// Where programs are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebhookUrl(String);

/// The text is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a webhook is an address that begins with `https://`, without a user, and not of the links between machines (169.254…)"
)]
pub struct BadWebhookUrl;

impl WebhookUrl {
    /// Reads an address: `https://`, a host, and nothing that has to be escaped.
    pub fn parse(text: &str) -> Result<Self, BadWebhookUrl> {
        let rest = text.strip_prefix("https://").ok_or(BadWebhookUrl)?;
        let plain = text.len() <= LONGEST_URL
            && rest
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~:/?&=%[]".contains(&b));
        let url = Self(text.to_owned());
        let host = url.name();
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        let is_open = address.map_or(true, may_be_told);
        if plain && is_open && !host.is_empty() {
            Ok(url)
        } else {
            Err(BadWebhookUrl)
        }
    }

    /// Its host, with the port where one is named.
    #[must_use]
    pub fn host(&self) -> &str {
        let rest = self.0.strip_prefix("https://").unwrap_or(&self.0);
        rest.split(['/', '?']).next().unwrap_or_default()
    }

    fn name(&self) -> &str {
        let host = self.host();
        match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        }
    }
}

parsed_text!(WebhookUrl, BadWebhookUrl);

/// False for addresses at which clouds keep a machine's own secrets, and for those that are nobody's.
#[must_use]
pub fn may_be_told(address: IpAddr) -> bool {
    let of_four = |address: Ipv4Addr| {
        !(address.is_link_local()
            || address.is_unspecified()
            || address.is_broadcast()
            || address.is_multicast())
    };
    match address {
        IpAddr::V4(four) => of_four(four),
        IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => of_four(four),
            None => !(six.is_unspecified() || six.is_multicast() || is_kept(six)),
        },
    }
}

/// Link-local, and the one where Amazon keeps its metadata.
fn is_kept(address: Ipv6Addr) -> bool {
    address.is_unicast_link_local() || address == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)
}

/// From when on somebody is told, in percent of what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Percent(u8);

/// The number is no such share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a threshold is a whole number from 1 to 100")]
pub struct BadPercent;

impl Percent {
    /// One that is known to be right.
    #[must_use]
    pub const fn fixed(number: u8) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }

    /// Whether `used` of `total` is more.
    #[must_use]
    pub fn is_passed(self, used: u64, total: u64) -> bool {
        total > 0 && u128::from(used) * 100 > u128::from(total) * u128::from(self.0)
    }
}

impl TryFrom<u8> for Percent {
    type Error = BadPercent;
    fn try_from(number: u8) -> Result<Self, Self::Error> {
        let fits = (1..=100).contains(&number);
        fits.then_some(Self(number)).ok_or(BadPercent)
    }
}

impl From<Percent> for u8 {
    fn from(percent: Percent) -> Self {
        percent.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_for_mail_adds_no_line_and_no_recipient() {
        for good in [
            "ops@shop.example",
            "o.p+s@a-b.example",
            "root@localhost",
            "x@MAIL.example",
        ] {
            assert!(MailAddress::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "ops",
            "@shop.example",
            "ops@",
            "a@b.example,c@d.example",
            "a@b.example\r\nBcc: c@d.example",
            "Ops <ops@shop.example>",
            "\"a b\"@shop.example",
            "a..b@shop.example",
            "ops@[192.0.2.1]",
            "ä@shop.example",
        ] {
            assert!(MailAddress::parse(bad).is_err(), "{bad:?}");
        }
        let two = Recipients::parse("a@shop.example, b@shop.example").unwrap();
        assert_eq!(String::from(two), "a@shop.example, b@shop.example");
        assert!(Recipients::parse("").is_err() && Recipients::parse("a@b.example,").is_err());
    }

    #[test]
    fn only_this_machine_is_talked_to_without_encryption() {
        for (text, here) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("::1", true),
            ("smtp.shop.example", false),
            ("192.0.2.1", false),
        ] {
            assert_eq!(MailHost::parse(text).unwrap().is_this_machine(), here);
        }
        assert!(MailHost::parse("smtp.shop.example:25").is_err());
        assert!(MailHost::parse("a b").is_err());
    }

    #[test]
    fn a_webhook_is_asked_by_https_and_never_where_clouds_keep_secrets() {
        for good in [
            "https://chat.shop.example/hooks/a-b?x=1",
            "https://10.0.0.5:8443/x",
            "https://[2001:db8::1]/x",
        ] {
            assert_eq!(WebhookUrl::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "http://chat.shop.example/",
            "https://",
            "https://:443/",
            "https://a@b.example/",
            "https://a.example/ x",
            "https://a.example/\r\nX: y",
            "https://169.254.169.254/latest",
            "https://[::ffff:169.254.169.254]/",
            "https://[fe80::1]/",
            "https://0.0.0.0/",
        ] {
            assert!(WebhookUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_threshold_is_passed_by_more_than_itself() {
        let percent = Percent::try_from(90).unwrap();
        assert!(!percent.is_passed(90, 100) && percent.is_passed(91, 100));
        assert!(percent.is_passed(u64::MAX, u64::MAX) && !percent.is_passed(0, 0));
        assert!(Percent::try_from(0).is_err() && Percent::try_from(101).is_err());
    }
}
