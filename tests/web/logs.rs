//! The page of a site's logs and its stream.
//!
//! Invariant: nothing that was logged becomes markup, and no entry of the stream is lost or comes twice.

use std::sync::Arc;
use std::time::Duration;

use lalapanel::domain::php::PhpVersion;
use poem::http::StatusCode;

use crate::{Panel, fake, get, now, panel, signed_in};
use poem::{Endpoint, Response};

fn with_site() -> Panel<impl Endpoint<Output = Response>> {
    let panel = panel();
    let site = |name, php| fake::site(name, php, true, now());
    let mut state = panel.agent.state.lock().unwrap();
    state
        .sites
        .push(site("shop.example", Some(PhpVersion::new(8, 4))));
    state.sites.push(site("plain.example", None));
    drop(state);
    panel
}

#[tokio::test]
async fn the_newest_entry_comes_first_and_none_is_markup() {
    let panel = with_site();
    panel.agent.write_log("GET /first", 200);
    panel
        .agent
        .write_log("GET /<img src=x onerror=alert(1)>", 404);
    let seen = panel.ask(signed_in(get("/sites/shop.example/logs"))).await;
    assert_eq!(seen.status, StatusCode::OK);
    assert!(!seen.text.contains("<img src=x"));
    let place = |text: &str| seen.text.find(text).unwrap_or_else(|| panic!("no {text}"));
    assert!(place("/&lt;img src=x") < place("GET /first"));
    assert!(seen.text.contains("lalapanel log shop.example access"));
    assert!(seen.text.contains("PHP errors") && seen.text.contains("data-after=\"7-2\""));
}

#[tokio::test]
async fn a_filter_is_kept_in_the_form_and_a_wrong_one_is_told() {
    let panel = with_site();
    panel.agent.write_log("GET /first", 200);
    panel.agent.write_log("GET /second", 502);
    let path = "/sites/shop.example/logs?file=access&status=5xx&text=second";
    let seen = panel.ask(signed_in(get(path))).await;
    assert!(seen.text.contains("GET /second") && !seen.text.contains("GET /first"));
    assert!(seen.text.contains("value=\"5xx\" selected") && seen.text.contains("value=\"second\""));
    let seen = panel
        .ask(signed_in(get("/sites/shop.example/logs?status=9xx")))
        .await;
    assert!(seen.text.contains("There is 1 thing to fix"));
    let seen = panel
        .ask(signed_in(get("/sites/shop.example/logs?text=nowhere")))
        .await;
    assert!(seen.text.contains("Nothing matches") && seen.text.contains("Clear the filter"));
}

#[tokio::test]
async fn what_there_is_not_is_not_shown() {
    let panel = with_site();
    for path in [
        "/sites/shop.example/logs?file=../../etc/passwd",
        "/sites/none.example/logs",
        "/sites/none.example/logs/events",
    ] {
        let seen = panel.ask(signed_in(get(path))).await;
        assert_eq!(seen.status, StatusCode::NOT_FOUND, "{path}");
    }
    let seen = panel.ask(signed_in(get("/sites/plain.example/logs"))).await;
    assert!(seen.text.contains("nginx errors") && !seen.text.contains("PHP errors"));
    let seen = panel.ask(get("/sites/shop.example/logs/events")).await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_deleted_log_is_said_to_be_gone_with_the_way_back() {
    let panel = with_site();
    panel.agent.state.lock().unwrap().log_trouble = "deleted";
    let seen = panel.ask(signed_in(get("/sites/shop.example/logs"))).await;
    assert!(seen.text.contains("This log file was deleted"));
    assert!(seen.text.contains("/sites/shop.example/restore-logs"));
    let seen = panel
        .ask(signed_in(get("/sites/shop.example/restore-logs")))
        .await;
    assert!(seen.text.contains("lalapanel log shop.example --restore"));
}

#[tokio::test(start_paused = true)]
async fn a_stream_tells_each_entry_once_and_resumes_after_the_last() {
    let panel = with_site();
    panel.agent.write_log("GET /old", 200);
    let agent = Arc::clone(&panel.agent);
    tokio::spawn(async move {
        for number in 0..3 {
            tokio::time::sleep(Duration::from_secs(20)).await;
            agent.write_log(&format!("GET /new{number}\"</script>"), 200);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        agent.state.lock().unwrap().sessions.clear();
    });
    let path = "/sites/shop.example/logs/events?file=access&after=7-0";
    let mut request = signed_in(get(path));
    request
        .headers_mut()
        .insert("last-event-id", "7-1".parse().unwrap());
    let seen = panel.ask(request).await;
    assert_eq!(seen.header("content-type"), "text/event-stream");
    assert!(!seen.text.contains("/old"), "{}", seen.text);
    for number in 0..3 {
        let told = seen.text.matches(&format!("/new{number}")).count();
        assert_eq!(told, 1, "{}", seen.text);
    }
    assert!(seen.text.contains("id: 7-4\nevent: lines\n"));
    assert!(seen.text.contains(": still here"));
    assert!(seen.text.ends_with("event: signed-out\ndata: {}\n\n"));
}
