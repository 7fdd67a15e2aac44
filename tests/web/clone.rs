//! Cloning a site in the browser: the form, its plan, the button.
//!
//! Invariant: no site is cloned by a plan that was not on screen.

use poem::http::StatusCode;
use poem::{Endpoint, Response};

use crate::fake;
use crate::{Panel, get, now, panel, post, signed_in};

const PAGE: &str = "/sites/shop.example/clone";

fn with_shop() -> Panel<impl Endpoint<Output = Response>> {
    let panel = panel();
    let shop = fake::site("shop.example", None, true, now());
    panel.agent.state.lock().unwrap().sites.push(shop);
    panel
}

#[tokio::test]
async fn a_clone_is_made_once_the_plan_was_seen() {
    let panel = with_shop();
    let danger = panel
        .ask(signed_in(get("/sites/shop.example/danger")))
        .await;
    assert!(danger.text.contains(PAGE));
    let page = panel.ask(signed_in(get(PAGE))).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.text.contains("name=\"plan\""));

    let (token, operation) = (page.field("token"), page.field("operation"));
    let body = format!("token={token}&operation={operation}&name=New.example");
    let seen = panel.ask(signed_in(post(PAGE, &body))).await;
    assert_eq!(seen.status, StatusCode::OK);
    assert!(
        seen.text
            .contains("lalapanel site clone shop.example new.example")
    );
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let body = format!("{body}&plan={}", seen.field("plan"));
    let begun = panel.ask(signed_in(post(PAGE, &body))).await;
    assert_eq!(begun.header("location"), format!("/operations/{operation}"));
    assert_eq!(panel.agent.state.lock().unwrap().applied, 1);
}

#[tokio::test]
async fn a_name_that_is_none_or_taken_is_told_at_its_field() {
    let panel = with_shop();
    let taken = fake::site("taken.example", None, true, now());
    panel.agent.state.lock().unwrap().sites.push(taken);
    let page = panel.ask(signed_in(get(PAGE))).await;
    let token = page.field("token");
    for (name, status) in [
        ("a..b", StatusCode::UNPROCESSABLE_ENTITY),
        ("taken.example", StatusCode::CONFLICT),
    ] {
        let body = format!("token={token}&name={name}");
        let seen = panel.ask(signed_in(post(PAGE, &body))).await;
        assert_eq!(seen.status, status, "{name}");
        let told = seen.text.contains("id=\"name-error\"");
        assert!(
            told && seen.text.contains(&format!("value=\"{name}\"")),
            "{name}"
        );
    }
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
}
