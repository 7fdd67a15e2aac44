//! `/api/v1`: tokens, statuses, documents.
//!
//! Invariant: a refusal is shown by what did not reach the agent, not by a status alone.

use lalapanel::domain::token::written;
use poem::Request;
use poem::http::{Method, header};
use serde_json::{Value, json};

use crate::fake::{bearer, site};
use crate::{HOST, now, panel, signed_in};

fn asks(method: Method, path: &str, body: &str) -> Request {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/api/v1/{path}").parse().unwrap())
        .header(header::HOST, HOST)
        .header(
            header::AUTHORIZATION,
            format!("Bearer {}", written(&bearer())),
        );
    if !body.is_empty() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    request.body(body.to_owned())
}

fn get(path: &str) -> Request {
    asks(Method::GET, path, "")
}

fn without(mut request: Request, name: header::HeaderName) -> Request {
    request.headers_mut().remove(name);
    request
}

fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {text}"))
}

#[tokio::test]
async fn without_a_token_nothing_is_answered_but_the_document() {
    let panel = panel();
    let mut wrong = get("sites");
    wrong
        .headers_mut()
        .insert(header::AUTHORIZATION, "Bearer lala_no".parse().unwrap());
    let mut basic = get("sites");
    basic
        .headers_mut()
        .insert(header::AUTHORIZATION, "Basic bWFyYTp4".parse().unwrap());
    for request in [
        without(get("sites"), header::AUTHORIZATION),
        signed_in(without(get("sites"), header::AUTHORIZATION)),
        wrong,
        basic,
    ] {
        let seen = panel.ask(request).await;
        assert_eq!(seen.status, 401);
        assert!(seen.header("www-authenticate").starts_with("Bearer"));
        assert_eq!(document(&seen.text)["error"]["code"], "token.refused");
    }
    let seen = panel
        .ask(without(get("openapi.json"), header::AUTHORIZATION))
        .await;
    assert_eq!(
        (seen.status.as_u16(), &document(&seen.text)["openapi"]),
        (200, &json!("3.1.0"))
    );
    // And a page is nobody's session where a token comes along.
    let mut page = signed_in(crate::get("/"));
    let brought = "Bearer lala_no".parse().unwrap();
    page.headers_mut().insert(header::AUTHORIZATION, brought);
    assert_eq!(panel.ask(page).await.status, 303);
}

#[tokio::test]
async fn what_there_is_is_told_as_the_command_line_tells_it() {
    let panel = panel();
    panel.agent.state.lock().unwrap().sites = vec![site("shop.example", None, true, now())];
    let seen = panel.ask(get("sites")).await;
    assert_eq!(seen.header("content-type"), "application/json");
    assert_eq!(document(&seen.text)["sites"][0]["hostname"], "shop.example");
    let one = document(&panel.ask(get("sites/shop.example")).await.text);
    assert_eq!(
        (&one["user"], &one["tls"]["state"]),
        (&document(&seen.text)["sites"][0]["user"], &json!("off"))
    );
    for (path, status) in [
        ("sites/gone.example", 404),
        ("sites/..%2fx", 400),
        ("sites/no_name", 422),
        ("nothing", 404),
        ("databases/gone_db", 404),
        ("sites/shop.example/log/other", 422),
    ] {
        let seen = panel.ask(get(path)).await;
        assert_eq!(seen.status, status, "{path}");
        assert!(document(&seen.text)["error"]["hint"].is_string(), "{path}");
    }
    let seen = panel.ask(asks(Method::PUT, "sites", "{}")).await;
    assert_eq!(seen.status, 405);
}

#[tokio::test]
async fn a_change_is_an_operation_and_its_plan_is_only_shown() {
    let panel = panel();
    let body = r#"{"hostname":"new.example","type":"static"}"#;
    let seen = panel.ask(asks(Method::POST, "sites?plan=true", body)).await;
    assert_eq!(seen.status, 200);
    assert!(document(&seen.text)["steps"].is_array());
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let seen = panel.ask(asks(Method::POST, "sites", body)).await;
    assert_eq!(seen.status, 202);
    let id = document(&seen.text)["operation"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(seen.header("location"), format!("/api/v1/operations/{id}"));
    let operation = panel.ask(get(&format!("operations/{id}"))).await;
    assert_eq!(document(&operation.text)["summary"]["id"], id.as_str());
    let database = r#"{"name":"shop_db"}"#;
    let seen = panel.ask(asks(Method::POST, "databases", database)).await;
    let password = document(&seen.text)["database_password"].clone();
    assert_eq!(password.as_str().unwrap().len(), 32);
}

#[tokio::test]
async fn what_is_not_as_described_changes_nothing() {
    let panel = panel();
    let mut plain = asks(Method::POST, "sites", r#"{"hostname":"new.example"}"#);
    plain
        .headers_mut()
        .insert(header::CONTENT_TYPE, "text/plain".parse().unwrap());
    let mut twice = asks(Method::POST, "sites", r#"{"hostname":"new.example"}"#);
    twice
        .headers_mut()
        .insert("idempotency-key", "mine".parse().unwrap());
    let huge = format!(r#"{{"hostname":"{}"}}"#, "a".repeat(300_000));
    for (request, status) in [
        (plain, 422),
        (twice, 422),
        (asks(Method::POST, "sites", "{"), 422),
        (
            asks(
                Method::POST,
                "sites?plan=yes",
                r#"{"hostname":"a.example"}"#,
            ),
            422,
        ),
        (
            asks(
                Method::POST,
                "certificates/renew?plan=true",
                r#"{"force":false}"#,
            ),
            422,
        ),
        (asks(Method::POST, "sites", "[]"), 422),
        (
            asks(
                Method::POST,
                "sites",
                r#"{"hostname":"a.example","admin":true}"#,
            ),
            422,
        ),
        (
            asks(
                Method::POST,
                "sites",
                r#"{"hostname":"a.example","type":"static","php":"8.2"}"#,
            ),
            422,
        ),
        (
            asks(
                Method::PATCH,
                "sites/shop.example",
                r#"{"php.nonsense":"1"}"#,
            ),
            422,
        ),
        (asks(Method::POST, "sites", &huge), 413),
    ] {
        let seen = panel.ask(request).await;
        assert_eq!(seen.status, status, "{}", seen.text);
        assert!(document(&seen.text)["error"]["title"].is_string());
    }
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let mut elsewhere = get("sites");
    elsewhere
        .headers_mut()
        .insert(header::HOST, "evil.example".parse().unwrap());
    let seen = panel.ask(elsewhere).await;
    assert_eq!((seen.status.as_u16(), seen.text.as_str()), (421, ""));
}
