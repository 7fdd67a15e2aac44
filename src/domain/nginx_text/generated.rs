//! Generated snippets, good and bad, and the properties that hold for every one of them.
//!
//! Invariant: test code only; other readers of nginx text are held against the taken ones.

use proptest::prelude::*;

use super::allow;
use super::corpus::TAKEN;
use super::snippet::Snippet;
use super::tree::{self, Directive};

/// Pieces of snippets, good and bad, in any order.
pub(crate) fn any_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "location",
        "/a",
        "/b/c.css",
        "~",
        "\\.css$",
        "{",
        "}",
        ";",
        "return",
        "404",
        "200",
        "expires",
        "1d",
        "add_header",
        "X-A",
        "\"",
        "'",
        "\\",
        "\"a b\"",
        "'c;d'",
        "\"e\\\"f\"",
        "$",
        "${",
        "${host}",
        "$host",
        "#",
        "# note\n",
        "\n",
        "\r\n",
        "\t",
        " ",
        " ",
        " ",
        ";\n",
        " {\n",
        "}\n",
        "\0",
        "é",
        "\u{a0}",
        "\u{2028}",
        "if",
        "($host",
        "=",
        "a)",
        "include",
        "/etc/passwd",
        "if ($host = a) { return 404; }",
        "location /d { return 204; }\n",
        "add_header Y \"z\";",
        "expires 1h;",
        "etag off;\n",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Snippets put together from taken ones and generated values.
pub(crate) fn any_snippet() -> impl Strategy<Value = Snippet> {
    let value = "[ -~é]{0,20}";
    let header = value.prop_map(|value| format!("add_header X-A \"{value}\";"));
    let single = value.prop_map(|value| format!("add_header X-B '{value}' always;"));
    let place = ("[a-z0-9/._-]{1,20}", value)
        .prop_map(|(path, text)| format!("location /{path} {{ return 200 \"{text}\"; }}"));
    let comment = value.prop_map(|value| format!("# {value}"));
    let known = prop::sample::select(TAKEN.to_vec()).prop_map(str::to_owned);
    let part = prop_oneof![header, single, place, comment, known, any_text()]
        .prop_filter("not one that is taken", |text| Snippet::parse(text).is_ok());
    prop::collection::vec(part, 1..5).prop_filter_map("too much of it", |parts| {
        Snippet::parse(&parts.join("\n")).ok()
    })
}

fn names(tree: &[Directive], found: &mut Vec<String>) {
    for directive in tree {
        found.push(directive.name().to_owned());
        names(directive.children(), found);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn any_text_is_refused_or_holds_only_what_is_listed(text in any_text()) {
        if let Ok(snippet) = Snippet::parse(&text) {
            let mut found = Vec::new();
            names(&snippet.tree(), &mut found);
            prop_assert!(found.iter().all(|name| allow::names().any(|one| one == name)), "{found:?}");
            prop_assert_eq!(Snippet::parse(snippet.as_str()).unwrap(), snippet);
        }
    }

    #[test]
    fn any_characters_at_all_are_refused_or_kept(text in "\\PC{0,40}") {
        if let Ok(snippet) = Snippet::parse(&text) {
            prop_assert_eq!(snippet.as_str().trim_end_matches('\n'), text.trim_end_matches(' '));
        }
    }

    #[test]
    fn a_snippet_never_ends_the_block_it_stands_in(snippet in any_snippet()) {
        let around = format!("server {{\n{snippet}\n}}\nlast;");
        let tree = tree::parse(&around).unwrap();
        prop_assert_eq!(tree.len(), 2);
        prop_assert_eq!(tree.first().unwrap().children().len(), snippet.tree().len());
    }
}
