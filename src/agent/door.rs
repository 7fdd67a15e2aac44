//! The door every request comes through: who asks, may they, is it written down, and only then what is behind it.
//!
//! Invariant: nothing behind the door runs for a request that `policy` did not let through, and no change that could not be written down.

use std::future::Future;
use std::io::{Read, Write};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use crate::agent::accounts::Accounts;
use crate::agent::audit::{Mirror, Subject, Trail};
use crate::agent::guesses::{Guess, Guesses};
use crate::agent::limits::Source;
use crate::agent::panel::Reach;
use crate::agent::password::Strength;
use crate::agent::policy::{self, Audit, Rule};
use crate::agent::refusals::Refusals;
use crate::agent::session::{Live, Sessions};
use crate::agent::tokens;
pub use crate::agent::watched::{LogTail, Watched};
use crate::domain::account::Actor;
use crate::domain::fault::{Code, Fault};
use crate::domain::secret::Token;
use crate::host::Host;
use crate::rpc::protocol::{Answer, Call, Reply, Request};
use crate::store::Store;

/// A follower's answer under way.
pub type Following = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// What is behind the door: everything about the server itself.
pub trait Desk: Send + Sync {
    /// Answers one request that was let through. May block.
    fn handle(&self, actor: &Actor, request: Request) -> Answer;
    /// Answers one request that was let through, after writing what it asks for, or reading what it brings. May block for hours.
    fn pour(&self, request: Request, from: &mut dyn Read, to: &mut dyn Write) -> Answer;
    /// Answers once there is news.
    fn follow(&self, watched: Watched) -> Following;
}

/// The process at the other end of the socket, as the kernel says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its user.
    pub uid: u32,
}

/// The door. Clones share everything.
#[derive(Clone)]
pub struct Door {
    inner: Arc<Inner>,
}

struct Inner {
    host: Arc<dyn Host>,
    store: Store,
    desk: Arc<dyn Desk>,
    accounts: Accounts,
    sessions: Arc<Sessions>,
    guesses: Guesses,
    refusals: Refusals,
    trail: Trail,
}

/// Who asks, as far as it is established.
struct Asker {
    actor: Option<Actor>,
    live: Option<Live>,
    token: Option<Token>,
    from: Option<IpAddr>,
}

/// What a door is made of.
pub struct Parts {
    /// The machine, for its clock and its random numbers.
    pub host: Arc<dyn Host>,
    /// The state.
    pub store: Store,
    /// How people reach the panel.
    pub panel: Reach,
    /// How much work a password hash is.
    pub strength: Strength,
    /// Where the audit trail's newest hash is copied to.
    pub mirror: Mirror,
    /// What is behind the door.
    pub desk: Arc<dyn Desk>,
}

impl Door {
    /// A door before a desk, with the state behind it.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let sessions = Arc::new(Sessions::new(parts.store.clone()));
        let accounts = Accounts::new(
            parts.store.clone(),
            Arc::clone(&parts.host),
            parts.panel,
            parts.strength,
            Arc::clone(&sessions),
        );
        let inner = Inner {
            host: parts.host,
            store: parts.store.clone(),
            desk: parts.desk,
            accounts,
            sessions,
            guesses: Guesses::default(),
            refusals: Refusals::default(),
            trail: Trail::new(parts.store, parts.mirror),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Answers one call.
    pub async fn answer(&self, peer: Peer, call: Call) -> Answer {
        if let Some(watched) = Watched::of(&call.request) {
            return self.follow(peer, call, watched).await;
        }
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || inner.answer(peer, call))
            .await
            .unwrap_or_else(|_| Err(broke()))
    }

    /// Answers one call that pours. Blocks.
    pub fn pour(&self, peer: Peer, call: Call, from: &mut dyn Read, to: &mut dyn Write) -> Answer {
        let inner = &self.inner;
        let rule = policy::rule(&call.request);
        let asker = inner.admit(peer, &call, rule)?;
        let act = |_: &Asker, request| inner.desk.pour(request, from, to);
        inner.written_down(rule, &asker, call.request, act)
    }

    /// Removes what is over from the state, and tells the trail of what it left out; to be called now and then.
    pub fn housekeep(&self) -> Result<usize, Fault> {
        self.inner.tell_left_out()?;
        self.inner.sessions.sweep(self.inner.host.now())
    }

    async fn follow(&self, peer: Peer, call: Call, watched: Watched) -> Answer {
        let mut endings = self.inner.sessions.endings();
        let rule = policy::rule(&call.request);
        self.inner.admit(peer, &call, rule)?;
        let mut news = self.inner.desk.follow(watched);
        loop {
            endings.borrow_and_update();
            tokio::select! {
                answer = &mut news => return answer,
                ended = endings.changed() => {
                    self.inner.admit(peer, &call, rule)?;
                    if ended.is_err() {
                        return news.await;
                    }
                }
            }
        }
    }
}

impl Inner {
    fn answer(&self, peer: Peer, call: Call) -> Answer {
        let rule = policy::rule(&call.request);
        let asker = self.admit(peer, &call, rule)?;
        let is_root = asker.actor == Some(Actor::LocalRoot);
        if !rule.limited || is_root {
            return self.acted(rule, &asker, call.request);
        }
        let guess = self.guess(&asker, &call.request)?;
        if let Err(fault) = self.guesses.take(&guess, self.host.now()) {
            return self.refused(rule, &asker, &call.request, fault);
        }
        let answer = match self.closed(&call.request) {
            Some(fault) => self.refused(rule, &asker, &call.request, fault),
            None => self.acted(rule, &asker, call.request),
        };
        self.guesses.settle(&guess, &answer);
        answer
    }

    /// What a guess counts against: its address and the name it is at, or the browser that has signed in before.
    fn guess(&self, asker: &Asker, request: &Request) -> Result<Guess, Fault> {
        let mut guess = Guess {
            source: Source::Address(asker.from),
            name: None,
        };
        if let Request::Login { name, device, .. } = request {
            let (name, is_known) = self.accounts.recognise(name, device.as_ref())?;
            match device {
                Some(device) if is_known => guess.source = Source::Device(device.hash()),
                _ => guess.name = name,
            }
        }
        Ok(guess)
    }

    /// A link that is not good is no change to announce.
    fn closed(&self, request: &Request) -> Option<Fault> {
        match request {
            Request::SetupComplete { link, .. } => self.accounts.check_link(link).err(),
            _ => None,
        }
    }

    /// Writes a refusal down, or counts it.
    fn refused(&self, rule: Rule, asker: &Asker, request: &Request, fault: Fault) -> Answer {
        let subject = Subject::of(asker.actor.as_ref(), asker.from, request);
        self.note_refusal(rule, asker, subject, Err(fault))
    }

    fn note_refusal(&self, rule: Rule, asker: &Asker, subject: Subject, answer: Answer) -> Answer {
        let is_limited = matches!(&answer, Err(fault) if fault.code == Code::LoginLimited);
        let now = self.host.now();
        let noted = match rule.audit {
            Audit::None => None,
            Audit::Outcome | Audit::Change => self.refusals.note(asker.from, is_limited, now),
        };
        if let Some(left_out) = noted {
            let subject = subject.and_left_out(left_out);
            self.trail.conclude(&subject, now, &answer, None)?;
        }
        answer
    }

    fn tell_left_out(&self) -> Result<(), Fault> {
        let now = self.host.now();
        if let Some(number) = self.refusals.overdue(now) {
            let refused = Err(Fault::new(
                Code::LoginLimited,
                "Refused",
                "see the entries before",
            ));
            self.trail
                .conclude(&Subject::left_out(number), now, &refused, None)?;
        }
        Ok(())
    }

    /// Establishes who asks and whether they may. Who brings a program's token is nobody else, whatever comes along.
    fn admit(&self, peer: Peer, call: &Call, rule: Rule) -> Result<Asker, Fault> {
        let from = call.from.map(|address| address.to_canonical());
        if let Some(bearer) = &call.bearer {
            let actor = self.holder(bearer, from)?;
            policy::authorize(rule, Some(&actor))?;
            policy::unattended(&call.request)?;
            return Ok(Asker {
                actor: Some(actor),
                live: None,
                token: None,
                from,
            });
        }
        let live = match &call.session {
            Some(token) => self
                .sessions
                .find(token, self.host.now(), rule.keeps_alive)?,
            None => None,
        };
        let actor = match &live {
            Some(live) => Some(live.actor()),
            // Root who brings a token asks as its holder, or as nobody.
            None if peer.uid == 0 && call.session.is_none() => Some(Actor::LocalRoot),
            None => None,
        };
        policy::authorize(rule, actor.as_ref())?;
        if let Some(live) = &live {
            policy::confirmed(&call.request, live.confirmed, self.host.now())?;
        }
        Ok(Asker {
            actor,
            live,
            token: call.session.clone(),
            from,
        })
    }

    /// Whom a program's token stands for. A wrong one counts against its address, as a wrong password does.
    fn holder(&self, bearer: &Token, from: Option<IpAddr>) -> Result<Actor, Fault> {
        let now = self.host.now();
        if let Some(actor) = tokens::holder(&self.store, bearer, now)? {
            return Ok(actor);
        }
        let guess = Guess {
            source: Source::Address(from),
            name: None,
        };
        self.guesses.take(&guess, now)?;
        Err(policy::bad_token())
    }

    fn acted(&self, rule: Rule, asker: &Asker, request: Request) -> Answer {
        let act = |asker: &Asker, request| self.act(asker, request);
        self.written_down(rule, asker, request, act)
    }

    fn written_down(
        &self,
        rule: Rule,
        asker: &Asker,
        request: Request,
        act: impl FnOnce(&Asker, Request) -> Answer,
    ) -> Answer {
        if rule.audit == Audit::None {
            return act(asker, request);
        }
        let subject = Subject::of(asker.actor.as_ref(), asker.from, &request);
        let announced = match rule.audit {
            Audit::Change => Some(self.trail.announce(&subject, self.host.now())?),
            Audit::None | Audit::Outcome => None,
        };
        let answer = act(asker, request);
        if rule.limited && announced.is_none() && answer.is_err() {
            return self.note_refusal(rule, asker, subject, answer);
        }
        let concluded = self
            .trail
            .conclude(&subject, self.host.now(), &answer, announced);
        match concluded {
            Err(fault) if announced.is_none() => Err(fault),
            _ => answer,
        }
    }

    fn act(&self, asker: &Asker, request: Request) -> Answer {
        let accounts = &self.accounts;
        match request {
            Request::Ping {} => Ok(Reply::Pong {
                version: env!("CARGO_PKG_VERSION").to_owned(),
            }),
            Request::Panel {} => Ok(Reply::Panel(accounts.panel().view())),
            Request::SetupCheck { link } => accounts.check_link(&link),
            Request::SetupComplete {
                link,
                name,
                password,
            } => accounts.complete_setup(&link, &name, &password, asker.from),
            Request::Login {
                name,
                password,
                device,
            } => accounts.login(
                &name,
                &password,
                asker.from,
                asker.token.as_ref(),
                device.as_ref(),
            ),
            Request::Logout {} => {
                let live = asker.live.as_ref().ok_or_else(policy::unauthenticated)?;
                self.sessions.end(&live.hash)?;
                Ok(Reply::Done {})
            }
            Request::Session { .. } => {
                let live = asker.live.as_ref().ok_or_else(policy::unauthenticated)?;
                Ok(Reply::Session(live.view.clone()))
            }
            Request::AdminLink {} => accounts.make_link(),
            Request::AdminUnban { address } => {
                self.guesses.forget(address);
                Ok(Reply::Done {})
            }
            Request::TokenList {} | Request::TokenCreate { .. } | Request::TokenRevoke { .. } => {
                tokens::answer(&self.store, self.host.as_ref(), request)
            }
            Request::AccountList {} => accounts.list(),
            Request::AccountCreate { name, password } => accounts.create(&name, &password),
            Request::AccountPassword {
                name,
                password,
                current,
            } => accounts.set_password(asker.live.as_ref(), &name, &password, current.as_ref()),
            Request::Confirm { password } => accounts.confirm(asker.live.as_ref(), &password),
            Request::AccountDelete { name } => accounts.delete(&name),
            Request::AccountDisable { name, disabled } => accounts.disable(&name, disabled),
            Request::AuditList { limit } => self.trail.list(limit).map(Reply::Audit),
            Request::AuditVerify {} => {
                let entries = self.trail.verify()?;
                Ok(Reply::AuditSound { entries })
            }
            other => match &asker.actor {
                Some(actor) => self.desk.handle(actor, other),
                None => Err(policy::unauthenticated()),
            },
        }
    }
}

fn broke() -> Fault {
    Fault::new(
        Code::HostFailed,
        "The agent could not finish this request",
        "see `journalctl -u lalapanel-agent`, and report it",
    )
}
