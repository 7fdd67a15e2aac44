//! The command line as scripts use it: what is typed, what the agent is asked, what is printed, which code comes back.
//!
//! Invariant: every promise of the contract about verbs, documents and exit codes has a test here.

mod changes;
mod databases;

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Mutex};

use clap::Parser as _;
use serde_json::Value;

use crate::cli::agent::Ask;
use crate::cli::output::Output;
use crate::cli::{Cli, run};
use crate::domain::fault::{Code, Fault};
use crate::domain::id::{OperationId, SiteId};
use crate::domain::name::Hostname;
use crate::domain::path::HostPath;
use crate::domain::php::PhpVersion;
use crate::domain::time::Timestamp;
use crate::rpc::nginx_view::ForeignView;
use crate::rpc::protocol::{Answer, Reply, Request};
use crate::rpc::trash::TrashedView;
use crate::rpc::view::{
    OperationState, OperationStepView, OperationSummary, OperationView, PlanStepView, PlanView,
    SiteView, StepState, TlsView,
};

/// Standard output and error of a test.
#[derive(Clone, Default)]
pub(super) struct Captured {
    out: Arc<Mutex<Vec<u8>>>,
    err: Arc<Mutex<Vec<u8>>>,
}

struct Pipe(Arc<Mutex<Vec<u8>>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Captured {
    pub(super) fn output(&self, json: bool) -> Output {
        let pipe = |to: &Arc<Mutex<Vec<u8>>>| Box::new(Pipe(Arc::clone(to)));
        Output::to(json, pipe(&self.out), pipe(&self.err))
    }
    pub(super) fn out(&self) -> String {
        String::from_utf8(self.out.lock().unwrap().clone()).unwrap()
    }
    pub(super) fn err(&self) -> String {
        String::from_utf8(self.err.lock().unwrap().clone()).unwrap()
    }
}

/// Gives these answers in this order and keeps what was asked.
struct Script {
    answers: VecDeque<Answer>,
    asked: Vec<String>,
}

impl Ask for Script {
    fn ask(&mut self, request: Request) -> Answer {
        self.asked.push(serde_json::to_string(&request).unwrap());
        self.answers.pop_front().expect("asked once too often")
    }
    fn pause(&mut self) {}
}

struct Ran {
    code: u8,
    out: String,
    err: String,
    asked: Vec<String>,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).expect("exactly one JSON document")
    }
}

/// Runs a line against these answers.
fn ran(line: &str, answers: Vec<Answer>) -> Ran {
    let cli = Cli::try_parse_from(line.split(' ')).unwrap();
    let captured = Captured::default();
    let mut script = Script {
        answers: answers.into(),
        asked: Vec::new(),
    };
    let exit = run(cli.verb, &mut script, &mut captured.output(cli.json));
    assert!(script.answers.is_empty(), "not everything was asked");
    Ran {
        code: exit.code(),
        out: captured.out(),
        err: captured.err(),
        asked: script.asked,
    }
}

fn site() -> SiteView {
    SiteView {
        hostname: Hostname::parse("shop.example").unwrap(),
        hostname_unicode: "shop.example".to_owned(),
        r#type: "php".to_owned(),
        php: Some(PhpVersion::new(8, 2)),
        aliases: Vec::new(),
        redirected_names: Vec::new(),
        enabled: true,
        serving: crate::domain::setting::Serving::Live,
        document_root: HostPath::fixed("/var/www/shop.example/htdocs"),
        user: "s1001".to_owned(),
        tls: TlsView {
            state: "off".to_owned(),
            issuer: None,
            not_after: None,
            names: Vec::new(),
        },
        databases: Vec::new(),
        created: Timestamp::from_millis(1_700_000_000_000),
        settings: std::collections::BTreeMap::new(),
        visitors: Vec::new(),
        operations: Vec::new(),
        drift: Vec::new(),
    }
}

fn foreign() -> ForeignView {
    ForeignView {
        file: HostPath::fixed("/etc/nginx/sites-available/legacy"),
        names: vec!["legacy.example".to_owned()],
        listens: vec!["80".to_owned()],
    }
}

fn id() -> OperationId {
    OperationId::from_parts(1_700_000_000_000, [7; 10])
}

fn operation(state: OperationState, step: StepState) -> Box<OperationView> {
    let began = Timestamp::from_millis(1_700_000_000_000);
    Box::new(OperationView {
        summary: OperationSummary {
            id: id(),
            title: "Create shop.example".to_owned(),
            change: "site create".to_owned(),
            hostname: None,
            renamed_from: None,
            actor: "root on this server".to_owned(),
            state,
            began,
            ended: None,
            done: 0,
            steps: 1,
        },
        sequence: 3,
        steps: vec![OperationStepView {
            title: "Make the user s1001".to_owned(),
            target: "s1001".to_owned(),
            state: step,
            began: Some(began),
            ended: Some(Timestamp::from_millis(1_700_000_000_230)),
            note: None,
        }],
        fault: None,
        remaining: Vec::new(),
        recovered: false,
        trashed: None,
    })
}

#[expect(clippy::unnecessary_wraps, reason = "one of a script's answers")]
fn began() -> Answer {
    Ok(Reply::Began { operation: id() })
}

#[expect(clippy::unnecessary_wraps, reason = "one of a script's answers")]
fn followed(state: OperationState, step: StepState) -> Answer {
    Ok(Reply::Operation(operation(state, step)))
}

fn fault(code: Code) -> Fault {
    Fault::new(code, "what is so", "what to do")
}

#[test]
fn a_site_has_the_fields_scripts_rely_on() {
    let answer = || vec![Ok(Reply::Site(Box::new(site())))];
    let document = ran("lalapanel site show shop.example --json", answer()).json();
    for field in [
        "hostname",
        "type",
        "php",
        "aliases",
        "enabled",
        "document_root",
        "user",
        "tls",
        "databases",
        "created",
    ] {
        assert!(document.get(field).is_some(), "{field}");
    }
    for field in ["state", "issuer", "not_after", "names"] {
        assert!(document["tls"].get(field).is_some(), "{field}");
    }
    let list = ran(
        "lalapanel site list --json",
        vec![
            Ok(Reply::Sites(vec![site()])),
            Ok(Reply::Foreign(vec![foreign()])),
        ],
    );
    assert_eq!(list.json()["sites"][0]["hostname"], "shop.example");
    assert_eq!(list.json()["foreign"][0]["names"][0], "legacy.example");
}

#[test]
fn deleting_without_a_word_is_refused_before_anything_is_asked() {
    let ran = ran("lalapanel site delete shop.example --json", Vec::new());
    assert_eq!(
        (ran.code, &ran.json()["error"]["code"]),
        (1, &Value::from("site.confirmation"))
    );
}

#[test]
fn a_hostname_that_is_none_is_refused_without_an_agent() {
    for bad in ["shop", "a..b", "192.0.2.1", "https://shop.example", "../x"] {
        let ran = ran(&format!("lalapanel site create {bad} --json"), Vec::new());
        let error = &ran.json()["error"];
        assert_eq!(
            (ran.code, &error["code"]),
            (1, &Value::from("site.hostname_invalid")),
            "{bad}"
        );
        assert!(error["hint"].as_str().unwrap().contains("shop.example"));
    }
}

#[test]
fn an_agent_that_does_not_answer_is_its_own_exit_code() {
    let answer = || vec![Err(fault(Code::AgentUnreachable))];
    assert_eq!(ran("lalapanel site list", answer()).code, 3);
    let json = ran("lalapanel status --json", answer());
    assert_eq!(
        (json.code, &json.json()["error"]["code"]),
        (3, &Value::from("agent.unreachable"))
    );
}

#[test]
fn a_broken_audit_trail_is_for_a_person() {
    let answer = vec![Err(fault(Code::AuditBroken))];
    assert_eq!(ran("lalapanel audit verify", answer).code, 4);
    let sound = ran(
        "lalapanel audit verify --json",
        vec![Ok(Reply::AuditSound { entries: 7 })],
    );
    assert_eq!((sound.code, &sound.json()["entries"]), (0, &Value::from(7)));
}

#[test]
fn every_promised_line_can_be_typed() {
    for line in [
        "install --plan --yes --answers f --hostname panel.example --email a@b.example --php 8.2,8.4 --admin mara --admin-password-file f --port 8443 --json",
        "uninstall --plan --yes --purge",
        "doctor --json --fix",
        "status --json",
        "completions bash",
        "completions zsh --json",
        "completions fish",
        "man",
        "site create h.example --type php --php 8.2 --alias a.example --alias b.example --plan --json",
        "site create h.example --type static",
        "site list",
        "site show h.example",
        "site enable h.example --plan",
        "site disable h.example --plan --json",
        "site snippet h.example",
        "site snippet h.example --show --json",
        "site snippet h.example --file - --plan",
        "site drift h.example --json",
        "site drift h.example --keep --plan",
        "site drift h.example --restore",
        "site drift h.example --leave",
        "site delete h.example --yes --plan",
        "site delete h.example --now --yes",
        "site rename h.example n.example --old alias --plan --json",
        "site clone h.example n.example --plan --json",
        "site clone h.example n.example --databases",
        "site list --trash",
        "site restore h.example --as o.example --plan --json",
        "php list",
        "php install 8.2 --plan",
        "php remove 8.2 --json",
        "php repository status",
        "php repository enable --plan",
        "php repository disable",
        "site php h.example 8.4 --plan --json",
        "service list",
        "monitor",
        "monitor --range year --json",
        "notify status --json",
        "notify test",
        "notify set --mail-to a@h.example --smtp-host h.example --smtp-user u --smtp-password-file - --plan",
        "notify set --webhook-url-file /root/url --webhook-secret-file /root/secret",
        "notify set --no-webhook --disk-percent 80 --json",
        "notify off --plan",
        "settings show",
        "settings set panel.port=9443 panel.hostname=p.example --plan",
        "settings keep",
        "settings back --json",
        "settings longer",
        "service start mariadb --plan",
        "service stop nginx --json",
        "service restart lalapanel-web",
        "account create mara --password-file -",
        "account list",
        "account password mara",
        "account delete mara",
        "account disable mara --json",
        "account enable mara",
        "token create ci --account mara --scope write --days 30 --json",
        "token create ci --forever",
        "token list --json",
        "token revoke ci",
        "admin link",
        "admin unban",
        "admin unban 192.0.2.7",
        "op list",
        "op show X --json",
        "audit list",
        "audit verify",
        "agent",
        "web",
        "worker",
        "handshake h.example",
        "handshake h.example 8443",
        "cert list --json",
        "cert show h.example",
        "cert upload h.example --chain c.pem --key k.pem --plan --json",
        "cert dns add hook --program /usr/local/sbin/dns-hook",
        "cert remove h.example --plan",
        "cert issue h.example --dns bind --staging --plan --json",
    ] {
        let typed = format!("lalapanel {line}");
        assert!(Cli::try_parse_from(typed.split(' ')).is_ok(), "{line}");
    }
}

#[test]
fn wrong_usage_is_told_before_anything_runs() {
    for line in [
        "",
        "site",
        "site create",
        "site create a.example --php eight",
        "run id",
        "site list --force",
        "site php h.example eight",
        "site rename h.example",
        "site clone h.example",
        "site rename h.example n.example --old sold",
        "php install",
        "php repository",
        "cert upload h.example",
    ] {
        let typed = format!("lalapanel {line}");
        let error = Cli::try_parse_from(typed.trim().split(' ')).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
    }
}
