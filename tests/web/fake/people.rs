//! Two people and two programs.

use lalapanel::domain::account::{AccountName, Role};
use lalapanel::domain::dns::{DnsName, DnsServer, RecordName, TsigAlgorithm, UpdateKey};
use lalapanel::domain::fault::{Code, Fault};
use lalapanel::domain::name::Hostname;
use lalapanel::domain::notice::Way;
use lalapanel::domain::notify_setting::SecretId;
use lalapanel::domain::time::Timestamp;
use lalapanel::domain::token::{Scope, TokenName, TokenView};
use lalapanel::rpc::certificate_view::DnsView;
use lalapanel::rpc::notify::{NotifyView, TrialView as Trial, WayView};
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
        Request::NotifyStatus {} => Some(notify(now)),
        Request::NotifyStage { .. } => SecretId::parse(&"ab".repeat(16))
            .ok()
            .map(|id| Reply::NotifyStaged { id }),
        Request::NotifyTest {} => Some(tried()),
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

/// Mail that is taken, and a webhook that nobody listens at.
fn notify(now: Timestamp) -> Reply {
    let way = |way, target: &str, failure: Option<&str>| WayView {
        way,
        target: target.to_owned(),
        last: Some(now),
        sent: 1,
        waiting: 0,
        failure: failure.map(str::to_owned),
        again: failure.map(|_| now.plus_seconds(60)),
    };
    let settings = [
        ("notify.mail_to", "ops@shop.example"),
        ("notify.smtp_host", "smtp.shop.example"),
        ("notify.smtp_security", "starttls"),
        ("notify.smtp_user", "ops"),
        ("notify.after_seconds", "60"),
    ];
    let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    Reply::Notify(Box::new(NotifyView {
        ways: vec![
            way(Way::Mail, "ops@shop.example by smtp.shop.example:587", None),
            way(Way::Webhook, "chat.shop.example", Some("nobody <listens>")),
        ],
        matters: Vec::new(),
        settings: settings.into_iter().map(owned).collect(),
        secrets: vec![
            "notify.smtp_password".to_owned(),
            "notify.webhook_url".to_owned(),
        ],
        after_seconds: 60,
        disk_percent: 90,
        memory_percent: 95,
    }))
}

fn tried() -> Reply {
    let trial = |way, answer: Option<&str>| Trial {
        way,
        target: "somebody".to_owned(),
        answer: answer.map(str::to_owned),
        failure: answer
            .is_none()
            .then(|| Fault::new(Code::NotifyUnsent, "Nobody answers", "see whether it runs")),
    };
    Reply::NotifyTried(vec![
        trial(Way::Mail, Some("250 taken")),
        trial(Way::Webhook, None),
    ])
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
