//! Which places of a site a snippet may take over.
//!
//! Invariant: no place of a snippet sends the source of PHP as text, opens what Lala keeps closed, or answers for certificates.

use crate::domain::nginx_text::argument::is_local_path;
use crate::domain::nginx_text::pattern;
use crate::domain::nginx_text::refusal::{No, no};
use crate::domain::nginx_text::tree::Directive;

const ACME: &str = "/.well-known/acme-challenge/";

/// Looks at modifier, path and what follows from them for the body.
pub(super) fn check(directive: &Directive, nested: bool) -> Result<(), No> {
    let values: Vec<&str> = directive.values().collect();
    match values.as_slice() {
        [path] => prefix(path, nested),
        ["=", path] => {
            prefix(path, nested)?;
            exact(path, directive)
        }
        ["^~", path] => {
            prefix(path, nested)?;
            before_expressions(directive)
        }
        ["~" | "~*", expression] => {
            pattern::check(expression)?;
            expression_body(expression, directive)
        }
        _ => no(
            "has a form that is not offered",
            "write it like `location /path/ {`, `location = /path {` or `location ~ \\.ext$ {`",
        ),
    }
}

fn prefix(path: &str, nested: bool) -> Result<(), No> {
    if !is_local_path(path) {
        return no(
            format!("is for `{path}`, which is not a plain path"),
            "begin with `/`, use letters, digits and `/._-`, and put a space after `=`, `~` or `^~`",
        );
    }
    if path == "/" && !nested {
        return no(
            "is for `/`, which is Lala's own place",
            "change the site's type, or name the path below it",
        );
    }
    if path.starts_with(ACME) || ACME.trim_end_matches('/') == path {
        return no(
            "is for the place where certificates are proved",
            "leave it to Lala, or the certificates of this site end",
        );
    }
    let hidden = path
        .split('/')
        .any(|part| part.starts_with('.') && part != ".well-known");
    if hidden {
        return no(
            "is for a hidden file",
            "give the file another name: hidden ones are never served",
        );
    }
    Ok(())
}

fn exact(path: &str, directive: &Directive) -> Result<(), No> {
    if path.to_ascii_lowercase().contains(".ph") && !is_closed(directive) {
        return sends_source();
    }
    Ok(())
}

/// `^~` goes before every expression of ours: PHP, hidden files, droppings.
fn before_expressions(directive: &Directive) -> Result<(), No> {
    if is_closed(directive) {
        return Ok(());
    }
    no(
        "goes before the rules that keep PHP source and hidden files from being sent",
        "leave out `^~`, or close the place with `return` or `deny all`",
    )
}

fn expression_body(expression: &str, directive: &Directive) -> Result<(), No> {
    if is_closed(directive) || pattern::ends_in_plain_files(expression) || guards_php(directive) {
        return Ok(());
    }
    sends_source()
}

fn sends_source() -> Result<(), No> {
    no(
        "could send PHP files as text, since it goes before the place that runs them",
        "end the expression in plain endings such as `\\.(?:css|js)$`, put `location ~ \\.php$ { return 404; }` in it, or close it with `return` or `deny all`",
    )
}

/// True where no file of the place is ever sent.
fn is_closed(directive: &Directive) -> bool {
    let has = |name: &str| {
        directive
            .children()
            .iter()
            .any(|inner| inner.name() == name)
    };
    let denies = directive
        .children()
        .iter()
        .any(|inner| inner.name() == "deny" && inner.values().eq(["all"]));
    let opens = ["allow", "satisfy", "location"]
        .iter()
        .any(|name| has(name));
    has("return") || (denies && !opens)
}

fn guards_php(directive: &Directive) -> bool {
    directive.children().iter().any(|inner| {
        inner.name() == "location" && inner.values().eq(["~", r"\.php$"]) && is_closed(inner)
    })
}
