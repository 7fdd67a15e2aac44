//! What the door lets in and keeps out, tried as the processes at its other side would: root, the web process, and
//! a web process under an attacker's control.
//!
//! Invariant: every refusal here is checked by what is in the state afterwards, not by the words of the answer alone.

mod strangers;
mod tokens;
mod ways_in;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::agent::door::{Desk, Door, Following, Parts, Peer, Watched};
use crate::agent::panel::Panel;
use crate::agent::password::Strength;
use crate::agent::policy::tests::one_of_each;
use crate::domain::account::{AccountName, Actor};
use crate::domain::fault::{Code, Fault};
use crate::domain::id::OperationId;
use crate::domain::secret::{Password, Token};
use crate::domain::time::Timestamp;
use crate::host::Host;
use crate::host::memory::MemoryHost;
use crate::host::memory::machine::Machine;
use crate::rpc::protocol::{Answer, Call, Reply, Request};
use crate::rpc::view::AuditEntry;
use crate::store::{Store, small_disk};
use crate::system::panel_certificate;

const ROOT: Peer = Peer { uid: 0 };
const WEB: Peer = Peer { uid: 990 };
const PASSWORD: &str = "mauve otter tin sky";
const OTHER: &str = "green heron oak rain";

/// Counts what gets through; a follower never has news.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Desk for Counting {
    fn handle(&self, _: &Actor, _: Request) -> Answer {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Reply::Done {})
    }
    fn pour(&self, _: Request, _: &mut dyn std::io::Read, _: &mut dyn std::io::Write) -> Answer {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Reply::Done {})
    }
    fn follow(&self, _: Watched) -> Following {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::pending())
    }
}

struct Scene {
    door: Door,
    store: Store,
    host: MemoryHost,
    desk: Arc<Counting>,
}

impl Scene {
    fn new() -> Self {
        Self::on(Store::in_memory().unwrap())
    }

    fn on(store: Store) -> Self {
        let host = MemoryHost::new(Machine::debian());
        let made = panel_certificate::make("panel.example", &[], host.now()).unwrap();
        host.change(|machine| {
            let file = panel_certificate::certificate_file();
            machine.tree.put_text(&file, &made.certificate);
        });
        let desk = Arc::new(Counting::default());
        let panel = Panel {
            host: "panel.example".to_owned(),
            port: 8443,
            ..Panel::default()
        };
        let weakest = Strength {
            memory: 64,
            passes: 1,
        };
        let door = Door::new(Parts {
            host: Arc::new(host.clone()),
            store: store.clone(),
            panel: Arc::new(move || panel.clone()),
            strength: weakest,
            mirror: |_| (),
            desk: Arc::clone(&desk) as Arc<dyn Desk>,
        });
        Self {
            door,
            store,
            host,
            desk,
        }
    }

    async fn ask(&self, peer: Peer, session: Option<&Token>, request: Request) -> Answer {
        self.ask_from(peer, session, [192, 0, 2, 7], request).await
    }

    async fn ask_from(
        &self,
        peer: Peer,
        session: Option<&Token>,
        from: [u8; 4],
        request: Request,
    ) -> Answer {
        let call = Call {
            session: session.cloned(),
            bearer: None,
            from: (peer != ROOT).then(|| from.into()),
            request,
        };
        self.door.answer(peer, call).await
    }

    /// A link made by root and used by a browser.
    async fn owner(&self) -> Token {
        let link = self.link().await;
        let request = setup(&link, "mara", PASSWORD);
        signed_in(self.ask(WEB, None, request).await)
    }

    async fn link(&self) -> Token {
        match self.ask(ROOT, None, Request::AdminLink {}).await.unwrap() {
            Reply::Link { url, .. } => Token::parse(url.rsplit('=').next().unwrap()).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    async fn login(&self, name: &str, password: &str) -> Answer {
        self.ask(WEB, None, login(name, password)).await
    }

    async fn unban(&self) {
        let request = Request::AdminUnban { address: None };
        self.ask(ROOT, None, request).await.unwrap();
    }

    async fn trail(&self) -> Vec<AuditEntry> {
        let request = Request::AuditList { limit: 500 };
        match self.ask(ROOT, None, request).await.unwrap() {
            Reply::Audit(entries) => entries,
            other => panic!("{other:?}"),
        }
    }

    async fn is_signed_in(&self, token: &Token) -> bool {
        let request = Request::Session { passive: true };
        self.ask(WEB, Some(token), request).await.is_ok()
    }

    fn passed(&self) -> usize {
        self.desk.0.load(Ordering::SeqCst)
    }

    fn later(&self, seconds: u64) {
        let then = self.host.now().plus_seconds(seconds);
        self.host.set_now(then);
    }
}

fn name(text: &str) -> AccountName {
    AccountName::parse(text).unwrap()
}

fn password(text: &str) -> Password {
    Password::typed(text.to_owned())
}

fn login(name: &str, with: &str) -> Request {
    Request::Login {
        name: name.to_owned(),
        password: password(with),
        device: None,
    }
}

fn setup(link: &Token, who: &str, with: &str) -> Request {
    Request::SetupComplete {
        link: link.clone(),
        name: name(who),
        password: password(with),
    }
}

fn new_password(who: &str, with: &str, current: Option<&str>) -> Request {
    Request::AccountPassword {
        name: name(who),
        password: password(with),
        current: current.map(password),
    }
}

fn signed_in(answer: Answer) -> Token {
    match answer.unwrap() {
        Reply::SignedIn { session, .. } => session,
        other => panic!("{other:?}"),
    }
}

fn code(answer: Answer) -> Code {
    answer.unwrap_err().code
}

#[tokio::test]
async fn without_a_session_the_web_process_gets_nothing_but_the_ways_in() {
    for (variant, request) in one_of_each() {
        let scene = Scene::new();
        let answer = scene.ask(WEB, None, request).await;
        let expected = match variant {
            "Ping" | "Panel" => None,
            "Login" => Some(Code::LoginRefused),
            "SetupCheck" | "SetupComplete" => Some(Code::SetupClosed),
            _ => Some(Code::Unauthenticated),
        };
        assert_eq!(answer.err().map(|fault| fault.code), expected, "{variant}");
        assert_eq!(scene.passed(), 0, "{variant} got through");
        assert_eq!(scene.store.accounts().unwrap(), [], "{variant}");
    }
}

#[tokio::test]
async fn an_invented_token_is_nobody_even_when_root_brings_it() {
    for (variant, request) in one_of_each() {
        let scene = Scene::new();
        let token = Token::from_random([5; 32]);
        let ways_in = ["Ping", "Panel", "Login", "SetupCheck", "SetupComplete"];
        if ways_in.contains(&variant) {
            continue;
        }
        let answer = scene.ask(ROOT, Some(&token), request).await;
        assert_eq!(code(answer), Code::Unauthenticated, "{variant}");
        assert_eq!(scene.passed(), 0, "{variant} got through");
    }
}

#[tokio::test]
async fn a_web_process_with_an_owners_session_mints_no_account_and_no_link() {
    let scene = Scene::new();
    let session = scene.owner().await;
    let before = scene.store.accounts().unwrap();
    for request in [
        Request::AdminLink {},
        Request::AdminUnban { address: None },
        Request::AccountCreate {
            name: name("mallory"),
            password: password(OTHER),
        },
        Request::AccountDelete { name: name("mara") },
        Request::AccountDisable {
            name: name("mara"),
            disabled: true,
        },
        new_password("mara", OTHER, None),
        new_password("mara", OTHER, Some("a wrong guess here")),
    ] {
        let answer = scene.ask(WEB, Some(&session), request).await;
        let code = code(answer);
        assert!(
            matches!(code, Code::Forbidden | Code::LoginRefused),
            "{code:?}"
        );
    }
    assert_eq!(scene.store.accounts().unwrap(), before);
    assert!(scene.is_signed_in(&session).await);
}

#[tokio::test]
async fn an_owner_does_an_owners_work_and_root_does_it_without_a_session() {
    let scene = Scene::new();
    let session = scene.owner().await;
    scene
        .ask(WEB, Some(&session), Request::Home {})
        .await
        .unwrap();
    scene.ask(ROOT, None, Request::SiteList {}).await.unwrap();
    assert_eq!(scene.passed(), 2);
}

#[tokio::test]
async fn a_follower_is_let_go_as_soon_as_its_session_ends() {
    let scene = Scene::new();
    let session = scene.owner().await;
    let id = OperationId::from_parts(1, [1; 10]);
    let (door, token) = (scene.door.clone(), session.clone());
    let following = tokio::spawn(async move {
        let call = Call {
            session: Some(token),
            bearer: None,
            from: None,
            request: Request::OperationFollow { id, after: 0 },
        };
        door.answer(WEB, call).await
    });
    while scene.passed() == 0 {
        tokio::task::yield_now().await;
    }
    let other = signed_in(scene.login("mara", PASSWORD).await);
    tokio::task::yield_now().await;
    assert!(!following.is_finished(), "another sign-in let it go");
    assert!(scene.is_signed_in(&other).await);
    scene
        .ask(WEB, Some(&session), Request::Logout {})
        .await
        .unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(1), following).await;
    assert_eq!(code(answer.unwrap().unwrap()), Code::Unauthenticated);
}

#[tokio::test]
async fn a_change_that_cannot_be_written_down_is_not_done() {
    let (store, disk) = small_disk::store();
    let scene = Scene::on(store);
    let session = scene.owner().await;
    let apply = || {
        one_of_each()
            .into_iter()
            .find(|(name, _)| *name == "Apply")
            .unwrap()
            .1
    };
    disk.set_full(true);
    let refused = scene.ask(WEB, Some(&session), apply()).await;
    assert_eq!(code(refused), Code::DiskFull);
    assert_eq!(scene.passed(), 0);
    disk.set_full(false);
    scene.ask(WEB, Some(&session), apply()).await.unwrap();
    assert_eq!(scene.passed(), 1);
}

#[tokio::test]
async fn the_trail_tells_who_did_what_from_where_and_never_a_password() {
    let scene = Scene::new();
    scene.owner().await;
    let _ = scene.login("<i>mallory\n", "wrong guess entirely").await;
    let entries = scene.trail().await;
    let told: Vec<_> = entries
        .iter()
        .map(|entry| {
            (
                entry.actor.as_str(),
                entry.action.as_str(),
                entry.result.as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("nobody signed in", "login", "session.refused"),
            ("nobody signed in", "setup", "ok"),
            ("root on this server", "admin link", "ok"),
        ]
    );
    assert_eq!(entries[0].from, Some([192, 0, 2, 7].into()));
    let text = serde_json::to_string(&entries).unwrap();
    assert!(!text.contains("wrong guess") && !text.contains(PASSWORD));
    let sound = scene
        .ask(ROOT, None, Request::AuditVerify {})
        .await
        .unwrap();
    assert!(
        matches!(sound, Reply::AuditSound { entries: 5 }),
        "{sound:?}"
    );
}

#[tokio::test]
async fn sessions_that_are_over_are_swept_away() {
    let scene = Scene::new();
    let session = scene.owner().await;
    assert_eq!(scene.door.housekeep().unwrap(), 0);
    scene.later(13 * 3600);
    assert_eq!(scene.door.housekeep().unwrap(), 1);
    assert!(scene.store.session(&session.hash()).unwrap().is_none());
    let epoch = Timestamp::from_millis(0);
    assert!(scene.host.now() > epoch);
}
