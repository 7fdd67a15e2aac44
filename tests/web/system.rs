//! The machine's page, and what Prometheus reads.

use lalapanel::domain::token::written;
use poem::http::header;

use crate::fake::bearer;
use crate::{get, panel, signed_in};

#[tokio::test]
async fn charts_come_with_a_sentence_a_table_and_their_gap() {
    let panel = panel();
    for range in [
        "",
        "?range=hour",
        "?range=week",
        "?range=year",
        "?range=nonsense",
    ] {
        let seen = panel.ask(signed_in(get(&format!("/system{range}")))).await;
        assert_eq!(seen.status, 200, "{range}");
        assert_eq!(seen.text.matches("<svg viewBox=\"0 0 600 120\"").count(), 5);
        assert_eq!(seen.text.matches("The same as a table").count(), 5);
        assert!(seen.text.contains("Busy: average ") && seen.text.contains("Sent: average "));
        assert!(seen.text.contains("No data from "), "{range}");
        assert!(!seen.text.contains("style="));
        assert!(seen.text.len() < 60_000, "{} bytes", seen.text.len());
    }
}

#[tokio::test]
async fn metrics_are_for_tokens_alone() {
    let panel = panel();
    assert_eq!(panel.ask(signed_in(get("/metrics"))).await.status, 401);
    let mut request = get("/metrics");
    let bearer = format!("Bearer {}", written(&bearer())).parse().unwrap();
    request.headers_mut().insert(header::AUTHORIZATION, bearer);
    let seen = panel.ask(request).await;
    assert_eq!(seen.status, 200);
    assert!(
        seen.header("content-type")
            .starts_with("text/plain; version=0.0.4")
    );
    for line in [
        "lalapanel_sites ",
        "lalapanel_cpu_busy_ratio 0.",
        "lalapanel_service_healthy{service=\"nginx\"} ",
    ] {
        assert!(
            seen.text.lines().any(|one| one.starts_with(line)),
            "{line}\n{}",
            seen.text
        );
    }
}

#[tokio::test]
async fn users_are_people_and_programs_and_the_page_changes_nothing() {
    let seen = panel().ask(signed_in(get("/users"))).await;
    assert_eq!(seen.status, 200);
    for told in [
        "ivo",
        "Disabled",
        "(you)",
        "deploy",
        "Expired",
        "prometheus",
        "until it is revoked",
    ] {
        assert!(seen.text.contains(told), "{told}");
    }
    assert!(seen.text.contains("lalapanel account disable NAME"));
    assert_eq!(seen.text.matches("<form").count(), 1, "the theme alone");
}
