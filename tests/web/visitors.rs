//! Names and passwords for the protected paths of a site, in the browser.
//!
//! Invariant: the password on the page is the one whose hash the agent got, by the plan that was on screen.

use lalapanel::domain::secret::Password;
use lalapanel::domain::visitor::VisitorHash;
use poem::http::StatusCode;
use sha2::{Digest, Sha256};

use crate::{done, get, post, shown, signed_in, with_shop};

const PAGE: &str = "/sites/shop.example/visitors";

fn hash_of(password: &str, operation: &str) -> VisitorHash {
    let digest = Sha256::digest(operation);
    let salt = <[u8; 12]>::try_from(&digest[..12]).unwrap();
    VisitorHash::of(&Password::typed(password.to_owned()), salt).unwrap()
}

#[tokio::test]
async fn somebody_gets_a_password_that_is_shown_once_and_may_pass() {
    let panel = with_shop();
    let access = panel
        .ask(signed_in(get("/sites/shop.example/settings/access")))
        .await;
    assert!(access.text.contains(PAGE));
    let page = panel.ask(signed_in(get(PAGE))).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("Nobody is named yet"));

    let (token, operation) = (page.field("token"), page.field("operation"));
    let body = format!("token={token}&operation={operation}&name=mara");
    let seen = panel.ask(signed_in(post(PAGE, &body))).await;
    assert_eq!(seen.status, StatusCode::OK);
    assert!(
        seen.text
            .contains("lalapanel site visitor add shop.example mara")
    );
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let body = format!("{body}&plan={}", seen.field("plan"));
    let begun = panel.ask(signed_in(post(PAGE, &body))).await;
    assert_eq!(begun.header("location"), format!("/operations/{operation}"));
    let password = shown(&done(&panel, &operation).await).unwrap();
    let got = panel.agent.state.lock().unwrap().visitor_hash.clone();
    assert_eq!(got, Some(hash_of(&password, &operation)));

    let page = panel.ask(signed_in(get(PAGE))).await;
    assert!(!page.text.contains(&password) && !page.text.contains("$6$"));
    let remove = format!("{PAGE}/mara/remove");
    assert!(page.text.contains(&remove));
    let page = panel.ask(signed_in(get(&remove))).await;
    let (token, operation) = (page.field("token"), page.field("operation"));
    let plan = page.field("plan");
    let body = format!("token={token}&operation={operation}&plan={plan}");
    let begun = panel.ask(signed_in(post(&remove, &body))).await;
    assert_eq!(begun.header("location"), format!("/operations/{operation}"));
    done(&panel, &operation).await;
    assert!(
        panel.agent.state.lock().unwrap().sites[0]
            .visitors
            .is_empty()
    );
}

#[tokio::test]
async fn what_is_no_name_or_no_password_is_told_at_its_field() {
    let panel = with_shop();
    let page = panel.ask(signed_in(get(PAGE))).await;
    let token = page.field("token");
    for (form, field) in [
        ("name=a:b", "name"),
        ("name=", "name"),
        ("name=mara&password=short", "password"),
        ("name=mara&password=password1", "password"),
    ] {
        let body = format!("token={token}&{form}");
        let seen = panel.ask(signed_in(post(PAGE, &body))).await;
        assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        assert!(
            seen.text.contains(&format!("id=\"{field}-error\"")),
            "{form}"
        );
    }
    let missing = panel
        .ask(signed_in(get(&format!("{PAGE}/a+b/remove"))))
        .await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
}
