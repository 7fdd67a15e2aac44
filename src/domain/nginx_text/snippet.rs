//! A site's own nginx directives, as its owner typed them.
//!
//! Invariant: a `Snippet` was read by our own reader, directive by directive, against the list in `allow`; there is no other way
//! to make one, and what two readers of nginx text could take differently is not in it.

use serde::{Deserialize, Serialize};

use crate::domain::nginx_text::allow::{self, Place};
use crate::domain::nginx_text::refusal::{Refusal, Refused};
use crate::domain::nginx_text::token::Word;
use crate::domain::nginx_text::tree::{self, Directive};
use crate::domain::text::is_forbidden;

/// So many bytes.
pub const LENGTH: usize = 64 * 1024;
/// So many directives.
pub const DIRECTIVES: usize = 500;
/// So many blocks in each other.
pub const NESTING: usize = 4;
/// More reasons than this help nobody.
const REASONS: usize = 20;

/// Directives for one site's server block; lines end in `\n`, the last one too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Snippet(String);

impl Snippet {
    /// Reads what a person typed. Line ends of browsers (`\r\n`) become `\n`.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let text = text.replace("\r\n", "\n");
        let text = text.trim_end_matches([' ', '\t', '\n']);
        if text.len() > LENGTH {
            return Err(whole(
                1,
                format!("is longer than {LENGTH} bytes"),
                "shorten it",
            ));
        }
        characters(text)?;
        let tree = tree::parse(text)
            .map_err(|wrong| whole(wrong.line, wrong.what.to_owned(), "put that right"))?;
        let mut examiner = Examiner::default();
        examiner.all(&tree, Place::Server, 0);
        if !examiner.refusals.is_empty() {
            return Err(Refused(examiner.refusals));
        }
        Ok(Self(if text.is_empty() {
            String::new()
        } else {
            format!("{text}\n")
        }))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True where it says nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Its directives.
    #[must_use]
    pub fn tree(&self) -> Vec<Directive> {
        tree::read(&self.0).0
    }

    /// What its owner should know beforehand.
    #[must_use]
    pub fn notes(&self, runs_php: bool) -> Vec<String> {
        let mut notes = Vec::new();
        note(&self.tree(), runs_php, &mut notes);
        notes
    }
}

impl TryFrom<String> for Snippet {
    type Error = Refused;
    fn try_from(text: String) -> Result<Self, Refused> {
        Self::parse(&text)
    }
}

impl From<Snippet> for String {
    fn from(snippet: Snippet) -> Self {
        snippet.0
    }
}

impl std::fmt::Display for Snippet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn whole(line: u32, why: String, instead: &str) -> Refused {
    Refused(vec![Refusal {
        line,
        directive: String::new(),
        why,
        instead: instead.to_owned(),
    }])
}

fn characters(text: &str) -> Result<(), Refused> {
    for (number, line) in (1..).zip(text.split('\n')) {
        if let Some(bad) = line.chars().find(|c| is_forbidden(*c) && *c != '\t') {
            let code = u32::from(bad);
            return Err(whole(
                number,
                format!("holds the invisible character U+{code:04X}"),
                "remove it",
            ));
        }
    }
    Ok(())
}

#[derive(Default)]
struct Examiner {
    refusals: Vec<Refusal>,
    directives: usize,
}

impl Examiner {
    fn all(&mut self, tree: &[Directive], place: Place, depth: usize) {
        for directive in tree {
            if self.refusals.len() >= REASONS {
                return;
            }
            self.one(directive, place, depth);
        }
    }

    fn one(&mut self, directive: &Directive, place: Place, depth: usize) {
        self.directives += 1;
        if self.directives > DIRECTIVES {
            if self.directives == DIRECTIVES + 1 {
                self.refuse(
                    directive,
                    (
                        format!("is one of more than {DIRECTIVES} directives"),
                        "use fewer".to_owned(),
                    ),
                );
            }
            return;
        }
        if let Some(no) = directive.words.iter().find_map(odd_word) {
            return self.refuse(directive, no);
        }
        match allow::check(directive, place, depth > 0) {
            Err(no) => self.refuse(directive, no),
            Ok(None) => {}
            Ok(Some(_)) if depth >= NESTING => {
                self.refuse(
                    directive,
                    (
                        format!("nests deeper than {NESTING} blocks"),
                        "use fewer blocks in each other".to_owned(),
                    ),
                );
            }
            Ok(Some(inside)) => self.all(directive.children(), inside, depth + 1),
        }
    }

    fn refuse(&mut self, directive: &Directive, (why, instead): (String, String)) {
        self.refusals.push(Refusal {
            line: directive.line,
            directive: crate::domain::text::shown(directive.name(), 60),
            why,
            instead,
        });
    }
}

/// Words that nginx and other readers could take differently.
fn odd_word(word: &Word) -> Option<(String, String)> {
    let odd = |why: &str, instead: &str| Some((why.to_owned(), instead.to_owned()));
    if word.raw.contains('\n') {
        return odd(
            "has a line break between quotes",
            "close the quote on the line it begins on",
        );
    }
    if !word.is_bare() {
        return None;
    }
    let mut rest = word.raw.as_str();
    while let Some(at) = rest.find('{') {
        let before = rest.get(..at).unwrap_or_default();
        let name = rest.get(at + 1..).and_then(|after| after.split_once('}'));
        match name {
            Some((name, after))
                if before.ends_with('$')
                    && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') =>
            {
                rest = after;
            }
            _ => return odd("has a brace within a word", "put the word between quotes"),
        }
        if before.contains('}') {
            return odd("has a brace within a word", "put the word between quotes");
        }
    }
    if rest.contains('}') {
        return odd("has a brace within a word", "put the word between quotes");
    }
    if word.raw.contains(['"', '\'']) {
        return odd(
            "has a quote within a word",
            "put the whole word between quotes",
        );
    }
    if !word.raw.is_ascii() {
        return odd("has letters outside ASCII", "put the word between quotes");
    }
    if word.raw.contains("\\ ")
        || word.raw.contains("\\\t")
        || word.raw.contains("\\;")
        || word.raw.ends_with('\\')
    {
        return odd(
            "has a backslash before a sign that ends words",
            "put the word between quotes",
        );
    }
    None
}

fn note(tree: &[Directive], runs_php: bool, notes: &mut Vec<String>) {
    for directive in tree
        .iter()
        .filter(|directive| directive.name() == "location")
    {
        let place: Vec<&str> = directive.values().collect();
        let place = place.join(" ");
        let has = |names: &[&str]| {
            directive
                .children()
                .iter()
                .any(|inner| names.contains(&inner.name()))
        };
        if runs_php
            && directive.arguments().len() == 1
            && has(&["allow", "deny", "limit_except", "satisfy"])
        {
            notes.push(format!(
                "`location {place}`: its rules do not cover PHP files, which go to the site's place for PHP."
            ));
        }
        if has(&["add_header"]) {
            notes.push(format!(
                "`location {place}`: its `add_header` replaces the server's own security headers there; repeat those you want to keep."
            ));
        }
        note(directive.children(), runs_php, notes);
    }
}
