//! Reads nginx configuration text as far as the memory machine needs: directives, blocks, quotes, comments.
//!
//! Invariant: a text that nginx would not parse (an open brace, a missing semicolon) is an error here too.

/// One directive: `listen 80;` or `server { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directive {
    /// Its words, the name first; quotes are taken off.
    pub(super) words: Vec<String>,
    /// What stands in its braces.
    pub(super) inside: Vec<Directive>,
}

impl Directive {
    /// The name.
    pub(super) fn name(&self) -> &str {
        self.word(0)
    }

    /// The n-th word, the name being word 0; empty where there is none.
    pub(super) fn word(&self, number: usize) -> &str {
        self.words.get(number).map_or("", String::as_str)
    }

    /// The directives of that name directly inside.
    pub(super) fn named<'d>(&'d self, name: &'d str) -> impl Iterator<Item = &'d Directive> {
        self.inside.iter().filter(move |inner| inner.name() == name)
    }

    /// This directive and everything below it.
    pub(super) fn all(&self) -> Vec<&Directive> {
        let mut found = vec![self];
        for inner in &self.inside {
            found.extend(inner.all());
        }
        found
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Open,
    Close,
    End,
}

/// The directives of a text.
pub(super) fn parse(text: &str) -> Result<Vec<Directive>, String> {
    let mut tokens = tokens(text)?.into_iter();
    let (found, closed) = block(&mut tokens)?;
    if closed {
        return Err("unexpected \"}\"".to_owned());
    }
    Ok(found)
}

fn block(tokens: &mut impl Iterator<Item = Token>) -> Result<(Vec<Directive>, bool), String> {
    let mut found = Vec::new();
    let mut words = Vec::new();
    while let Some(token) = tokens.next() {
        match token {
            Token::Word(word) => words.push(word),
            Token::End if words.is_empty() => return Err("unexpected \";\"".to_owned()),
            Token::End => found.push(Directive {
                words: std::mem::take(&mut words),
                inside: Vec::new(),
            }),
            Token::Open => {
                let (inside, closed) = block(tokens)?;
                if !closed {
                    return Err("unexpected end of file, expecting \"}\"".to_owned());
                }
                found.push(Directive {
                    words: std::mem::take(&mut words),
                    inside,
                });
            }
            Token::Close if words.is_empty() => return Ok((found, true)),
            Token::Close => return Err("unexpected \"}\"".to_owned()),
        }
    }
    if words.is_empty() {
        Ok((found, false))
    } else {
        Err("unexpected end of file, expecting \";\" or \"}\"".to_owned())
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '#' => while letters.next_if(|next| *next != '\n').is_some() {},
            '{' => found.push(Token::Open),
            '}' => found.push(Token::Close),
            ';' => found.push(Token::End),
            quote @ ('"' | '\'') => found.push(Token::Word(quoted(&mut letters, quote)?)),
            space if space.is_whitespace() => {}
            first => found.push(Token::Word(bare(&mut letters, first))),
        }
    }
    Ok(found)
}

fn quoted(letters: &mut impl Iterator<Item = char>, quote: char) -> Result<String, String> {
    let mut word = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n') => word.push('\n'),
                Some(next) => word.push(next),
                None => break,
            },
            end if end == quote => return Ok(word),
            other => word.push(other),
        }
    }
    Err("unexpected end of file in a quoted word".to_owned())
}

fn bare(letters: &mut std::iter::Peekable<std::str::Chars<'_>>, first: char) -> String {
    let mut word = String::from(first);
    // `${name}` is part of a word.
    let mut variable = false;
    while let Some(next) = letters.next_if(|next| match next {
        '{' => word.ends_with('$'),
        '}' => variable,
        other => !other.is_whitespace() && *other != ';',
    }) {
        word.push(next);
        match next {
            '{' => variable = true,
            '}' => variable = false,
            '\\' => word.extend(letters.next()),
            _ => {}
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_block_is_read_with_its_words() {
        let text = "# a; comment {\nserver {\n listen 80; server_name a.example b.example;\n location ~ \\.php$ { return 200 \"it; is\\\"\"; }\n}";
        let found = parse(text).unwrap();
        let server = found.first().unwrap();
        assert_eq!(server.name(), "server");
        assert_eq!(
            server.named("server_name").next().unwrap().word(2),
            "b.example"
        );
        let location = server.named("location").next().unwrap();
        assert_eq!(location.word(2), "\\.php$");
        assert_eq!(location.inside.first().unwrap().word(2), "it; is\"");
    }

    #[test]
    fn what_nginx_would_not_parse_is_an_error() {
        for bad in ["server {", "}", "listen 80", "a \"b;", ";"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert_eq!(
            parse("set $a ${b}c;").unwrap().first().unwrap().word(2),
            "${b}c"
        );
    }
}
