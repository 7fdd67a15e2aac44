//! Two people and two programs.

use lalapanel::domain::account::{AccountName, Role};
use lalapanel::domain::dns::{DnsName, DnsServer, RecordName, TsigAlgorithm, UpdateKey};
use lalapanel::domain::name::Hostname;
use lalapanel::domain::time::Timestamp;
use lalapanel::domain::token::{Scope, TokenName, TokenView};
use lalapanel::rpc::certificate_view::DnsView;
use lalapanel::rpc::protocol::{Reply, Request};
use lalapanel::rpc::settings::{SettingsView, TrialView};
use lalapanel::rpc::view::AccountView;

use crate::fake::monitor::{monitor, uptime};

/// To what is asked of people, programs and the machine.
pub(super) fn looked(request: &Request, now: Timestamp) -> Option<Reply> {
    match request {
        Request::Monitor { range } => Some(monitor(*range, now)),
        Request::Uptime { hostname } => Some(uptime(hostname.as_ref(), now)),
        Request::DnsList {} => Some(dns()),
        Request::DnsPut { .. } | Request::DnsRemove { .. } => Some(Reply::Done {}),
        Request::TokenList {} => Some(tokens(now)),
        Request::AccountList {} => Some(accounts(now)),
        Request::SettingsShow {} => Some(settings(now)),
        _ => None,
    }
}

/// One way that a site uses, and one that nobody does.
fn dns() -> Reply {
    let way = |name: &str, sites: &[&str]| DnsView {
        name: DnsName::parse(name).unwrap(),
        server: DnsServer::parse("192.0.2.53").ok(),
        key: Some(UpdateKey {
            name: RecordName::parse("lala-key").unwrap(),
            algorithm: TsigAlgorithm::Sha512,
        }),
        program: None,
        sites: sites
            .iter()
            .map(|name| Hostname::parse(name).unwrap())
            .collect(),
    };
    Reply::Dns(vec![way("bind", &["shop.example"]), way("spare", &[])])
}

/// Who may sign in, and who may not.
fn accounts(now: Timestamp) -> Reply {
    let account = |name: &str, disabled: bool| AccountView {
        name: AccountName::parse(name).unwrap(),
        role: Role::Owner,
        created: Timestamp::from_millis(now.millis() - 90 * 86_400_000),
        last_login: (!disabled).then_some(now),
        disabled,
    };
    Reply::Accounts(vec![account("ivo", true), account("mara", false)])
}

/// A panel of which another address is tried.
fn settings(now: Timestamp) -> Reply {
    Reply::Settings(Box::new(SettingsView {
        hostname: Some(Hostname::parse("panel.example").unwrap()),
        port: 8443,
        trusted_proxies: Vec::new(),
        email: Some("mara@panel.example".to_owned()),
        directory: None,
        fallback_directory: None,
        fallback_after: None,
        trial: Some(TrialView {
            hostname: Some(Hostname::parse("panel.example").unwrap()),
            port: 9443,
            until: now.plus_seconds(60),
        }),
    }))
}

/// One that may look, and one whose time is over.
fn tokens(now: Timestamp) -> Reply {
    let token = |name: &str, scope, expires| TokenView {
        name: TokenName::parse(name).unwrap(),
        account: AccountName::parse("mara").unwrap(),
        scope,
        created: Timestamp::from_millis(now.millis() - 90 * 86_400_000),
        expires,
        used: None,
    };
    Reply::Tokens(vec![
        token("deploy", Scope::Write, Some(Timestamp::from_millis(1))),
        token("prometheus", Scope::Read, None),
    ])
}
