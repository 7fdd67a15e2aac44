//! The router with an agent made of memory: every gate, every header, the forms and the stream. No socket, no root.
//!
//! Invariant: a refusal is shown by what did not reach the agent, not by a status alone.

mod fake;

use std::sync::Arc;
use std::time::Duration;

use fake::{Fake, Handle, PASSWORD, link, session};
use lalapanel::domain::id::OperationId;
use lalapanel::domain::php::PhpVersion;
use lalapanel::domain::time::Timestamp;
use lalapanel::web::{Access, ROUTES, WebConfig, router};
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
    let config = WebConfig {
        port: 8443,
        certificate: "/nonexistent".into(),
        key: "/nonexistent".into(),
        server: "panel.example".to_owned(),
        hosts: vec!["panel.example".to_owned()],
        trusted_proxies: Vec::new(),
        user: None,
    };
    Panel {
        endpoint: router(&config, Arc::new(Handle(Arc::clone(&agent)))),
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
    session().derived("form").reveal().to_owned()
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
            .replace("{id}", "01J00000000000000000000000")
            .replace("{file}", "x.css");
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
    let other = body.replace(&token(), &link().derived("form").reveal().to_owned());
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
async fn nothing_runs_unless_the_plan_that_was_seen_is_the_plan_of_now() {
    let panel = panel();
    let (operation, body) = panel.planned("shop.example").await;
    panel.agent.state.lock().unwrap().world = 1;
    let changed = panel.ask(signed_in(post("/sites/new", &body))).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert!(
        changed
            .text
            .contains("The server has changed since you looked")
    );
    assert_eq!(
        changed.text.matches("class=\"changed\"").count(),
        1,
        "only the new step"
    );
    assert_eq!(changed.field("operation"), operation);
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);

    let old = body.split("&plan=").next().unwrap();
    let again = format!(
        "{old}&plan={}&seen={}",
        changed.field("plan"),
        changed.field("seen")
    );
    let begun = panel.ask(signed_in(post("/sites/new", &again))).await;
    assert_eq!(begun.header("location"), format!("/operations/{operation}"));
    let twice = panel.ask(signed_in(post("/sites/new", &again))).await;
    assert_eq!(twice.header("location"), begun.header("location"));
    assert_eq!(panel.agent.state.lock().unwrap().applied, 1);
}

#[tokio::test]
async fn a_refused_form_keeps_what_was_typed_and_says_what_to_do_at_its_field() {
    let panel = panel();
    let body = format!(
        "token={}&hostname=https%3A%2F%2FShop%3C&type=static&www=on&names=b.example",
        token()
    );
    let seen = panel.ask(signed_in(post("/sites/new", &body))).await;
    assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY);
    for kept in [
        "value=\"https://Shop&lt;\"",
        "There is 1 thing to fix",
        "href=\"#hostname\"",
        "id=\"hostname-error\"",
        "value=\"b.example\"",
    ] {
        assert!(seen.text.contains(kept), "{kept}");
    }
    let made = fake::site("shop.example", None, true, now());
    panel.agent.state.lock().unwrap().sites.push(made);
    let taken = panel
        .ask(signed_in(post(
            "/sites/new",
            &format!("token={}&hostname=shop.example", token()),
        )))
        .await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    assert!(taken.text.contains("already served by a site here"));
    let live = panel
        .ask(signed_in(post(
            "/sites/new",
            &format!("token={}&hostname=shop.example&live=1", token()),
        )))
        .await;
    assert_eq!(live.status, StatusCode::OK);
}

#[tokio::test]
async fn a_site_is_deleted_only_by_its_typed_name() {
    let panel = panel();
    panel.agent.state.lock().unwrap().sites.push(fake::site(
        "shop.example",
        Some(PhpVersion::new(8, 4)),
        true,
        now(),
    ));
    let page = panel
        .ask(signed_in(get("/sites/shop.example/delete")))
        .await;
    let body = format!(
        "token={}&operation={}&plan={}",
        page.field("token"),
        page.field("operation"),
        page.field("plan")
    );
    let wrong = panel
        .ask(signed_in(post(
            "/sites/shop.example/delete",
            &format!("{body}&confirm=shop"),
        )))
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        wrong
            .text
            .contains("The name does not match. Type shop.example")
    );
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let right = panel
        .ask(signed_in(post(
            "/sites/shop.example/delete",
            &format!("{body}&confirm=SHOP.example"),
        )))
        .await;
    assert_eq!(right.status, StatusCode::SEE_OTHER);
    assert_eq!(panel.agent.state.lock().unwrap().applied, 1);
}

#[tokio::test]
async fn signing_in_is_tied_to_the_browser_and_gives_a_strict_cookie() {
    let panel = panel();
    let form = panel.ask(get("/login?next=//evil.example")).await;
    assert_eq!(form.field("next"), "/");
    let visit = form
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let body = format!(
        "token={}&name=mara&password={}",
        form.field("token"),
        PASSWORD.replace(' ', "+")
    );
    let with_cookie = |body: &str| {
        let mut request = post("/login", body);
        request
            .headers_mut()
            .insert(header::COOKIE, visit.parse().unwrap());
        request
    };
    assert_eq!(
        panel.ask(post("/login", &body)).await.status,
        StatusCode::FORBIDDEN
    );
    let wrong = panel.ask(with_cookie(&body.replace("mauve", "red"))).await;
    let nobody = panel
        .ask(with_cookie(&body.replace("name=mara", "name=eve")))
        .await;
    assert_eq!(
        (wrong.status, nobody.status),
        (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED)
    );
    assert_eq!(wrong.text.replace("\"mara\"", "\"eve\""), nobody.text);
    assert!(wrong.text.contains("Name or password is wrong"));
    let limited = panel
        .ask(with_cookie(&body.replace("name=mara", "name=limited")))
        .await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!limited.header("retry-after").is_empty());

    let good = panel.ask(with_cookie(&format!("{body}&next=/sites"))).await;
    assert_eq!(
        (good.status, good.header("location")),
        (StatusCode::SEE_OTHER, "/sites")
    );
    let cookie = good.header("set-cookie");
    assert!(cookie.starts_with("__Host-lala_session="));
    for flag in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
        assert!(cookie.contains(flag), "{cookie}");
    }
}

#[tokio::test]
async fn the_one_time_link_makes_the_owner_and_every_other_link_makes_nothing() {
    let panel = panel();
    for path in [
        "/start",
        "/start?link=abc",
        "/start?link=0000000000000000000000000000000000000000000000000000000000000000",
    ] {
        let seen = panel.ask(get(path)).await;
        assert_eq!(seen.status, StatusCode::NOT_FOUND, "{path}");
        assert!(seen.text.contains("lalapanel admin link"));
    }
    let form = panel
        .ask(get(&format!("/start?link={}", link().reveal())))
        .await;
    assert_eq!(form.status, StatusCode::OK);
    assert_eq!(form.field("link"), link().reveal());
    assert_eq!(
        form.text.matches(link().reveal()).count(),
        1,
        "the link stands in its field only"
    );
    let visit = form
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let submit = |name: &str, password: &str| {
        let body = format!(
            "token={}&link={}&name={name}&password={password}",
            form.field("token"),
            link().reveal()
        );
        let mut request = post("/start", &body);
        request
            .headers_mut()
            .insert(header::COOKIE, visit.parse().unwrap());
        request
    };
    let weak = panel.ask(submit("mara", "Password1234!")).await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(weak.text.contains("attackers try first") && weak.text.contains("value=\"mara\""));
    assert!(!weak.text.contains("Password1234!"));
    let good = panel.ask(submit("mara", "mauve+otter+tin+sky")).await;
    assert_eq!(
        (good.status, good.header("location")),
        (StatusCode::SEE_OTHER, "/")
    );
    assert!(
        good.header("set-cookie")
            .starts_with("__Host-lala_session=")
    );
}

#[tokio::test]
async fn an_ended_session_costs_no_keystroke() {
    let panel = panel();
    panel.agent.state.lock().unwrap().sessions.clear();
    let seen = panel.ask(signed_in(get("/sites?q=shop"))).await;
    assert_eq!(seen.header("location"), "/login?next=%2Fsites%3Fq%3Dshop");
    let body = format!("token={}&hostname=shop.example&type=static", token());
    let asked = panel.ask(signed_in(post("/sites/new", &body))).await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        asked.field("next"),
        "/sites/new?hostname=shop.example&amp;type=static"
    );
    assert_eq!(
        panel.ask(signed_in(get("/login"))).await.status,
        StatusCode::OK
    );
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
    assert_eq!(panel.ask(get("/login")).await.status, StatusCode::OK);
}

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
