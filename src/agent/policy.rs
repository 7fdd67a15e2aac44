//! Who may ask what, and how it is written down: one table over every request there is.
//!
//! Invariant: the match is exhaustive and has no wildcard, so a new request does not compile without its row.

use crate::domain::account::{Actor, Role};
use crate::domain::fault::{Code, Fault};
use crate::domain::time::Timestamp;
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
        | Request::AccountDelete { .. } => row(LocalRoot, Change, true),
        Request::Status {}
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
        | Request::PhpList {}
        | Request::DatabaseList {}
        | Request::DatabaseShow { .. }
        | Request::Preview { .. }
        | Request::LogRead { .. }
        | Request::OperationList { .. }
        | Request::OperationShow { .. }
        | Request::AuditList { .. }
        | Request::AuditVerify {}
        | Request::Doctor {} => row(Owner, None, true),
        Request::LogFollow { .. } | Request::OperationFollow { .. } => row(Owner, None, false),
        Request::Apply { .. }
        | Request::CertificateDeposit { .. }
        | Request::CertificateDiscard { .. }
        | Request::CertificateIssue { .. }
        | Request::CertificateRenew { .. }
        | Request::WordpressFetch {}
        | Request::DatabaseExport { .. }
        | Request::DatabaseLoad { .. }
        | Request::DatabaseDiscard { .. }
        | Request::OperationCheck { .. } => row(Owner, Change, true),
    }
}

/// Lets the request through, or says why not. Nobody signed in is answered the same for every request.
pub fn authorize(who: Who, actor: Option<&Actor>) -> Result<(), Fault> {
    let Some(actor) = actor else {
        return match who {
            Who::Anyone => Ok(()),
            Who::Session | Who::Owner | Who::LocalRoot => Err(unauthenticated()),
        };
    };
    let allowed = match (who, actor) {
        (_, Actor::LocalRoot)
        | (Who::Anyone | Who::Session, Actor::Account { .. })
        | (
            Who::Owner,
            Actor::Account {
                role: Role::Owner, ..
            },
        ) => true,
        (Who::LocalRoot, Actor::Account { .. }) | (_, Actor::Recovery | Actor::Panel) => false,
    };
    if allowed { Ok(()) } else { Err(forbidden()) }
}

/// How long a password counts as typed just now.
const FRESH_SECONDS: u64 = 10 * 60;

/// Some changes ask for the password again, where it was typed too long ago (`confirmed`).
pub fn confirmed(request: &Request, confirmed: Timestamp, now: Timestamp) -> Result<(), Fault> {
    let asks = matches!(request, Request::Apply { change, .. } if change.brings_directives());
    if !asks || now.millis_since(confirmed) <= FRESH_SECONDS * 1000 {
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

fn forbidden() -> Fault {
    Fault::new(
        Code::Forbidden,
        "This can only be done by root on the server itself",
        "open a root shell on the server and run `lalapanel --help`",
    )
}

#[cfg(test)]
pub(super) mod tests;
