//! The forms: the first run, signing in, a new site, deleting one.
//!
//! Invariant: nothing runs that was not on screen, and nothing typed is lost.

use lalapanel::domain::php::PhpVersion;
use poem::http::{StatusCode, header};

use crate::fake::{self, PASSWORD, link};
use crate::{get, now, panel, post, signed_in, token};

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
        "token={}&hostname=https%3A%2F%2FShop%3C&type=static&www=add&names=b.example",
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
async fn a_browser_that_signed_in_is_known_at_the_next_sign_in() {
    let panel = panel();
    let form = panel.ask(get("/login")).await;
    let visitor = form
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let body = format!(
        "token={}&name=mara&password={PASSWORD}",
        form.field("token")
    );
    let send = |cookies: String| {
        let mut request = post("/login", &body);
        request
            .headers_mut()
            .insert(header::COOKIE, cookies.parse().unwrap());
        request
    };
    let seen = panel.ask(send(visitor.clone())).await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER);
    let cookies: Vec<&str> = seen
        .response
        .headers()
        .get_all(header::SET_COOKIE)
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    let device = cookies
        .iter()
        .find(|line| line.starts_with("__Host-lala_device="))
        .unwrap();
    assert!(device.contains("HttpOnly") && device.contains("Max-Age="));
    assert!(panel.agent.state.lock().unwrap().device.is_none());
    let device = device.split(';').next().unwrap();
    panel.ask(send(format!("{visitor}; {device}"))).await;
    let told = panel.agent.state.lock().unwrap().device.clone();
    assert_eq!(told.unwrap().reveal(), device.split_once('=').unwrap().1);
}

#[tokio::test]
async fn a_common_password_is_refused_with_words_that_name_the_fix() {
    let panel = panel();
    let start = format!("/start?link={}", link().reveal());
    let form = panel.ask(get(&start)).await;
    let cookie = form.header("set-cookie").split(';').next().unwrap();
    let body = format!(
        "token={}&link={}&name=mara&password=Password1234%21",
        form.field("token"),
        link().reveal()
    );
    let mut request = post("/start", &body);
    request
        .headers_mut()
        .insert(header::COOKIE, cookie.parse().unwrap());
    let seen = panel.ask(request).await;
    assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        seen.text.contains("attackers try first") && seen.text.contains("four unrelated words"),
        "{}",
        seen.text
    );
    assert!(!panel.agent.state.lock().unwrap().used);
}

#[tokio::test]
async fn directives_are_checked_line_by_line_and_what_was_typed_stays_in_the_editor() {
    let panel = panel();
    let site = fake::site("shop.example", None, true, now());
    panel.agent.state.lock().unwrap().sites.push(site);
    let host = "/sites/shop.example/nginx";
    let shown = panel.ask(signed_in(get(host))).await;
    assert_eq!(shown.status, StatusCode::OK);
    for part in [
        "<textarea",
        "return 301 https://$host/new;",
        "server_name shop.example;",
        "Check and save",
    ] {
        assert!(shown.text.contains(part), "{part}");
    }
    let typed = "text=expires+1d%3B%0D%0Ainclude+%2Fetc%2Fpasswd%3B%0D%0Alisten+81%3B+%23+%3C%2Ftextarea%3E";
    let refused = panel
        .ask(signed_in(post(host, &format!("token={}&{typed}", token()))))
        .await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for part in [
        "line 2: `include` reads another file",
        "line 3: `listen` opens a port",
        "include /etc/passwd;",
        "&lt;/textarea&gt;",
    ] {
        assert!(refused.text.contains(part), "{part}");
    }
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let good = format!("token={}&text=expires+1d%3B", token());
    let planned = panel.ask(signed_in(post(host, &good))).await;
    assert_eq!(planned.status, StatusCode::OK);
    assert!(planned.text.contains("Save these directives") && planned.text.contains("expires 1d;"));
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let sure = format!(
        "{good}&plan={}&operation={}",
        planned.field("plan"),
        planned.field("operation")
    );
    let begun = panel.ask(signed_in(post(host, &sure))).await;
    assert_eq!(
        begun.header("location"),
        format!("/operations/{}", planned.field("operation"))
    );
}

#[tokio::test]
async fn own_directives_ask_for_the_password_once_more_where_it_was_typed_too_long_ago() {
    let panel = panel();
    let site = fake::site("shop.example", None, true, now());
    panel.agent.state.lock().unwrap().sites.push(site);
    let host = "/sites/shop.example/nginx";
    let body = format!("token={}&text=expires+1d%3B", token());
    let planned = panel.ask(signed_in(post(host, &body))).await;
    assert!(!planned.text.contains("own_password"));
    panel.agent.state.lock().unwrap().typed = crate::fake::Typed::LongAgo;
    let form = |page: &crate::Seen, extra: &str| {
        format!(
            "{body}&plan={}&seen={}&operation={}{extra}",
            page.field("plan"),
            page.field("seen"),
            page.field("operation")
        )
    };
    let asked = panel.ask(signed_in(post(host, &form(&planned, "")))).await;
    assert_eq!(asked.status, StatusCode::OK);
    assert!(
        asked
            .text
            .contains("id=\"own_password\" name=\"own_password\" type=\"password\"")
    );
    let wrong = form(&asked, "&own_password=not+this+one");
    let again = panel.ask(signed_in(post(host, &wrong))).await;
    assert!(again.text.contains("Error: The password is not right"));
    assert!(again.text.contains("expires 1d;") && !again.text.contains("not this one"));
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let typed: String = form_urlencoded::byte_serialize(PASSWORD.as_bytes()).collect();
    let right = form(&again, &format!("&own_password={typed}"));
    let begun = panel.ask(signed_in(post(host, &right))).await;
    assert!(begun.header("location").starts_with("/operations/"));
    assert_eq!(panel.agent.state.lock().unwrap().applied, 1);
}

#[tokio::test]
async fn a_service_is_restarted_once_the_plan_was_seen() {
    const PAGE: &str = "/services/nginx/restart";
    let panel = panel();
    let list = panel.ask(signed_in(get("/services"))).await;
    assert!(list.text.contains(PAGE), "{}", list.text);
    let seen = panel.ask(signed_in(get(PAGE))).await;
    assert_eq!(seen.status, StatusCode::OK);
    assert!(seen.text.contains("lalapanel service restart nginx"));
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let (token, operation) = (seen.field("token"), seen.field("operation"));
    let plan = seen.field("plan");
    let body = format!("token={token}&operation={operation}&plan={plan}");
    let begun = panel.ask(signed_in(post(PAGE, &body))).await;
    assert_eq!(begun.header("location"), format!("/operations/{operation}"));
    for none in ["/services/ssh/stop", "/services/nginx/mask"] {
        let seen = panel.ask(signed_in(get(none))).await;
        assert_eq!(seen.status, StatusCode::NOT_FOUND, "{none}");
    }
}
