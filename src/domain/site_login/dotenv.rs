//! The lines of a `.env` file, as Laravel and its like write them.
//!
//! Invariant: a line is `KEY=VALUE` with a plain value, or its value is unclear.

use super::{Keys, Literal, Said};

/// What it says of the four keys.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the same answer as of the other kind of file"
)]
pub(super) fn keys(text: &str) -> Option<Keys> {
    let mut keys = Keys::default();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let said = line.trim_start();
        let said = said.strip_prefix("export ").unwrap_or(said);
        if let Some((key, value)) = said.split_once('=') {
            let at = start + line.len() - value.len();
            let place = match key.trim() {
                "DB_DATABASE" => Some(&mut keys.database),
                "DB_USERNAME" | "DB_USER" => Some(&mut keys.user),
                "DB_PASSWORD" => Some(&mut keys.password),
                "DB_HOST" => Some(&mut keys.host),
                _ => None,
            };
            if let Some(place) = place {
                place.add(read(value, at));
            }
        }
        start += line.len();
    }
    Some(keys)
}

/// `at` is where the value begins in the file.
fn read(value: &str, at: usize) -> Said {
    let rest = value.trim_start_matches([' ', '\t']);
    let at = at + value.len() - rest.len();
    let rest = rest.trim_end();
    let (inner, after, quote) = match rest.chars().next() {
        Some('\'') => quoted(rest, '\'', "'"),
        Some('"') => quoted(rest, '"', "\""),
        _ => {
            let end = rest.find(" #").unwrap_or(rest.len());
            let (inner, after) = rest.split_at(end);
            (inner.trim_end(), after, "")
        }
    };
    let is_plain = match quote {
        "'" => !inner.contains('\''),
        "\"" => !inner.contains(['$', '\\', '"']),
        _ => !inner.contains(['$', '\\', '"', '\'', '#', ' ', '\t', '`']),
    };
    let after = after.trim_start();
    if !is_plain || !(after.is_empty() || after.starts_with('#')) || inner.contains('\n') {
        return Said::Unclear;
    }
    Said::Plainly(Literal {
        value: inner.to_owned(),
        place: at..at + inner.len() + 2 * quote.len(),
        quote,
    })
}

/// What is between the quotes, and behind them; without an end, what cannot be plain.
fn quoted<'t>(text: &'t str, quote: char, word: &'static str) -> (&'t str, &'t str, &'static str) {
    let inside = text.get(1..).unwrap_or_default();
    let inner = inside.split_once(quote);
    inner.map_or((text, "", ""), |(inner, after)| (inner, after, word))
}
