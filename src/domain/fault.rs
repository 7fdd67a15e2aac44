//! The one error a person reads: what is so, and what to do next.
//!
//! Invariant: every code is in the table below, once; codes are promises to scripts and never change.

use serde::{Deserialize, Serialize};

use crate::domain::id::OperationId;

/// What a fault means for the caller, from which doors choose a status or an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The input cannot be accepted as it is.
    Invalid,
    /// The thing named does not exist, or not for this caller.
    Missing,
    /// The input clashes with what exists now.
    Conflict,
    /// Nobody is signed in.
    Unauthenticated,
    /// Somebody is signed in and may not do this.
    Forbidden,
    /// Too many tries; later it may work.
    Limited,
    /// The machine or a service on it could not do it.
    Unavailable,
    /// A person is needed before anything else can happen.
    Stuck,
}

macro_rules! codes {
    ($($variant:ident $text:literal $kind:ident),* $(,)?) => {
        /// A stable fault code such as `site.hostname_taken`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code { $(#[doc = concat!("`", $text, "`")] #[serde(rename = $text)] $variant),* }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable text of this code.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// What this fault means for the caller.
            #[must_use]
            pub fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind),* }
            }
        }
    };
}

codes! {
    HostnameInvalid "site.hostname_invalid" Invalid,
    HostnameTaken "site.hostname_taken" Conflict,
    HostnameReserved "site.hostname_reserved" Conflict,
    HostnameForeign "site.hostname_foreign" Conflict,
    SiteNotFound "site.not_found" Missing,
    SiteDirectoryExists "site.directory_exists" Conflict,
    SiteConfirmation "site.confirmation" Invalid,
    SiteUnhealthy "site.unhealthy" Unavailable,
    SettingInvalid "site.setting_invalid" Invalid,
    CertificateRefused "certificate.refused" Invalid,
    CertificateMissing "certificate.missing" Missing,
    CertificateUnseen "certificate.unseen" Unavailable,
    CertificateUnissued "certificate.unissued" Unavailable,
    DnsUnknown "dns.unknown" Missing,
    DnsInvalid "dns.invalid" Invalid,
    DnsUsed "dns.in_use" Conflict,
    LogNone "log.none" Missing,
    LogMissing "log.missing" Unavailable,
    PhpNotInstalled "php.not_installed" Conflict,
    PhpSilent "php.silent" Unavailable,
    PhpInUse "php.in_use" Conflict,
    PhpUnavailable "php.unavailable" Conflict,
    PhpWorse "php.worse" Unavailable,
    DatabaseInvalid "database.name_invalid" Invalid,
    DatabaseTaken "database.name_taken" Conflict,
    DatabaseNotFound "database.not_found" Missing,
    DatabaseUserNotFound "database.user_not_found" Missing,
    DatabaseOwnUser "database.own_user" Conflict,
    DatabaseUnexported "database.unexported" Unavailable,
    DatabaseUnloaded "database.unloaded" Invalid,
    DatabaseFile "database.file" Invalid,
    DatabaseSiteFile "database.site_file" Conflict,
    DatabaseConfirmation "database.confirmation" Invalid,
    MariadbSilent "mariadb.silent" Unavailable,
    MariadbRefused "mariadb.refused" Unavailable,
    WordpressArchive "wordpress.archive" Invalid,
    WordpressFailed "wordpress.failed" Unavailable,
    WordpressUnfetched "wordpress.unfetched" Unavailable,
    ServiceRefused "service.refused" Conflict,
    NginxBroken "nginx.broken" Conflict,
    NginxRejected "nginx.rejected" Unavailable,
    NginxStopped "nginx.stopped" Conflict,
    NginxUnconfirmed "nginx.unconfirmed" Unavailable,
    DiskFull "host.disk_full" Unavailable,
    HostFailed "host.failed" Unavailable,
    ProgramFailed "host.program_failed" Unavailable,
    Drift "host.drift" Conflict,
    DriftUnkept "host.drift_unkept" Conflict,
    SnippetRefused "site.snippet_refused" Invalid,
    PlanChanged "plan.changed" Conflict,
    OperationBusy "operation.busy" Limited,
    OperationNotFound "operation.not_found" Missing,
    OperationStuck "operation.stuck" Stuck,
    StateNewer "state.newer" Unavailable,
    StateFailed "state.failed" Unavailable,
    AgentUnreachable "agent.unreachable" Unavailable,
    CourierUnreachable "courier.unreachable" Unavailable,
    NotifyUnset "notify.unset" Conflict,
    NotifyUnsent "notify.unsent" Unavailable,
    RequestInvalid "request.invalid" Invalid,
    Unauthenticated "session.required" Unauthenticated,
    LoginRefused "session.refused" Unauthenticated,
    LoginLimited "session.limited" Limited,
    Forbidden "session.forbidden" Forbidden,
    ConfirmationNeeded "session.confirm" Forbidden,
    SetupClosed "setup.closed" Missing,
    NameInvalid "account.name_invalid" Invalid,
    NameTaken "account.name_taken" Conflict,
    AccountNotFound "account.not_found" Missing,
    TokenInvalid "token.invalid" Invalid,
    TokenTaken "token.taken" Conflict,
    TokenNotFound "token.not_found" Missing,
    TokenRefused "token.refused" Unauthenticated,
    TokenScope "token.scope" Forbidden,
    LastOwner "account.last_owner" Conflict,
    PasswordWeak "account.password_weak" Invalid,
    NotRoot "install.not_root" Forbidden,
    Unsupported "install.unsupported" Conflict,
    PortTaken "install.port_taken" Conflict,
    MemoryShort "install.memory" Conflict,
    DiskShort "install.disk" Conflict,
    AptLists "install.apt_lists" Conflict,
    AptBroken "install.apt_broken" Conflict,
    AptFailed "install.apt_failed" Unavailable,
    AptLocked "install.apt_locked" Unavailable,
    NameResolution "install.name_resolution" Conflict,
    InstallRunning "install.running" Conflict,
    NotInstalled "install.missing" Missing,
    AnswersInvalid "install.answers_invalid" Invalid,
    ConfigInvalid "config.invalid" Invalid,
    AuditBroken "audit.broken" Stuck,
}

/// What went wrong, in words for the person at the browser or the shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{title}")]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The stable code scripts may test for.
    pub code: Code,
    /// One sentence: what is so.
    pub title: String,
    /// More of it, where more helps; never a secret.
    #[serde(default)]
    pub detail: String,
    /// The next step.
    pub hint: String,
    /// The operation in which it happened, if one had begun.
    #[serde(default)]
    pub operation: Option<OperationId>,
}

impl Fault {
    /// A fault with its title and the next step.
    #[must_use]
    pub fn new(code: Code, title: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            code,
            title: title.into(),
            detail: String::new(),
            hint: hint.into(),
            operation: None,
        }
    }

    /// Adds the line that names the culprit.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Names the operation this belongs to.
    #[must_use]
    pub fn in_operation(mut self, id: OperationId) -> Self {
        self.operation = Some(id);
        self
    }

    /// What this fault means for the caller.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.code.kind()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_look_alike() {
        let mut seen = std::collections::BTreeSet::new();
        for code in Code::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "{text} is listed twice");
            assert!(
                text.split_once('.')
                    .is_some_and(|(a, b)| !a.is_empty() && !b.is_empty())
            );
            assert!(
                text.bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'_')
            );
        }
    }

    #[test]
    fn a_fault_survives_the_wire() {
        let fault = Fault::new(Code::HostnameTaken, "a", "b").detail("c");
        let text = serde_json::to_string(&fault).unwrap();
        assert!(text.contains("\"site.hostname_taken\""));
        assert_eq!(serde_json::from_str::<Fault>(&text).unwrap(), fault);
    }
}
