//! One of every request there is, and the rule for each.
//!
//! Invariant: a request that does not stand here fails a test.

use super::*;
use crate::domain::account::AccountName;
use crate::domain::authority::KeyText;
use crate::domain::certificate::{Fingerprint, PrivateKey};
use crate::domain::change::Change as SiteChange;
use crate::domain::dns::{DnsName, DnsServer, RecordName, TsigAlgorithm, UpdateKey, UpdateServer};
use crate::domain::dns_way::HookProgram;
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
        ("TokenList", Request::TokenList {}),
        (
            "TokenCreate",
            read(r#"{"token_create":{"name":"ci","account":"mara","scope":"read","days":90}}"#),
        ),
        ("TokenRevoke", read(r#"{"token_revoke":{"name":"ci"}}"#)),
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
            "CertificatePlan",
            Request::CertificatePlan {
                hostname: hostname(),
                staging: false,
                dns: None,
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
        ("DnsList", Request::DnsList {}),
        (
            "DnsPut",
            Request::DnsPut {
                name: DnsName::parse("bind").unwrap(),
                server: UpdateServer {
                    server: DnsServer::parse("192.0.2.1").unwrap(),
                    key: UpdateKey {
                        name: RecordName::parse("lala-key").unwrap(),
                        algorithm: TsigAlgorithm::Sha256,
                    },
                    secret: KeyText::new(String::new()),
                },
            },
        ),
        (
            "DnsProgram",
            Request::DnsProgram {
                name: DnsName::parse("hook").unwrap(),
                program: HookProgram::parse("/opt/hook").unwrap(),
            },
        ),
        (
            "DnsRemove",
            Request::DnsRemove {
                name: DnsName::parse("bind").unwrap(),
            },
        ),
        ("PhpList", Request::PhpList {}),
        ("DatabaseList", Request::DatabaseList {}),
        (
            "DatabaseShow",
            read(r#"{"database_show":{"name":"shop_db"}}"#),
        ),
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
        ("SettingsShow", read(r#"{"settings_show":{}}"#)),
        ("Monitor", read(r#"{"monitor":{"range":"day"}}"#)),
        ("Uptime", read(r#"{"uptime":{"hostname":null}}"#)),
        ("NotifyStatus", Request::NotifyStatus {}),
        (
            "NotifyStage",
            read(r#"{"notify_stage":{"secrets":{"smtp_password":"canary"}}}"#),
        ),
        ("NotifyTest", Request::NotifyTest {}),
    ]
}

#[test]
fn every_request_of_the_protocol_is_in_the_matrix() {
    let source = include_str!("../../rpc/protocol.rs");
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
    for (name, request) in one_of_each() {
        let rule = rule(&request);
        let let_in = authorize(rule, Some(&Actor::Recovery)).is_ok();
        assert!(!let_in, "{name}");
    }
}

#[test]
fn a_token_may_what_an_owner_may_and_no_more_than_look_where_it_says_so() {
    let token = |scope| Actor::Token {
        id: crate::domain::id::AccountId(1),
        account: AccountName::parse("mara").unwrap(),
        role: Role::Owner,
        name: crate::domain::token::TokenName::parse("ci").unwrap(),
        scope,
    };
    for (name, request) in one_of_each() {
        let rule = rule(&request);
        let may = |scope| authorize(rule, Some(&token(scope))).is_ok();
        let (reads, writes) = (may(Scope::Read), may(Scope::Write));
        let is_for_programs = matches!(rule.who, Who::Anyone | Who::Owner);
        assert_eq!(writes, is_for_programs, "{name}");
        assert_eq!(
            reads,
            is_for_programs && rule.audit == Audit::None,
            "{name}"
        );
    }
}
