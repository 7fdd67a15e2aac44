//! The constants that a PHP file defines with literals. Reads as PHP does: comments, strings and what is outside of `<?php` count for nothing.
//!
//! Invariant: a file that this reader could take for another than PHP does (a heredoc, an open string) is not read at all.

use std::ops::Range;

use super::{Keys, Literal, Said};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(Range<usize>),
    Text(Range<usize>),
    Mark(u8),
}

/// What it says of the four keys; none where it cannot be read.
pub(super) fn keys(text: &str) -> Option<Keys> {
    let tokens = tokens(text)?;
    let mut keys = Keys::default();
    for at in 0..tokens.len() {
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        let rest = tokens.get(at..).unwrap_or_default();
        let Some((name, said)) = definition(text, before, rest) else {
            continue;
        };
        match name.as_str() {
            "DB_NAME" => keys.database.add(said),
            "DB_USER" => keys.user.add(said),
            "DB_PASSWORD" => keys.password.add(said),
            "DB_HOST" => keys.host.add(said),
            PREFIX => keys.prefix.add(said),
            _ => {}
        }
    }
    Some(keys)
}

/// Not a constant: the one variable that is read.
const PREFIX: &str = "table_prefix";

/// `define('NAME', 'value')`, `const NAME = 'value'` or `$table_prefix = 'value'` at the beginning of these tokens.
fn definition(text: &str, before: Option<&Token>, rest: &[Token]) -> Option<(String, Said)> {
    let word = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
    match (before, rest) {
        (Some(Token::Mark(b'>' | b':')), _) => None,
        (Some(Token::Mark(b'$')), [Token::Word(name), Token::Mark(b'='), value @ ..])
            if word(name) == PREFIX =>
        {
            Some((PREFIX.to_owned(), said(text, value, b";")))
        }
        (
            _,
            [
                Token::Word(define),
                Token::Mark(b'('),
                Token::Text(name),
                Token::Mark(b','),
                value @ ..,
            ],
        ) if word(define).eq_ignore_ascii_case("define") => {
            let name = literal(text, name)?.value;
            Some((name, said(text, value, b"),")))
        }
        (
            _,
            [
                Token::Word(constant),
                Token::Word(name),
                Token::Mark(b'='),
                value @ ..,
            ],
        ) if word(constant).eq_ignore_ascii_case("const") => {
            Some((word(name).to_owned(), said(text, value, b";,")))
        }
        _ => None,
    }
}

fn said(text: &str, value: &[Token], ends: &[u8]) -> Said {
    match value {
        [Token::Text(place), Token::Mark(end), ..] if ends.contains(end) => {
            literal(text, place).map_or(Said::Unclear, Said::Plainly)
        }
        _ => Said::Unclear,
    }
}

/// A string without anything in it that PHP would put together.
fn literal(text: &str, place: &Range<usize>) -> Option<Literal> {
    let inner = text.get(place.start + 1..place.end - 1)?;
    let value = match text.as_bytes().get(place.start)? {
        b'\'' => inner.replace("\\'", "'").replace("\\\\", "\\"),
        b'"' if !inner.contains(['$', '\\']) => inner.to_owned(),
        _ => return None,
    };
    Some(Literal {
        value,
        place: place.clone(),
        quote: "'",
    })
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut at = inside(text, 0);
    let rest_of = |at: usize| text.as_bytes().get(at..).unwrap_or_default();
    while let [first, rest @ ..] = rest_of(at) {
        let second = rest.first();
        at = match (first, second) {
            (b'?', Some(b'>')) => inside(text, at),
            (b'/', Some(b'/')) => line_end(text, at),
            (b'#', second) if second != Some(&b'[') => line_end(text, at),
            (b'/', Some(b'*')) => after(text, at + 2, "*/")?,
            (b'<', Some(b'<')) if rest.get(1) == Some(&b'<') => return None,
            (b'\'' | b'"' | b'`', _) => {
                let end = string_end(text.as_bytes(), at, *first)?;
                found.push(Token::Text(at..end));
                end
            }
            (byte, _) if is_word(*byte) => {
                let long = rest_of(at)
                    .iter()
                    .take_while(|byte| is_word(**byte))
                    .count();
                found.push(Token::Word(at..at + long));
                at + long
            }
            (byte, _) => {
                if !byte.is_ascii_whitespace() {
                    found.push(Token::Mark(*byte));
                }
                at + 1
            }
        };
    }
    Some(found)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Behind the next `<?php` or `<?=`; the end where there is none.
fn inside(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let begins = ["<?php", "<?="].iter();
    let begins = begins.filter_map(|tag| rest.find(tag).map(|found| at + found + tag.len()));
    begins.min().unwrap_or(text.len())
}

/// A comment ends with its line, or before the end of PHP.
fn line_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let ends = ["\n", "\r", "?>"].iter();
    let ends = ends.filter_map(|end| rest.find(end).map(|found| at + found));
    ends.min().unwrap_or(text.len())
}

fn after(text: &str, at: usize, end: &str) -> Option<usize> {
    let found = text.get(at..)?.find(end)?;
    Some(at + found + end.len())
}

fn string_end(bytes: &[u8], start: usize, quote: u8) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            byte if *byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}
