//! The shape of an nginx file: directives and blocks, written out with braces that always match.
//!
//! Invariant: a word is our own constant or a parsed type, so nothing can end a directive or close a brace.

use std::fmt::Write as _;

use crate::domain::id::{OperationId, SiteId};
use crate::domain::name::Hostname;
use crate::domain::network::Network;
use crate::domain::path::HostPath;
use crate::domain::proxy_target::ProxyTarget;
use crate::domain::site_name::SiteName;
use crate::domain::web_target::{Destination, UrlPath};

/// One argument of a directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word(String);

impl From<&'static str> for Word {
    fn from(text: &'static str) -> Self {
        Self(text.to_owned())
    }
}

impl From<&Hostname> for Word {
    fn from(name: &Hostname) -> Self {
        Self(name.as_str().to_owned())
    }
}

impl From<&HostPath> for Word {
    /// A path with a character that nginx would read as syntax becomes one that does not exist.
    fn from(path: &HostPath) -> Self {
        let plain = path
            .as_str()
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b));
        Self(if plain { path.as_str() } else { "/nonexistent" }.to_owned())
    }
}

impl From<&SiteName> for Word {
    fn from(name: &SiteName) -> Self {
        Self(name.to_string())
    }
}

impl From<SiteName> for Word {
    fn from(name: SiteName) -> Self {
        Self(name.to_string())
    }
}

impl From<&Network> for Word {
    fn from(network: &Network) -> Self {
        Self(network.to_string())
    }
}

impl From<&UrlPath> for Word {
    fn from(path: &UrlPath) -> Self {
        Self(format!("\"{path}\""))
    }
}

impl From<u32> for Word {
    fn from(number: u32) -> Self {
        Self(number.to_string())
    }
}

impl Word {
    /// A number with its unit, as in `72m`, `65s`, `=404`.
    #[must_use]
    pub fn measure(number: u32, unit: &'static str) -> Self {
        Self(format!("{number}{unit}"))
    }

    /// `http://` and the application behind a proxy, or the name of its group of servers.
    #[must_use]
    pub fn server(target: &ProxyTarget) -> Self {
        Self(target.to_string())
    }

    /// `zone=` and the name.
    #[must_use]
    pub fn zone(name: &'static str) -> Self {
        Self(format!("zone={name}"))
    }

    /// What a finished page is kept under.
    #[must_use]
    pub fn cache_key(site: SiteId, generation: u32) -> Self {
        Self(format!(
            "\"{site}:{generation}:$scheme$request_method$host$request_uri\""
        ))
    }

    /// A name of ours with the site's number in it: `front` + `s1001` + `back`.
    #[must_use]
    pub fn of_site(front: &'static str, site: SiteId, back: &'static str) -> Self {
        Self(format!("{front}{site}{back}"))
    }

    /// The target of a redirect, quoted; with `$request_uri` behind it the path a visitor asked for is kept.
    #[must_use]
    pub fn destination(to: &Destination, keep_path: bool) -> Self {
        let path = if keep_path { "$request_uri" } else { "" };
        Self(format!("\"{}{path}\"", to.as_str()))
    }

    /// The site's own name with the path a visitor asked for.
    #[must_use]
    pub fn canonical(hostname: &Hostname) -> Self {
        Self(format!("\"$scheme://{hostname}$request_uri\""))
    }

    /// The same by HTTPS, however the visitor came.
    #[must_use]
    pub fn canonical_by_https(hostname: &Hostname) -> Self {
        Self(format!("\"https://{hostname}$request_uri\""))
    }

    /// A pattern for any of these words. They hold letters, digits and ` /._-` only, so a dot is all there is to escape.
    #[must_use]
    pub fn any_of(words: &[String]) -> Self {
        let plain: Vec<String> = words.iter().map(|word| word.replace('.', r"\.")).collect();
        Self(format!("\"(?:{})\"", plain.join("|")))
    }

    /// A pattern for a path and everything below it.
    #[must_use]
    pub fn below(path: &UrlPath) -> Self {
        let mut escaped = String::new();
        for c in path.as_str().chars() {
            if !c.is_ascii_alphanumeric() && c != '/' {
                escaped.push('\\');
            }
            escaped.push(c);
        }
        let end = if escaped.ends_with('/') {
            ""
        } else {
            "(?:/|$)"
        };
        Self(format!("\"~^{escaped}{end}\""))
    }

    /// `unix:` and the path, as `listen` and `fastcgi_pass` take a socket.
    #[must_use]
    pub fn unix(socket: &HostPath) -> Self {
        Self(format!("unix:{}", Self::from(socket).0))
    }

    /// The marker's answer: the id and a line end, quoted.
    #[must_use]
    pub fn answer(id: OperationId) -> Self {
        Self(format!("\"{id}\\n\""))
    }
}

/// A run of directives, comments and blocks.
#[derive(Debug, Clone, Default)]
pub struct Block {
    text: String,
    depth: usize,
}

impl Block {
    /// A whole file, opening with the line that says whose it is.
    #[must_use]
    pub fn file() -> Self {
        Self::default().comment(super::OWNED)
    }

    /// A comment line.
    #[must_use]
    pub fn comment(mut self, text: &'static str) -> Self {
        self.indent();
        let _ = writeln!(self.text, "# {text}");
        self
    }

    /// A comment only where `condition` holds.
    #[must_use]
    pub fn comment_if(self, condition: bool, text: &'static str) -> Self {
        if condition { self.comment(text) } else { self }
    }

    /// One directive with its arguments.
    #[must_use]
    pub fn line<W: Into<Word>>(
        mut self,
        name: &'static str,
        words: impl IntoIterator<Item = W>,
    ) -> Self {
        self.open(name, words);
        self.text.push_str(";\n");
        self
    }

    /// One directive with one argument.
    #[must_use]
    pub fn set(self, name: &'static str, word: impl Into<Word>) -> Self {
        self.line(name, [word.into()])
    }

    /// A directive only where `condition` holds.
    #[must_use]
    pub fn set_if(self, condition: bool, name: &'static str, word: impl Into<Word>) -> Self {
        if condition {
            self.set(name, word)
        } else {
            self
        }
    }

    /// A line of a `map` or `geo` block, whose first word is a value too.
    #[must_use]
    pub fn pair(mut self, key: impl Into<Word>, value: impl Into<Word>) -> Self {
        self.indent();
        let _ = writeln!(self.text, "{} {};", key.into().0, value.into().0);
        self
    }

    /// What `inside` adds, only where `condition` holds.
    #[must_use]
    pub fn when(self, condition: bool, inside: impl FnOnce(Self) -> Self) -> Self {
        if condition { inside(self) } else { self }
    }

    /// What `each` adds for every item.
    #[must_use]
    pub fn for_each<T>(
        self,
        items: impl IntoIterator<Item = T>,
        each: impl Fn(Self, T) -> Self,
    ) -> Self {
        items.into_iter().fold(self, each)
    }

    /// A block with its arguments and what is in it.
    #[must_use]
    pub fn block<W: Into<Word>>(
        mut self,
        name: &'static str,
        words: impl IntoIterator<Item = W>,
        inside: impl FnOnce(Self) -> Self,
    ) -> Self {
        self.open(name, words);
        self.text.push_str(" {\n");
        self.depth += 1;
        let mut block = inside(self);
        block.depth = block.depth.saturating_sub(1);
        block.indent();
        block.text.push_str("}\n");
        block
    }

    /// A `server` block.
    #[must_use]
    pub fn server(self, inside: impl FnOnce(Self) -> Self) -> Self {
        self.block("server", [] as [Word; 0], inside)
    }

    /// The text of the file.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }

    fn indent(&mut self) {
        for _ in 0..self.depth {
            self.text.push_str("    ");
        }
    }

    fn open<W: Into<Word>>(&mut self, name: &'static str, words: impl IntoIterator<Item = W>) {
        self.indent();
        self.text.push_str(name);
        for word in words {
            let _ = write!(self.text, " {}", word.into().0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_nginx_would_read_as_syntax_does_not_reach_the_file() {
        let path = HostPath::parse("/srv/a; return 200 $host").unwrap();
        assert_eq!(Word::from(&path), Word::from("/nonexistent"));
        assert_eq!(Word::unix(&path), Word::from("unix:/nonexistent"));
    }

    #[test]
    fn blocks_nest_and_close() {
        let text = Block::default()
            .server(|server| server.block("location", ["/"], |place| place.set("return", "404")))
            .finish();
        assert_eq!(
            text,
            "server {\n    location / {\n        return 404;\n    }\n}\n"
        );
    }
}
