//! What people met in other panels, and shall not meet here. What needs a browser is in `tests/ui/run.mjs`.
//!
//! Invariant: each test names the report it comes from.

use lalapanel::domain::fault::{Code, Fault};
use lalapanel::domain::id::OperationId;
use lalapanel::domain::php::PhpVersion;
use lalapanel::rpc::view::OperationState;

use super::*;

/// Uptime Kuma 7079: everything was loaded into the browser, which took 10 to 50 s with some hundred rows.
#[tokio::test]
async fn two_hundred_sites_are_a_page_of_fifty_that_says_how_many_there_are() {
    let panel = panel();
    for number in 0..200 {
        let site = fake::site(
            &format!("site-{number:03}.example"),
            Some(PhpVersion::new(8, 4)),
            true,
            now(),
        );
        panel.agent.state.lock().unwrap().sites.push(site);
    }
    let seen = panel.ask(signed_in(get("/sites"))).await;
    assert_eq!(seen.text.matches("<tr><td>").count(), 50);
    assert!(seen.text.contains("1–50 of 200"));
    assert!(seen.text.len() < 60_000, "{} bytes", seen.text.len());
    let last = panel.ask(signed_in(get("/sites?page=4"))).await;
    assert!(last.text.contains("site-199.example") && !last.text.contains("site-000.example"));
}

/// Coolify 1174, Vito 153 and 229: errors were gone before they were read, or were an empty page.
#[tokio::test]
async fn why_something_failed_is_at_one_address_as_often_as_it_is_asked_for() {
    let panel = panel();
    let (operation, body) = panel.planned("will-fail.example").await;
    panel.ask(signed_in(post("/sites/new", &body))).await;
    let id = OperationId::parse(&operation).unwrap();
    panel.agent.note(id, |view, at| {
        view.summary.state = OperationState::Undone;
        view.summary.ended = Some(at);
        view.fault = Some(
            Fault::new(
                Code::SiteUnhealthy,
                "will-fail.example answers 502 after the reload",
                "look at the error log of the site",
            )
            .detail("connect() failed (111: Connection refused)"),
        );
    });
    let address = format!("/operations/{operation}");
    for _ in 0..2 {
        let seen = panel.ask(signed_in(get(&address))).await;
        for words in ["answers 502", "111: Connection refused", "error log"] {
            assert!(seen.text.contains(words), "{words}: {}", seen.text);
        }
    }
    let list = panel.ask(signed_in(get("/activity"))).await;
    assert!(list.text.contains(&address) && list.text.contains("Undone"));
}
