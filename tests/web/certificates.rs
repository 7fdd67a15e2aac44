//! The pages of certificates: what they show, what a form brings, and what never comes back.
//!
//! Invariant: no page and no address holds a key, whatever was sent and wherever it was pasted.

use poem::http::{StatusCode, header};

use crate::fake;
use crate::{get, now, panel, post, signed_in, token};

fn shop(state: &str) -> lalapanel::rpc::view::SiteView {
    let mut site = fake::site("shop.example", None, true, now());
    state.clone_into(&mut site.tls.state);
    site
}

fn with_files(parts: &[(&str, &str)]) -> poem::Request {
    let mut body = String::new();
    for (name, value) in parts {
        let file = if name.ends_with("_file") {
            "; filename=\"a.pem\"\r\nContent-Type: application/octet-stream"
        } else {
            ""
        };
        body += &[
            "--mark\r\nContent-Disposition: form-data; name=\"",
            name,
            "\"",
            file,
            "\r\n\r\n",
            value,
            "\r\n",
        ]
        .concat();
    }
    body.push_str("--mark--\r\n");
    let mut request = post("/sites/shop.example/certificate", &body);
    let kind = "multipart/form-data; boundary=mark".parse().unwrap();
    request.headers_mut().insert(header::CONTENT_TYPE, kind);
    signed_in(request)
}

#[tokio::test]
async fn all_certificates_are_listed_with_the_days_they_have_left() {
    let panel = panel();
    let empty = panel.ask(signed_in(get("/certificates"))).await;
    assert!(empty.text.contains("No certificate yet"));
    panel
        .agent
        .state
        .lock()
        .unwrap()
        .sites
        .push(shop("uploaded"));
    let list = panel.ask(signed_in(get("/certificates"))).await;
    for told in [
        "shop.example",
        "23 days",
        "Example Trust TLS 2026",
        "/sites/shop.example/certificate",
    ] {
        assert!(list.text.contains(told), "{told}");
    }
}

#[tokio::test]
async fn a_certificate_by_file_or_by_paste_leads_to_its_plan_and_is_installed_once_it_was_seen() {
    let panel = panel();
    panel.agent.state.lock().unwrap().sites.push(shop("off"));
    let token = token();
    let page = panel
        .ask(signed_in(get("/sites/shop.example/certificate")))
        .await;
    assert!(page.text.contains("enctype=\"multipart/form-data\""));
    for parts in [
        [
            ("token", token.as_str()),
            ("chain", "good"),
            ("key", "good"),
            ("key_file", ""),
        ],
        [
            ("token", token.as_str()),
            ("chain_file", "good"),
            ("key", "bad"),
            ("key_file", "good"),
        ],
    ] {
        let sent = panel.ask(with_files(&parts)).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER);
        let next = sent.header("location").to_owned();
        assert_eq!(
            next,
            format!(
                "/sites/shop.example/certificate/install/{}",
                "ab".repeat(32)
            )
        );
        let plan = panel.ask(signed_in(get(&next))).await;
        assert_eq!(plan.status, StatusCode::OK);
        assert!(
            plan.text
                .contains("Install this certificate for shop.example")
        );
    }
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let next = format!(
        "/sites/shop.example/certificate/install/{}",
        "ab".repeat(32)
    );
    let plan = panel.ask(signed_in(get(&next))).await;
    let body = format!(
        "token={token}&operation={}&plan={}",
        plan.field("operation"),
        plan.field("plan")
    );
    let begun = panel.ask(signed_in(post(&next, &body))).await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER);
    assert_eq!(panel.agent.state.lock().unwrap().applied, 1);
}

#[tokio::test]
async fn what_is_refused_is_told_at_its_field_and_no_key_comes_back() {
    let panel = panel();
    panel.agent.state.lock().unwrap().sites.push(shop("off"));
    let token = token();
    let secret = "-----BEGIN PRIVATE KEY-----\r\nMIGHsecret\r\n-----END PRIVATE KEY-----";
    let wrong_key = panel
        .ask(with_files(&[
            ("token", &token),
            ("chain", "good one"),
            ("key", secret),
        ]))
        .await;
    assert_eq!(wrong_key.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong_key.text.contains("id=\"key-error\"") && wrong_key.text.contains("good one"));
    let wrong_field = panel
        .ask(with_files(&[
            ("token", &token),
            ("chain", secret),
            ("key", secret),
        ]))
        .await;
    assert!(wrong_field.text.contains("id=\"chain-error\""));
    for page in [wrong_key, wrong_field] {
        assert!(!page.text.contains("MIGHsecret"));
    }
    let stranger = panel
        .ask(with_files(&[
            ("token", "0"),
            ("chain", "good"),
            ("key", "good"),
        ]))
        .await;
    assert_eq!(stranger.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_certificate_is_removed_by_a_page_of_its_own() {
    let panel = panel();
    panel
        .agent
        .state
        .lock()
        .unwrap()
        .sites
        .push(shop("uploaded"));
    let page = panel
        .ask(signed_in(get("/sites/shop.example/certificate/remove")))
        .await;
    assert!(page.text.contains("Remove the certificate of shop.example"));
    let nothing = panel
        .ask(signed_in(get("/sites/shop.example/certificate/install/zz")))
        .await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_order_begins_by_its_button_alone_and_its_failure_is_a_sentence_with_the_next_step() {
    let panel = panel();
    panel.agent.state.lock().unwrap().sites.push(shop("off"));
    let path = "/sites/shop.example/certificate";
    let page = panel.ask(signed_in(get(path))).await;
    assert!(page.text.contains("Get a certificate") && !page.text.contains("data-again"));
    let stolen = panel
        .ask(signed_in(post(&format!("{path}/issue"), "token=guess")))
        .await;
    assert_eq!(stolen.status, StatusCode::FORBIDDEN);
    let sent = panel
        .ask(signed_in(post(
            &format!("{path}/issue"),
            &format!("token={}", token()),
        )))
        .await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    assert_eq!(sent.header("location"), path);
    let page = panel.ask(signed_in(get(path))).await;
    for told in [
        "An order is running",
        "data-again",
        "http-equiv=\"refresh\"",
    ] {
        assert!(page.text.contains(told), "{told}");
    }
    let still = panel.ask(signed_in(get(&format!("{path}?still=1")))).await;
    assert!(!still.text.contains("http-equiv=\"refresh\""));

    let failing = Some("failing".to_owned());
    panel.agent.state.lock().unwrap().sites[0].tls.issuer = failing;
    let page = panel.ask(signed_in(get(path))).await;
    for told in [
        "could not reach port 80 of shop.example",
        "firewall",
        "Check again",
        "Next try",
        "The site stays up, over plain HTTP",
    ] {
        assert!(page.text.contains(told), "{told}");
    }
}

#[tokio::test]
async fn the_panels_own_certificate_stands_among_the_others_and_is_ordered_by_a_button() {
    let panel = panel();
    let nameless = panel.ask(signed_in(get("/certificates/panel"))).await;
    assert!(nameless.text.contains("This panel has no name"));
    assert!(
        !nameless
            .text
            .contains("<form method=\"post\" action=\"/certificates/panel")
    );
    let own = |issued| panel.agent.state.lock().unwrap().own = Some(fake::of_panel(now(), issued));
    own(false);
    let list = panel.ask(signed_in(get("/certificates"))).await;
    assert!(
        list.text
            .contains("<a href=\"/certificates/panel\">panel.example</a>")
    );
    assert!(list.text.contains("This panel"));
    let page = panel.ask(signed_in(get("/certificates/panel"))).await;
    assert!(page.text.contains("Once it has one for panel.example"));
    assert!(page.text.contains("lalapanel cert issue panel.example"));
    let body = format!("token={}", token());
    let sent = panel
        .ask(signed_in(post("/certificates/panel/issue", &body)))
        .await;
    assert_eq!(sent.header("location"), "/certificates/panel");
    let ordered = panel.agent.state.lock().unwrap().ordered.clone();
    assert_eq!(ordered.len(), 1);
    own(true);
    let page = panel.ask(signed_in(get("/certificates/panel"))).await;
    assert!(page.text.contains("Browsers trust this panel"));
    assert!(page.text.contains("Renew it now"));
}

#[tokio::test]
async fn a_way_into_dns_is_added_by_a_form_that_never_gives_its_secret_back() {
    let panel = panel();
    let page = "/certificates/dns";
    let shown = panel.ask(signed_in(get(page))).await;
    assert_eq!(shown.status, 200);
    assert!(shown.text.contains("192.0.2.53") && shown.text.contains("hmac-sha512"));
    // The one that a site uses has no button.
    assert_eq!(shown.text.matches("/remove\"").count(), 1);
    let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ%3D";
    let sent = |more: &str| format!("token={}&name=bind&secret={secret}{more}", token());
    let refused = panel.ask(signed_in(post(page, &sent("&server=a+b")))).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("A server is missing here"));
    assert!(refused.text.contains("The name of the key is missing here"));
    assert!(!refused.text.contains("c2VjcmV0"));
    let whole = sent("&server=192.0.2.1&key=lala-key&algorithm=hmac-sha256");
    let added = panel.ask(signed_in(post(page, &whole))).await;
    assert_eq!(
        (added.status, added.header("location")),
        (StatusCode::SEE_OTHER, page)
    );
    let request = post(
        &format!("{page}/spare/remove"),
        &format!("token={}", token()),
    );
    assert_eq!(panel.ask(signed_in(request)).await.status, 303);
}
