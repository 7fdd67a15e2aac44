//! An agent made of memory: enough of one to look at every page and to try every gate.
//!
//! Invariant: answers like the real one in kind (faults, sequences, one plan per change), and touches nothing.

mod certificates;
mod databases;
mod monitor;
mod people;
mod settings;
mod world;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lalapanel::domain::account::AccountName;
use lalapanel::domain::archive::{ArchiveUrl, FetchedArchive};
use lalapanel::domain::change::Change;
use lalapanel::domain::database::DatabaseHash;
use lalapanel::domain::database_inside::Granted;
use lalapanel::domain::fault::{Code, Fault};
use lalapanel::domain::id::OperationId;
use lalapanel::domain::name::Hostname;
use lalapanel::domain::php::PhpVersion;
use lalapanel::domain::secret::{Password, Token};
use lalapanel::domain::time::Timestamp;
use lalapanel::domain::visitor::VisitorHash;
use lalapanel::domain::wordpress::NewWordpress;
use lalapanel::rpc::certificate_view::CertificateView;
use lalapanel::rpc::database::DatabaseView;
use lalapanel::rpc::filling::Brought;
use lalapanel::rpc::log::LogRecord;
use lalapanel::rpc::nginx_view::{ForeignView, NginxView};
use lalapanel::rpc::protocol::{Answer, Call, Reply, Request};
use lalapanel::rpc::trash::TrashedView;
use lalapanel::rpc::view::{
    ArchiveView, HomeView, Need, OperationState, OperationView, PanelView, SiteOptions, SiteView,
    StepState, Usage,
};
use lalapanel::web::{Agent, AgentCall};
use tokio::sync::{mpsc, watch};

pub(crate) use certificates::of_panel;
pub(crate) use databases::{Dump, database};
pub(crate) use settings::set;
pub(crate) use world::site;
use world::{audit, begun, find, log, operations, person, php, plan, sign_in, status, take_effect};

/// The one-time link that works.
pub(crate) fn link() -> Token {
    Token::from_random([0xab; 32])
}

/// The session that is signed in from the start.
pub(crate) fn session() -> Token {
    Token::from_random([0xcd; 32])
}

/// The token of a program that may everything.
pub(crate) fn bearer() -> Token {
    Token::from_random([0xef; 32])
}

/// The password of `mara`.
pub(crate) const PASSWORD: &str = "mauve otter tin sky";

/// When the password was typed last.
#[derive(Default, PartialEq, Eq)]
pub(crate) enum Typed {
    #[default]
    Now,
    LongAgo,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) sites: Vec<SiteView>,
    pub(crate) foreign: Vec<ForeignView>,
    pub(crate) trash: Vec<TrashedView>,
    pub(crate) databases: Vec<DatabaseView>,
    /// What MariaDB would know of the last password.
    pub(crate) database_hash: Option<DatabaseHash>,
    pub(crate) visitor_hash: Option<VisitorHash>,
    /// The archive of WordPress that is at hand, and the one that can be fetched.
    pub(crate) archive: Option<FetchedArchive>,
    pub(crate) archive_at_the_mirror: Option<FetchedArchive>,
    /// What the last new site shall have.
    pub(crate) wordpress: Option<NewWordpress>,
    /// What the panel itself shows; none where it has no name.
    pub(crate) own: Option<CertificateView>,
    /// Of what orders were asked for.
    pub(crate) ordered: Vec<Hostname>,
    /// What an export comes to.
    pub(crate) dump: Dump,
    /// The SQL that was loaded beside a database.
    pub(crate) loaded: Option<String>,
    /// What somebody granted beside the panel.
    pub(crate) grants_differ: Vec<Granted>,
    pub(crate) sessions: Vec<String>,
    pub(crate) operations: BTreeMap<OperationId, OperationView>,
    pub(crate) needs: Vec<Need>,
    /// Counts what reached the agent, by kind.
    pub(crate) applied: usize,
    /// The one-time link was used.
    pub(crate) used: bool,
    /// What the browser of the last sign-in brought.
    pub(crate) device: Option<Token>,
    /// Everything answers `agent.unreachable`.
    pub(crate) down: bool,
    /// Everything panics, as a bug in a page would.
    pub(crate) broken: bool,
    /// What the sites log, all into one file.
    pub(crate) log: Vec<LogRecord>,
    /// How the logs are left out of order: `deleted`.
    pub(crate) log_trouble: &'static str,
    /// When the password was typed.
    pub(crate) typed: Typed,
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
            Request::Ping {} => Ok(Reply::Done {}),
            Request::Panel {} => Ok(Reply::Panel(PanelView {
                server: "panel.example".to_owned(),
                hosts: vec!["panel.example".to_owned()],
                trusted_proxies: Vec::new(),
            })),
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
            Request::Login {
                name,
                password,
                device,
            } => {
                state.device = device;
                self.login(&mut state, &name, &password)
            }
            request => {
                let of_a_session =
                    |token: &Token| state.sessions.iter().any(|own| own == token.reveal());
                let known = match &call.bearer {
                    Some(token) => token.is_same(&bearer()),
                    None => call.session.as_ref().is_some_and(of_a_session),
                };
                if !known && call.bearer.is_some() {
                    return Err(Fault::new(Code::TokenRefused, "no such token", "make one"));
                }
                if !known {
                    return Err(Fault::new(
                        Code::Unauthenticated,
                        "nobody is signed in",
                        "sign in",
                    ));
                }
                match people::looked(&request, (self.now)()) {
                    Some(reply) => Ok(reply),
                    None => self.signed_in(&mut state, request),
                }
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
            Request::Confirm { password } if password.bytes() == PASSWORD.as_bytes() => {
                state.typed = Typed::Now;
                Ok(Reply::Done {})
            }
            Request::Confirm { .. } => Err(Fault::new(
                Code::LoginRefused,
                "The password is not right",
                "type the one you sign in with",
            )),
            Request::Apply { change, .. }
                if state.typed == Typed::LongAgo && change.brings_directives() =>
            {
                Err(Fault::new(Code::ConfirmationNeeded, "once more", "type it"))
            }
            Request::Home {} => Ok(Reply::Home(Box::new(self.home(state)))),
            Request::Status {} => Ok(Reply::Status(status(state))),
            Request::SiteList {} => Ok(Reply::Sites(state.sites.clone())),
            Request::SiteTrash {} => Ok(Reply::Trash(state.trash.clone())),
            Request::SiteShow { hostname } => {
                let mut site = find(state, &hostname)?.clone();
                site.operations = operations(state, Some(&hostname));
                Ok(Reply::Site(Box::new(site)))
            }
            Request::SiteNginx { hostname } => {
                let site = find(state, &hostname)?;
                Ok(Reply::Nginx(Box::new(NginxView {
                    hostname: site.hostname.clone(),
                    path: format!("/etc/nginx/sites-available/{hostname}")
                        .parse()
                        .unwrap(),
                    text: format!("server {{\n    listen 80;\n    server_name {hostname};\n}}\n"),
                    snippet: "location = /old {\n    return 301 https://$host/new;\n}\n".to_owned(),
                })))
            }
            Request::LogRead {
                hostname,
                file,
                filter,
                ..
            } => {
                find(state, &hostname)?;
                Ok(log(state, file, &filter, 0))
            }
            Request::LogFollow {
                hostname,
                file,
                filter,
                after,
                ..
            } => {
                find(state, &hostname)?;
                let seen = after.map_or(0, |place| place.offset);
                Ok(log(state, file, &filter, usize::try_from(seen).unwrap()))
            }
            Request::Preview { change } => {
                let plan = plan(state, &change)?;
                Ok(if plan.steps.is_empty() {
                    Reply::Unchanged {}
                } else {
                    Reply::Plan(Box::new(plan))
                })
            }
            Request::Apply {
                change,
                plan,
                operation,
            } => self.apply(state, change, plan.as_deref(), operation),
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
            other => self.rest(state, other),
        }
    }

    fn rest(&self, state: &mut State, request: Request) -> Answer {
        match request {
            Request::DatabaseList {} => Ok(Reply::Databases(state.databases.clone())),
            Request::DatabaseShow { name } => databases::show(state, &name),
            Request::DatabaseDiscard { .. } => {
                state.loaded = None;
                Ok(Reply::Done {})
            }
            Request::ForeignSites {} => Ok(Reply::Foreign(state.foreign.clone())),
            Request::PhpList {} => Ok(Reply::Php(Box::new(php(state)))),
            Request::SiteOptions {} => Ok(Reply::SiteOptions(SiteOptions {
                php: vec![PhpVersion::new(8, 4), PhpVersion::new(8, 2)],
                archive: ArchiveView {
                    url: ArchiveUrl::official(),
                    fetched: state.archive.clone(),
                    is_coming: false,
                },
            })),
            Request::WordpressFetch {} => {
                let archive = state.archive_at_the_mirror.clone();
                let fetched = archive.ok_or_else(|| {
                    Fault::new(
                        Code::WordpressUnfetched,
                        "`wordpress.org` cannot be reached",
                        "give the archive with `--archive FILE`",
                    )
                })?;
                state.archive = Some(fetched);
                Ok(Reply::Archive(Box::new(ArchiveView {
                    url: ArchiveUrl::official(),
                    fetched: state.archive.clone(),
                    is_coming: false,
                })))
            }
            Request::CertificateList {} => {
                let shown = state.sites.iter().filter(|site| site.tls.state != "off");
                let views = shown.map(|site| certificates::view(site, (self.now)()));
                Ok(Reply::Certificates(
                    views.chain(state.own.clone()).collect(),
                ))
            }
            Request::CertificateShow { hostname } => {
                let view = certificates::view(find(state, &hostname)?, (self.now)());
                Ok(Reply::Certificate(Box::new(view)))
            }
            Request::CertificateIssue { hostname, .. } => {
                state.ordered.push(hostname.clone());
                let mut sites = state.sites.iter_mut();
                if let Some(site) = sites.find(|site| site.hostname == hostname) {
                    site.tls.issuer = Some("running".to_owned());
                }
                Ok(Reply::Done {})
            }
            Request::CertificateDeposit {
                hostname,
                chain,
                key,
            } => certificates::deposit(find(state, &hostname)?, &chain, &key, (self.now)()),
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
        id: Option<OperationId>,
    ) -> Answer {
        let id = id.unwrap_or_else(|| OperationId::from_parts(1, [1; 10]));
        if state.operations.contains_key(&id) {
            return Ok(Reply::Began { operation: id });
        }
        let plan = plan(state, &change)?;
        if plan.steps.is_empty() {
            return Ok(Reply::Unchanged {});
        }
        if seen.is_some_and(|seen| seen != plan.hash) {
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

    /// Writes one line of a log and wakes whoever follows.
    pub(crate) fn write_log(&self, text: &str, status: u16) {
        let mut state = self.state.lock().unwrap();
        state.log.push(world::record(text, status));
        self.news.send_modify(|news| *news += 1);
    }

    fn logged(&self) -> u64 {
        self.state.lock().unwrap().log.len() as u64
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
            if let Request::LogFollow { after, .. } = &call.request {
                let seen = after.map_or(0, |place| place.offset);
                let mut news = self.0.news.subscribe();
                let patience = tokio::time::sleep(Duration::from_secs(15));
                tokio::pin!(patience);
                while self.0.logged() <= seen {
                    tokio::select! {
                        _ = news.changed() => {}
                        () = &mut patience => break,
                    }
                }
            }
            self.0.answer(call)
        })
    }

    fn pour(&self, call: Call, to: mpsc::Sender<Vec<u8>>) -> AgentCall<'_> {
        Box::pin(databases::pour(&self.0, call, to))
    }

    fn fill(&self, call: Call, from: mpsc::Receiver<Brought>) -> AgentCall<'_> {
        Box::pin(databases::fill(&self.0, call, from))
    }
}
