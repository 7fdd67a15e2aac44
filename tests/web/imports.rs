//! Dumps that are uploaded: unpacked, loaded beside the database, looked at, put in place or forgotten.
//!
//! Invariant: an upload alone changes nothing, and one that is cut off, damaged or from elsewhere loads nothing.

use std::io::Write as _;
use std::time::Duration;

use lalapanel::domain::dump_format::DumpFormat;
use lalapanel::rpc::packer::Packer;
use poem::http::{StatusCode, header};
use poem::{Endpoint, Request, Response};

use crate::fake;
use crate::{Panel, done, get, now, panel_with, post, signed_in};

const PAGE: &str = "/databases/shop_db/import";
const LOADED: &str = "/databases/shop_db/import/0123abcd";
const DUMP: &str = "CREATE TABLE t (x INT);\n-- Dump completed\n";

fn with_shop() -> Panel<impl Endpoint<Output = Response>> {
    let panel = panel_with(Duration::from_millis(1));
    let own = fake::database("shop_db", None, now());
    panel.agent.state.lock().unwrap().databases.push(own);
    panel
}

fn packed(format: DumpFormat, sql: &str) -> Vec<u8> {
    let mut packer = Packer::new(format, Vec::new()).unwrap();
    packer.write_all(sql.as_bytes()).unwrap();
    packer.finish().unwrap()
}

/// The form as a browser sends it.
fn form(token: &str, more: &str, file: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    let field = |name: &str, text: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    body.extend(field("token", token).into_bytes());
    if !more.is_empty() {
        body.extend(field(more, "1").into_bytes());
    }
    body.extend(b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\nContent-Type: application/octet-stream\r\n\r\n");
    body.extend(file);
    body.extend(b"\r\n--b--\r\n");
    body
}

fn upload(path: &str, body: Vec<u8>) -> Request {
    let mut request = post(path, "");
    let kind = "multipart/form-data; boundary=b".parse().unwrap();
    request.headers_mut().insert(header::CONTENT_TYPE, kind);
    request.set_body(body);
    request
}

#[tokio::test]
async fn a_dump_is_loaded_looked_at_and_put_in_place_by_the_typed_name() {
    let panel = with_shop();
    let page = panel.ask(signed_in(get("/databases/shop_db"))).await;
    assert!(page.text.contains(PAGE));
    let long = format!(
        "{}-- Dump completed\n",
        "INSERT INTO t VALUES (1);\n".repeat(90_000)
    );
    for sql in [DUMP, &long] {
        for format in DumpFormat::ALL {
            let token = panel.ask(signed_in(get(PAGE))).await.field("token");
            let body = form(&token, "", &packed(format, sql));
            let seen = panel.ask(signed_in(upload(PAGE, body))).await;
            assert_eq!(seen.header("location"), LOADED, "{format:?}");
            let loaded = panel.agent.state.lock().unwrap().loaded.take();
            assert!(loaded.as_deref() == Some(sql), "{format:?}");
        }
    }
    panel.agent.state.lock().unwrap().loaded = Some(DUMP.to_owned());
    let check = panel.ask(signed_in(get(LOADED))).await;
    assert!(check.text.contains("Put the 1 tables that were loaded"));
    assert!(check.text.contains("lalapanel db import shop_db FILE"));
    let operation = check.field("operation");
    let body = format!(
        "token={}&operation={operation}&plan={}&seen={}",
        check.field("token"),
        check.field("plan"),
        check.field("seen")
    );
    let unsaid = panel.ask(signed_in(post(LOADED, &body))).await;
    assert_eq!(unsaid.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        unsaid
            .text
            .contains("The name does not match. Type shop_db")
    );
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let body = format!("{body}&confirm=shop_db");
    let begun = panel.ask(signed_in(post(LOADED, &body))).await;
    assert_eq!(begun.header("location"), format!("/operations/{operation}"));
    done(&panel, &operation).await;
    assert_eq!(panel.agent.state.lock().unwrap().applied, 1);
}

#[tokio::test]
async fn what_is_not_whole_or_refused_is_said_at_the_file_and_nothing_is_loaded() {
    let panel = with_shop();
    let token = panel.ask(signed_in(get(PAGE))).await.field("token");
    let gzip = packed(DumpFormat::Gzip, &DUMP.repeat(500));
    let cut_body = {
        let mut body = form(&token, "", DUMP.as_bytes());
        body.truncate(body.len() - 12);
        body
    };
    let big = format!("GRANT ALL ON *.* TO x;\n{}", "x".repeat(8 << 20));
    for (body, words) in [
        (form(&token, "", b""), "Choose the file of a dump first"),
        (
            form(&token, "", &gzip[..gzip.len() / 2]),
            "cannot be read to its end",
        ),
        (cut_body, "cannot be read to its end"),
        (
            form(&token, "", b"CREATE TABLE t (x INT);\n"),
            "no line `-- Dump completed`",
        ),
        (form(&token, "", big.as_bytes()), "ERROR 1044 at line 1"),
    ] {
        let seen = panel.ask(signed_in(upload(PAGE, body))).await;
        assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY, "{words}");
        assert!(seen.text.contains(words), "{words}");
        assert!(seen.text.contains("href=\"#file\"") && seen.text.contains("file-error"));
        assert!(
            panel.agent.state.lock().unwrap().loaded.is_none(),
            "{words}"
        );
    }
    let without_end = form(&token, "unfinished", b"CREATE TABLE t (x INT);\n");
    let seen = panel.ask(signed_in(upload(PAGE, without_end))).await;
    assert_eq!(seen.header("location"), LOADED);
    let forgotten = format!("{LOADED}/forget");
    let body = format!("token={token}");
    let seen = panel.ask(signed_in(post(&forgotten, &body))).await;
    assert_eq!(seen.header("location"), "/databases/shop_db");
    let gone = panel.ask(signed_in(get(LOADED))).await;
    assert_eq!(gone.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(gone.text.contains("not there any more") && gone.text.contains("Upload a dump"));
}

#[tokio::test]
async fn a_file_of_somebody_else_is_not_read() {
    let panel = with_shop();
    let token = panel.ask(signed_in(get(PAGE))).await.field("token");
    let whole = form(&token, "", DUMP.as_bytes());
    let stranger = panel.ask(upload(PAGE, whole.clone())).await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
    let untold = form("", "", DUMP.as_bytes());
    let seen = panel.ask(signed_in(upload(PAGE, untold))).await;
    assert_eq!(seen.status, StatusCode::FORBIDDEN);
    let mut elsewhere = signed_in(upload(PAGE, whole.clone()));
    let foreign = "cross-site".parse().unwrap();
    elsewhere.headers_mut().insert("sec-fetch-site", foreign);
    assert_eq!(panel.ask(elsewhere).await.status, StatusCode::FORBIDDEN);
    let long = "x".repeat(4096);
    let seen = panel
        .ask(signed_in(upload(PAGE, form(&long, "", b""))))
        .await;
    assert_eq!(seen.status, StatusCode::PAYLOAD_TOO_LARGE);
    let nobody = "/databases/nobody/import";
    let seen = panel.ask(signed_in(upload(nobody, whole))).await;
    assert_eq!(seen.status, StatusCode::NOT_FOUND);
    assert!(panel.agent.state.lock().unwrap().loaded.is_none());
    for path in ["/databases/shop_db/import/0123", "/databases/nobody/import"] {
        let seen = panel.ask(signed_in(get(path))).await;
        assert_eq!(seen.status, StatusCode::NOT_FOUND, "{path}");
    }
}
