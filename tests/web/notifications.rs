//! Who is told of what needs somebody, in the browser.
//!
//! Invariant: no page holds a password or a secret, typed or set.

use poem::http::StatusCode;

use crate::{get, post, signed_in, with_shop};

const PAGE: &str = "/settings/notifications";

#[tokio::test]
async fn who_is_told_is_changed_once_the_plan_was_seen_and_a_password_is_typed_once() {
    let panel = with_shop();
    let page = panel.ask(signed_in(get(PAGE))).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.text.contains("value=\"ops@shop.example\""));
    assert!(
        page.text
            .contains("There is one. Leave this empty to keep it.")
    );
    assert!(page.text.contains("nobody &lt;listens&gt;"));
    let (token, operation) = (page.field("token"), page.field("operation"));
    let form = format!("token={token}&operation={operation}");
    let wrong = format!("{form}&mail_to=nobody&smtp_host=a:25&smtp_password=canary");
    let refused = panel.ask(signed_in(post(PAGE, &wrong))).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("mail_to-error") && refused.text.contains("smtp_host-error"));
    assert!(refused.text.contains("value=\"nobody\"") && !refused.text.contains("canary"));
    let body = format!("{form}&mail_to=ivo@shop.example&smtp_user=ops");
    let typed = format!("{body}&smtp_password=canary&webhook_url=https://a.example/canary");
    let seen = panel.ask(signed_in(post(PAGE, &typed))).await;
    assert_eq!(seen.status, StatusCode::OK, "{}", seen.text);
    assert!(!seen.text.contains("canary"), "{}", seen.text);
    assert!(seen.text.contains("lalapanel notify set --mail-to ivo@shop.example --smtp-password-file FILE --webhook-url-file FILE"));
    assert!(seen.text.contains("What you typed is kept until you save"));
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let (kept, plan) = (seen.field("kept"), seen.field("plan"));
    let body = format!("{body}&smtp_password=&webhook_url=&kept={kept}&plan={plan}");
    let begun = panel.ask(signed_in(post(PAGE, &body))).await;
    assert_eq!(begun.header("location"), format!("/operations/{operation}"));
}

#[tokio::test]
async fn a_webhook_is_forgotten_by_its_box_and_a_password_with_its_name() {
    let panel = with_shop();
    let page = panel.ask(signed_in(get(PAGE))).await;
    let (token, operation) = (page.field("token"), page.field("operation"));
    let body = format!("token={token}&operation={operation}&smtp_user=&no_webhook=1");
    let seen = panel.ask(signed_in(post(PAGE, &body))).await;
    let command = "lalapanel notify set --smtp-user &#039;&#039; --no-webhook";
    assert!(seen.text.contains(command), "{}", seen.text);
}

#[tokio::test]
async fn a_try_says_who_took_it_and_who_did_not() {
    let panel = with_shop();
    let page = panel.ask(signed_in(get(PAGE))).await;
    let body = format!("token={}", page.field("token"));
    let path = format!("{PAGE}/test");
    let tried = panel.ask(signed_in(post(&path, &body))).await;
    assert_eq!(tried.status, StatusCode::OK, "{}", tried.text);
    assert!(tried.text.contains("Mail to somebody was taken: 250 taken"));
    assert!(
        tried
            .text
            .contains("The webhook to somebody failed. Nobody answers")
    );
}
