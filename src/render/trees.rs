//! Writes generated files of nginx with our own reading of them, for other readers to be held against: `tests/nginx/run`.
//!
//! Invariant: test code only; the differences are found by `tests/nginx/compare.py`, not here.
#![expect(
    clippy::disallowed_methods,
    reason = "writes files for another program to read"
)]

use std::fmt::Write as _;
use std::path::Path;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::domain::facts::{Http2, TlsFacts};
use crate::domain::nginx_text::token::Word;
use crate::domain::nginx_text::{Directive, Snippet, allow, corpus, generated, tree};
use crate::domain::path::HostPath;
use crate::render::golden;
use crate::render::nginx::{self, Globals};
use crate::render::nginx_tls;

const SITES: usize = 3000;
const SNIPPETS: usize = 2000;

const GLOBALS: Globals = Globals {
    ipv6: true,
    default_on_80: true,
    default_on_80_v6: true,
    names_hash: true,
};

fn some<S: Strategy>(strategy: &S, count: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    let mut one = || strategy.new_tree(&mut runner).unwrap().current();
    (0..count).map(|_| one()).collect()
}

/// As written; other readers take off the quotes and the escape of the quote, and nothing else.
fn word(word: &Word) -> String {
    match word.quote {
        Some(quote) => word.raw.replace(&format!("\\{quote}"), &quote.to_string()),
        None => word.raw.clone(),
    }
}

fn shape(directives: &[Directive]) -> Value {
    let one = |directive: &Directive| {
        json!({
            "line": directive.line,
            "words": directive.words.iter().map(word).collect::<Vec<_>>(),
            "inside": directive.inside.as_deref().map(shape),
        })
    };
    directives.iter().map(one).collect()
}

/// A `nginx -T` of a server with these sites.
fn dump() -> String {
    let mut text = String::new();
    let mut add = |path: &str, inside: &str| {
        let _ = write!(text, "# configuration file {path}:\n{inside}\n");
    };
    add(
        "/etc/nginx/nginx.conf",
        "user www-data;\nevents { worker_connections 768; }\nhttp {\n    include /etc/nginx/conf.d/*.conf;\n    include /etc/nginx/sites-enabled/*;\n}\n",
    );
    add(nginx::globals_file().as_str(), &nginx::globals(GLOBALS));
    add(
        nginx::marker_file().as_str(),
        &nginx::marker(golden::operation()),
    );
    for (path, inside) in nginx::includes() {
        add(path.as_str(), inside);
    }
    for (path, inside) in shared_by_tls() {
        add(path.as_str(), &inside);
    }
    for (number, mut site) in some(&golden::any_site(), 40).into_iter().enumerate() {
        site.hostname =
            crate::domain::name::Hostname::parse(&format!("s{number}.example")).unwrap();
        site.aliases.clear();
        add(
            &format!("/etc/nginx/sites-enabled/{}", site.hostname),
            &nginx::site(&site, ABILITIES),
        );
    }
    text
}

fn shared_by_tls() -> [(HostPath, String); 2] {
    let facts = TlsFacts {
        http2: Http2::Directive,
        ..TlsFacts::default()
    };
    [
        (nginx_tls::include_file(), nginx_tls::include(facts.http2)),
        (
            nginx_tls::globals_file(),
            nginx_tls::globals(&facts, true, true),
        ),
    ]
}

const ABILITIES: nginx::Abilities = nginx::Abilities {
    ipv6: true,
    brotli: true,
    shared_php: false,
};

#[test]
#[ignore = "writes files for `tests/nginx/run`"]
fn write_the_trees() {
    let to = std::env::var_os("LALAPANEL_TREES").expect("LALAPANEL_TREES names a directory");
    let to = Path::new(&to);
    let mut texts: Vec<String> = some(&golden::any_site(), SITES)
        .iter()
        .map(|site| {
            nginx::site(
                site,
                nginx::Abilities {
                    ipv6: site.aliases.len().is_multiple_of(2),
                    ..ABILITIES
                },
            )
        })
        .collect();
    texts.push(nginx::globals(GLOBALS));
    texts.push(nginx::marker(golden::operation()));
    texts.extend(shared_by_tls().map(|(_, text)| text));
    texts.extend(nginx::includes().map(|(_, text)| text.to_owned()));
    let taken = corpus::TAKEN
        .iter()
        .map(|text| Snippet::parse(text).unwrap());
    let generated = some(&generated::any_snippet(), SNIPPETS);
    texts.extend(taken.chain(generated).map(|snippet| snippet.to_string()));
    let mut lines = String::new();
    for (number, text) in texts.iter().enumerate() {
        let name = format!("{number}.conf");
        std::fs::write(to.join(&name), text).unwrap();
        let tree = shape(&tree::parse(text).unwrap());
        let _ = writeln!(lines, "{}", json!({ "file": name, "tree": tree }));
    }
    std::fs::write(to.join("trees.jsonl"), lines).unwrap();
    std::fs::write(to.join("dump.conf"), dump()).unwrap();
}

#[test]
fn what_a_snippet_may_set_for_the_whole_server_is_not_set_by_us_there() {
    let file = tree::parse(nginx::SERVER).unwrap();
    for site in [golden::php_site(), golden::static_site()] {
        let site = tree::parse(&nginx::site(&site, ABILITIES)).unwrap();
        let server = site.first().unwrap();
        for name in allow::at_server_level() {
            let ours = file.iter().chain(server.children());
            assert_eq!(ours.filter(|one| one.name() == name).count(), 0, "{name}");
        }
    }
}
