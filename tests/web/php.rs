//! PHP versions and their extensions in the browser.
//!
//! Invariant: a look at a change never begins it.

use poem::http::StatusCode;

use crate::{get, panel, signed_in};

#[tokio::test]
async fn the_extensions_of_an_installed_version_have_their_buttons() {
    let panel = panel();
    let page = panel.ask(signed_in(get("/php"))).await;
    assert!(page.text.contains("/php/8.4/extensions"));
    assert!(!page.text.contains("/php/8.5/extensions"));
    let page = panel.ask(signed_in(get("/php/8.4/extensions"))).await;
    for told in [
        "/php/8.4/extensions/mysql/remove",
        "/php/8.4/extensions/redis/install",
        "lalapanel php extension list 8.4",
    ] {
        assert!(page.text.contains(told), "{told}");
    }
    let page = panel
        .ask(signed_in(get("/php/8.4/extensions/redis/install")))
        .await;
    assert_eq!(page.status, StatusCode::OK);
    let line = "lalapanel php extension install 8.4 redis";
    assert!(page.text.contains(line), "{line}");
}

#[tokio::test]
async fn what_is_no_extension_or_of_no_installed_version_is_not_found() {
    let panel = panel();
    for path in [
        "/php/8.5/extensions",
        "/php/8.4/extensions/fpm/remove",
        "/php/8.4/extensions/redis-/install",
        "/php/8.4/extensions/redis/reload",
    ] {
        let page = panel.ask(signed_in(get(path))).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
    }
}
