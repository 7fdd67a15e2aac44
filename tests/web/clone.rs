//! Cloning a site in the browser: the form, its plan, the button.
//!
//! Invariant: no site is cloned by a plan that was not on screen.

use poem::http::StatusCode;

use crate::{a_bad_name_is_told_at_its_field, get, post, signed_in, with_shop};

const PAGE: &str = "/sites/shop.example/clone";

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
    a_bad_name_is_told_at_its_field(PAGE).await;
}

#[tokio::test]
async fn its_databases_are_copied_where_the_box_is_ticked_and_it_stays_ticked() {
    let panel = with_shop();
    let page = panel.ask(signed_in(get(PAGE))).await;
    assert!(
        !page.text.contains("id=\"databases\""),
        "it has none to copy"
    );
    panel.agent.state.lock().unwrap().sites[0].databases = vec!["shop_db".to_owned()];
    let page = panel.ask(signed_in(get(PAGE))).await;
    assert!(page.text.contains("Copy its databases too (shop_db)"));
    let (token, operation) = (page.field("token"), page.field("operation"));
    let body = format!("token={token}&operation={operation}&name=new.example&databases=1");
    let seen = panel.ask(signed_in(post(PAGE, &body))).await;
    let command = "lalapanel site clone shop.example new.example --databases";
    assert!(seen.text.contains(command));
    let ticked = "aria-describedby=\"databases-help\" checked";
    assert!(seen.text.contains(ticked));
}
