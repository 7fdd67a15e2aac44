//! Every gate and every header: names, paths, methods, origins, tokens, panics.
//!
//! Invariant: a refusal is shown by what did not reach the agent, not by a status alone.

use std::sync::Arc;

use lalapanel::web::{Access, ROUTES};
use poem::Request;
use poem::http::{Method, StatusCode, header};

use crate::fake::link;
use crate::{HOST, Seen, get, panel, post, signed_in, token};

fn sealed(seen: &Seen) {
    for (name, wanted) in [
        ("content-security-policy", "trusted-types 'none'"),
        ("content-security-policy", "frame-ancestors 'none'"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-frame-options", "DENY"),
        ("permissions-policy", "camera=()"),
        ("cache-control", ""),
    ] {
        let value = seen.header(name);
        assert!(
            !value.is_empty() && value.contains(wanted),
            "{}: {name}: {value}",
            seen.status
        );
    }
    assert!(!seen.header("content-security-policy").contains("unsafe"));
    assert!(seen.response.header("server").is_none());
}

#[tokio::test]
async fn every_response_carries_the_headers_whatever_became_of_the_request() {
    let panel = panel();
    let mut elsewhere = get("/");
    elsewhere
        .headers_mut()
        .insert(header::HOST, "evil.example".parse().unwrap());
    let mut bulky = get("/healthz");
    bulky
        .headers_mut()
        .insert("x-bulk", "b".repeat(20_000).parse().unwrap());
    let mut chunked = post("/login", "name=mara");
    let in_chunks = "chunked".parse().unwrap();
    chunked
        .headers_mut()
        .insert(header::TRANSFER_ENCODING, in_chunks);
    let huge = "a".repeat(20_000);
    for (request, status) in [
        (signed_in(get("/")), 200),
        (get("/"), 303),
        (get("/..%2fetc"), 400),
        (post("/sites/new", ""), 401),
        (signed_in(post("/sites/new", "token=x")), 403),
        (get("/nothing"), 404),
        (signed_in(get("/sites/absent.example")), 404),
        (post("/healthz", ""), 405),
        (chunked, 411),
        (signed_in(post("/sites/new", &huge)), 413),
        (elsewhere, 421),
        (
            signed_in(post("/sites/new", &format!("token={}&hostname=a", token()))),
            422,
        ),
        (bulky, 431),
    ] {
        let asked = format!("{} {}", request.method(), request.uri());
        let seen = panel.ask(request).await;
        assert_eq!(seen.status.as_u16(), status, "{asked}");
        sealed(&seen);
        assert!(
            !seen.text.contains("panicked") && !seen.text.contains("src/"),
            "{asked}"
        );
    }
}

#[tokio::test]
async fn a_bug_in_a_page_is_a_page_without_its_details() {
    let panel = panel();
    panel.agent.state.lock().unwrap().broken = true;
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let seen = panel.ask(signed_in(get("/"))).await;
    std::panic::set_hook(hook);
    assert_eq!(seen.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!seen.text.contains("bug"));
    sealed(&seen);
}

#[tokio::test]
async fn without_a_session_only_the_public_pages_answer() {
    let panel = panel();
    for route in ROUTES {
        let path = route
            .path
            .replace("{host}", "a.example")
            .replace("{version}", "8.4")
            .replace("{name}", "shop_db")
            .replace("{user}", "shop_reader")
            .replace("{verb}", "restart")
            .replace("{section}", "web")
            .replace("{fingerprint}", "ab")
            .replace("{id}", "01J00000000000000000000000")
            .replace("{file}", "x.css")
            .replace("{import}", "0123abcd");
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "FOO",
        ] {
            let request = Request::builder()
                .method(method.parse().unwrap())
                .uri(path.parse().unwrap())
                .header(header::HOST, HOST)
                .header("sec-fetch-site", "same-origin")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .finish();
            let status = panel.ask(request).await.status.as_u16();
            let public = ROUTES.iter().any(|other| {
                other.path == route.path
                    && other.access != Access::Session
                    && (other.method == method || method == "HEAD" && other.method == Method::GET)
            });
            if public {
                assert!(
                    [200, 403, 404].contains(&status),
                    "{method} {path}: {status}"
                );
            } else {
                assert!(
                    [401, 404, 405].contains(&status),
                    "{method} {path}: {status}"
                );
            }
        }
    }
    let state = panel.agent.state.lock().unwrap();
    assert_eq!((state.applied, state.sessions.len()), (0, 1));
}

#[tokio::test]
async fn a_change_without_both_proofs_never_reaches_the_agent() {
    let panel = panel();
    let (_, body) = panel.planned("shop.example").await;
    let strip = |name: &'static str, value: Option<&'static str>| {
        let mut request = signed_in(post("/sites/new", &body));
        request.headers_mut().remove("sec-fetch-site");
        if let Some(value) = value {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        request
    };
    let mut plain = signed_in(post("/sites/new", &body));
    plain
        .headers_mut()
        .insert(header::CONTENT_TYPE, "text/plain".parse().unwrap());
    let ours = body.split('&').next().unwrap();
    let stolen = format!(
        "token={}{}",
        "0".repeat(64),
        link().derived("form").reveal()
    );
    let other = body.replace(ours, &stolen);
    for (request, why) in [
        (strip("x", None), "no origin at all"),
        (strip("sec-fetch-site", Some("cross-site")), "another site"),
        (
            strip("sec-fetch-site", Some("same-site")),
            "a site beside the panel",
        ),
        (
            strip("origin", Some("https://evil.example")),
            "another origin",
        ),
        (strip("origin", Some("null")), "an opaque origin"),
        (plain, "text/plain"),
        (
            signed_in(post("/sites/new", &other)),
            "the token of another session",
        ),
    ] {
        assert_eq!(
            panel.ask(request).await.status,
            StatusCode::FORBIDDEN,
            "{why}"
        );
        assert_eq!(panel.agent.state.lock().unwrap().applied, 0, "{why}");
    }
    let good = panel
        .ask(strip("origin", Some("https://panel.example:8443")))
        .await;
    assert_eq!(good.status, StatusCode::SEE_OTHER);
    assert_eq!(panel.agent.state.lock().unwrap().applied, 1);
}

#[tokio::test]
async fn without_the_agent_the_panel_says_so_and_stays_healthy() {
    let panel = panel();
    panel.agent.state.lock().unwrap().down = true;
    let health = panel.ask(get("/healthz")).await;
    assert_eq!(
        (health.status, health.text.as_str()),
        (StatusCode::OK, "ok")
    );
    let seen = panel.ask(signed_in(get("/sites"))).await;
    assert_eq!(seen.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        seen.text.contains("The Lala agent is not answering")
            && seen.text.contains("systemctl status lalapanel-agent")
    );
    assert_eq!(seen.header("retry-after"), "5");
}

#[tokio::test(start_paused = true)]
async fn a_panel_that_starts_before_its_agent_says_so_and_recovers_by_itself() {
    let panel = panel();
    let agent = Arc::clone(&panel.agent);
    agent.state.lock().unwrap().down = true;
    for open in ["/healthz", "/robots.txt", "/a/none.css"] {
        let mut anybody = get(open);
        // Which names are ours only the agent knows.
        let name = "new-name.example:8443".parse().unwrap();
        anybody.headers_mut().insert(header::HOST, name);
        assert_ne!(panel.ask(anybody).await.status, 503, "{open}");
    }
    for path in ["/", "/login", "/nothing", "/sites/new?hostname=a.example"] {
        let seen = panel.ask(signed_in(get(path))).await;
        sealed(&seen);
        assert_eq!(seen.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(seen.text.contains("The Lala agent is not answering"));
        assert!(!seen.text.contains("panel.example") && !seen.text.contains("<form"));
        assert_eq!(seen.header("refresh"), "5");
    }
    let posted = panel.ask(post("/login", "name=mara&password=x")).await;
    assert_eq!(posted.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(posted.header("refresh"), "");

    agent.state.lock().unwrap().down = false;
    assert_eq!(panel.ask(get("/login")).await.status, StatusCode::OK);
    agent.state.lock().unwrap().down = true;
    let again = panel.ask(get("/login")).await;
    assert_eq!(again.status, StatusCode::SERVICE_UNAVAILABLE);
    let mut foreign = get("/healthz");
    let name = "rebound.example:8443".parse().unwrap();
    foreign.headers_mut().insert(header::HOST, name);
    let refused = panel.ask(foreign).await.status;
    assert_eq!(refused, StatusCode::MISDIRECTED_REQUEST);
    agent.state.lock().unwrap().down = false;
    assert_eq!(panel.ask(get("/login")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn text_from_people_never_becomes_markup() {
    let panel = panel();
    let evil = "%22%3E%3Cimg+src%3Dx+onerror%3Dalert(1)%3E";
    let body = format!(
        "token={}&hostname={evil}&names={evil}&php={evil}&type={evil}",
        token()
    );
    for request in [
        signed_in(post("/sites/new", &body)),
        signed_in(get(&format!("/sites?q={evil}"))),
        signed_in(get(&format!("/activity?q={evil}"))),
        get(&format!("/login?next={evil}")),
        signed_in(get(&format!("/sites/new?hostname={evil}"))),
    ] {
        let asked = request.uri().to_string();
        let seen = panel.ask(request).await;
        assert!(!seen.text.contains("<img src=x"), "{asked}");
        assert!(
            !seen.text.contains(" style=") && !seen.text.contains(" onclick="),
            "{asked}"
        );
    }
}
