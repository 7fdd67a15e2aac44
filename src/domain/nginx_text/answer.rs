//! What `return`, `try_files` and `error_page` may answer with.
//!
//! Invariant: nobody is sent to a host of a visitor's choice, and no file outside the site is named.

use crate::domain::nginx_text::argument::{
    is_local_path, number, plain, text, usage, values, when,
};
use crate::domain::nginx_text::refusal::{No, no};
use crate::domain::nginx_text::tree::Directive;

/// `return 403`, `return 301 https://shop.example$request_uri`, `return 200 "text"`.
pub(super) fn answer(directive: &Directive) -> Result<(), No> {
    let found = values(directive);
    let code = found.first().and_then(|code| code.parse::<u16>().ok());
    let Some(code) = code.filter(|code| (200..=599).contains(code)) else {
        return usage("return 404` or `return 301 https://shop.example$request_uri");
    };
    match (found.as_slice(), code) {
        ([_], 301 | 302 | 303 | 307 | 308) => usage("return 301 https://shop.example$request_uri"),
        ([_], _) => Ok(()),
        ([_, target], 301 | 302 | 303 | 307 | 308) => redirect(target),
        // A text may have lines: it is the answer's body and not a header of it.
        ([_, body], _) => text(&body.replace(['\n', '\t'], " ")),
        _ => usage("return 404"),
    }
}

/// The host is fixed or one of the site's own, so that nobody can be sent to a place of a visitor's choice.
fn redirect(target: &str) -> Result<(), No> {
    text(target)?;
    if target.contains([' ', '"', '\\', '<', '>']) {
        return no(
            "has a space, a quote or a backslash in an address",
            "write them as `%20`, `%22`, `%5C`",
        );
    }
    let (is_local, rest) = match ["https://", "http://", "$scheme://"]
        .iter()
        .find_map(|s| target.strip_prefix(s))
    {
        Some(rest) => (false, rest),
        None => (true, target),
    };
    let fits = if is_local {
        rest.strip_prefix('/')
            .is_some_and(|rest| !rest.starts_with(['/', '$']))
    } else {
        let host = rest.split(['/', '$']).next().unwrap_or_default();
        let own = ["$host", "${host}", "$server_name", "${server_name}"];
        (!host.is_empty() && plain(&host.replace(':', ".")) && ends_host(rest, host))
            || own.iter().any(|name| {
                rest.strip_prefix(name).is_some_and(|after| {
                    !after.starts_with(|c: char| c.is_ascii_alphanumeric() || "_.-:@".contains(c))
                })
            })
    };
    if fits {
        return Ok(());
    }
    no(
        "redirects to a place that a visitor could choose",
        "begin with `https://` and a fixed name or `$host`, or with `/` and a fixed path",
    )
}

/// After a fixed host comes a path, or `$request_uri`, which always begins with `/`.
fn ends_host(rest: &str, host: &str) -> bool {
    let after = rest.get(host.len()..).unwrap_or_default();
    after.is_empty()
        || after.starts_with('/')
        || after.starts_with("$request_uri")
        || after.starts_with("${request_uri}")
}

/// `try_files $uri $uri/ /index.php$is_args$args`.
pub(super) fn try_files(directive: &Directive) -> Result<(), No> {
    let found = values(directive);
    let Some((last, tried)) = found.split_last().filter(|(_, tried)| !tried.is_empty()) else {
        return usage("try_files $uri $uri/ =404");
    };
    let file = |value: &str| {
        let rest = value.strip_prefix("$uri").unwrap_or(value);
        rest.is_empty()
            || plain(rest)
                && !rest.contains("..")
                && (value.len() != rest.len() || rest.starts_with('/'))
    };
    let code = last
        .strip_prefix('=')
        .is_some_and(|code| number(code, 599) && code.len() == 3);
    let target = last.strip_suffix("$is_args$args").unwrap_or(last);
    when(
        tried.iter().all(|value| file(value)) && (code || is_local_path(target)),
        "try_files $uri $uri/ =404",
    )
}

/// `error_page 404 /404.html`, `error_page 500 502 =503 /busy.html`.
pub(super) fn error_page(directive: &Directive) -> Result<(), No> {
    let found = values(directive);
    let Some((page, before)) = found.split_last() else {
        return usage("error_page 404 /404.html");
    };
    let codes: Vec<&&str> = before
        .iter()
        .filter(|word| !word.starts_with('='))
        .collect();
    let code = |word: &str| {
        word.len() == 3
            && word
                .parse::<u16>()
                .is_ok_and(|code| (300..=599).contains(&code))
    };
    let changed = |word: &&&str| {
        word.strip_prefix('=')
            .is_some_and(|code| code.is_empty() || number(code, 599))
    };
    let equals: Vec<&&str> = before.iter().filter(|word| word.starts_with('=')).collect();
    let is_in_place = equals.is_empty() || before.last().is_some_and(|last| last.starts_with('='));
    if codes.is_empty()
        || !codes.iter().all(|word| code(word))
        || equals.len() > 1
        || !equals.iter().all(changed)
        || !is_in_place
    {
        return usage("error_page 404 /404.html");
    }
    if page.starts_with("http") {
        redirect(page)
    } else {
        when(is_local_path(page), "error_page 404 /404.html")
    }
}
