//! Which characters a text from a person may hold at all.
//!
//! Invariant: what passes here cannot end a line, hide text or turn its direction, in any file or page.

/// True for characters that no text of ours may hold: controls, line and paragraph separators, bidi marks.
#[must_use]
pub fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{2028}' | '\u{2029}'
            | '\u{061C}' | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// True where every character of the text may be stored and shown.
#[must_use]
pub fn is_clean(text: &str) -> bool {
    !text.chars().any(is_forbidden)
}

/// The text with forbidden characters replaced and cut to `limit` characters: for showing what somebody typed.
#[must_use]
pub fn shown(text: &str, limit: usize) -> String {
    text.chars()
        .take(limit)
        .map(|c| if is_forbidden(c) { '\u{FFFD}' } else { c })
        .collect()
}

/// One argument as a shell reads it.
#[must_use]
pub fn quoted(argument: &str) -> String {
    let plain = !argument.is_empty()
        && argument
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_./=:@,+%".contains(&b));
    if plain {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

/// Foreign text with everything that a terminal would obey, or an eye would miss, written out (`\x1b`). Lines and tabs stay.
#[must_use]
pub fn written_out(text: &str) -> String {
    use std::fmt::Write as _;
    let mut seen = String::with_capacity(text.len());
    for c in text.chars() {
        let _ = match c {
            '\n' | '\t' => write!(seen, "{c}"),
            c if is_forbidden(c) && c.is_ascii() => write!(seen, "\\x{:02x}", u32::from(c)),
            c if is_forbidden(c) => write!(seen, "\\u{{{:x}}}", u32::from(c)),
            c => write!(seen, "{c}"),
        };
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_and_bidi_marks_are_not_clean() {
        for bad in [
            "a\nb",
            "a\0",
            "a\u{85}",
            "a\u{2028}",
            "a\u{202E}b",
            "\u{FEFF}",
        ] {
            assert!(!is_clean(bad), "{bad:?}");
            assert!(is_clean(&shown(bad, 99)));
        }
        assert!(is_clean("Grüße, 世界"));
    }

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        let seen = written_out("a\u{1b}[2J\u{9b}1m\rb\u{202E}c\n\td");
        assert_eq!(seen, "a\\x1b[2J\\u{9b}1m\\x0db\\u{202e}c\n\td");
    }
}
