//! What people can open is looked at in a browser: by `tests/ui/run.mjs`, with the addresses of `tests/ui/pages.mjs`.
//!
//! Invariant: a page that no browser opens in the tests fails here, until somebody says why.

use std::collections::BTreeSet;

use lalapanel::web::{Access, ROUTES};
use poem::http::Method;

const LIST: &str = include_str!("../ui/pages.mjs");

/// Addresses that are no pages of their own, or that a test of their own opens.
const ELSEWHERE: &[(&str, &str)] = &[
    ("/sites/{host}/logs/events", "the stream of a page"),
    ("/operations/{id}/events", "the stream of a page"),
    (
        "/sites/{host}/certificate/install/{fingerprint}",
        "needs a pair that was sent a moment ago; looks like the other changes of a site",
    ),
];

/// Addresses of the list without their queries, `x` in place of what a run fills in.
fn addresses() -> Vec<String> {
    let (_, body) = LIST.split_once("=> ({").unwrap();
    let mut found = Vec::new();
    let mut quoted = body.split(['\'', '`']);
    while let (Some(_), Some(text)) = (quoted.next(), quoted.next()) {
        if !text.starts_with('/') {
            continue;
        }
        let mut address = String::new();
        for (at, part) in text.split("${").enumerate() {
            match part.split_once('}') {
                Some((_, rest)) if at > 0 => address.extend(["x", rest]),
                _ => address.push_str(part),
            }
        }
        found.push(address.split('?').next().unwrap_or_default().to_owned());
    }
    found
}

fn fits(pattern: &str, address: &str) -> bool {
    let (wanted, given) = (pattern.split('/'), address.split('/'));
    wanted.clone().count() == given.clone().count()
        && wanted
            .zip(given)
            .all(|(wanted, given)| wanted.starts_with('{') || wanted == given)
}

/// The route that serves an address: the one with the fewest open parts.
fn served(address: &str) -> Option<&'static str> {
    let fitting = ROUTES.iter().filter(|route| fits(route.path, address));
    let found = fitting.min_by_key(|route| route.path.matches('{').count());
    found.map(|route| route.path)
}

#[test]
fn every_page_is_opened_in_a_browser() {
    let addresses = addresses();
    assert!(addresses.len() > 50, "{addresses:?}");
    let seen: BTreeSet<&str> = addresses.iter().filter_map(|one| served(one)).collect();
    let pages = ROUTES
        .iter()
        .filter(|route| route.access == Access::Session && route.method == Method::GET);
    let mut all = BTreeSet::new();
    for page in pages {
        let excused = ELSEWHERE.iter().any(|row| row.0 == page.path);
        let opened = seen.contains(page.path);
        assert!(
            opened != excused,
            "{}: tests/ui/pages.mjs opens it: {opened}, excused here: {excused}",
            page.path
        );
        all.insert(page.path);
    }
    for (path, why) in ELSEWHERE {
        assert!(all.contains(path) && !why.is_empty(), "{path}");
    }
    for address in &addresses {
        assert!(
            address == "/nothing-here" || served(address).is_some(),
            "{address} is no address any more"
        );
    }
}
