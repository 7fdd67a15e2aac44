//! The stream of an operation: what it says, where it resumes, when it ends.
//!
//! Invariant: no event is lost, none comes twice.

use std::sync::Arc;
use std::time::Duration;

use lalapanel::domain::id::OperationId;
use poem::http::{StatusCode, header};

use crate::{get, panel, panel_with, post, signed_in};

/// The `id:` lines and the last state of a stream that has ended.
fn events(text: &str) -> (Vec<u64>, bool) {
    let ids = text
        .lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .map(|id| id.parse().unwrap())
        .collect();
    (ids, text.contains("\"final\":true"))
}

#[tokio::test(start_paused = true)]
async fn a_stream_resumes_where_it_was_without_loss_or_repeat() {
    let panel = panel();
    let (operation, body) = panel.planned("shop.example").await;
    panel.ask(signed_in(post("/sites/new", &body))).await;
    let path = format!("/operations/{operation}/events");
    let whole = panel.ask(signed_in(get(&path))).await;
    assert_eq!(whole.header("content-type"), "text/event-stream");
    assert_eq!(whole.header("cache-control"), "no-store");
    let (ids, ended) = events(&whole.text);
    assert!(ended);
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
    let last = *ids.last().unwrap();
    let mut resumed = signed_in(get(&path));
    resumed
        .headers_mut()
        .insert("last-event-id", (last - 1).to_string().parse().unwrap());
    assert_eq!(events(&panel.ask(resumed).await.text).0, [last]);

    let mut foreign = signed_in(get(&path));
    foreign
        .headers_mut()
        .insert(header::ORIGIN, "https://evil.example".parse().unwrap());
    assert_eq!(panel.ask(foreign).await.status, StatusCode::FORBIDDEN);
    let page = panel
        .ask(signed_in(get(&format!("/operations/{operation}"))))
        .await;
    assert!(
        page.text.contains("shop.example is ready")
            && !page.text.contains("http-equiv=\"refresh\"")
    );
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_says_that_it_lives_and_ends_with_its_session() {
    let panel = panel_with(Duration::from_secs(3600));
    let (operation, body) = panel.planned("shop.example").await;
    panel.ask(signed_in(post("/sites/new", &body))).await;
    let page = panel
        .ask(signed_in(get(&format!("/operations/{operation}"))))
        .await;
    assert!(page.text.contains(&format!(
        "content=\"5;url=/operations/{operation}?watch=1\""
    )));
    let id = OperationId::parse(&operation).unwrap();
    let agent = Arc::clone(&panel.agent);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(40)).await;
        agent.state.lock().unwrap().sessions.clear();
        agent.note(id, |_, _| {});
    });
    let mut quiet = signed_in(get(&format!("/operations/{operation}/events")));
    quiet
        .headers_mut()
        .insert("last-event-id", "900".parse().unwrap());
    let seen = panel.ask(quiet).await;
    assert!(seen.text.contains(": still here"));
    assert!(
        seen.text.ends_with("event: signed-out\ndata: {}\n\n"),
        "{}",
        seen.text
    );
    assert_eq!(events(&seen.text).0, Vec::<u64>::new());
}
