//! The tree of directives in nginx configuration text.
//!
//! Invariant: braces match and every directive ends, or the text is wrong and says on which line.

use crate::domain::nginx_text::token::{Kind, Token, Word, Wrong, tokens};

/// nginx's own files nest four deep; a file that goes deeper is not read.
const DEPTH: usize = 32;

/// One directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// Its words, the name first; never none.
    pub words: Vec<Word>,
    /// What stands in its braces, where it has some.
    pub inside: Option<Vec<Directive>>,
    /// The line its name is on, from 1.
    pub line: u32,
    /// The byte at which its name begins.
    pub start: usize,
    /// The byte after its `;` or `}`.
    pub end: usize,
}

impl Directive {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.words.first().map_or("", |word| word.value.as_str())
    }

    /// Its arguments as written.
    #[must_use]
    pub fn arguments(&self) -> &[Word] {
        self.words.get(1..).unwrap_or_default()
    }

    /// What nginx makes of its arguments.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.arguments().iter().map(|word| word.value.as_str())
    }

    /// What stands in its braces; nothing where it has none.
    #[must_use]
    pub fn children(&self) -> &[Directive] {
        self.inside.as_deref().unwrap_or_default()
    }

    /// True where two directives say the same, wherever they stand and however they are quoted.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.words.len() == other.words.len()
            && std::iter::zip(&self.words, &other.words).all(|(a, b)| a.value == b.value)
            && self.inside.is_some() == other.inside.is_some()
            && self.children().len() == other.children().len()
            && std::iter::zip(self.children(), other.children()).all(|(a, b)| a.says_the_same(b))
    }
}

/// The directives of a text.
pub fn parse(text: &str) -> Result<Vec<Directive>, Wrong> {
    match read(text) {
        (found, None) => Ok(found),
        (_, Some(wrong)) => Err(wrong),
    }
}

/// The directives of a text up to where it goes wrong, if it does.
#[must_use]
pub fn read(text: &str) -> (Vec<Directive>, Option<Wrong>) {
    let (found, unread) = tokens(text);
    let mut tokens = found.into_iter();
    let mut directives = Vec::new();
    let wrong = match block(&mut tokens, 0, &mut directives) {
        Ok(None) => unread,
        Ok(Some(close)) => Some(Wrong {
            line: close.line,
            what: "a `}` closes a block that is not open here",
        }),
        Err(wrong) => Some(unread.unwrap_or(wrong)),
    };
    (directives, wrong)
}

/// Reads to the `}` of a block, which it gives back, or to the end of the text.
fn block(
    tokens: &mut impl Iterator<Item = Token>,
    depth: usize,
    found: &mut Vec<Directive>,
) -> Result<Option<Token>, Wrong> {
    let mut words: Vec<Word> = Vec::new();
    let mut start = None;
    let mut line = 1;
    while let Some(token) = tokens.next() {
        line = token.line;
        let began = start.unwrap_or(token.at);
        match token.kind {
            Kind::Word(word) => {
                start = Some(began);
                words.push(word);
                continue;
            }
            Kind::Close if words.is_empty() => return Ok(Some(token)),
            _ => {}
        }
        let wrong = |what| Err(Wrong { line, what });
        let taken = std::mem::take(&mut words);
        start = None;
        let Some(first) = taken.first() else {
            return wrong("a directive has no name");
        };
        let mut made = Directive {
            line: first.line,
            words: taken,
            inside: None,
            start: began,
            end: token.at + 1,
        };
        match token.kind {
            Kind::Open if depth >= DEPTH => return wrong("the braces nest too deep"),
            Kind::Open => {
                let mut inside = Vec::new();
                let close = block(tokens, depth + 1, &mut inside);
                made.inside = Some(inside);
                made.end = close.as_ref().map_or(made.end, |close| {
                    close.as_ref().map_or(made.end, |close| close.at + 1)
                });
                let opened = made.line;
                found.push(made);
                if close?.is_none() {
                    return Err(Wrong {
                        line: opened,
                        what: "a `{` is opened here and not closed",
                    });
                }
            }
            Kind::Close => return wrong("a `;` is missing before this `}`"),
            Kind::End | Kind::Word(_) => found.push(made),
        }
    }
    if words.is_empty() {
        return Ok(None);
    }
    Err(Wrong {
        line,
        what: "the text ends within a directive: `;` is missing",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_nest_and_know_their_place() {
        let text = "# a; { b\nhttp {\n  server { # c }\n    listen 80;\n    location ~ \\.php$ { set $y ${z}w; } } }\nend;";
        let found = parse(text).unwrap();
        let http = found.first().unwrap();
        assert_eq!((http.name(), http.line, found.len()), ("http", 2, 2));
        assert!(
            text.get(http.start..http.end)
                .unwrap()
                .starts_with("http {")
        );
        assert!(text.get(http.start..http.end).unwrap().ends_with("} } }"));
        let server = http.children().first().unwrap();
        assert_eq!(
            server.children().first().unwrap().values().next(),
            Some("80")
        );
        assert_eq!(server.children().get(1).unwrap().line, 5);
    }

    #[test]
    fn what_nginx_would_not_parse_is_wrong_on_its_line() {
        for (bad, line) in [
            ("server {", 1),
            ("a;\n}", 2),
            ("}\nserver { a;", 1),
            ("listen 80", 1),
            ("a \"b;", 1),
            ("a;\n;", 2),
            ("{ }", 1),
            ("a {\n b c }", 2),
            ("a { b { c; }", 1),
        ] {
            assert_eq!(parse(bad).map_err(|wrong| wrong.line), Err(line), "{bad}");
        }
        assert!(parse("").unwrap().is_empty() && parse("# only { a comment").unwrap().is_empty());
    }

    #[test]
    fn a_text_that_breaks_off_gives_what_came_before() {
        let (found, wrong) = read("user www-data; http { server {");
        assert_eq!(found.first().unwrap().values().next(), Some("www-data"));
        assert!(wrong.is_some() && found.len() == 2);
        assert!(read(&"a {".repeat(10_000)).1.is_some());
    }

    #[test]
    fn quoting_does_not_change_what_is_said() {
        let one = parse("a 'b' { c \"d\"; }").unwrap();
        let same = parse("a\n b {c d;}").unwrap();
        let other = parse("a b { c e; }").unwrap();
        assert!(one.first().unwrap().says_the_same(same.first().unwrap()));
        assert!(!one.first().unwrap().says_the_same(other.first().unwrap()));
    }
}
