//! Who may ask what, and how it is written down: one table over every request there is.
//!
//! Invariant: the match is exhaustive and has no wildcard, so a new request does not compile without its row.

use crate::domain::account::{Actor, Role};
use crate::domain::fault::{Code, Fault};
use crate::domain::time::Timestamp;
use crate::domain::token::Scope;
use crate::rpc::protocol::Request;

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Whoever reaches the panel.
    Anyone,
    /// Whoever is signed in, about themselves.
    Session,
    /// A signed-in owner.
    Owner,
    /// Root's shell on this server. Why so for accounts: whoever takes over the web process must not be able to make one.
    LocalRoot,
}

/// How it is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audit {
    /// Not at all: it changes nothing.
    None,
    /// Once it is answered.
    Outcome,
    /// Before it is done, and again once it is answered. Where that cannot be written, it is not done.
    Change,
}

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Who may ask.
    pub who: Who,
    /// How it is written down.
    pub audit: Audit,
    /// Whether it counts as somebody being there, for the end of an idle session.
    pub keeps_alive: bool,
    /// Whether it checks a secret, so that wrong ones count against the address they come from.
    pub limited: bool,
}

/// The row of a request.
#[must_use]
pub fn rule(request: &Request) -> Rule {
    use Audit::{Change, None, Outcome};
    use Who::{Anyone, LocalRoot, Owner, Session};
    let row = |who, audit, keeps_alive| Rule {
        who,
        audit,
        keeps_alive,
        limited: false,
    };
    let limited = |row| Rule {
        limited: true,
        ..row
    };
    match request {
        Request::Ping {} | Request::Panel {} => row(Anyone, None, false),
        Request::SetupCheck { .. } => limited(row(Anyone, None, false)),
        Request::SetupComplete { .. } => limited(row(Anyone, Change, false)),
        Request::Login { .. } => limited(row(Anyone, Outcome, false)),
        Request::Logout {} => row(Session, Outcome, false),
        Request::Session { passive } => row(Session, None, !passive),
        Request::AccountPassword { .. } => limited(row(Session, Change, true)),
        Request::Confirm { .. } => limited(row(Session, Outcome, true)),
        Request::AdminLink {}
        | Request::AdminUnban { .. }
        | Request::AccountCreate { .. }
        | Request::AccountDisable { .. }
        | Request::AccountDelete { .. }
        | Request::TokenCreate { .. }
        | Request::TokenRevoke { .. }
        | Request::DnsProgram { .. } => row(LocalRoot, Change, true),
        Request::Status {}
        | Request::TokenList {}
        | Request::AccountList {}
        | Request::Home {}
        | Request::SiteList {}
        | Request::SiteTrash {}
        | Request::SiteShow { .. }
        | Request::SiteNginx { .. }
        | Request::ForeignSites {}
        | Request::SiteOptions {}
        | Request::CertificateList {}
        | Request::CertificateShow { .. }
        | Request::CertificatePlan { .. }
        | Request::DnsList {}
        | Request::PhpList {}
        | Request::DatabaseList {}
        | Request::DatabaseShow { .. }
        | Request::Preview { .. }
        | Request::LogRead { .. }
        | Request::OperationList { .. }
        | Request::OperationShow { .. }
        | Request::AuditList { .. }
        | Request::AuditVerify {}
        | Request::Doctor {}
        | Request::NotifyStatus {}
        | Request::SettingsShow {}
        | Request::Monitor { .. }
        | Request::Uptime { .. } => row(Owner, None, true),
        Request::LogFollow { .. } | Request::OperationFollow { .. } => row(Owner, None, false),
        Request::Apply { .. }
        | Request::CertificateDeposit { .. }
        | Request::CertificateDiscard { .. }
        | Request::CertificateIssue { .. }
        | Request::CertificateRenew { .. }
        | Request::DnsPut { .. }
        | Request::DnsRemove { .. }
        | Request::WordpressFetch {}
        | Request::DatabaseExport { .. }
        | Request::DatabaseLoad { .. }
        | Request::DatabaseDiscard { .. }
        | Request::NotifyStage { .. }
        | Request::NotifyTest {}
        | Request::OperationCheck { .. } => row(Owner, Change, true),
    }
}

/// Lets the request through, or says why not. Nobody signed in is answered the same for every request.
pub fn authorize(rule: Rule, actor: Option<&Actor>) -> Result<(), Fault> {
    let who = rule.who;
    let Some(actor) = actor else {
        return match who {
            Who::Anyone => Ok(()),
            Who::Session | Who::Owner | Who::LocalRoot => Err(unauthenticated()),
        };
    };
    if let Actor::Token {
        scope: Scope::Read, ..
    } = actor
        && rule.audit != Audit::None
    {
        return Err(read_only());
    }
    let allowed = match (who, actor) {
        (_, Actor::LocalRoot)
        | (Who::Anyone | Who::Session, Actor::Account { .. })
        | (
            Who::Owner,
            Actor::Account {
                role: Role::Owner, ..
            }
            | Actor::Token {
                role: Role::Owner, ..
            },
        )
        | (Who::Anyone, Actor::Token { .. }) => true,
        (Who::Session, Actor::Token { .. }) => return Err(for_people()),
        (Who::LocalRoot, Actor::Account { .. } | Actor::Token { .. })
        | (_, Actor::Recovery | Actor::Panel) => false,
    };
    if allowed { Ok(()) } else { Err(forbidden()) }
}

/// How long a password counts as typed just now.
const FRESH_SECONDS: u64 = 10 * 60;

fn asks_for_the_password(request: &Request) -> bool {
    matches!(request, Request::Apply { change, .. } if change.brings_directives())
}

/// What asks a person for the password again is not for programs.
pub fn unattended(request: &Request) -> Result<(), Fault> {
    if asks_for_the_password(request) {
        Err(for_people())
    } else {
        Ok(())
    }
}

/// Some changes ask for the password again, where it was typed too long ago (`confirmed`).
pub fn confirmed(request: &Request, confirmed: Timestamp, now: Timestamp) -> Result<(), Fault> {
    let is_fresh = now.millis_since(confirmed) <= FRESH_SECONDS * 1000;
    if !asks_for_the_password(request) || is_fresh {
        return Ok(());
    }
    Err(Fault::new(
        Code::ConfirmationNeeded,
        "This change asks for your password once more",
        "type the password you sign in with",
    ))
}

/// Nobody is signed in, or not any more.
#[must_use]
pub fn unauthenticated() -> Fault {
    Fault::new(
        Code::Unauthenticated,
        "Nobody is signed in",
        "sign in; on the server itself, run `lalapanel` as root",
    )
}

/// Somebody brought a token that is none, or none any more.
#[must_use]
pub fn bad_token() -> Fault {
    Fault::new(
        Code::TokenRefused,
        "This token is not known here, or has expired",
        "make a new one with `lalapanel token create` as root on the server",
    )
}

fn read_only() -> Fault {
    Fault::new(
        Code::TokenScope,
        "This token may look at everything and change nothing",
        "make one with `lalapanel token create NAME --scope write` as root on the server",
    )
}

fn for_people() -> Fault {
    Fault::new(
        Code::TokenScope,
        "This is for people who are signed in, not for tokens",
        "do it in the browser, or as root on the server",
    )
}

fn forbidden() -> Fault {
    Fault::new(
        Code::Forbidden,
        "This can only be done by root on the server itself",
        "open a root shell on the server and run `lalapanel --help`",
    )
}

#[cfg(test)]
pub(super) mod tests;
