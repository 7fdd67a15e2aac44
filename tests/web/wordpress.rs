//! WordPress with a new site in the browser: fetched when the button is pressed, and its password shown once.
//!
//! Invariant: nothing is fetched while somebody types, and no page but the operation's holds the password.

use std::time::Duration;

use lalapanel::domain::archive::{ArchiveUrl, Checksum, FetchedArchive, WordpressVersion};
use lalapanel::domain::wordpress::ArchiveDigest;
use poem::http::StatusCode;
use sha_crypt::{PasswordVerifier, ShaCrypt};

use crate::{Panel, done, get, now, panel_with, post, shown, signed_in};

const PAGE: &str = "/sites/new";
const FILLED: &str = "hostname=wp.example&type=wordpress&install=1&admin_email=mara%40wp.example&admin_name=mara&title=A+shop";

fn archive() -> FetchedArchive {
    FetchedArchive {
        url: ArchiveUrl::official(),
        archive: ArchiveDigest::parse(&"cd".repeat(32)).unwrap(),
        published: Checksum::parse(&"ab".repeat(20)).unwrap(),
        version: WordpressVersion::parse("6.8.2").ok(),
        bytes: 28_000_000,
        fetched: now(),
    }
}

fn with_mirror() -> Panel<impl poem::Endpoint<Output = poem::Response>> {
    let panel = panel_with(Duration::from_millis(1));
    panel.agent.state.lock().unwrap().archive_at_the_mirror = Some(archive());
    panel
}

#[tokio::test]
async fn wordpress_is_fetched_by_the_button_and_its_password_shown_once_it_is_done() {
    let panel = with_mirror();
    let form = panel.ask(signed_in(get(PAGE))).await;
    assert!(form.text.contains("Install WordPress, ready to sign in"));
    assert!(form.text.contains("https://wordpress.org/latest.tar.gz"));
    let (token, operation) = (form.field("token"), form.field("operation"));
    let start = format!("token={token}&operation={operation}&{FILLED}");
    let live = panel
        .ask(signed_in(post(PAGE, &format!("{start}&live=1"))))
        .await;
    assert_eq!(live.status, StatusCode::OK);
    assert!(live.text.contains("WordPress has to be fetched first"));
    assert!(panel.agent.state.lock().unwrap().archive.is_none());

    let check = panel.ask(signed_in(post(PAGE, &start))).await;
    assert_eq!(check.status, StatusCode::OK, "{}", check.text);
    assert!(check.text.contains("WordPress 6.8.2 is at hand"));
    let command = "lalapanel site create wp.example --type wordpress --php 8.4 --install --admin-email mara@wp.example --admin-name mara --title";
    assert!(check.text.contains(command), "{}", check.text);
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let again = panel
        .ask(signed_in(post(PAGE, &format!("{start}&live=1"))))
        .await;
    assert_eq!(again.field("plan"), check.field("plan"));

    let body = format!("{start}&plan={}", check.field("plan"));
    let begun = panel.ask(signed_in(post(PAGE, &body))).await;
    assert_eq!(begun.header("location"), format!("/operations/{operation}"));
    let page = done(&panel, &operation).await;
    let password = shown(&page).unwrap();
    assert!(page.text.contains("http://wp.example/wp-admin/") && page.text.contains(">mara<"));
    let new = panel.agent.state.lock().unwrap().wordpress.clone().unwrap();
    assert_eq!(
        (new.title.as_str(), new.archive),
        ("A shop", archive().archive)
    );
    assert!(is_of(new.hash.as_str(), &password));
    assert!(!check.text.contains(&password) && !check.text.contains(new.hash.as_str()));
    let saved = format!("/operations/{operation}/saved");
    panel
        .ask(signed_in(post(&saved, &format!("token={token}"))))
        .await;
    assert!(shown(&done(&panel, &operation).await).is_none());
}

/// Whether a hash is of a password.
fn is_of(hash: &str, password: &str) -> bool {
    let verifier = ShaCrypt::default();
    verifier.verify_password(password.as_bytes(), hash).is_ok()
}

#[tokio::test]
async fn what_cannot_be_fetched_or_is_typed_wrong_is_said_at_its_field_and_nothing_is_lost() {
    let panel = panel_with(Duration::from_millis(1));
    let form = panel.ask(signed_in(get(PAGE))).await;
    let (token, operation) = (form.field("token"), form.field("operation"));
    let start = format!("token={token}&operation={operation}");
    let away = panel
        .ask(signed_in(post(PAGE, &format!("{start}&{FILLED}"))))
        .await;
    assert_eq!(away.status, StatusCode::SERVICE_UNAVAILABLE);
    for kept in [
        "id=\"install-error\"",
        "`wordpress.org` cannot be reached",
        "--archive FILE",
        "value=\"mara@wp.example\"",
        "value=\"A shop\"",
        "name=\"install\" value=\"1\"",
    ] {
        assert!(away.text.contains(kept), "{kept}");
    }
    let typed = "hostname=wp.example&type=wordpress&install=1&admin_email=mara&admin_name=a+b";
    let wrong = panel
        .ask(signed_in(post(PAGE, &format!("{start}&{typed}"))))
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("id=\"admin_email-error\""));
    assert!(wrong.text.contains("id=\"admin_name-error\""));
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
}

#[tokio::test]
async fn other_types_and_an_empty_box_install_nothing() {
    let panel = panel_with(Duration::from_millis(1));
    let form = panel.ask(signed_in(get(PAGE))).await;
    let (token, operation) = (form.field("token"), form.field("operation"));
    let others = [
        "hostname=a.example&type=static&install=1&admin_email=x",
        "hostname=a.example&type=wordpress&admin_email=x",
    ];
    for typed in others {
        let body = format!("token={token}&operation={operation}&{typed}");
        let check = panel.ask(signed_in(post(PAGE, &body))).await;
        assert_eq!(check.status, StatusCode::OK, "{typed}");
        assert!(!check.text.contains("--install"), "{typed}");
        assert!(!check.field("plan").is_empty());
    }
    let drafted = panel.ask(signed_in(get(&format!("{PAGE}?{FILLED}")))).await;
    assert_eq!(drafted.status, StatusCode::OK);
    assert!(drafted.text.contains("value=\"mara@wp.example\""));
    assert!(!drafted.text.contains("name=\"plan\""));
}
