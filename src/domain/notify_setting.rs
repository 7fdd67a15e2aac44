//! Settings of section `[notify]`, as they are asked for, planned and written down.
//!
//! Invariant: no secret is ever a value here: in its place stands the number under which root's vault keeps it.

use serde::{Deserialize, Serialize};

use crate::domain::authority::KeyText;
use crate::domain::notify::{MailAddress, MailHost, Percent, Recipients, WebhookUrl};
use crate::domain::parsed_text;
use crate::domain::text::{is_clean, shown};

/// What stands for the secrets that an operation took out of the settings.
const FORMER: &str = "former";
const MOST_SECONDS: u32 = 86_400;

/// The number under which secrets that were typed wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretId(String);

/// The text is no such number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("secrets are kept under 32 hexadecimal digits")]
pub struct BadSecretId;

impl SecretId {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, BadSecretId> {
        let is_one = text.len() == 32 && text.bytes().all(|b| b"0123456789abcdef".contains(&b));
        is_one.then(|| Self(text.to_owned())).ok_or(BadSecretId)
    }
}

parsed_text!(SecretId, BadSecretId);

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotifyKey {
    /// Who gets mail.
    MailTo,
    /// From whom.
    MailFrom,
    /// The server that takes it.
    SmtpHost,
    /// Its port.
    SmtpPort,
    /// How the way there is closed.
    SmtpSecurity,
    /// Who we are there.
    SmtpUser,
    /// The password for that.
    SmtpPassword,
    /// Where programs are told; with many services it is the password as well.
    WebhookUrl,
    /// With what it is signed.
    WebhookSecret,
    /// What lasts for so long is told.
    AfterSeconds,
    /// More of a disk in use needs somebody.
    DiskPercent,
    /// More of the memory in use needs somebody.
    MemoryPercent,
}

impl NotifyKey {
    /// All; a user and its password stand together.
    pub const ALL: [Self; 12] = [
        Self::MailTo,
        Self::MailFrom,
        Self::SmtpHost,
        Self::SmtpPort,
        Self::SmtpSecurity,
        Self::SmtpUser,
        Self::SmtpPassword,
        Self::WebhookUrl,
        Self::WebhookSecret,
        Self::AfterSeconds,
        Self::DiskPercent,
        Self::MemoryPercent,
    ];

    /// As in the settings file.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::MailTo => "notify.mail_to",
            Self::MailFrom => "notify.mail_from",
            Self::SmtpHost => "notify.smtp_host",
            Self::SmtpPort => "notify.smtp_port",
            Self::SmtpSecurity => "notify.smtp_security",
            Self::SmtpUser => "notify.smtp_user",
            Self::SmtpPassword => "notify.smtp_password",
            Self::WebhookUrl => "notify.webhook_url",
            Self::WebhookSecret => "notify.webhook_secret",
            Self::AfterSeconds => "notify.after_seconds",
            Self::DiskPercent => "notify.disk_percent",
            Self::MemoryPercent => "notify.memory_percent",
        }
    }

    /// Without the name of the section.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.key().trim_start_matches("notify.")
    }

    /// True for those that are never shown again.
    #[must_use]
    pub fn is_secret(self) -> bool {
        matches!(
            self,
            Self::SmtpPassword | Self::WebhookUrl | Self::WebhookSecret
        )
    }

    /// True for those that are numbers in the file.
    #[must_use]
    pub fn is_number(self) -> bool {
        matches!(
            self,
            Self::SmtpPort | Self::AfterSeconds | Self::DiskPercent | Self::MemoryPercent
        )
    }

    /// What goes with an empty text; none where that takes the value away.
    fn usual(self) -> &'static str {
        match self {
            Self::SmtpSecurity => "starttls",
            Self::AfterSeconds => "60",
            Self::DiskPercent => "90",
            Self::MemoryPercent => "95",
            _ => "",
        }
    }

    /// The value as it is written, or why it is none.
    fn read(self, text: &str) -> Result<String, String> {
        match self {
            Self::MailTo => Recipients::parse(text).map(String::from).map_err(|bad| bad.to_string()),
            Self::MailFrom => MailAddress::parse(text).map(String::from).map_err(|bad| bad.to_string()),
            Self::SmtpHost => MailHost::parse(text).map(String::from).map_err(|bad| bad.to_string()),
            Self::SmtpPort => match text.parse::<u16>() {
                Ok(port) if port > 0 => Ok(port.to_string()),
                _ => Err("the port of a mail server is a number from 1 to 65535; leave it empty for the usual one".to_owned()),
            },
            Self::SmtpSecurity => match text {
                "starttls" | "tls" | "none" => Ok(text.to_owned()),
                _ => Err(
                    "the way to the mail server is `starttls`, `tls`, or `none` for one on this machine"
                        .to_owned(),
                ),
            },
            Self::SmtpUser => (is_clean(text) && text.len() <= 254)
                .then(|| text.to_owned())
                .ok_or_else(|| "a user name at the mail server has 254 characters at most, and no line end".to_owned()),
            Self::SmtpPassword | Self::WebhookUrl | Self::WebhookSecret => {
                if text == FORMER {
                    return Ok(text.to_owned());
                }
                let what = "secrets are read from a file: see `lalapanel notify set --help`";
                SecretId::parse(text).map(String::from).map_err(|_| what.to_owned())
            }
            Self::AfterSeconds => match text.parse::<u32>() {
                Ok(seconds) if seconds <= MOST_SECONDS => Ok(seconds.to_string()),
                _ => Err("what lasts for 0 to 86400 seconds can be told; 60 is usual".to_owned()),
            },
            Self::DiskPercent | Self::MemoryPercent => {
                let number = text.parse::<u8>().ok().map(Percent::try_from);
                let number = number.and_then(Result::ok).map(|one| one.number().to_string());
                number.ok_or_else(|| "a threshold is a whole number from 1 to 100".to_owned())
            }
        }
    }
}

/// One with its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "(String, String)", into = "(String, String)")]
pub struct NotifySetting {
    key: NotifyKey,
    /// Empty where it is not set, or as usual: then it does not stand in the file.
    value: String,
}

impl NotifySetting {
    /// Reads one; an empty text takes a value away, or brings the usual one back.
    pub fn parse(key: NotifyKey, text: &str) -> Result<Self, String> {
        let text = text.trim();
        let value = match text {
            "" => String::new(),
            text if text == key.usual() => String::new(),
            text => key.read(text)?,
        };
        Ok(Self { key, value })
    }

    /// One of the secrets, as an operation took it out.
    #[must_use]
    pub fn former(key: NotifyKey) -> Self {
        Self {
            key,
            value: FORMER.to_owned(),
        }
    }

    /// One that is not set any more, or as usual.
    #[must_use]
    pub fn none(key: NotifyKey) -> Self {
        Self {
            key,
            value: String::new(),
        }
    }

    /// Which.
    #[must_use]
    pub fn key(&self) -> NotifyKey {
        self.key
    }

    /// Its value; of a secret where it is kept.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// As it is typed: what is usual where nothing is set.
    #[must_use]
    pub fn text(&self) -> &str {
        match self.value.as_str() {
            "" => self.key.usual(),
            text => text,
        }
    }

    /// True where it stands for what an operation took out.
    #[must_use]
    pub fn is_former(&self) -> bool {
        self.key.is_secret() && self.value == FORMER
    }
}

impl TryFrom<(String, String)> for NotifySetting {
    type Error = String;
    fn try_from((key, value): (String, String)) -> Result<Self, Self::Error> {
        let known = NotifyKey::ALL.into_iter().find(|one| one.key() == key);
        let key = known.ok_or_else(|| format!("there is no setting `{}`", shown(&key, 60)))?;
        Self::parse(key, &value)
    }
}

impl From<NotifySetting> for (String, String) {
    fn from(setting: NotifySetting) -> Self {
        (setting.key.key().to_owned(), setting.value)
    }
}

/// The secrets of the section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotifySecrets {
    /// The password at the mail server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp_password: Option<KeyText>,
    /// Where programs are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<WebhookUrl>,
    /// With what it is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_secret: Option<KeyText>,
}

impl NotifySecrets {
    /// One of them.
    #[must_use]
    pub fn of(&self, key: NotifyKey) -> Option<&str> {
        match key {
            NotifyKey::SmtpPassword => self.smtp_password.as_ref().map(KeyText::reveal),
            NotifyKey::WebhookUrl => self.webhook_url.as_ref().map(WebhookUrl::as_str),
            NotifyKey::WebhookSecret => self.webhook_secret.as_ref().map(KeyText::reveal),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_none_is_refused_with_what_would_be_one() {
        for (key, text, wanted) in [
            (NotifyKey::MailTo, "ops", "ops@shop.example"),
            (NotifyKey::SmtpHost, "smtp.example:25", "without a port"),
            (NotifyKey::SmtpPort, "0", "65535"),
            (NotifyKey::SmtpSecurity, "ssl", "starttls"),
            (NotifyKey::SmtpUser, "a\nb", "no line end"),
            (NotifyKey::SmtpPassword, "hunter2", "from a file"),
            (NotifyKey::AfterSeconds, "90000", "86400"),
            (NotifyKey::DiskPercent, "101", "1 to 100"),
        ] {
            let words = NotifySetting::parse(key, text).unwrap_err();
            assert!(words.contains(wanted), "{}: {words}", key.key());
        }
    }

    #[test]
    fn an_empty_text_takes_away_or_brings_the_usual_back() {
        for (key, wanted) in [
            (NotifyKey::MailTo, ""),
            (NotifyKey::SmtpPassword, ""),
            (NotifyKey::SmtpSecurity, "starttls"),
            (NotifyKey::DiskPercent, "90"),
        ] {
            let usual = NotifySetting::parse(key, wanted).unwrap();
            assert_eq!(usual, NotifySetting::none(key));
            let setting = NotifySetting::parse(key, " ").unwrap();
            assert_eq!(setting.text(), wanted);
            assert_eq!(setting, NotifySetting::none(key));
            let text = serde_json::to_string(&setting).unwrap();
            assert_eq!(
                serde_json::from_str::<NotifySetting>(&text).unwrap(),
                setting
            );
        }
        assert!(serde_json::from_str::<NotifySetting>(r#"["notify.smtp_password","x"]"#).is_err());
        assert!(NotifySetting::former(NotifyKey::WebhookUrl).is_former());
    }
}
