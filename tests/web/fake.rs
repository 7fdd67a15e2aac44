//! An agent made of memory: enough of one to look at every page and to try every gate.
//!
//! Invariant: answers like the real one in kind (faults, sequences, one plan per change), and touches nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lalapanel::domain::account::{AccountName, Role};
use lalapanel::domain::change::Change;
use lalapanel::domain::fault::{Code, Fault};
use lalapanel::domain::id::OperationId;
use lalapanel::domain::name::Hostname;
use lalapanel::domain::path::HostPath;
use lalapanel::domain::php::PhpVersion;
use lalapanel::domain::secret::{Password, Token};
use lalapanel::domain::site::NewSiteKind;
use lalapanel::domain::time::Timestamp;
use lalapanel::rpc::protocol::{Answer, Call, Reply, Request};
use lalapanel::rpc::view::{
    AuditEntry, HomeView, Need, OperationState, OperationStepView, OperationSummary, OperationView,
    PlanStepView, PlanView, ServiceView, SessionView, SiteOptions, SiteView, StatusView, StepState,
    TlsView, Usage,
};
use lalapanel::web::{Agent, AgentCall};
use tokio::sync::watch;

/// The one-time link that works.
pub(crate) fn link() -> Token {
    Token::from_random([0xab; 32])
}

/// The session that is signed in from the start.
pub(crate) fn session() -> Token {
    Token::from_random([0xcd; 32])
}

/// The password of `mara`.
pub(crate) const PASSWORD: &str = "mauve otter tin sky";

#[derive(Default)]
pub(crate) struct State {
    pub(crate) sites: Vec<SiteView>,
    pub(crate) sessions: Vec<String>,
    pub(crate) operations: BTreeMap<OperationId, OperationView>,
    pub(crate) needs: Vec<Need>,
    /// Counts what reached the agent, by kind.
    pub(crate) applied: usize,
    /// The one-time link was used.
    pub(crate) used: bool,
    /// Everything answers `agent.unreachable`.
    pub(crate) down: bool,
    /// Everything panics, as a bug in a page would.
    pub(crate) broken: bool,
    /// Grows when the plan of the same change becomes another one.
    pub(crate) world: u32,
}

pub(crate) struct Fake {
    pub(crate) state: Mutex<State>,
    news: watch::Sender<u64>,
    step: Duration,
    now: fn() -> Timestamp,
}

impl Fake {
    pub(crate) fn new(step: Duration, now: fn() -> Timestamp) -> Arc<Self> {
        let state = State {
            sessions: vec![session().reveal().to_owned()],
            ..State::default()
        };
        Arc::new(Self {
            state: Mutex::new(state),
            news: watch::channel(0).0,
            step,
            now,
        })
    }

    fn answer(self: &Arc<Self>, call: Call) -> Answer {
        let mut state = self.state.lock().unwrap();
        assert!(!state.broken, "a bug in a page");
        if state.down {
            return Err(Fault::new(
                Code::AgentUnreachable,
                "the agent is not answering",
                "run: systemctl status lalapanel-agent",
            ));
        }
        match call.request {
            Request::SetupCheck { link: given } if !state.used && given.is_same(&link()) => {
                Ok(Reply::Done {})
            }
            Request::SetupComplete {
                link: given, name, ..
            } if !state.used && given.is_same(&link()) => {
                state.used = true;
                Ok(sign_in(&mut state, name, (self.now)()))
            }
            Request::SetupCheck { .. } | Request::SetupComplete { .. } => Err(Fault::new(
                Code::SetupClosed,
                "this link has expired",
                "on the server, run: lalapanel admin link",
            )),
            Request::Login { name, password } => self.login(&mut state, &name, &password),
            request => {
                let known = call
                    .session
                    .is_some_and(|token| state.sessions.iter().any(|own| own == token.reveal()));
                if !known {
                    return Err(Fault::new(
                        Code::Unauthenticated,
                        "nobody is signed in",
                        "sign in",
                    ));
                }
                self.signed_in(&mut state, request)
            }
        }
    }

    fn login(&self, state: &mut State, name: &str, password: &Password) -> Answer {
        if name == "limited" {
            return Err(Fault::new(
                Code::LoginLimited,
                "Too many tries",
                "Try again in 4 minutes, or on the server run: lalapanel admin unban",
            ));
        }
        if name == "mara" && password.bytes() == PASSWORD.as_bytes() {
            return Ok(sign_in(
                state,
                AccountName::parse(name).unwrap(),
                (self.now)(),
            ));
        }
        Err(Fault::new(
            Code::LoginRefused,
            "name or password is wrong",
            "try again",
        ))
    }

    fn signed_in(self: &Arc<Self>, state: &mut State, request: Request) -> Answer {
        match request {
            Request::Logout {} => {
                state.sessions.clear();
                Ok(Reply::Done {})
            }
            Request::Session { .. } => Ok(Reply::Session(person((self.now)()))),
            Request::AccountPassword { current, .. } => match current {
                Some(current) if current.bytes() == PASSWORD.as_bytes() => Ok(Reply::Done {}),
                _ => Err(Fault::new(
                    Code::LoginRefused,
                    "the password is wrong",
                    "type it again",
                )),
            },
            Request::Home {} => Ok(Reply::Home(Box::new(self.home(state)))),
            Request::Status {} => Ok(Reply::Status(status(state))),
            Request::SiteList {} => Ok(Reply::Sites(state.sites.clone())),
            Request::SiteShow { hostname } => {
                let mut site = find(state, &hostname)?.clone();
                site.operations = operations(state, Some(&hostname));
                Ok(Reply::Site(Box::new(site)))
            }
            Request::SiteOptions {} => Ok(Reply::SiteOptions(SiteOptions {
                php: vec![PhpVersion::new(8, 4), PhpVersion::new(8, 2)],
            })),
            Request::Preview { change } => Ok(Reply::Plan(Box::new(plan(state, &change)?))),
            Request::Apply {
                change,
                plan,
                operation,
            } => self.apply(state, change, plan.as_deref(), operation.unwrap()),
            Request::OperationList { .. } => Ok(Reply::Operations(operations(state, None))),
            Request::OperationShow { id }
            | Request::OperationFollow { id, .. }
            | Request::OperationCheck { id } => state
                .operations
                .get(&id)
                .map(|view| Reply::Operation(Box::new(view.clone())))
                .ok_or_else(|| {
                    Fault::new(
                        Code::OperationNotFound,
                        "there is no such operation",
                        "look at Activity",
                    )
                }),
            Request::AuditList { .. } => Ok(Reply::Audit(audit((self.now)()))),
            Request::AuditVerify {} => Ok(Reply::AuditSound { entries: 214 }),
            other => panic!("no page asks {other:?}"),
        }
    }

    fn home(&self, state: &State) -> HomeView {
        let all = operations(state, None);
        let offline = state.sites.iter().filter(|site| !site.enabled).count();
        HomeView {
            server: "panel.example".to_owned(),
            needs: state.needs.clone(),
            running: all
                .iter()
                .filter(|one| !one.state.is_final())
                .cloned()
                .collect(),
            recent: all
                .into_iter()
                .filter(|one| one.state.is_final())
                .take(8)
                .collect(),
            sites: u32::try_from(state.sites.len()).unwrap(),
            sites_offline: u32::try_from(offline).unwrap(),
            disk: Some(Usage {
                used: 31_000_000_000,
                total: 80_000_000_000,
            }),
            memory: Some(Usage {
                used: 3_700_000_000,
                total: 4_000_000_000,
            }),
            load_hundredths: Some(23),
            processors: 2,
            as_of: (self.now)(),
        }
    }

    fn apply(
        self: &Arc<Self>,
        state: &mut State,
        change: Change,
        seen: Option<&str>,
        id: OperationId,
    ) -> Answer {
        if state.operations.contains_key(&id) {
            return Ok(Reply::Began { operation: id });
        }
        let plan = plan(state, &change)?;
        if seen != Some(plan.hash.as_str()) {
            return Err(Fault::new(
                Code::PlanChanged,
                "the plan has changed",
                "look at it again",
            ));
        }
        state.applied += 1;
        state
            .operations
            .insert(id, begun(id, &plan, &change, (self.now)()));
        let agent = Arc::clone(self);
        tokio::spawn(async move { agent.run(id, change).await });
        Ok(Reply::Began { operation: id })
    }

    async fn run(&self, id: OperationId, change: Change) {
        let count = self.state.lock().unwrap().operations[&id].steps.len();
        for index in 0..count {
            self.note(id, |view, now| {
                view.steps[index].state = StepState::Working;
                view.steps[index].began = Some(now);
            });
            tokio::time::sleep(self.step).await;
            self.note(id, |view, now| {
                view.steps[index].state = StepState::Done;
                view.steps[index].ended = Some(now);
                view.summary.done += 1;
            });
        }
        take_effect(&mut self.state.lock().unwrap(), &change, (self.now)());
        self.note(id, |view, now| {
            view.summary.state = OperationState::Done;
            view.summary.ended = Some(now);
        });
    }

    /// Writes one event of an operation and wakes whoever follows.
    pub(crate) fn note(&self, id: OperationId, write: impl FnOnce(&mut OperationView, Timestamp)) {
        let mut state = self.state.lock().unwrap();
        let view = state.operations.get_mut(&id).unwrap();
        write(view, (self.now)());
        view.sequence += 1;
        self.news.send_modify(|news| *news += 1);
    }

    fn sequence(&self, id: OperationId) -> Option<u64> {
        let state = self.state.lock().unwrap();
        state.operations.get(&id).map(|view| view.sequence)
    }
}

/// The fake behind the trait, so that its methods may spawn.
pub(crate) struct Handle(pub(crate) Arc<Fake>);

impl Agent for Handle {
    fn call(&self, call: Call) -> AgentCall<'_> {
        Box::pin(async move {
            if let Request::OperationFollow { id, after } = call.request {
                let mut news = self.0.news.subscribe();
                let patience = tokio::time::sleep(Duration::from_secs(15));
                tokio::pin!(patience);
                while self
                    .0
                    .sequence(id)
                    .is_some_and(|sequence| sequence <= after)
                {
                    tokio::select! {
                        _ = news.changed() => {}
                        () = &mut patience => break,
                    }
                }
            }
            self.0.answer(call)
        })
    }
}

fn sign_in(state: &mut State, name: AccountName, now: Timestamp) -> Reply {
    let number = u8::try_from(state.sessions.len() + 1).unwrap();
    let session = Token::from_random([number; 32]);
    state.sessions.push(session.reveal().to_owned());
    let mut view = person(now);
    view.name = name;
    Reply::SignedIn { session, view }
}

fn person(now: Timestamp) -> SessionView {
    SessionView {
        name: AccountName::parse("mara").unwrap(),
        role: Role::Owner,
        idle_end: now.plus_seconds(1800),
        absolute_end: now.plus_seconds(43_200),
    }
}

fn find<'a>(state: &'a State, hostname: &Hostname) -> Result<&'a SiteView, Fault> {
    state
        .sites
        .iter()
        .find(|site| site.hostname == *hostname)
        .ok_or_else(|| {
            Fault::new(
                Code::SiteNotFound,
                format!("{hostname} is not a site here"),
                "look at Sites",
            )
        })
}

fn operations(state: &State, hostname: Option<&Hostname>) -> Vec<OperationSummary> {
    state
        .operations
        .values()
        .rev()
        .map(|view| view.summary.clone())
        .filter(|one| hostname.is_none() || one.hostname.as_ref() == hostname)
        .collect()
}

/// A site as the agent would show it.
pub(crate) fn site(
    hostname: &str,
    php: Option<PhpVersion>,
    enabled: bool,
    created: Timestamp,
) -> SiteView {
    let hostname = Hostname::parse(hostname).unwrap();
    SiteView {
        hostname_unicode: hostname.unicode(),
        r#type: php.map_or("static", |_| "php").to_owned(),
        php,
        aliases: Vec::new(),
        enabled,
        document_root: HostPath::parse(&format!("/var/www/{hostname}/htdocs")).unwrap(),
        user: "lala-s1001".to_owned(),
        tls: TlsView {
            state: "off".to_owned(),
            issuer: None,
            not_after: None,
            names: Vec::new(),
        },
        databases: Vec::new(),
        created,
        operations: Vec::new(),
        drift: Vec::new(),
        hostname,
    }
}

fn plan(state: &State, change: &Change) -> Result<PlanView, Fault> {
    let name = change.hostname();
    if let Change::SiteCreate(new) = change {
        if state.sites.iter().any(|site| site.hostname == new.hostname) {
            return Err(Fault::new(
                Code::HostnameTaken,
                format!("`{name}` is already served by a site here"),
                "remove it there, or choose another hostname",
            ));
        }
    } else {
        find(state, name)?;
    }
    let step = |title: &str, target: String| PlanStepView {
        title: title.to_owned(),
        target,
        command: None,
        diff: None,
    };
    let mut steps = match change {
        Change::SiteCreate(_) => vec![
            step("Create the Unix user", "lala-s1001".to_owned()),
            step(
                "Create the directories of the site",
                format!("/var/www/{name}"),
            ),
            step(
                "Write the PHP-FPM pool",
                "/etc/lalapanel/php/s1001.conf".to_owned(),
            ),
            step(
                "Start PHP-FPM for this site",
                "lalapanel-php@s1001.socket".to_owned(),
            ),
            step(
                "Write the nginx file",
                format!("/etc/nginx/sites-available/{name}"),
            ),
            step(
                "Switch the nginx file on",
                format!("/etc/nginx/sites-enabled/{name}"),
            ),
            step("Check the nginx configuration", String::new()),
            step("Reload nginx", "nginx.service".to_owned()),
            step("Ask the site for its first page", format!("http://{name}/")),
        ],
        _ => vec![
            step(
                "Remove the link to the nginx file",
                format!("/etc/nginx/sites-enabled/{name}"),
            ),
            step("Reload nginx", "nginx.service".to_owned()),
        ],
    };
    let reload = steps.len() - 2;
    steps[reload].command = Some("/usr/bin/systemctl reload nginx.service".to_owned());
    let write = steps.len() / 2;
    steps[write].diff = Some(format!(
        "--- /dev/null\n+++ {name}\n@@ -0,0 +1,4 @@\n+server {{\n+  listen 80;\n+  server_name {name};\n+}}\n"
    ));
    if state.world > 0 {
        steps.push(step("Something new", format!("world {}", state.world)));
    }
    Ok(PlanView {
        title: title(change),
        hash: format!(
            "{:064x}",
            steps.len() * 1000 + name.as_str().len() + state.world as usize
        ),
        steps,
        notes: vec!["PHP for this site may use up to 512 MB; 900 MB is free.".to_owned()],
    })
}

fn title(change: &Change) -> String {
    let word = match change {
        Change::SiteCreate(_) => "Create",
        Change::SiteEnable { .. } => "Put online",
        Change::SiteDisable { .. } => "Take offline",
        _ => "Delete",
    };
    format!("{word} {}", change.hostname())
}

fn begun(id: OperationId, plan: &PlanView, change: &Change, now: Timestamp) -> OperationView {
    OperationView {
        summary: OperationSummary {
            id,
            title: plan.title.clone(),
            change: change.word().to_owned(),
            hostname: Some(change.hostname().clone()),
            actor: "mara".to_owned(),
            state: OperationState::Working,
            began: now,
            ended: None,
            done: 0,
            steps: u32::try_from(plan.steps.len()).unwrap(),
        },
        sequence: 1,
        steps: plan
            .steps
            .iter()
            .map(|step| OperationStepView {
                title: step.title.clone(),
                target: step.target.clone(),
                state: StepState::Waiting,
                began: None,
                ended: None,
            })
            .collect(),
        fault: None,
        remaining: Vec::new(),
        recovered: false,
    }
}

fn take_effect(state: &mut State, change: &Change, now: Timestamp) {
    match change {
        Change::SiteCreate(new) => {
            let php = match new.kind {
                NewSiteKind::Php { php } => php.or(Some(PhpVersion::new(8, 4))),
                NewSiteKind::Static {} => None,
            };
            let mut made = site(new.hostname.as_str(), php, true, now);
            made.aliases.clone_from(&new.aliases);
            state.sites.push(made);
        }
        Change::SiteDelete { hostname } => state.sites.retain(|site| site.hostname != *hostname),
        Change::SiteEnable { hostname } | Change::SiteDisable { hostname } => {
            let enabled = matches!(change, Change::SiteEnable { .. });
            for site in state
                .sites
                .iter_mut()
                .filter(|site| site.hostname == *hostname)
            {
                site.enabled = enabled;
            }
        }
    }
}

fn status(state: &State) -> StatusView {
    let service = |name: &str, healthy| ServiceView {
        name: name.to_owned(),
        state: if healthy {
            "active (running)"
        } else {
            "failed"
        }
        .to_owned(),
        healthy,
    };
    StatusView {
        version: "0.1.0".to_owned(),
        distribution: "Debian GNU/Linux 13 (trixie)".to_owned(),
        service_manager: "systemd".to_owned(),
        services: vec![
            service("nginx", true),
            service("mariadb", false),
            service("lalapanel-agent", true),
        ],
        php: vec![PhpVersion::new(8, 4), PhpVersion::new(8, 2)],
        sites: u32::try_from(state.sites.len()).unwrap(),
        sites_enabled: 0,
        agent_memory: 9_400_000,
        stuck: Vec::new(),
    }
}

fn audit(now: Timestamp) -> Vec<AuditEntry> {
    let entry = |number, action: &str, object: &str, result: &str| AuditEntry {
        number,
        time: now,
        actor: "mara".to_owned(),
        from: "198.51.100.7".parse().ok(),
        action: action.to_owned(),
        object: object.to_owned(),
        result: result.to_owned(),
        operation: None,
    };
    vec![
        entry(214, "site create", "shop.example", "ok"),
        entry(213, "login", "mara", "ok"),
        entry(212, "login", "mara", "session.refused"),
    ]
}
