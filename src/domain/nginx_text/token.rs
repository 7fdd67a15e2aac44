//! The words of nginx configuration text, one by one, as `ngx_conf_read_token` reads them.
//!
//! Invariant: each word keeps the text it was written with and the text nginx makes of it; nothing is guessed at the end.

use std::iter::Peekable;
use std::str::CharIndices;

/// A word as written and as nginx understands it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// What nginx makes of it: quotes off, escapes taken.
    pub value: String,
    /// As written, between the quotes where there are some.
    pub raw: String,
    /// The quote it stands in.
    pub quote: Option<char>,
    /// The line it begins on, from 1.
    pub line: u32,
}

impl Word {
    /// True where the word is written without quotes.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.quote.is_none()
    }
}

/// What a text is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A word.
    Word(Word),
    /// `{`
    Open,
    /// `}`
    Close,
    /// `;`
    End,
}

/// One of them, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What.
    pub kind: Kind,
    /// Its line, from 1.
    pub line: u32,
    /// The byte it begins at.
    pub at: usize,
}

/// Text that nginx would not read to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Wrong {
    /// Where.
    pub line: u32,
    /// What is so.
    pub what: &'static str,
}

/// Everything up to the end of the text or to what is wrong with it.
#[must_use]
pub fn tokens(text: &str) -> (Vec<Token>, Option<Wrong>) {
    let mut reader = Reader {
        text,
        letters: text.char_indices().peekable(),
        line: 1,
        found: Vec::new(),
    };
    let wrong = reader.run().err();
    (reader.found, wrong)
}

struct Reader<'a> {
    text: &'a str,
    letters: Peekable<CharIndices<'a>>,
    line: u32,
    found: Vec<Token>,
}

/// The four that part words for nginx; no other character does.
fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\r' | '\n')
}

impl Reader<'_> {
    fn next(&mut self) -> Option<(usize, char)> {
        let found = self.letters.next();
        if matches!(found, Some((_, '\n'))) {
            self.line += 1;
        }
        found
    }

    fn run(&mut self) -> Result<(), Wrong> {
        loop {
            let line = self.line;
            let Some((at, letter)) = self.next() else {
                return Ok(());
            };
            let kind = match letter {
                _ if is_space(letter) => continue,
                '#' => {
                    while self.letters.next_if(|(_, next)| *next != '\n').is_some() {}
                    continue;
                }
                '{' => Kind::Open,
                '}' => Kind::Close,
                ';' => Kind::End,
                '"' | '\'' => self.quoted(letter, line)?,
                _ => self.bare(at, letter, line)?,
            };
            self.found.push(Token { kind, line, at });
        }
    }

    fn quoted(&mut self, quote: char, line: u32) -> Result<Kind, Wrong> {
        let what = "a quote is opened and not closed";
        let mut raw = String::new();
        loop {
            let (_, letter) = self.next().ok_or(Wrong { line, what })?;
            if letter == quote {
                break;
            }
            raw.push(letter);
            if letter == '\\' {
                raw.push(self.next().ok_or(Wrong { line, what })?.1);
            }
        }
        self.after_quote()?;
        Ok(Kind::Word(Word {
            value: unescaped(&raw),
            raw,
            quote: Some(quote),
            line,
        }))
    }

    fn after_quote(&mut self) -> Result<(), Wrong> {
        match self.letters.peek() {
            // nginx takes `)` as the beginning of a new word.
            Some((_, next)) if is_space(*next) || matches!(next, ';' | '{' | ')') => Ok(()),
            None => Ok(()),
            Some(_) => Err(Wrong {
                line: self.line,
                what: "a space is missing after a closing quote",
            }),
        }
    }

    fn bare(&mut self, start: usize, first: char, line: u32) -> Result<Kind, Wrong> {
        let mut end = start + first.len_utf8();
        let mut escaping = first == '\\';
        let mut variable = first == '$';
        loop {
            let ends = |next: char| is_space(next) || next == ';' || (next == '{' && !variable);
            let Some((at, next)) = self.letters.peek().copied() else {
                return Err(Wrong {
                    line,
                    what: "the text ends within a directive: `;` is missing",
                });
            };
            if !escaping && ends(next) {
                break;
            }
            self.next();
            end = at + next.len_utf8();
            variable = !escaping && next == '$';
            escaping = !escaping && next == '\\';
        }
        let raw = self.text.get(start..end).unwrap_or_default().to_owned();
        Ok(Kind::Word(Word {
            value: unescaped(&raw),
            raw,
            quote: None,
            line,
        }))
    }
}

/// nginx takes these escapes and no others: `\"` `\'` `\\` `\t` `\r` `\n`; any other backslash stays.
fn unescaped(raw: &str) -> String {
    let mut value = String::with_capacity(raw.len());
    let mut letters = raw.chars().peekable();
    while let Some(letter) = letters.next() {
        let taken = (letter == '\\').then(|| match letters.peek() {
            Some(same @ ('"' | '\'' | '\\')) => Some(*same),
            Some('t') => Some('\t'),
            Some('r') => Some('\r'),
            Some('n') => Some('\n'),
            _ => None,
        });
        match taken.flatten() {
            Some(meant) => {
                letters.next();
                value.push(meant);
            }
            None => value.push(letter),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<String> {
        let (found, wrong) = tokens(text);
        assert_eq!(wrong, None, "{text}");
        let words = found.into_iter().map(|token| match token.kind {
            Kind::Word(word) => word.value,
            Kind::Open => "{".to_owned(),
            Kind::Close => "}".to_owned(),
            Kind::End => ";".to_owned(),
        });
        words.collect()
    }

    #[test]
    fn quotes_and_escapes_are_read_as_nginx_reads_them() {
        for (text, expected) in [
            (r#"a "b c" 'd;e';"#, vec!["a", "b c", "d;e", ";"]),
            (
                r#"a "b\"c" 'd\'e' "f'g";"#,
                vec!["a", "b\"c", "d'e", "f'g", ";"],
            ),
            (
                r#"a "\\" "\n" "\d" \.php$;"#,
                vec!["a", "\\", "\n", "\\d", "\\.php$", ";"],
            ),
            (r"a b\;c \{d;", vec!["a", r"b\;c", r"\{d", ";"]),
            (
                "a ${b}c $d{ e; }",
                vec!["a", "${b}c", "$d", "{", "e", ";", "}"],
            ),
            ("a b}c;", vec!["a", "b}c", ";"]),
            ("a#b c # d; { \"\n;", vec!["a#b", "c", ";"]),
            ("if (\"a\");", vec!["if", "(\"a\")", ";"]),
            ("if ( \"a\");", vec!["if", "(", "a", ")", ";"]),
            ("a b;# c", vec!["a", "b", ";"]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn what_breaks_off_or_runs_together_is_wrong() {
        for (text, line) in [
            ("a \"b", 1),
            ("a;\nb 'c\n\n", 2),
            ("a \"b\\\"", 1),
            ("a \"b\"c;", 1),
            ("a \"b\"\"c\";", 1),
            ("a;\n\nb", 3),
        ] {
            assert_eq!(tokens(text).1.map(|wrong| wrong.line), Some(line), "{text}");
        }
    }

    #[test]
    fn a_word_knows_its_line() {
        let lines: Vec<u32> = tokens("a\n # c\n b \"x\ny\" z;")
            .0
            .iter()
            .map(|token| token.line)
            .collect();
        assert_eq!(lines, [1, 3, 3, 4, 4]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn any_text_is_read_to_an_end(text in "[a-c {};#$\"'\\\\\n\r\t\u{e9}\u{0}]{0,60}") {
            let (found, _) = tokens(&text);
            for token in &found {
                prop_assert!(text.get(token.at..).is_some_and(|rest| !rest.is_empty()));
            }
        }
    }
}
