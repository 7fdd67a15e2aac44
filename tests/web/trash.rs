//! The trash in the browser: the list under Sites, the way back, the end.
//!
//! Invariant: nothing is put back or ended that was not on screen.

use lalapanel::domain::id::{OperationId, SiteId};
use lalapanel::domain::name::Hostname;
use lalapanel::rpc::trash::{Trashed, TrashedView};
use lalapanel::rpc::view::OperationState;
use poem::http::StatusCode;

use crate::fake;
use crate::{get, now, panel, post, signed_in};

fn gone() -> TrashedView {
    TrashedView {
        id: "s1007".to_owned(),
        number: SiteId::new(1007),
        hostname: Hostname::parse("gone.example").unwrap(),
        hostname_unicode: "gone.example".to_owned(),
        r#type: "php".to_owned(),
        aliases: Vec::new(),
        deleted: now(),
        until: now().plus_seconds(7 * 86_400),
        days_left: 7,
    }
}

#[tokio::test]
async fn a_deleted_site_is_listed_and_put_back_where_its_name_is_free() {
    let panel = panel();
    panel.agent.state.lock().unwrap().trash.push(gone());
    let list = panel.ask(signed_in(get("/sites"))).await;
    for told in [
        "gone.example",
        "7 days",
        "/trash/s1007/restore",
        "/trash/s1007/delete",
    ] {
        assert!(list.text.contains(told), "{told}");
    }
    let taken = fake::site("gone.example", None, true, now());
    panel.agent.state.lock().unwrap().sites.push(taken);
    let page = panel.ask(signed_in(get("/trash/s1007/restore"))).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(
        page.text.contains("gone.example is already served"),
        "{}",
        page.text
    );

    let (token, operation) = (page.field("token"), page.field("operation"));
    let body = format!("token={token}&operation={operation}&hostname=back.example");
    let seen = panel
        .ask(signed_in(post("/trash/s1007/restore", &body)))
        .await;
    assert_eq!(
        (seen.status, seen.field("hostname").as_str()),
        (StatusCode::OK, "back.example")
    );
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let body = format!("{body}&plan={}", seen.field("plan"));
    let begun = panel
        .ask(signed_in(post("/trash/s1007/restore", &body)))
        .await;
    assert_eq!(begun.header("location"), format!("/operations/{operation}"));
    assert_eq!(panel.agent.state.lock().unwrap().applied, 1);
}

#[tokio::test]
async fn a_site_in_the_trash_is_ended_only_by_its_typed_name() {
    let panel = panel();
    panel.agent.state.lock().unwrap().trash.push(gone());
    let page = panel.ask(signed_in(get("/trash/s1007/delete"))).await;
    let body = format!(
        "token={}&operation={}&plan={}",
        page.field("token"),
        page.field("operation"),
        page.field("plan")
    );
    let wrong = panel
        .ask(signed_in(post(
            "/trash/s1007/delete",
            &format!("{body}&confirm=gone"),
        )))
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let right = panel
        .ask(signed_in(post(
            "/trash/s1007/delete",
            &format!("{body}&confirm=Gone.example"),
        )))
        .await;
    assert_eq!(right.status, StatusCode::SEE_OTHER);
    let nobody = panel.ask(signed_in(get("/trash/s1008/restore"))).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_name_that_is_none_is_told_at_its_field() {
    let panel = panel();
    panel.agent.state.lock().unwrap().trash.push(gone());
    let page = panel.ask(signed_in(get("/trash/s1007/restore"))).await;
    let body = format!("token={}&hostname=a..b", page.field("token"));
    let seen = panel
        .ask(signed_in(post("/trash/s1007/restore", &body)))
        .await;
    assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(seen.text.contains("id=\"hostname-error\"") && seen.text.contains("value=\"a..b\""));
}

#[tokio::test]
async fn the_page_of_a_deletion_puts_the_site_back_while_it_can_be() {
    let panel = panel();
    let site = fake::site("gone.example", None, true, now());
    panel.agent.state.lock().unwrap().sites.push(site);
    let page = panel
        .ask(signed_in(get("/sites/gone.example/delete")))
        .await;
    let body = format!(
        "token={}&operation={}&plan={}&confirm=gone.example",
        page.field("token"),
        page.field("operation"),
        page.field("plan")
    );
    let begun = panel
        .ask(signed_in(post("/sites/gone.example/delete", &body)))
        .await;
    let id = OperationId::parse(&page.field("operation")).unwrap();
    panel.agent.note(id, |view, _| {
        view.summary.state = OperationState::Done;
        view.trashed = Some(Trashed::Site(SiteId::new(1007)));
    });
    panel.agent.state.lock().unwrap().trash.push(gone());
    let address = begun.header("location").to_owned();
    let seen = panel.ask(signed_in(get(&address))).await;
    for told in [
        "gone.example is offline and in the trash until",
        "href=\"/trash/s1007/restore\">Put it back</a>",
        "/sites#deleted",
    ] {
        assert!(seen.text.contains(told), "{told}: {}", seen.text);
    }
    panel.agent.state.lock().unwrap().trash.clear();
    let later = panel.ask(signed_in(get(&address))).await;
    assert!(!later.text.contains("Put it back"));
}
