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
pub(super) mod tests {
    use super::*;
    use crate::domain::account::AccountName;
    use crate::domain::certificate::{Fingerprint, PrivateKey};
    use crate::domain::change::Change as SiteChange;
    use crate::domain::id::OperationId;
    use crate::domain::log::{LogFile, LogFilter};
    use crate::domain::name::Hostname;
    use crate::domain::secret::{Password, Token};

    /// One of every request, with the name of its variant.
    #[expect(clippy::too_many_lines, reason = "one of every request there is")]
    pub(in crate::agent) fn one_of_each() -> Vec<(&'static str, Request)> {
        let link = || Token::from_random([1; 32]);
        let name = || AccountName::parse("mara").unwrap();
        let password = || Password::typed("mauve otter tin sky".to_owned());
        let hostname = || Hostname::parse("shop.example").unwrap();
        let change = || SiteChange::SiteEnable {
            hostname: hostname(),
        };
        let id = OperationId::from_parts(1, [1; 10]);
        let read = |text| serde_json::from_str::<Request>(text).unwrap();
        vec![
            ("Ping", Request::Ping {}),
            ("Panel", Request::Panel {}),
            ("Status", Request::Status {}),
            ("SetupCheck", Request::SetupCheck { link: link() }),
            (
                "SetupComplete",
                Request::SetupComplete {
                    link: link(),
                    name: name(),
                    password: password(),
                },
            ),
            (
                "Login",
                Request::Login {
                    name: "mara".to_owned(),
                    password: password(),
                    device: None,
                },
            ),
            ("Logout", Request::Logout {}),
            ("Session", Request::Session { passive: false }),
            ("AdminLink", Request::AdminLink {}),
            ("AdminUnban", Request::AdminUnban { address: None }),
            ("AccountList", Request::AccountList {}),
            (
                "AccountCreate",
                Request::AccountCreate {
                    name: name(),
                    password: password(),
                },
            ),
            (
                "AccountPassword",
                Request::AccountPassword {
                    name: name(),
                    password: password(),
                    current: None,
                },
            ),
            (
                "Confirm",
                Request::Confirm {
                    password: password(),
                },
            ),
            ("AccountDelete", Request::AccountDelete { name: name() }),
            (
                "AccountDisable",
                Request::AccountDisable {
                    name: name(),
                    disabled: true,
                },
            ),
            ("Home", Request::Home {}),
            ("SiteList", Request::SiteList {}),
            ("SiteTrash", Request::SiteTrash {}),
            (
                "SiteShow",
                Request::SiteShow {
                    hostname: hostname(),
                },
            ),
            (
                "SiteNginx",
                Request::SiteNginx {
                    hostname: hostname(),
                },
            ),
            ("ForeignSites", Request::ForeignSites {}),
            ("SiteOptions", Request::SiteOptions {}),
            ("WordpressFetch", Request::WordpressFetch {}),
            ("CertificateList", Request::CertificateList {}),
            (
                "CertificateShow",
                Request::CertificateShow {
                    hostname: hostname(),
                },
            ),
            (
                "CertificateDeposit",
                Request::CertificateDeposit {
                    hostname: hostname(),
                    chain: String::new(),
                    key: PrivateKey::typed(String::new()),
                },
            ),
            (
                "CertificateIssue",
                Request::CertificateIssue {
                    hostname: hostname(),
                    staging: false,
                },
            ),
            (
                "CertificateRenew",
                Request::CertificateRenew {
                    hostname: None,
                    force: false,
                },
            ),
            (
                "CertificateDiscard",
                Request::CertificateDiscard {
                    hostname: hostname(),
                    fingerprint: Fingerprint::parse(&"ab".repeat(32)).unwrap(),
                },
            ),
            ("PhpList", Request::PhpList {}),
            ("DatabaseList", Request::DatabaseList {}),
            (
                "DatabaseExport",
                read(r#"{"database_export":{"name":"shop_db"}}"#),
            ),
            (
                "DatabaseLoad",
                read(r#"{"database_load":{"name":"shop_db","unfinished":false}}"#),
            ),
            (
                "DatabaseDiscard",
                read(r#"{"database_discard":{"name":"shop_db","import":"01010101"}}"#),
            ),
            ("Preview", Request::Preview { change: change() }),
            (
                "Apply",
                Request::Apply {
                    change: change(),
                    plan: None,
                    operation: None,
                },
            ),
            (
                "LogRead",
                Request::LogRead {
                    hostname: hostname(),
                    file: LogFile::Access,
                    filter: LogFilter::default(),
                    lines: 9,
                    before: None,
                },
            ),
            (
                "LogFollow",
                Request::LogFollow {
                    hostname: hostname(),
                    file: LogFile::Access,
                    filter: LogFilter::default(),
                    after: None,
                    whole: false,
                },
            ),
            ("OperationList", Request::OperationList { limit: 9 }),
            ("OperationShow", Request::OperationShow { id }),
            ("OperationFollow", Request::OperationFollow { id, after: 0 }),
            ("OperationCheck", Request::OperationCheck { id }),
            ("AuditList", Request::AuditList { limit: 9 }),
            ("AuditVerify", Request::AuditVerify {}),
            ("Doctor", Request::Doctor {}),
        ]
    }

    #[test]
    fn every_request_of_the_protocol_is_in_the_matrix() {
        let source = include_str!("../rpc/protocol.rs");
        let body = source.split("pub enum Request {").nth(1).unwrap();
        let body = body.split("\n}").next().unwrap();
        let variants: Vec<&str> = body
            .lines()
            .filter_map(|line| line.strip_prefix("    "))
            .filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()))
            .map(|line| line.split(' ').next().unwrap())
            .collect();
        let listed: Vec<&str> = one_of_each().into_iter().map(|(name, _)| name).collect();
        assert_eq!(listed, variants);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a golden file of the repository")]
    fn the_matrix_is_the_one_that_was_reviewed() {
        use std::fmt::Write as _;
        let mut text = String::from("request          who        audit    alive  limited\n");
        for (name, request) in one_of_each() {
            let rule = rule(&request);
            let (who, audit) = (format!("{:?}", rule.who), format!("{:?}", rule.audit));
            let word = |yes| if yes { "yes" } else { "no" };
            let (alive, limited) = (word(rule.keeps_alive), word(rule.limited));
            writeln!(text, "{name:<16} {who:<10} {audit:<8} {alive:<6} {limited}").unwrap();
        }
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/policy.txt");
        if std::env::var_os("LALAPANEL_GOLDEN").is_some_and(|value| value == "write") {
            std::fs::write(golden, &text).unwrap();
        }
        assert_eq!(text, std::fs::read_to_string(golden).unwrap());
    }

    #[test]
    fn a_change_is_never_open_to_anyone_but_through_a_link() {
        for (name, request) in one_of_each() {
            let rule = rule(&request);
            if rule.who == Who::Anyone {
                assert!(
                    rule.audit != Audit::Change || name == "SetupComplete",
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn recovery_is_nobody_who_asks() {
        for who in [Who::Session, Who::Owner, Who::LocalRoot] {
            assert!(authorize(who, Some(&Actor::Recovery)).is_err());
        }
    }
}
