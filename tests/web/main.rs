//! The router with an agent made of memory: every gate, every header, the forms and the stream. No socket, no root.
//!
//! Invariant: a refusal is shown by what did not reach the agent, not by a status alone.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by failing"
)]

mod api;
mod browser_pages;
mod certificates;
mod clone;
mod command_line;
mod databases;
mod elsewhere;
mod fake;
mod forms;
mod gates;
mod imports;
mod logs;
mod notifications;
mod panel_settings;
mod php;
mod rename;
mod settings;
mod stream;
mod system;
mod trash;
mod visitors;
mod wordpress;

use std::sync::Arc;
use std::time::Duration;

use fake::{Fake, Handle, session};
use lalapanel::domain::time::Timestamp;
use lalapanel::web::router;
use poem::http::{Method, StatusCode, header};
use poem::{Endpoint, Request, Response};

const HOST: &str = "panel.example:8443";

fn now() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000)
}

struct Panel<E> {
    endpoint: E,
    agent: Arc<Fake>,
}

fn panel() -> Panel<impl Endpoint<Output = Response>> {
    panel_with(Duration::from_secs(1))
}

fn panel_with(step: Duration) -> Panel<impl Endpoint<Output = Response>> {
    let agent = Fake::new(step, now);
    Panel {
        endpoint: router(Arc::new(Handle(Arc::clone(&agent)))),
        agent,
    }
}

/// What was answered.
struct Seen {
    status: StatusCode,
    response: Response,
    text: String,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.response.header(name).unwrap_or_default()
    }

    fn field(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let start = self
            .text
            .find(&mark)
            .unwrap_or_else(|| panic!("no field `{name}` in:\n{}", self.text));
        let rest = &self.text[start + mark.len()..];
        rest[..rest.find('"').unwrap()].to_owned()
    }
}

fn get(path: &str) -> Request {
    Request::builder()
        .method(Method::GET)
        .uri(path.parse().unwrap())
        .header(header::HOST, HOST)
        .header(header::ACCEPT, "text/html")
        .finish()
}

fn post(path: &str, body: &str) -> Request {
    Request::builder()
        .method(Method::POST)
        .uri(path.parse().unwrap())
        .header(header::HOST, HOST)
        .header(header::ACCEPT, "text/html")
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body.to_owned())
}

fn signed_in(mut request: Request) -> Request {
    let cookie = format!("__Host-lala_session={}", session().reveal());
    request
        .headers_mut()
        .append(header::COOKIE, cookie.parse().unwrap());
    request
}

fn token() -> String {
    format!("{}{}", "0".repeat(64), session().derived("form").reveal())
}

impl<E: Endpoint<Output = Response>> Panel<E> {
    async fn ask(&self, request: Request) -> Seen {
        let mut response = self.endpoint.get_response(request).await;
        let text = response.take_body().into_string().await.unwrap();
        Seen {
            status: response.status(),
            response,
            text,
        }
    }

    /// Opens the form of a new site, fills it in and looks at the plan.
    async fn planned(&self, hostname: &str) -> (String, String) {
        let form = self.ask(signed_in(get("/sites/new"))).await;
        let body = format!(
            "token={}&operation={}&hostname={hostname}&type=php",
            form.field("token"),
            form.field("operation")
        );
        let check = self.ask(signed_in(post("/sites/new", &body))).await;
        assert_eq!(check.status, StatusCode::OK);
        assert!(
            check
                .text
                .contains("Please check what will happen, then press Create site")
        );
        let operation = check.field("operation");
        let full = format!(
            "{body}&plan={}&seen={}",
            check.field("plan"),
            check.field("seen")
        );
        (operation, full)
    }
}

/// A panel with one site.
fn with_shop() -> Panel<impl Endpoint<Output = Response>> {
    let panel = panel();
    let shop = fake::site("shop.example", None, true, now());
    panel.agent.state.lock().unwrap().sites.push(shop);
    panel
}

/// A form that asks for a new name tells at its field what is no name and what is taken, and begins nothing.
async fn a_bad_name_is_told_at_its_field(form: &str) {
    let panel = with_shop();
    let taken = fake::site("taken.example", None, true, now());
    panel.agent.state.lock().unwrap().sites.push(taken);
    let page = panel.ask(signed_in(get(form))).await;
    let token = page.field("token");
    for (name, status) in [
        ("a..b", StatusCode::UNPROCESSABLE_ENTITY),
        ("taken.example", StatusCode::CONFLICT),
    ] {
        let body = format!("token={token}&name={name}");
        let seen = panel.ask(signed_in(post(form, &body))).await;
        assert_eq!(seen.status, status, "{name}");
        let told = seen.text.contains("id=\"name-error\"");
        let kept = seen.text.contains(&format!("value=\"{name}\""));
        assert!(told && kept, "{name}");
    }
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
}

/// Waits for the end of an operation and looks at its page.
async fn done<E: Endpoint<Output = Response>>(panel: &Panel<E>, operation: &str) -> Seen {
    let path = format!("/operations/{operation}");
    for _ in 0..2000 {
        let page = panel.ask(signed_in(get(&path))).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        if page.text.contains("data-final=\"true\"") {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the operation does not end");
}

/// The password on a page.
fn shown(page: &Seen) -> Option<String> {
    let (_, rest) = page.text.split_once("Show the password</summary><code>")?;
    Some(rest.split_once('<').unwrap().0.to_owned())
}
