//! The settings of a site in the browser: every field on one page, nothing sent that was not touched, nothing typed lost.
//!
//! Invariant: what a page does, the command line it shows does as well.

use clap::Parser as _;
use lalapanel::domain::php::PhpVersion;
use lalapanel::domain::setting::{self, Section};
use poem::http::StatusCode;

use crate::fake::{self, set};
use crate::{Seen, get, now, panel, post, signed_in};

macro_rules! with_shop {
    ($panel:ident) => {
        let $panel = panel();
        let shop = fake::site("shop.example", Some(PhpVersion::new(8, 4)), true, now());
        $panel.agent.state.lock().unwrap().sites.push(shop);
    };
}

/// What a browser sends when these fields are changed and the button is pressed.
fn sent(page: &Seen, changes: &[(&str, &str)]) -> String {
    let mut body = form_urlencoded::Serializer::new(String::new());
    for name in ["token", "operation", "was", "plan", "seen"] {
        if page.text.contains(&format!("name=\"{name}\" value=")) {
            body.append_pair(name, &page.field(name));
        }
    }
    for field in setting::fields() {
        let name = format!("name=\"{}\"", field.key);
        if !page.text.contains(&name) {
            continue;
        }
        let changed = changes.iter().find(|(key, _)| *key == field.key);
        let text = changed.map_or_else(|| typed(page, field.key), |(_, text)| (*text).to_owned());
        if text != "off" || ["tls", "web.cache", "web.headers"].contains(&field.key) {
            body.append_pair(field.key, &text);
        }
    }
    for other in ["php", "address", "target", "code"] {
        let name = format!("name=\"{other}\"");
        let changed = changes.iter().find(|(key, _)| *key == other);
        if let (true, Some((_, text))) = (page.text.contains(&name), changed) {
            body.append_pair(other, text);
        } else if page.text.contains(&format!("{name} value=")) {
            body.append_pair(other, &page.field(other));
        }
    }
    body.finish()
}

/// What stands in a field of a page.
fn typed(page: &Seen, key: &str) -> String {
    let name = format!("name=\"{key}\"");
    if page.text.contains(&format!("<textarea id=\"{key}\"")) {
        let start = page.text.find(&name).unwrap();
        let rest = &page.text[start..];
        let begin = rest.find(">\n").unwrap() + 2;
        return rest[begin..rest.find("</textarea>").unwrap()].to_owned();
    }
    let tags: Vec<&str> = page
        .text
        .split("<input ")
        .skip(1)
        .map(|tag| tag.split('>').next().unwrap())
        .filter(|tag| tag.contains(&name))
        .collect();
    let value = |tag: &str| {
        tag.split("value=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned()
    };
    if tags[0].contains("type=\"checkbox\"") {
        return if tags[0].contains(" checked") {
            "on"
        } else {
            "off"
        }
        .to_owned();
    }
    if tags[0].contains("type=\"radio\"") {
        return value(tags.iter().find(|tag| tag.contains(" checked")).unwrap());
    }
    value(tags[0])
}

fn address(section: Section) -> String {
    format!("/sites/shop.example/settings/{}", section.word())
}

/// The line on the page that does the same at the root shell, as a shell takes it apart.
fn command(page: &Seen) -> Vec<String> {
    let shown = page
        .text
        .split("<code data-copy>")
        .find(|part| part.starts_with("lalapanel "))
        .unwrap();
    let line = shown.split("</code>").next().unwrap();
    let line = line
        .replace("&#039;", "'")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&");
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            _ => words.last_mut().unwrap().push(letter),
        }
    }
    words
}

#[tokio::test]
async fn every_field_of_the_table_is_on_exactly_one_page() {
    with_shop!(panel);
    for kind in [
        "wordpress 8.4",
        "php 8.4",
        "laravel 8.4",
        "static",
        "spa",
        "proxy 127.0.0.1:3000",
        "redirect https://new.example",
    ] {
        set(
            &mut panel.agent.state.lock().unwrap(),
            "shop.example",
            &[("type", kind)],
        );
        let mut pages = Vec::new();
        for section in Section::ALL {
            let page = panel.ask(signed_in(get(&address(section)))).await;
            assert_eq!(page.status, StatusCode::OK);
            assert!(page.text.len() < 60_000, "{} bytes", page.text.len());
            pages.push((section, page));
        }
        let settings = panel.agent.state.lock().unwrap().sites[0].settings.clone();
        for field in setting::fields() {
            let on: Vec<Section> = pages
                .iter()
                .filter(|(_, page)| page.text.contains(&format!("name=\"{}\"", field.key)))
                .map(|(section, _)| *section)
                .collect();
            let wanted: &[Section] = if settings.contains_key(field.key) {
                &[field.section]
            } else {
                &[]
            };
            assert_eq!(on, wanted, "{} of {kind}", field.key);
        }
    }
}

#[tokio::test]
async fn only_what_was_changed_is_sent_and_only_the_plan_that_was_seen_is_run() {
    with_shop!(panel);
    let php = address(Section::Php);
    let page = panel.ask(signed_in(get(&php))).await;
    let check = panel
        .ask(signed_in(post(
            &php,
            &sent(
                &page,
                &[("php.memory_limit", "512M"), ("php.display_errors", "on")],
            ),
        )))
        .await;
    assert_eq!(check.status, StatusCode::OK);
    assert!(
        check
            .text
            .contains("Please check what will happen, then press Save changes")
    );
    assert!(check.text.contains("Set now: 256 MB."));
    assert_eq!(
        command(&check),
        [
            "lalapanel",
            "site",
            "set",
            "shop.example",
            "php.memory_limit=512M",
            "php.display_errors=on"
        ]
    );
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let begun = panel.ask(signed_in(post(&php, &sent(&check, &[])))).await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER);
    assert_eq!(
        begun.header("location"),
        format!("/operations/{}", check.field("operation"))
    );
    let twice = panel.ask(signed_in(post(&php, &sent(&check, &[])))).await;
    assert_eq!(twice.header("location"), begun.header("location"));
    assert_eq!(panel.agent.state.lock().unwrap().applied, 1);
}

#[tokio::test]
async fn a_field_nobody_touched_follows_the_server_and_a_plan_from_before_is_shown_again() {
    with_shop!(panel);
    let php = address(Section::Php);
    let old = panel.ask(signed_in(get(&php))).await;
    let check = panel
        .ask(signed_in(post(
            &php,
            &sent(&old, &[("php.children", "20")]),
        )))
        .await;
    // In another tab, meanwhile.
    set(
        &mut panel.agent.state.lock().unwrap(),
        "shop.example",
        &[("php.memory_limit", "512")],
    );
    panel.agent.state.lock().unwrap().world = 1;
    let changed = panel.ask(signed_in(post(&php, &sent(&check, &[])))).await;
    assert!(
        changed
            .text
            .contains("The server has changed since you looked")
    );
    assert_eq!(command(&changed)[4..], ["php.children=20"]);
    assert_eq!(typed(&changed, "php.memory_limit"), "512");
    assert_eq!(typed(&changed, "php.children"), "20");
    assert_eq!(panel.agent.state.lock().unwrap().applied, 0);
    let nothing = panel.ask(signed_in(post(&php, &sent(&old, &[])))).await;
    assert!(nothing.text.contains("There is nothing to save"));
}

#[tokio::test]
async fn what_a_field_does_not_take_is_said_there_and_everything_typed_stays() {
    with_shop!(panel);
    let web = address(Section::Web);
    let page = panel.ask(signed_in(get(&web))).await;
    let changes = [
        ("web.upload_max", "banana<"),
        ("web.error_pages", "404 /404.html\r\n200 /x.html"),
        ("web.cache", "micro"),
    ];
    let seen = panel
        .ask(signed_in(post(&web, &sent(&page, &changes))))
        .await;
    assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY);
    for kept in [
        "There are 2 things to fix",
        "href=\"#web.upload_max\"",
        "id=\"web.error_pages-error\"",
        "Write a number from 1 to 4096 MB.",
        "value=\"banana&lt;\"",
        "404 /404.html\n200 /x.html</textarea>",
    ] {
        assert!(seen.text.contains(kept), "{kept}");
    }
    assert_eq!(typed(&seen, "web.cache"), "micro");
    assert!(!seen.text.contains("name=\"plan\""));
    let live = format!("{}&live=1", sent(&page, &changes));
    assert_eq!(
        panel.ask(signed_in(post(&web, &live))).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn the_name_with_www_has_a_choice_of_its_own_beside_the_lists() {
    with_shop!(panel);
    set(
        &mut panel.agent.state.lock().unwrap(),
        "shop.example",
        &[
            ("www", "add"),
            ("aliases", "www.shop.example,xn--bcher-kva.example"),
        ],
    );
    let names = address(Section::Names);
    let page = panel.ask(signed_in(get(&names))).await;
    assert_eq!(typed(&page, "aliases"), "bücher.example");
    assert_eq!(typed(&page, "www"), "add");
    let changes = [
        ("aliases", "bücher.example\r\n*.shop.example"),
        ("www", "redirect"),
    ];
    let check = panel
        .ask(signed_in(post(&names, &sent(&page, &changes))))
        .await;
    assert_eq!(
        command(&check)[4..],
        ["aliases=bücher.example,*.shop.example", "www=redirect"]
    );
    let only_list = panel
        .ask(signed_in(post(&names, &sent(&page, &changes[..1]))))
        .await;
    assert_eq!(
        command(&only_list)[4..],
        ["aliases=bücher.example,*.shop.example", "www=add"]
    );
}

#[tokio::test]
async fn the_type_is_chosen_with_what_it_needs() {
    with_shop!(panel);
    let names = address(Section::Names);
    let page = panel.ask(signed_in(get(&names))).await;
    let missing = panel
        .ask(signed_in(post(
            &names,
            &sent(&page, &[("type", "proxy"), ("address", "localhost:3000")]),
        )))
        .await;
    assert_eq!(missing.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        missing.text.contains("href=\"#address\"")
            && missing.text.contains("value=\"localhost:3000\"")
    );
    let check = panel
        .ask(signed_in(post(
            &names,
            &sent(&page, &[("type", "proxy"), ("address", "127.0.0.1:3000")]),
        )))
        .await;
    assert_eq!(command(&check)[4..], ["type=proxy 127.0.0.1:3000"]);
    let same = panel
        .ask(signed_in(post(
            &names,
            &sent(&page, &[("type", "wordpress")]),
        )))
        .await;
    assert_eq!(command(&same)[4..], ["type=wordpress 8.4"]);
}

#[tokio::test]
async fn every_page_that_changes_something_names_a_command_that_exists() {
    with_shop!(panel);
    let mut pages: Vec<String> = Section::ALL.map(address).to_vec();
    pages.push("/sites/new".to_owned());
    pages.extend(
        ["enable", "disable", "delete", "purge"].map(|word| format!("/sites/shop.example/{word}")),
    );
    pages.extend(
        [
            "proxy&address=[::1]:3000",
            "redirect&target=https://a.example&code=308",
            "spa&www=redirect",
            "laravel&names=*.b.example",
        ]
        .map(|kind| format!("/sites/new?hostname=a.example&type={kind}")),
    );
    for path in pages {
        let page = panel.ask(signed_in(get(&path))).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        let line = command(&page);
        let read = lalapanel::cli::Cli::try_parse_from(&line);
        assert!(read.is_ok(), "{path}: {line:?}: {}", read.err().unwrap());
    }
}

#[tokio::test]
async fn an_ended_session_keeps_what_was_changed_in_the_settings() {
    with_shop!(panel);
    let php = address(Section::Php);
    let page = panel.ask(signed_in(get(&php))).await;
    let body = sent(
        &page,
        &[("php.memory_limit", "512"), ("php.opcache", "off")],
    );
    panel.agent.state.lock().unwrap().sessions.clear();
    let asked = panel.ask(signed_in(post(&php, &body))).await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    let next = asked.field("next").replace("&amp;", "&");
    assert_eq!(
        next,
        "/sites/shop.example/settings/php?php.memory_limit=512&php.opcache=off"
    );
    panel
        .agent
        .state
        .lock()
        .unwrap()
        .sessions
        .push(fake::session().reveal().to_owned());
    let back = panel.ask(signed_in(get(&next))).await;
    assert_eq!(typed(&back, "php.memory_limit"), "512");
    assert_eq!(typed(&back, "php.opcache"), "off");
    assert!(back.text.contains("name=\"plan\""));
}

#[tokio::test]
async fn the_page_cache_is_purged_by_a_page_with_its_plan_where_there_is_one() {
    with_shop!(panel);
    let web = address(Section::Web);
    let off = panel.ask(signed_in(get(&web))).await;
    assert!(!off.text.contains("/sites/shop.example/purge"));
    set(
        &mut panel.agent.state.lock().unwrap(),
        "shop.example",
        &[("web.cache", "micro")],
    );
    let on = panel.ask(signed_in(get(&web))).await;
    assert!(on.text.contains("/sites/shop.example/purge"));
    let page = panel.ask(signed_in(get("/sites/shop.example/purge"))).await;
    let body = format!(
        "token={}&operation={}&plan={}",
        page.field("token"),
        page.field("operation"),
        page.field("plan")
    );
    let begun = panel
        .ask(signed_in(post("/sites/shop.example/purge", &body)))
        .await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_site_says_what_visitors_get_and_under_which_names() {
    with_shop!(panel);
    for (state, word) in [
        ("live", "Online"),
        ("maintenance", "Maintenance"),
        ("suspended", "Suspended"),
    ] {
        set(
            &mut panel.agent.state.lock().unwrap(),
            "shop.example",
            &[("serving", state), ("www", "redirect")],
        );
        for path in ["/sites/shop.example", "/sites"] {
            let page = panel.ask(signed_in(get(path))).await;
            assert!(
                page.text.contains(&format!("</svg>{word}</span>")),
                "{path}: {word}"
            );
        }
        let page = panel.ask(signed_in(get("/sites/shop.example"))).await;
        assert!(page.text.contains("Sent on from") && page.text.contains("www.shop.example"));
    }
    let missing = panel
        .ask(signed_in(get("/sites/shop.example/settings/nothing")))
        .await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}
