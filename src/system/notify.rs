//! Section `[notify]` of the settings: who is told of what needs somebody, and from when on.
//!
//! Invariant: a way that is set is set wholly; no secret in it is shown by `Debug`.

use serde::{Deserialize, Serialize};

use crate::domain::authority::KeyText;
use crate::domain::notice::Way;
use crate::domain::notify::{MailAddress, MailHost, MailSecurity, Percent, Recipients, WebhookUrl};
use crate::domain::notify_setting::{NotifyKey, NotifySetting};
use crate::domain::path::HostPath;
use crate::domain::text;

/// What lasts for so long is told.
const AFTER_SECONDS: u32 = 60;
const MOST_SECONDS: u32 = 86_400;

/// Section `[notify]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Notify {
    /// Who gets mail; several with commas between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail_to: Option<Recipients>,
    /// From whom; the first of those who get it where it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail_from: Option<MailAddress>,
    /// The server that takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smtp_host: Option<MailHost>,
    /// Its port; the usual one of `smtp_security` where it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smtp_port: Option<u16>,
    /// How the way there is closed.
    pub smtp_security: MailSecurity,
    /// Who we are there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smtp_user: Option<String>,
    /// The password for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smtp_password: Option<KeyText>,
    /// Roots to trust for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smtp_ca_file: Option<HostPath>,
    /// Where programs are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<WebhookUrl>,
    /// With what it is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_secret: Option<KeyText>,
    /// Roots to trust for that server's HTTPS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_ca_file: Option<HostPath>,
    /// What lasts for so long is told.
    pub after_seconds: u32,
    /// More of a disk in use needs somebody.
    pub disk_percent: Percent,
    /// More of the memory in use needs somebody.
    pub memory_percent: Percent,
}

impl Default for Notify {
    fn default() -> Self {
        Self {
            mail_to: None,
            mail_from: None,
            smtp_host: None,
            smtp_port: None,
            smtp_security: MailSecurity::default(),
            smtp_user: None,
            smtp_password: None,
            smtp_ca_file: None,
            webhook_url: None,
            webhook_secret: None,
            webhook_ca_file: None,
            after_seconds: AFTER_SECONDS,
            disk_percent: Percent::fixed(90),
            memory_percent: Percent::fixed(95),
        }
    }
}

impl Notify {
    /// Whether nothing of it is set.
    #[must_use]
    pub fn is_unset(&self) -> bool {
        *self == Self::default()
    }

    /// The ways of telling that are set.
    #[must_use]
    pub fn ways(&self) -> Vec<Way> {
        let mail = self.mail_to.as_ref().map(|_| Way::Mail);
        let webhook = self.webhook_url.as_ref().map(|_| Way::Webhook);
        mail.into_iter().chain(webhook).collect()
    }

    /// Whom a way tells, for people: `ops@shop.example by smtp.shop.example:587`.
    #[must_use]
    pub fn target(&self, way: Way) -> String {
        match way {
            Way::Mail => {
                let to = self.mail_to.clone().map(String::from).unwrap_or_default();
                let server = self.smtp_host.as_ref().map_or("", MailHost::as_str);
                format!("{to} by {server}:{}", self.port())
            }
            // Not the path: with many services it is the password.
            Way::Webhook => {
                let url = self.webhook_url.as_ref();
                url.map_or("", WebhookUrl::host).to_owned()
            }
        }
    }

    /// The value of a setting as it is typed; of a secret only that there is one.
    #[must_use]
    pub fn value(&self, key: NotifyKey) -> NotifySetting {
        fn text<T: Clone + Into<String>>(value: Option<&T>) -> String {
            value.cloned().map(Into::into).unwrap_or_default()
        }
        let is_kept = match key {
            NotifyKey::SmtpPassword => self.smtp_password.is_some(),
            NotifyKey::WebhookUrl => self.webhook_url.is_some(),
            NotifyKey::WebhookSecret => self.webhook_secret.is_some(),
            _ => false,
        };
        let text = match key {
            NotifyKey::MailTo => text(self.mail_to.as_ref()),
            NotifyKey::MailFrom => text(self.mail_from.as_ref()),
            NotifyKey::SmtpHost => text(self.smtp_host.as_ref()),
            NotifyKey::SmtpPort => self
                .smtp_port
                .map(|port| port.to_string())
                .unwrap_or_default(),
            NotifyKey::SmtpSecurity => self.smtp_security.word().to_owned(),
            NotifyKey::SmtpUser => text(self.smtp_user.as_ref()),
            NotifyKey::AfterSeconds => self.after_seconds.to_string(),
            NotifyKey::DiskPercent => self.disk_percent.number().to_string(),
            NotifyKey::MemoryPercent => self.memory_percent.number().to_string(),
            NotifyKey::SmtpPassword | NotifyKey::WebhookUrl | NotifyKey::WebhookSecret
                if is_kept =>
            {
                return NotifySetting::former(key);
            }
            NotifyKey::SmtpPassword | NotifyKey::WebhookUrl | NotifyKey::WebhookSecret => {
                String::new()
            }
        };
        // What was written by hand and could not be typed counts as not set.
        NotifySetting::parse(key, &text).unwrap_or_else(|_| NotifySetting::none(key))
    }

    /// The port of the mail server.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.smtp_port.unwrap_or(self.smtp_security.port())
    }

    /// What does not go together, in words.
    pub fn check(&self) -> Result<(), &'static str> {
        let needed = [
            (
                self.mail_to.is_some() && self.smtp_host.is_none(),
                "`notify.mail_to` needs `notify.smtp_host`, the server that takes the mail",
            ),
            (
                self.smtp_security == MailSecurity::None
                    && !self
                        .smtp_host
                        .as_ref()
                        .is_none_or(MailHost::is_this_machine),
                "`notify.smtp_security = \"none\"` is for a mail server on this machine (localhost, 127.0.0.1, ::1)",
            ),
            (
                self.smtp_user.is_some() != self.smtp_password.is_some(),
                "`notify.smtp_user` and `notify.smtp_password` belong together",
            ),
            (
                self.smtp_user
                    .as_deref()
                    .is_some_and(|user| !text::is_clean(user)),
                "`notify.smtp_user` holds a character that no user name has",
            ),
            (
                self.webhook_secret.is_some() && self.webhook_url.is_none(),
                "`notify.webhook_secret` needs `notify.webhook_url`",
            ),
            (
                self.after_seconds > MOST_SECONDS,
                "`notify.after_seconds` is a day (86400) at most",
            ),
        ];
        let wrong = needed.into_iter().find(|(is_so, _)| *is_so);
        wrong.map_or(Ok(()), |(_, words)| Err(words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::config::Config;

    const WHOLE: &str = "[notify]\nmail_to = \"ops@shop.example\"\nsmtp_host = \"smtp.shop.example\"\nsmtp_user = \"ops\"\nsmtp_password = \"hunter2hunter2\"\nwebhook_url = \"https://chat.shop.example/hooks/secret\"\nwebhook_secret = \"canary-canary\"\ndisk_percent = 80\n";

    #[test]
    fn ways_that_are_set_are_read_and_written_back() {
        let config = Config::parse(WHOLE).unwrap();
        assert_eq!(config.notify.ways(), [Way::Mail, Way::Webhook]);
        assert_eq!(
            config.notify.target(Way::Mail),
            "ops@shop.example by smtp.shop.example:587"
        );
        assert_eq!(config.notify.target(Way::Webhook), "chat.shop.example");
        assert_eq!(Config::parse(&config.text()).unwrap(), config);
        assert!(!Config::default().text().contains("notify"));
    }

    #[test]
    fn no_secret_of_it_is_shown() {
        let seen = format!("{:?}", Config::parse(WHOLE).unwrap());
        assert!(
            !seen.contains("hunter2") && !seen.contains("canary"),
            "{seen}"
        );
    }

    #[test]
    fn what_does_not_go_together_is_named() {
        for (without, word) in [
            ("smtp_host = \"smtp.shop.example\"\n", "smtp_host"),
            ("smtp_user = \"ops\"\n", "smtp_user"),
            (
                "webhook_url = \"https://chat.shop.example/hooks/secret\"\n",
                "webhook_url",
            ),
        ] {
            let fault = Config::parse(&WHOLE.replace(without, "")).unwrap_err();
            assert!(fault.detail.contains(word), "{}", fault.detail);
        }
        let plain = format!("{WHOLE}smtp_security = \"none\"\n");
        let fault = Config::parse(&plain).unwrap_err();
        assert!(fault.detail.contains("this machine"), "{}", fault.detail);
        assert!(Config::parse(&plain.replace("smtp.shop.example", "localhost")).is_ok());
        assert!(Config::parse("[notify]\ndisk_percent = 101\n").is_err());
        assert!(Config::parse("[notify]\nwebhook_url = \"http://x.example/\"\n").is_err());
    }
}
