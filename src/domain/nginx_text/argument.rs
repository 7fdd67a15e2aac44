//! What the arguments of allowed directives may be.
//!
//! Invariant: a value holds only variables that a visitor cannot fill with line breaks, and no path outside the site.

use crate::domain::nginx_text::pattern;
use crate::domain::nginx_text::refusal::{No, no};
use crate::domain::nginx_text::token::Word;
use crate::domain::nginx_text::tree::Directive;

/// Variables that hold nothing decoded: `$uri` and captures hold decoded line breaks (header splitting).
const VARIABLES: &[&str] = &[
    "request_uri",
    "host",
    "server_name",
    "server_port",
    "scheme",
    "https",
    "is_args",
    "args",
    "request_id",
    "request_method",
    "remote_addr",
    "status",
    "time_iso8601",
    "msec",
];

/// Names of the variables in a value; `None` for a `$` that begins none.
fn variables(value: &str) -> Option<Vec<&str>> {
    let mut names = Vec::new();
    for part in value.split('$').skip(1) {
        let name = if let Some(inner) = part.strip_prefix('{') {
            inner.split_once('}')?.0
        } else {
            let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            part.get(..end.unwrap_or(part.len()))?
        };
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return None;
        }
        names.push(name);
    }
    Some(names)
}

fn is_own_variable(name: &str) -> bool {
    name.strip_prefix("my_")
        .is_some_and(|rest| !rest.is_empty())
        && name.len() <= 40
}

/// A value with safe variables and no control characters.
pub(super) fn text(value: &str) -> Result<(), No> {
    if !crate::domain::text::is_clean(value) {
        return no(
            "has a line break or another control character in a value",
            "leave it out",
        );
    }
    let Some(names) = variables(value) else {
        return no("has a `$` that begins no variable", "leave the `$` out");
    };
    match names
        .iter()
        .find(|name| !VARIABLES.contains(name) && !is_own_variable(name))
    {
        None => Ok(()),
        Some(name) => no(
            format!("uses `${name}`, which can hold what a visitor typed, line breaks included"),
            "use `$request_uri`, `$args`, `$host`, `$scheme` or a variable of your own, `$my_…`",
        ),
    }
}

pub(super) fn plain(value: &str) -> bool {
    !value.is_empty()
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b))
}

/// A path inside the site: begins with `/`, never climbs.
pub(super) fn is_local_path(value: &str) -> bool {
    value.starts_with('/')
        && plain(value)
        && !value.contains("//")
        && !value.split('/').any(|part| part == "." || part == "..")
}

pub(super) fn number(value: &str, most: u32) -> bool {
    value.len() <= 9 && value.parse::<u32>().is_ok_and(|number| number <= most)
}

/// `10`, `10k`, `10m`.
fn is_size(value: &str) -> bool {
    let digits = value.trim_end_matches(['k', 'K', 'm', 'M']);
    value.len() - digits.len() <= 1 && number(digits, 99_999_999)
}

pub(super) fn values(directive: &Directive) -> Vec<&str> {
    directive.values().collect()
}

pub(super) fn usage(example: &str) -> Result<(), No> {
    no(
        "has arguments it does not take",
        format!("write it like `{example}`"),
    )
}

pub(super) fn when(fits: bool, example: &str) -> Result<(), No> {
    if fits { Ok(()) } else { usage(example) }
}

/// One of a few words.
pub(super) fn one_of(directive: &Directive, words: &[&str]) -> Result<(), No> {
    let example = format!("{} {}", directive.name(), words.join("|"));
    when(
        matches!(values(directive).as_slice(), [one] if words.contains(one)),
        &example,
    )
}

pub(super) fn flag(directive: &Directive) -> Result<(), No> {
    one_of(directive, &["on", "off"])
}

pub(super) fn nothing(directive: &Directive) -> Result<(), No> {
    when(values(directive).is_empty(), directive.name())
}

pub(super) fn size(directive: &Directive) -> Result<(), No> {
    let example = format!("{} 512k", directive.name());
    when(
        matches!(values(directive).as_slice(), [one] if is_size(one)),
        &example,
    )
}

pub(super) fn small_number(directive: &Directive) -> Result<(), No> {
    let example = format!("{} 5", directive.name());
    when(
        matches!(values(directive).as_slice(), [one] if number(one, 1_000_000)),
        &example,
    )
}

pub(super) fn level(directive: &Directive) -> Result<(), No> {
    let fits = matches!(values(directive).as_slice(), [one] if number(one, 9) && *one != "0");
    when(fits, "gzip_comp_level 4")
}

/// `text/css application/json`, or `*`.
pub(super) fn types(directive: &Directive) -> Result<(), No> {
    let fits = |value: &&str| *value == "*" || is_type(value);
    let found = values(directive);
    when(
        !found.is_empty() && found.iter().all(fits),
        &format!("{} text/css", directive.name()),
    )
}

pub(super) fn one_type(directive: &Directive) -> Result<(), No> {
    when(
        matches!(values(directive).as_slice(), [one] if is_type(one)),
        "default_type text/plain",
    )
}

fn is_type(value: &str) -> bool {
    let word = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b".+-".contains(&b))
    };
    value
        .split_once('/')
        .is_some_and(|(kind, form)| word(kind) && word(form))
}

pub(super) fn charset(directive: &Directive) -> Result<(), No> {
    let fits = |value: &str| {
        value.len() <= 20
            && value
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    when(
        matches!(values(directive).as_slice(), [one] if fits(one)),
        "charset utf-8",
    )
}

/// `allow` and `deny`: an address, a network, or `all`.
pub(super) fn address(directive: &Directive) -> Result<(), No> {
    let example = format!("{} 203.0.113.0/24", directive.name());
    when(
        matches!(values(directive).as_slice(), [one] if *one == "all" || is_network(one)),
        &example,
    )
}

fn is_network(value: &str) -> bool {
    let (address, bits) = value
        .split_once('/')
        .map_or((value, None), |(a, b)| (a, Some(b)));
    match address.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(_)) => bits.is_none_or(|bits| number(bits, 32)),
        Ok(std::net::IpAddr::V6(_)) => bits.is_none_or(|bits| number(bits, 128)),
        Err(_) => false,
    }
}

/// `expires 30d`, `expires -1`, `expires max`.
pub(super) fn expires(directive: &Directive) -> Result<(), No> {
    let time = |value: &str| {
        let digits = value.strip_prefix('-').unwrap_or(value);
        let bare = digits.trim_end_matches(['s', 'm', 'h', 'd', 'w', 'M', 'y']);
        digits.len() - bare.len() <= 1 && number(bare, 99_999_999)
    };
    let fits = match values(directive).as_slice() {
        [one] => ["off", "epoch", "max"].contains(one) || time(one),
        ["modified", one] => time(one),
        _ => false,
    };
    when(fits, "expires 30d")
}

/// Headers that say where a message ends or whose it is are nginx's own.
const KEPT_HEADERS: &[&str] = &[
    "connection",
    "content-length",
    "date",
    "host",
    "server",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "status",
];

pub(super) fn header(directive: &Directive) -> Result<(), No> {
    let (name, value) = match values(directive).as_slice() {
        [name, value] | [name, value, "always"] => (*name, *value),
        _ => return usage("add_header X-Robots-Tag noindex always"),
    };
    if name.is_empty()
        || !name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    {
        return no(
            format!("has `{name}`, which is not the name of a header"),
            "use letters, digits and `-`",
        );
    }
    let lower = name.to_ascii_lowercase();
    if KEPT_HEADERS.contains(&lower.as_str()) || lower.starts_with("x-accel-") {
        return no(
            format!("sets `{name}`, which is nginx's own to set"),
            "leave it out",
        );
    }
    text(value)
}

/// `index index.html index.php`.
pub(super) fn files(directive: &Directive) -> Result<(), No> {
    let found = values(directive);
    let fits = |value: &&str| plain(value) && !value.contains('/') && !value.starts_with('.');
    when(
        !found.is_empty() && found.iter().all(fits),
        "index index.html",
    )
}

/// `set $my_name "value"`, a fixed one: what a variable could carry elsewhere is then known.
pub(super) fn set(directive: &Directive) -> Result<(), No> {
    let [name, value] = directive.arguments() else {
        return usage("set $my_name value");
    };
    let own =
        |word: &Word| word.is_bare() && word.value.strip_prefix('$').is_some_and(is_own_variable);
    let lower = |word: &Word| {
        word.value
            .bytes()
            .all(|b| b == b'$' || b == b'_' || b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    if !own(name) || !lower(name) {
        return no(
            "sets a variable that is not yours",
            "begin its name with `$my_`, as in `$my_name`",
        );
    }
    if value.value.contains('$') {
        return no("sets a variable from another one", "give it a fixed value");
    }
    text(&value.value)
}

/// `limit_except GET POST`.
pub(super) fn methods(directive: &Directive) -> Result<(), No> {
    let known = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
    let found = values(directive);
    when(
        !found.is_empty() && found.iter().all(|value| known.contains(value)),
        "limit_except GET { deny all; }",
    )
}

/// `if ($request_method = POST)`: one variable against a fixed word or an expression without groups that capture.
pub(super) fn condition(directive: &Directive) -> Result<(), No> {
    const TESTED: &[&str] = &[
        "$request_method",
        "$scheme",
        "$host",
        "$remote_addr",
        "$http_user_agent",
        "$http_referer",
        "$args",
        "$request_uri",
    ];
    let usage = || usage("if ($request_method = POST) { return 405; }");
    let words = directive.arguments();
    if words
        .iter()
        .any(|word| word.raw.contains(['(', ')']) && !word.is_bare())
    {
        return no(
            "has a group in the expression of an `if`",
            "use an expression without brackets",
        );
    }
    let whole = directive.values().collect::<Vec<_>>().join(" ");
    let Some(inside) = whole
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    else {
        return usage();
    };
    let parts: Vec<&str> = inside.trim().splitn(3, ' ').collect();
    let [variable, operator, value] = parts.as_slice() else {
        return usage();
    };
    let own = variable.strip_prefix('$').is_some_and(is_own_variable);
    if !own && !TESTED.contains(variable) {
        return no(
            format!("tests `{variable}`"),
            format!("test one of {}", TESTED.join(", ")),
        );
    }
    match *operator {
        "=" | "!=" => when(
            !value.is_empty() && !value.contains(['$', ' ', '(', ')']),
            "if ($host = a.example) { return 404; }",
        ),
        "~" | "~*" | "!~" | "!~*" if value.contains(['(', ')']) => no(
            "has a group in the expression of an `if`",
            "use an expression without brackets",
        ),
        "~" | "~*" | "!~" | "!~*" => pattern::check(value),
        _ => usage(),
    }
}
