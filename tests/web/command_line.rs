//! What can be done on pages can be done on the command line, and each page says how.
//!
//! Invariant: a page without a command, an action without a verb and a verb that no page knows of fail here, until somebody says why.

use std::collections::BTreeSet;

use clap::{Command, CommandFactory as _, Parser as _};
use lalapanel::cli::Cli;
use lalapanel::domain::php::PhpVersion;
use lalapanel::web::{Access, ROUTES};

use super::*;

/// A path, the verb that does the same, and an address at which the page's own words are looked at (none: it needs
/// something that only an operation makes).
const PAGES: &[(&str, &str, &str)] = &[
    ("/", "status", "/"),
    ("/sites", "site list", "/sites"),
    ("/sites/new", "site create", "/sites/new"),
    ("/sites/{host}", "site show", "/sites/shop.example"),
    ("/sites/{host}/logs", "log", "/sites/shop.example/logs"),
    (
        "/sites/{host}/restore-logs",
        "log",
        "/sites/shop.example/restore-logs",
    ),
    (
        "/sites/{host}/nginx",
        "site snippet",
        "/sites/shop.example/nginx",
    ),
    ("/sites/{host}/drift/keep", "site drift", ""),
    ("/sites/{host}/drift/restore", "site drift", ""),
    ("/sites/{host}/drift/leave", "site drift", ""),
    (
        "/sites/{host}/danger",
        "site disable",
        "/sites/shop.example/danger",
    ),
    (
        "/sites/{host}/php",
        "site php",
        "/sites/shop.example/php?version=8.2",
    ),
    (
        "/sites/{host}/enable",
        "site enable",
        "/sites/rest.example/enable",
    ),
    (
        "/sites/{host}/disable",
        "site disable",
        "/sites/shop.example/disable",
    ),
    (
        "/sites/{host}/delete",
        "site delete",
        "/sites/shop.example/delete",
    ),
    (
        "/sites/{host}/rename",
        "site rename",
        "/sites/shop.example/rename",
    ),
    (
        "/sites/{host}/clone",
        "site clone",
        "/sites/shop.example/clone",
    ),
    ("/sites/{host}/purge", "site purge", ""),
    (
        "/sites/{host}/settings/{section}",
        "site set",
        "/sites/shop.example/settings/web",
    ),
    (
        "/sites/{host}/visitors",
        "site visitor add",
        "/sites/shop.example/visitors",
    ),
    (
        "/sites/{host}/visitors/{name}/remove",
        "site visitor remove",
        "",
    ),
    (
        "/sites/{host}/certificate",
        "cert issue",
        "/sites/shop.example/certificate",
    ),
    ("/sites/{host}/certificate/issue", "cert issue", ""),
    (
        "/sites/{host}/certificate/install/{fingerprint}",
        "cert upload",
        "",
    ),
    ("/sites/{host}/certificate/remove", "cert remove", ""),
    (
        "/sites/{host}/databases",
        "db create",
        "/sites/shop.example/databases",
    ),
    ("/databases", "db list", "/databases"),
    (
        "/databases/new-database",
        "db create",
        "/databases/new-database",
    ),
    ("/databases/{name}", "db show", "/databases/shop_db"),
    (
        "/databases/{name}/password",
        "db password",
        "/databases/shop_db/password",
    ),
    (
        "/databases/{name}/delete",
        "db delete",
        "/databases/shop_db/delete",
    ),
    (
        "/databases/{name}/users",
        "db user add",
        "/databases/shop_db/users",
    ),
    (
        "/databases/{name}/users/{user}",
        "db user set",
        "/databases/shop_db/users/shop_db",
    ),
    (
        "/databases/{name}/users/{user}/password",
        "db user password",
        "/databases/shop_db/users/shop_db/password",
    ),
    (
        "/databases/{name}/users/{user}/remove",
        "db user remove",
        "",
    ),
    (
        "/databases/{name}/repair",
        "db repair",
        "/databases/shop_db/repair",
    ),
    ("/databases/{name}/restore", "db restore", ""),
    ("/databases/{name}/export", "db export", ""),
    (
        "/databases/{name}/import",
        "db import",
        "/databases/shop_db/import",
    ),
    ("/databases/{name}/import/{import}", "db import", ""),
    ("/databases/{name}/import/{import}/forget", "db import", ""),
    ("/certificates", "cert list", "/certificates"),
    ("/certificates/dns", "cert dns list", "/certificates/dns"),
    ("/certificates/dns/{name}/remove", "cert dns remove", ""),
    ("/certificates/panel", "cert issue", "/certificates/panel"),
    ("/certificates/panel/issue", "cert issue", ""),
    ("/trash/{id}/restore", "site restore", ""),
    ("/trash/{id}/delete", "site delete", ""),
    ("/operations/{id}", "op show", ""),
    ("/operations/{id}/check", "op check", ""),
    ("/activity", "op list", "/activity"),
    ("/activity/audit", "audit list", "/activity/audit"),
    ("/services", "service list", "/services"),
    (
        "/services/{name}/{verb}",
        "service restart",
        "/services/nginx/restart",
    ),
    ("/system", "monitor", "/system"),
    ("/uptime", "uptime", "/uptime"),
    (
        "/sites/{host}/uptime",
        "uptime",
        "/sites/shop.example/uptime",
    ),
    ("/php", "php list", "/php"),
    ("/php/{version}/install", "php install", ""),
    ("/php/{version}/remove", "php remove", ""),
    (
        "/php/{version}/extensions",
        "php extension list",
        "/php/8.4/extensions",
    ),
    (
        "/php/{version}/extensions/{name}/{verb}",
        "php extension install",
        "",
    ),
    (
        "/php/repository/enable",
        "php repository enable",
        "/php/repository/enable",
    ),
    ("/php/repository/disable", "php repository disable", ""),
    ("/users", "account list", "/users"),
    ("/settings", "settings show", "/settings"),
    (
        "/settings/notifications",
        "notify set",
        "/settings/notifications",
    ),
    ("/settings/notifications/test", "notify test", ""),
    ("/settings/{verb}", "settings keep", ""),
    ("/account", "account password", "/account"),
    ("/account/password", "account password", ""),
];

/// Paths that do nothing a command could do.
const NO_COMMAND: &[(&str, &str)] = &[
    ("/logout", "a session is a browser's"),
    ("/menu", "the navigation of a small screen"),
    ("/sites/{host}/logs/events", "the stream of a page"),
    ("/operations/{id}/events", "the stream of a page"),
    (
        "/operations/{id}/saved",
        "forgets a password that this page showed",
    ),
];

/// Verbs that no page is for, and why.
const NO_PAGE: &[(&str, &str)] = &[
    ("install", "there is no panel before it"),
    ("uninstall", "and none after it"),
    ("doctor", "what it finds stands on Home"),
    ("completions", "for a shell"),
    ("man", "for a shell"),
    ("site alias add", "Names of a site are its settings"),
    ("site alias remove", "Names of a site are its settings"),
    (
        "cert show",
        "the site's certificate is shown where one is got",
    ),
    ("cert renew", "the button says issue"),
    ("cert dns add", "the form stands on the page of all of them"),
    ("php extension remove", "the same page as installing one"),
    (
        "php repository status",
        "stands on the page of turning it on",
    ),
    ("service start", "the same page as restarting"),
    ("service stop", "the same page as restarting"),
    (
        "audit verify",
        "the page of the trail says whether it is sound",
    ),
    ("settings set", "the same page as looking at them"),
    ("settings back", "the same buttons as keeping it"),
    ("settings longer", "the same buttons as keeping it"),
    ("account create", "root's alone"),
    ("account disable", "root's alone"),
    ("account enable", "root's alone"),
    ("account delete", "root's alone"),
    ("token create", "root's alone"),
    ("token list", "stands on Users"),
    ("token revoke", "root's alone"),
    ("notify status", "stands on the page of its settings"),
    ("notify off", "the same page as setting it"),
    ("admin link", "for when nobody can sign in"),
    ("admin unban", "for when nobody can sign in"),
];

fn verbs(command: &Command, before: &str, found: &mut BTreeSet<String>) {
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        let name = format!("{before}{}", verb.get_name());
        if verb.has_subcommands() {
            verbs(verb, &format!("{name} "), found);
        } else {
            found.insert(name);
        }
    }
}

#[test]
fn every_page_and_every_action_has_a_verb() {
    let mut all = BTreeSet::new();
    verbs(&Cli::command(), "", &mut all);
    let routes = ROUTES
        .iter()
        .filter(|route| route.access == Access::Session);
    let mut paths = BTreeSet::new();
    for route in routes {
        let known = PAGES.iter().any(|row| row.0 == route.path);
        let excused = NO_COMMAND.iter().any(|row| row.0 == route.path);
        assert!(known != excused, "{} {}", route.method, route.path);
        paths.insert(route.path);
    }
    for (path, verb, _) in PAGES {
        assert!(paths.contains(path), "{path} is no address any more");
        assert!(
            all.contains(*verb),
            "{path}: `lalapanel {verb}` is no command"
        );
    }
}

#[test]
fn every_verb_has_a_page_or_a_reason() {
    let mut all = BTreeSet::new();
    verbs(&Cli::command(), "", &mut all);
    for verb in &all {
        let shown = PAGES.iter().any(|row| row.1 == verb);
        let excused = NO_PAGE.iter().any(|row| row.0 == verb);
        assert!(shown != excused, "`lalapanel {verb}`");
    }
    for (verb, why) in NO_PAGE {
        assert!(all.contains(*verb) && !why.is_empty(), "{verb}");
    }
}

#[tokio::test]
async fn the_foot_of_every_page_says_a_command_that_can_be_typed() {
    let panel = panel();
    {
        let mut state = panel.agent.state.lock().unwrap();
        state.sites.push(fake::site(
            "shop.example",
            Some(PhpVersion::new(8, 4)),
            true,
            now(),
        ));
        state
            .sites
            .push(fake::site("rest.example", None, false, now()));
        state
            .databases
            .push(fake::database("shop_db", Some("shop.example"), now()));
        state.own = Some(fake::of_panel(now(), true));
    }
    let mut looked = 0;
    for (path, verb, address) in PAGES.iter().filter(|row| !row.2.is_empty()) {
        let seen = panel.ask(signed_in(get(address))).await;
        assert_eq!(seen.status, StatusCode::OK, "{address}");
        let mark = "On the command line:</span> <code data-copy>";
        let Some((_, rest)) = seen.text.split_once(mark) else {
            panic!("{path} says no command");
        };
        let command = rest.split('<').next().unwrap();
        assert!(
            command.starts_with(&format!("lalapanel {verb}")),
            "{path}: {command}"
        );
        let typed = Cli::try_parse_from(command.split(' '));
        assert!(typed.is_ok(), "{path}: {command}: {:?}", typed.err());
        looked += 1;
    }
    assert!(looked > 25, "{looked}");
}
