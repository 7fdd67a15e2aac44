//! Programs at the door: what a token opens, and when it stops doing so.
//!
//! Invariant: who brings a token is its holder or nobody, whatever else comes along.

use super::*;
use crate::domain::change::Change;
use crate::domain::token::{Scope, TokenName};

impl Scene {
    async fn token(&self, name: &str, scope: Scope, days: Option<u32>) -> Token {
        let request = Request::TokenCreate {
            name: TokenName::parse(name).unwrap(),
            account: super::name("mara"),
            scope,
            days,
        };
        match self.ask(ROOT, None, request).await.unwrap() {
            Reply::TokenMade { token, .. } => token,
            other => panic!("{other:?}"),
        }
    }

    async fn with_token(&self, token: &Token, session: Option<&Token>, request: Request) -> Answer {
        let call = Call {
            session: session.cloned(),
            bearer: Some(token.clone()),
            from: Some([192, 0, 2, 7].into()),
            request,
        };
        self.door.answer(WEB, call).await
    }
}

fn look() -> Request {
    Request::SiteList {}
}

fn change() -> Request {
    let text = r#"{"apply":{"change":{"site_enable":{"hostname":"shop.example"}}}}"#;
    serde_json::from_str(text).unwrap()
}

fn code(answer: Answer) -> Code {
    answer.unwrap_err().code
}

#[tokio::test]
async fn a_token_asks_in_its_accounts_name_and_the_trail_says_by_which() {
    let scene = Scene::new();
    scene.owner().await;
    let token = scene.token("ci", Scope::Write, None).await;
    scene.with_token(&token, None, change()).await.unwrap();
    let trail = scene.trail().await;
    assert!(
        trail
            .iter()
            .any(|entry| entry.actor == "mara by token ci" && entry.action == "site enable")
    );
    assert!(
        trail
            .iter()
            .any(|entry| entry.action == "token create" && entry.object == "ci")
    );
}

#[tokio::test]
async fn one_that_may_look_changes_nothing_even_beside_a_session() {
    let scene = Scene::new();
    let session = scene.owner().await;
    let token = scene.token("stats", Scope::Read, Some(30)).await;
    scene.with_token(&token, None, look()).await.unwrap();
    let passed = scene.passed();
    let refused = scene.with_token(&token, Some(&session), change()).await;
    assert_eq!(code(refused), Code::TokenScope);
    let nobody = Token::from_random([9; 32]);
    let refused = scene.with_token(&nobody, Some(&session), look()).await;
    assert_eq!(code(refused), Code::TokenRefused);
    assert_eq!(scene.passed(), passed);
}

#[tokio::test]
async fn it_ends_with_its_time_with_its_account_and_when_it_is_revoked() {
    let scene = Scene::new();
    scene.owner().await;
    let (short, long) = (
        scene.token("short", Scope::Read, Some(1)).await,
        scene.token("long", Scope::Read, None).await,
    );
    scene.later(24 * 3600 - 1);
    scene.with_token(&short, None, look()).await.unwrap();
    scene.later(1);
    assert_eq!(
        code(scene.with_token(&short, None, look()).await),
        Code::TokenRefused
    );
    scene.with_token(&long, None, look()).await.unwrap();
    let name = TokenName::parse("long").unwrap();
    let revoke = || Request::TokenRevoke { name: name.clone() };
    scene.ask(ROOT, None, revoke()).await.unwrap();
    assert_eq!(
        code(scene.with_token(&long, None, look()).await),
        Code::TokenRefused
    );
    assert_eq!(
        code(scene.ask(ROOT, None, revoke()).await),
        Code::TokenNotFound
    );
}

#[tokio::test]
async fn what_is_for_people_and_for_root_is_not_for_tokens() {
    let scene = Scene::new();
    scene.owner().await;
    let token = scene.token("ci", Scope::Write, None).await;
    let text = r#"{"apply":{"change":{"site_snippet":{"hostname":"shop.example","text":"location /x { gzip on; }"}}}}"#;
    let snippet: Request = serde_json::from_str(text).unwrap();
    assert!(matches!(
        &snippet,
        Request::Apply {
            change: Change::SiteSnippet { .. },
            ..
        }
    ));
    for request in [
        snippet,
        Request::Session { passive: true },
        Request::Logout {},
    ] {
        assert_eq!(
            code(scene.with_token(&token, None, request).await),
            Code::TokenScope
        );
    }
    let made = scene.with_token(&token, None, Request::AdminLink {}).await;
    assert_eq!(code(made), Code::Forbidden);
    assert_eq!(scene.passed(), 0);
}

#[tokio::test]
async fn the_eleventh_wrong_token_from_an_address_is_not_even_compared() {
    let scene = Scene::new();
    scene.owner().await;
    let token = scene.token("ci", Scope::Read, None).await;
    for number in 0..10 {
        let guess = Token::from_random([number; 32]);
        assert_eq!(
            code(scene.with_token(&guess, None, look()).await),
            Code::TokenRefused
        );
    }
    let guess = Token::from_random([11; 32]);
    assert_eq!(
        code(scene.with_token(&guess, None, look()).await),
        Code::LoginLimited
    );
    scene.with_token(&token, None, look()).await.unwrap();
}
