//! The fields of the page about notifications, and the secrets that wait between two presses of its button.
//!
//! Invariant: of a secret a form brings back its number alone.

use crate::domain::notify_setting::{NotifyKey, SecretId};
use crate::web::visit::Visit;

/// The field that brings where typed secrets are kept.
const KEPT: &str = "kept";

/// A field: what it sets, its name in the form, its label, its help.
pub(super) const FIELDS: [(NotifyKey, &str, &str, &str); 12] = [
    (
        NotifyKey::MailTo,
        "mail_to",
        "Who gets mail",
        "Addresses with commas between; empty for no mail.",
    ),
    (
        NotifyKey::MailFrom,
        "mail_from",
        "From whom (optional)",
        "Empty for the first of those who get it. Many mail servers take only mail of their own addresses.",
    ),
    (
        NotifyKey::SmtpHost,
        "smtp_host",
        "Mail server",
        "Its name, as in smtp.shop.example.",
    ),
    (
        NotifyKey::SmtpPort,
        "smtp_port",
        "Port (optional)",
        "Empty for the usual one: 587, 465 with TLS from the start, 25 on this machine.",
    ),
    (
        NotifyKey::SmtpSecurity,
        "smtp_security",
        "Encryption",
        "A certificate that is not trusted ends the try.",
    ),
    (
        NotifyKey::SmtpUser,
        "smtp_user",
        "Name at the mail server (optional)",
        "Empty where it asks for none; then its password is forgotten as well.",
    ),
    (
        NotifyKey::SmtpPassword,
        "smtp_password",
        "Password at the mail server",
        "It is kept where root alone can read it, and never shown again.",
    ),
    (
        NotifyKey::WebhookUrl,
        "webhook_url",
        "Address of a webhook",
        "Programs and chats are told there. It begins with https:// and is never shown again, since with many services it is the password.",
    ),
    (
        NotifyKey::WebhookSecret,
        "webhook_secret",
        "Secret of the webhook (optional)",
        "What is sent is signed with it, so that the receiver knows who it is from.",
    ),
    (
        NotifyKey::AfterSeconds,
        "after_seconds",
        "Seconds before somebody is told",
        "What passes sooner by itself is not told; 60 is usual.",
    ),
    (
        NotifyKey::DiskPercent,
        "disk_percent",
        "Percent of a disk",
        "When more is in use, somebody is told; 90 is usual.",
    ),
    (
        NotifyKey::MemoryPercent,
        "memory_percent",
        "Percent of the memory",
        "As for the disks; 95 is usual.",
    ),
];

/// Secrets that were typed and wait with the agent.
pub(super) struct Kept {
    pub(super) id: SecretId,
    pub(super) keys: Vec<NotifyKey>,
}

impl Kept {
    /// As the form brings it back: `NUMBER:smtp_password,webhook_url`.
    pub(super) fn of(visit: &Visit) -> Option<Self> {
        let (id, words) = visit.form.text(KEPT).split_once(':')?;
        let named =
            |key: &NotifyKey| key.is_secret() && words.split(',').any(|one| one == key.word());
        Some(Self {
            id: SecretId::parse(id).ok()?,
            keys: NotifyKey::ALL.into_iter().filter(named).collect(),
        })
    }

    /// As the form brings it back.
    pub(super) fn text(&self) -> String {
        let words: Vec<&str> = self.keys.iter().map(|key| key.word()).collect();
        format!("{}:{}", self.id, words.join(","))
    }
}
