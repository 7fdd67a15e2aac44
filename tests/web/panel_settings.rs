//! Settings of the panel in the browser, and the address that is tried.
//!
//! Invariant: nobody keeps an address by the one that works anyway.

use poem::http::StatusCode;

use crate::{get, post, signed_in, with_shop};

const PAGE: &str = "/settings";

#[tokio::test]
async fn settings_are_changed_once_the_plan_was_seen() {
    let panel = with_shop();
    let page = panel.ask(signed_in(get(PAGE))).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("value=\"mara@panel.example\""));
    let (token, operation) = (page.field("token"), page.field("operation"));
    let wrong = format!("token={token}&operation={operation}&port=443&email=nobody");
    let refused = panel.ask(signed_in(post(PAGE, &wrong))).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("port-error") && refused.text.contains("email-error"));
    assert!(refused.text.contains("value=\"443\""));
    let body = format!("token={token}&operation={operation}&port=9443&email=ivo@panel.example");
    let seen = panel.ask(signed_in(post(PAGE, &body))).await;
    assert_eq!(seen.status, StatusCode::OK, "{}", seen.text);
    assert!(seen.text.contains("lalapanel settings set panel.port=9443"));
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let emptied = format!("token={token}&operation={operation}&email=");
    let away = panel.ask(signed_in(post(PAGE, &emptied))).await;
    assert!(away.text.contains("lalapanel settings set acme.email="));
    let body = format!("{body}&plan={}", seen.field("plan"));
    let begun = panel.ask(signed_in(post(PAGE, &body))).await;
    assert_eq!(begun.header("location"), format!("/operations/{operation}"));
}

#[tokio::test]
async fn an_address_is_kept_only_by_who_came_by_it() {
    let panel = with_shop();
    let page = panel.ask(signed_in(get(PAGE))).await;
    assert!(page.text.contains("https://panel.example:9443/settings"));
    assert!(!page.text.contains("Keep this address</button>"));
    let token = page.field("token");
    let body = format!("token={token}");
    let kept = panel.ask(signed_in(post("/settings/keep", &body))).await;
    assert_eq!(kept.header("location"), PAGE);
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let back = panel.ask(signed_in(post("/settings/back", &body))).await;
    assert!(back.header("location").starts_with("/operations/"));
    assert_eq!(panel.agent.state.lock().unwrap().applied, 1);
    let none = panel.ask(signed_in(post("/settings/other", &body))).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}
