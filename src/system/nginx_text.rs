//! Reads nginx configuration text: words, blocks, and where each block ends.
//!
//! Invariant: reads what nginx reads (quotes, escapes, comments); a text it cannot follow gives what came before, never a guess.

/// A directive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Directive {
    /// Its words, the name first; quotes are taken off.
    pub words: Vec<String>,
    /// What stands in its braces.
    pub inside: Vec<Directive>,
    /// The byte at which its closing brace stands, for a block.
    pub close: Option<usize>,
}

impl Directive {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// Its arguments.
    pub fn arguments(&self) -> impl Iterator<Item = &str> {
        self.words.iter().skip(1).map(String::as_str)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Open,
    Close(usize),
    End,
}

/// The directives of a file, as far as it can be read.
#[must_use]
pub fn parse(text: &str) -> Vec<Directive> {
    let mut tokens = tokens(text).into_iter();
    block(&mut tokens, 0).0
}

/// nginx itself gives up long before.
const DEPTH: usize = 32;

fn block(
    tokens: &mut impl Iterator<Item = Token>,
    depth: usize,
) -> (Vec<Directive>, Option<usize>) {
    let mut found = Vec::new();
    let mut words = Vec::new();
    while let Some(token) = tokens.next() {
        match token {
            Token::Word(word) => words.push(word),
            Token::End => found.push(Directive {
                words: std::mem::take(&mut words),
                ..Directive::default()
            }),
            Token::Open if depth >= DEPTH => return (found, None),
            Token::Open => {
                let (inside, close) = block(tokens, depth + 1);
                found.push(Directive {
                    words: std::mem::take(&mut words),
                    inside,
                    close,
                });
            }
            Token::Close(at) => return (found, Some(at)),
        }
    }
    (found, None)
}

fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '#' => while letters.next_if(|(_, next)| *next != '\n').is_some() {},
            '{' => found.push(Token::Open),
            '}' => found.push(Token::Close(at)),
            ';' => found.push(Token::End),
            '"' | '\'' => found.push(Token::Word(quoted(&mut letters, letter))),
            _ if letter.is_whitespace() => {}
            _ => found.push(Token::Word(bare(&mut letters, letter))),
        }
    }
    found
}

fn quoted(letters: &mut impl Iterator<Item = (usize, char)>, quote: char) -> String {
    let mut word = String::new();
    while let Some((_, letter)) = letters.next() {
        match letter {
            '\\' => word.extend(letters.next().map(|(_, next)| next)),
            _ if letter == quote => break,
            _ => word.push(letter),
        }
    }
    word
}

fn bare(
    letters: &mut std::iter::Peekable<impl Iterator<Item = (usize, char)>>,
    first: char,
) -> String {
    let mut word = String::from(first);
    let mut variable = false;
    loop {
        let ends = |next: char, word: &str| {
            next.is_whitespace() || next == ';' || (next == '{' && !word.ends_with('$'))
        };
        let Some((_, next)) = letters.next_if(|(_, next)| variable || !ends(*next, &word)) else {
            return word;
        };
        // `${name}` is part of the word; nginx takes any other `}` in a word as a letter.
        variable = (variable || (next == '{' && word.ends_with('$'))) && next != '}';
        word.push(next);
        if next == '\\' {
            word.extend(letters.next().map(|(_, escaped)| escaped));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_blocks_quotes_and_comments_are_read_as_nginx_reads_them() {
        let text = "# a; { b\nhttp {\n  server { # c }\n    listen 80; server_name a.example 'b.example' \"c\\\"d\";\n    location ~ \\.php(?<x>a)$ { set $y ${z}w; } } }\n";
        let found = parse(text);
        let http = found.first().unwrap();
        assert_eq!(http.name(), "http");
        assert_eq!(text.get(http.close.unwrap()..).unwrap(), "}\n");
        let server = http.inside.first().unwrap();
        let names: Vec<&str> = server.inside.get(1).unwrap().arguments().collect();
        assert_eq!(names, ["a.example", "b.example", "c\"d"]);
    }

    #[test]
    fn a_variable_in_braces_is_part_of_its_word() {
        let found = parse("set $y ${z}w;");
        assert_eq!(found.first().unwrap().words, ["set", "$y", "${z}w"]);
    }

    #[test]
    fn a_text_that_breaks_off_gives_what_came_before() {
        let found = parse("user www-data; http { server {");
        assert_eq!(found.first().unwrap().words, ["user", "www-data"]);
        assert!(found.get(1).unwrap().close.is_none());
        assert!(parse(&"a {".repeat(10_000)).len() == 1);
    }
}
