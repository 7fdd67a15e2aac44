//! Settings of the panel itself, and its address, which is tried before it is kept.
//!
//! Invariant: none of these values is a secret, so they may stand in plans and in the journal.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::domain::authority::{DirectoryUrl, Failures};
use crate::domain::name::Hostname;
use crate::domain::notify_setting::NotifySetting;
use crate::domain::parsed_text;
use crate::domain::text::shown;
use crate::domain::time::Timestamp;

/// A new address goes back by itself after so long.
pub const TRIAL_SECONDS: u64 = 60;
/// Who asks for more time gets so much.
pub const LONGER_SECONDS: u64 = 300;
const MOST_PROXIES: usize = 64;

/// Where people open the panel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelAddress {
    /// Its name; none means by the server's address.
    pub hostname: Option<Hostname>,
    /// Its port.
    pub port: PanelPort,
}

/// An address that is being tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// The one that is kept if nobody says otherwise.
    pub from: PanelAddress,
    /// The one that is tried.
    pub to: PanelAddress,
    /// Until then.
    pub until: Timestamp,
}

/// What becomes of an address that is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialVerb {
    /// It stays.
    Keep,
    /// The former one comes back.
    Back,
    /// It is tried for longer.
    Longer,
}

impl TrialVerb {
    /// All.
    pub const ALL: [Self; 3] = [Self::Keep, Self::Back, Self::Longer];

    /// The word on the command line and in paths.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Back => "back",
            Self::Longer => "longer",
        }
    }
}

/// A TCP port the panel may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct PanelPort(u16);

impl PanelPort {
    /// The number.
    #[must_use]
    pub fn number(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for PanelPort {
    type Error = BadPanelSetting;
    fn try_from(port: u16) -> Result<Self, Self::Error> {
        match port {
            0 | 22 | 80 | 443 => Err(BadPanelSetting::Port),
            _ => Ok(Self(port)),
        }
    }
}

impl From<PanelPort> for u16 {
    fn from(port: PanelPort) -> Self {
        port.0
    }
}

/// An e-mail address of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MailAddress(String);

impl MailAddress {
    /// RFC 5321 allows 254 characters; more is for those who send to it to judge.
    pub fn parse(text: &str) -> Result<Self, BadPanelSetting> {
        let is_plain = |part: &str| !part.is_empty() && !part.contains(['@', ' ', '<', '>', '"']);
        let is_one = text.split_once('@').is_some_and(|(name, host)| {
            is_plain(name) && is_plain(host) && Hostname::parse(host).is_ok()
        });
        if is_one && text.len() <= 254 && crate::domain::text::is_clean(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadPanelSetting::Mail)
        }
    }
}

parsed_text!(MailAddress, BadPanelSetting);

/// Why a value is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPanelSetting {
    /// Not a port for a panel.
    #[error("a port is a number from 1 to 65535; 80 and 443 are the sites', 22 is SSH's")]
    Port,
    /// No name.
    #[error("{0}. Write it like panel.example")]
    Hostname(String),
    /// No e-mail address.
    #[error("the e-mail address is not one: write it as in admin@example.org")]
    Mail,
    /// No directory.
    #[error("the directory of an authority is an address that begins with `https://`")]
    Directory,
    /// No number of failures.
    #[error("the second authority is asked after 1 to 12 failures of the first; 3 is usual")]
    Failures,
    /// No addresses.
    #[error("`{0}` is no IP address; give them with commas between")]
    Address(String),
    /// Too many.
    #[error("{MOST_PROXIES} addresses are the most")]
    TooMany,
    /// It has a command of its own.
    #[error("`{0}` is set with `lalapanel notify set`: see `lalapanel notify set --help`")]
    Notify(String),
    /// No such key.
    #[error("there is no setting `{0}`; there are {keys}", keys = PanelSetting::KEYS.join(", "))]
    Key(String),
}

/// A setting with its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PanelSetting {
    /// The name people open the panel by; none means by address.
    Hostname(Option<Hostname>),
    /// Its HTTPS port.
    Port(PanelPort),
    /// Where the authority may write to.
    Email(Option<MailAddress>),
    /// The directory of the certificate authority; none means Let's Encrypt.
    Directory(Option<DirectoryUrl>),
    /// The directory of a second authority, for when the first fails.
    FallbackDirectory(Option<DirectoryUrl>),
    /// After how many failures of the first; none means as usual.
    FallbackAfter(Option<Failures>),
    /// Proxies whose `X-Forwarded-For` is believed.
    TrustedProxies(Vec<IpAddr>),
    /// Who is told of what needs somebody.
    Notify(NotifySetting),
}

impl PanelSetting {
    /// The keys, as in `/etc/lalapanel/config.toml`.
    pub const KEYS: [&'static str; 7] = [
        "panel.hostname",
        "panel.port",
        "acme.email",
        "acme.directory",
        "acme.fallback_directory",
        "acme.fallback_after",
        "panel.trusted_proxies",
    ];

    /// Reads one; an empty text means none.
    pub fn parse(key: &str, text: &str) -> Result<Self, BadPanelSetting> {
        let text = text.trim();
        let some = (!text.is_empty()).then_some(text);
        Ok(match key {
            "panel.hostname" => Self::Hostname(some.map(hostname).transpose()?),
            "panel.port" => {
                let port: u16 = text.parse().map_err(|_| BadPanelSetting::Port)?;
                Self::Port(port.try_into()?)
            }
            "acme.email" => Self::Email(some.map(MailAddress::parse).transpose()?),
            "acme.directory" => Self::Directory(some.map(directory).transpose()?),
            "acme.fallback_directory" => Self::FallbackDirectory(some.map(directory).transpose()?),
            "acme.fallback_after" => Self::FallbackAfter(some.map(failures).transpose()?),
            "panel.trusted_proxies" => Self::TrustedProxies(proxies(text)?),
            key if key.starts_with("notify.") => {
                return Err(BadPanelSetting::Notify(shown(key, 60)));
            }
            other => return Err(BadPanelSetting::Key(shown(other, 60))),
        })
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::Hostname(_) => "panel.hostname",
            Self::Port(_) => "panel.port",
            Self::Email(_) => "acme.email",
            Self::Directory(_) => "acme.directory",
            Self::FallbackDirectory(_) => "acme.fallback_directory",
            Self::FallbackAfter(_) => "acme.fallback_after",
            Self::TrustedProxies(_) => "panel.trusted_proxies",
            Self::Notify(setting) => setting.key().key(),
        }
    }

    /// Its value as [`Self::parse`] reads it.
    #[must_use]
    pub fn text(&self) -> String {
        fn or_empty<T: ToString>(value: Option<&T>) -> String {
            value.map_or_else(String::new, ToString::to_string)
        }
        match self {
            Self::Hostname(name) => or_empty(name.as_ref()),
            Self::Port(port) => port.number().to_string(),
            Self::Email(email) => or_empty(email.as_ref()),
            Self::Directory(directory) | Self::FallbackDirectory(directory) => {
                or_empty(directory.as_ref())
            }
            Self::FallbackAfter(failures) => or_empty(failures.map(Failures::number).as_ref()),
            Self::TrustedProxies(proxies) => {
                let proxies: Vec<String> = proxies.iter().map(ToString::to_string).collect();
                proxies.join(",")
            }
            // Where a secret is kept is nobody's business.
            Self::Notify(setting) if setting.key().is_secret() => {
                let is_set = !setting.value().is_empty();
                if is_set { "(hidden)" } else { "" }.to_owned()
            }
            Self::Notify(setting) => setting.text().to_owned(),
        }
    }

    /// What a person would be locked out by.
    #[must_use]
    pub fn is_of_the_address(&self) -> bool {
        matches!(self, Self::Hostname(_) | Self::Port(_))
    }
}

fn directory(text: &str) -> Result<DirectoryUrl, BadPanelSetting> {
    DirectoryUrl::parse(text).map_err(|_| BadPanelSetting::Directory)
}

fn failures(text: &str) -> Result<Failures, BadPanelSetting> {
    let number: u32 = text.parse().map_err(|_| BadPanelSetting::Failures)?;
    number.try_into().map_err(|_| BadPanelSetting::Failures)
}

fn hostname(text: &str) -> Result<Hostname, BadPanelSetting> {
    Hostname::parse(text).map_err(|reason| BadPanelSetting::Hostname(reason.to_string()))
}

fn proxies(text: &str) -> Result<Vec<IpAddr>, BadPanelSetting> {
    let words = text.split([',', ' ', '\n', '\r', '\t']);
    let mut found: Vec<IpAddr> = words
        .filter(|word| !word.is_empty())
        .map(|word| {
            word.parse()
                .map_err(|_| BadPanelSetting::Address(shown(word, 60)))
        })
        .collect::<Result<_, _>>()?;
    found.sort_unstable();
    found.dedup();
    if found.len() > MOST_PROXIES {
        return Err(BadPanelSetting::TooMany);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read_and_written_with_the_same_words() {
        for (key, text) in [
            ("panel.hostname", "panel.example"),
            ("panel.hostname", ""),
            ("panel.port", "9443"),
            ("acme.email", "admin@example.org"),
            ("acme.directory", "https://ca.example/dir"),
            ("acme.fallback_directory", "https://other.example/dir"),
            ("acme.fallback_after", "5"),
            ("acme.fallback_after", ""),
            ("panel.trusted_proxies", "192.0.2.1,2001:db8::1"),
        ] {
            let setting = PanelSetting::parse(key, text).unwrap();
            assert_eq!((setting.key(), setting.text().as_str()), (key, text));
        }
    }

    #[test]
    fn what_is_none_is_refused_with_what_would_be_one() {
        for (key, text, wanted) in [
            ("panel.hostname", "no name", "panel.example"),
            ("panel.port", "443", "sites'"),
            ("panel.port", "70000", "65535"),
            ("acme.email", "admin", "admin@example.org"),
            ("acme.email", "a@b.example\nx", "admin@example.org"),
            ("acme.directory", "http://ca.example", "https://"),
            ("acme.fallback_directory", "http://ca.example", "https://"),
            ("acme.fallback_after", "0", "1 to 12"),
            ("panel.trusted_proxies", "192.0.2.1, shop", "`shop`"),
            ("panel.prot", "1", "panel.port"),
        ] {
            let words = PanelSetting::parse(key, text).unwrap_err().to_string();
            assert!(words.contains(wanted), "{key}={text}: {words}");
        }
    }
}
