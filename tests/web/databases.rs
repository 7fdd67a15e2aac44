//! Databases in the browser: what is listed, and passwords that are shown once and stand nowhere else.
//!
//! Invariant: the password on the page is the one whose hash the agent got, and no other page, address or form holds it.

use std::time::Duration;

use lalapanel::domain::database::{DatabaseHash, DatabaseUser};
use lalapanel::domain::database_inside::Granted;
use lalapanel::domain::secret::{Password, Token};
use poem::http::{StatusCode, header};
use poem::{Endpoint, Request, Response};

use crate::fake;
use crate::{Panel, done, get, now, panel_with, post, shown, signed_in};

const NEW: &str = "/databases/new-database";

fn with_shop() -> Panel<impl Endpoint<Output = Response>> {
    let panel = panel_with(Duration::from_millis(1));
    let mut state = panel.agent.state.lock().unwrap();
    state
        .sites
        .push(fake::site("shop.example", None, true, now()));
    let own = fake::database("shop_db", Some("shop.example"), now());
    let alone = fake::database("other", None, now());
    state.databases.extend([own, alone]);
    drop(state);
    panel
}

#[tokio::test]
async fn all_are_listed_and_those_of_a_site_at_the_site() {
    let panel = with_shop();
    let all = panel.ask(signed_in(get("/databases"))).await;
    assert_eq!(all.status, StatusCode::OK);
    assert!(all.text.contains("/databases/shop_db") && all.text.contains("/databases/other"));
    let some = panel.ask(signed_in(get("/databases?q=shop.example"))).await;
    assert!(some.text.contains("/databases/shop_db") && !some.text.contains("/databases/other"));
    let none = panel.ask(signed_in(get("/databases?q=nothing"))).await;
    assert!(none.text.contains("No database matches"));
    let site = panel
        .ask(signed_in(get("/sites/shop.example/databases")))
        .await;
    assert!(site.text.contains("/databases/shop_db") && !site.text.contains("/databases/other"));
    let one = panel.ask(signed_in(get("/databases/shop_db"))).await;
    assert!(one.text.contains("/databases/shop_db/password"));
    assert!(one.text.contains("lalapanel db show shop_db"));
    for path in ["/databases/nothing", "/databases/A-B", "/databases/mysql"] {
        let seen = panel.ask(signed_in(get(path))).await;
        assert_eq!(seen.status, StatusCode::NOT_FOUND, "{path}");
    }
    panel.agent.state.lock().unwrap().databases.clear();
    let empty = panel.ask(signed_in(get("/databases"))).await;
    assert!(empty.text.contains("This server has no database yet"));
    panel.agent.state.lock().unwrap().down = true;
    let down = panel.ask(signed_in(get("/databases"))).await;
    assert_eq!(down.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn sizes_and_tables_are_shown_and_it_is_said_where_nothing_is_known() {
    let panel = with_shop();
    let all = panel.ask(signed_in(get("/databases"))).await;
    assert!(all.text.contains("4.3 MB") && all.text.contains("Sizes as of"));
    let page = "/databases/shop_db";
    let one = panel.ask(signed_in(get(page))).await;
    assert!(one.text.contains("wp_options") && one.text.contains("utf8mb4_general_ci"));
    assert!(!one.text.contains("Somebody changed"));
    panel.agent.state.lock().unwrap().grants_differ = vec![Granted {
        user: DatabaseUser::parse("shop_db").unwrap(),
        missing: vec![],
        more: vec!["GRANT FILE ON *.* TO shop_db@localhost".to_owned()],
    }];
    let one = panel.ask(signed_in(get(page))).await;
    assert!(one.text.contains("Not from Lala: <code>GRANT FILE ON *.*"));
    assert!(one.text.contains("/databases/shop_db/repair"));
    silence(&panel.agent);
    let one = panel.ask(signed_in(get(page))).await;
    assert!(one.text.contains("MariaDB does not answer") && !one.text.contains("wp_options"));
    let all = panel.ask(signed_in(get("/databases"))).await;
    assert!(all.text.contains("Sizes are not known"));
}

fn silence(agent: &fake::Fake) {
    let mut state = agent.state.lock().unwrap();
    state.dump = fake::Dump::Refused;
    for one in &mut state.databases {
        (one.bytes, one.sized) = (None, None);
    }
}

#[tokio::test]
async fn a_made_password_is_shown_once_it_is_done_and_is_gone_when_it_was_saved() {
    let panel = with_shop();
    let form = panel.ask(signed_in(get(NEW))).await;
    let (token, operation) = (form.field("token"), form.field("operation"));
    let body = format!("token={token}&operation={operation}&name=new_db&site=shop.example");
    let check = panel.ask(signed_in(post(NEW, &body))).await;
    assert_eq!(check.status, StatusCode::OK);
    assert!(
        check
            .text
            .contains("<option value=\"shop.example\" selected>")
    );
    assert!(
        check
            .text
            .contains("lalapanel db create new_db --site shop.example")
    );
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let body = format!("{body}&plan={}", check.field("plan"));
    let begun = panel.ask(signed_in(post(NEW, &body))).await;
    let path = format!("/operations/{operation}");
    assert_eq!(begun.header("location"), path);
    let page = done(&panel, &operation).await;
    let password = shown(&page).unwrap();
    let hash = panel.agent.state.lock().unwrap().database_hash.clone();
    let typed = Password::typed(password.clone());
    assert_eq!(hash, Some(DatabaseHash::of(&typed)));
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(!check.text.contains(&password));

    // Somebody else's session sees the operation and no password.
    let other = Token::from_random([0x77; 32]);
    let known = other.reveal().to_owned();
    panel.agent.state.lock().unwrap().sessions.push(known);
    let theirs = panel.ask(as_session(get(&path), &other)).await;
    assert_eq!(theirs.status, StatusCode::OK);
    assert!(shown(&theirs).is_none() && !theirs.text.contains(&password));

    // A second press lands on the same operation, and the password stays the one it was begun with.
    let body = format!("{body}&password=mauve+otter+tin+sky");
    panel.ask(signed_in(post(NEW, &body))).await;
    assert_eq!(panel.agent.state.lock().unwrap().applied, 1);
    let again = done(&panel, &operation).await;
    assert_eq!(shown(&again), Some(password));
    let saved = format!("{path}/saved");
    let answer = panel
        .ask(signed_in(post(&saved, &format!("token={token}"))))
        .await;
    assert_eq!(answer.header("location"), path);
    assert!(shown(&done(&panel, &operation).await).is_none());
}

fn as_session(mut request: Request, session: &Token) -> Request {
    let cookie = format!("__Host-lala_session={}", session.reveal());
    let headers = request.headers_mut();
    headers.append(header::COOKIE, cookie.parse().unwrap());
    request
}

#[tokio::test]
async fn a_typed_password_is_taken_and_never_comes_back() {
    let panel = with_shop();
    let page = "/databases/shop_db/password";
    let form = panel.ask(signed_in(get(page))).await;
    let (token, operation) = (form.field("token"), form.field("operation"));
    assert!(!form.text.contains("name=\"plan\""));
    let start = format!("token={token}&operation={operation}");
    let short = panel
        .ask(signed_in(post(page, &format!("{start}&password=short"))))
        .await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(short.text.contains("id=\"password-error\""));
    let typed = "mauve otter tin sky";
    let body = format!("{start}&password={}", typed.replace(' ', "+"));
    let check = panel.ask(signed_in(post(page, &body))).await;
    assert!(!check.text.contains(typed));
    // What comes back is a mark that it was typed.
    let body = format!(
        "{start}&kept={}&plan={}",
        check.field("kept"),
        check.field("plan")
    );
    panel.ask(signed_in(post(page, &body))).await;
    let end = done(&panel, &operation).await;
    assert!(shown(&end).is_none() && !end.text.contains(typed));
    let hash = panel.agent.state.lock().unwrap().database_hash.clone();
    let typed = Password::typed(typed.to_owned());
    assert_eq!(hash, Some(DatabaseHash::of(&typed)));
}

#[tokio::test]
async fn a_name_that_is_none_or_taken_is_told_at_its_field() {
    let panel = with_shop();
    let token = panel.ask(signed_in(get(NEW))).await.field("token");
    for (name, status) in [
        ("a-b", StatusCode::UNPROCESSABLE_ENTITY),
        ("mysql", StatusCode::UNPROCESSABLE_ENTITY),
        ("", StatusCode::UNPROCESSABLE_ENTITY),
        ("shop_db", StatusCode::CONFLICT),
    ] {
        let body = format!("token={token}&name={name}");
        let seen = panel.ask(signed_in(post(NEW, &body))).await;
        assert_eq!(seen.status, status, "{name}");
        let told = seen.text.contains("id=\"name-error\"");
        assert!(told, "{name}");
        let live = format!("{body}&live=1");
        let seen = panel.ask(signed_in(post(NEW, &live))).await;
        assert_eq!(seen.status, StatusCode::OK, "{name}");
    }
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
}

#[tokio::test]
async fn a_database_is_deleted_once_its_name_was_typed_and_put_back_from_the_operation() {
    let panel = panel_with(Duration::from_millis(1));
    let own = fake::database("shop_db", None, now());
    panel.agent.state.lock().unwrap().databases.push(own);
    let page = "/databases/shop_db/delete";
    let form = panel.ask(signed_in(get(page))).await;
    assert!(form.text.contains("For 7 days you can put it back"));
    let body = filled(&form);
    let wrong = format!("{body}&confirm=shop");
    let seen = panel.ask(signed_in(post(page, &wrong))).await;
    assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(seen.text.contains("Type shop_db"));
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let right = format!("{body}&confirm=Shop_DB");
    let seen = panel.ask(signed_in(post(page, &right))).await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER);
    let end = done(&panel, &form.field("operation")).await;
    assert!(
        end.text
            .contains("href=\"/databases/shop_db/restore\">Put it back</a>")
    );

    let all = panel.ask(signed_in(get("/databases"))).await;
    assert!(all.text.contains("id=\"deleted\"") && all.text.contains("7 days"));
    let one = panel.ask(signed_in(get("/databases/shop_db"))).await;
    assert!(one.text.contains("It is in the trash until"));
    assert!(!one.text.contains("/databases/shop_db/password"));
    let again = panel.ask(signed_in(get(page))).await;
    assert!(again.text.contains("cannot be undone") && again.text.contains("--now"));

    let page = "/databases/shop_db/restore";
    let form = panel.ask(signed_in(get(page))).await;
    assert!(!form.text.contains("name=\"confirm\""));
    panel.ask(signed_in(post(page, &filled(&form)))).await;
    done(&panel, &form.field("operation")).await;
    let one = panel.ask(signed_in(get("/databases/shop_db"))).await;
    assert!(one.text.contains("/databases/shop_db/password"));
}

/// What a page with a plan sends when its button is pressed.
fn filled(form: &crate::Seen) -> String {
    format!(
        "token={}&operation={}&plan={}",
        form.field("token"),
        form.field("operation"),
        form.field("plan")
    )
}

/// What the fake agent's database comes to.
const DUMP: &str = "CREATE TABLE t (x INT);\n-- Dump completed\n";

#[tokio::test]
async fn a_download_is_whole_or_breaks_off_and_a_refusal_is_a_page() {
    use std::io::Read as _;
    let panel = with_shop();
    let page = "/databases/shop_db/export";
    let token = panel.ask(signed_in(get("/databases/shop_db"))).await;
    let token = token.field("token");
    let asked = |format: &str| signed_in(post(page, &format!("token={token}&format={format}")));
    let plain = panel.ask(asked("plain")).await;
    assert_eq!(plain.status, StatusCode::OK);
    assert_eq!(plain.text, DUMP);
    assert_eq!(plain.header("content-type"), "application/sql");
    assert_eq!(plain.header("cache-control"), "no-store");
    let named = plain.header("content-disposition");
    assert!(named.starts_with("attachment; filename=\"shop_db-20"));
    assert!(named.ends_with(".sql\""), "{named}");
    let mut packed = panel.endpoint.get_response(asked("gzip")).await;
    let bytes = packed.take_body().into_vec().await.unwrap();
    let mut back = String::new();
    let mut unpacker = flate2::read::GzDecoder::new(bytes.as_slice());
    unpacker.read_to_string(&mut back).unwrap();
    assert_eq!(back, DUMP);
    let mut packed = panel.endpoint.get_response(asked("zstd")).await;
    let bytes = packed.take_body().into_vec().await.unwrap();
    let back = zstd::decode_all(bytes.as_slice()).unwrap();
    assert_eq!(back, DUMP.as_bytes());

    panel.agent.state.lock().unwrap().dump = fake::Dump::Broken;
    let mut broken = panel.endpoint.get_response(asked("plain")).await;
    assert_eq!(broken.status(), StatusCode::OK);
    assert!(broken.take_body().into_vec().await.is_err());
    panel.agent.state.lock().unwrap().dump = fake::Dump::Refused;
    let refused = panel.ask(asked("plain")).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.text.contains("MariaDB does not answer"));
    assert!(refused.header("content-disposition").is_empty());
    for (path, body, status) in [
        (page, "format=gzip".to_owned(), StatusCode::FORBIDDEN),
        (
            page,
            format!("token={token}&format=tar"),
            StatusCode::BAD_REQUEST,
        ),
        (
            "/databases/nobody/export",
            format!("token={token}&format=gzip"),
            StatusCode::NOT_FOUND,
        ),
    ] {
        let seen = panel.ask(signed_in(post(path, &body))).await;
        assert_eq!(seen.status, status, "{path} {body}");
    }
}

#[tokio::test]
async fn a_password_for_the_sites_file_is_made_on_the_server_and_shown_to_nobody() {
    let panel = with_shop();
    let page = "/databases/shop_db/password";
    let form = panel.ask(signed_in(get(page))).await;
    assert!(form.text.contains("Write it into the file of shop.example"));
    let (token, operation) = (form.field("token"), form.field("operation"));
    let start = format!("token={token}&operation={operation}&edit_site=1");
    let typed = format!("{start}&password=mauve+otter+tin+sky");
    let refused = panel.ask(signed_in(post(page, &typed))).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("id=\"password-error\""));
    let check = panel.ask(signed_in(post(page, &start))).await;
    assert!(check.text.contains("wp-config.php as the site"));
    assert!(
        check
            .text
            .contains("lalapanel db password shop_db --edit-site")
    );
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let body = format!("{start}&plan={}", check.field("plan"));
    panel.ask(signed_in(post(page, &body))).await;
    let end = done(&panel, &operation).await;
    assert!(shown(&end).is_none());
    let state = panel.agent.state.lock().unwrap();
    assert_eq!((state.applied, state.database_hash.clone()), (1, None));
}

#[tokio::test]
async fn a_further_user_is_made_seen_changed_and_removed_each_with_its_plan() {
    let panel = with_shop();
    let page = "/databases/shop_db/users";
    let form = panel.ask(signed_in(get(page))).await;
    assert_eq!(form.status, StatusCode::OK);
    let (token, operation) = (form.field("token"), form.field("operation"));
    let body =
        format!("token={token}&operation={operation}&name=reader&rights=read-only&connections=5");
    let check = panel.ask(signed_in(post(page, &body))).await;
    assert!(check.text.contains("read-only, 5 connections at once"));
    assert!(
        check.text.contains(
            "lalapanel db user add shop_db reader --rights read-only --max-connections 5"
        )
    );
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let body = format!("{body}&plan={}", check.field("plan"));
    panel.ask(signed_in(post(page, &body))).await;
    let ended = done(&panel, &operation).await;
    let password = shown(&ended).unwrap();
    assert!(ended.text.contains("reader"));
    let hash = panel.agent.state.lock().unwrap().database_hash.clone();
    assert_eq!(hash, Some(DatabaseHash::of(&Password::typed(password))));

    let one = panel.ask(signed_in(get("/databases/shop_db"))).await;
    assert!(one.text.contains("read-only, 5 connections at once"));
    for path in [
        "users/reader",
        "users/reader/password",
        "users/reader/remove",
        "repair",
    ] {
        let path = format!("/databases/shop_db/{path}");
        let seen = panel.ask(signed_in(get(&path))).await;
        assert_eq!(seen.status, StatusCode::OK, "{path}");
    }
    let set = panel
        .ask(signed_in(get("/databases/shop_db/users/reader")))
        .await;
    assert!(set.text.contains("value=\"read-only\" selected"));
    let nobody = panel
        .ask(signed_in(get("/databases/shop_db/users/nobody")))
        .await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);

    let path = "/databases/shop_db/users/reader/remove";
    let sheet = panel.ask(signed_in(get(path))).await;
    let operation = sheet.field("operation");
    let body = format!(
        "token={token}&operation={operation}&plan={}",
        sheet.field("plan")
    );
    panel.ask(signed_in(post(path, &body))).await;
    done(&panel, &operation).await;
    assert_eq!(
        panel.agent.state.lock().unwrap().databases[0].users.len(),
        1
    );
}

#[tokio::test]
async fn what_cannot_be_granted_is_marked_and_nothing_is_asked_for() {
    let panel = with_shop();
    let page = "/databases/shop_db/users";
    let form = panel.ask(signed_in(get(page))).await;
    let (token, operation) = (form.field("token"), form.field("operation"));
    for (typed, said) in [
        ("name=Reader", "user&#039;s name begins"),
        ("name=", "Type a name"),
        ("name=reader&only=file", "Rights are all, read-only"),
        (
            "name=reader&connections=many",
            "Connections at once are a number",
        ),
    ] {
        let body = format!("token={token}&operation={operation}&{typed}");
        let seen = panel.ask(signed_in(post(page, &body))).await;
        assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY, "{typed}");
        assert!(seen.text.contains(said), "{typed}: {}", seen.text);
    }
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
}
