//! A field of the table: how it is named, shown, parsed and stored.
//!
//! Invariant: reading a field and writing the same text back changes nothing.

use serde::{Deserialize, Serialize};

use crate::domain::setting;
use crate::domain::site::{Site, SiteKind};

/// Where a field stands in forms and lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// Type, state, names, redirects.
    Names,
    /// What nginx does.
    Web,
    /// Who may see it.
    Access,
    /// How PHP runs.
    Php,
    /// What it may use of the machine.
    Limits,
}

impl Section {
    /// All, in the order people see them.
    pub const ALL: [Self; 5] = [
        Self::Names,
        Self::Web,
        Self::Access,
        Self::Php,
        Self::Limits,
    ];

    /// The word in an address.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Names => "names",
            Self::Web => "web",
            Self::Access => "access",
            Self::Php => "php",
            Self::Limits => "limits",
        }
    }

    /// The heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Names => "Type and names",
            Self::Web => "Web server",
            Self::Access => "Access",
            Self::Php => "PHP",
            Self::Limits => "Limits",
        }
    }
}

/// How a value is typed, and where it lives in a site.
#[derive(Debug, Clone, Copy)]
pub enum Control {
    /// On or off.
    Switch(fn(&mut Site) -> &mut bool),
    /// A number with a unit.
    Number {
        /// The least.
        least: u32,
        /// The most.
        most: u32,
        /// `MB`, `s`; empty for a count.
        unit: &'static str,
        /// Where it lives.
        at: fn(&mut Site) -> &mut u32,
    },
    /// One of a few words.
    Choice {
        /// The word and what it means.
        of: &'static [(&'static str, &'static str)],
        /// The word now.
        read: fn(&Site) -> String,
        /// Sets one of the words.
        write: fn(&mut Site, &str) -> Result<(), String>,
    },
    /// One line of text.
    Line {
        /// What it looks like.
        example: &'static str,
        /// The text now.
        read: fn(&Site) -> String,
        /// Sets it.
        write: fn(&mut Site, &str) -> Result<(), String>,
    },
    /// Several lines; on the command line they may be separated by `,` as well.
    Lines {
        /// What one looks like.
        example: &'static str,
        /// The lines now.
        read: fn(&Site) -> String,
        /// Sets them.
        write: fn(&mut Site, &str) -> Result<(), String>,
    },
}

/// One thing a person can set.
#[derive(Debug)]
pub struct Field {
    /// `php.memory_limit`
    pub key: &'static str,
    /// Where it stands.
    pub section: Section,
    /// What it is called.
    pub label: &'static str,
    /// What it does, in one or two sentences.
    pub help: &'static str,
    /// How it is typed.
    pub control: Control,
    /// For which kinds of site it is there.
    pub for_kind: fn(&SiteKind) -> bool,
}

/// A value that a field does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct BadSetting {
    /// Of which field.
    pub key: String,
    /// Why not, and what it takes.
    pub reason: String,
}

impl Field {
    /// Whether this site has the field.
    #[must_use]
    pub fn applies(&self, site: &Site) -> bool {
        (self.for_kind)(&site.kind)
    }

    /// The value as text: `on`, `256`, one line per entry.
    #[must_use]
    pub fn read(&self, site: &Site) -> String {
        match self.control {
            Control::Switch(at) => {
                let on = *at(&mut site.clone());
                if on { "on" } else { "off" }.to_owned()
            }
            Control::Number { at, .. } => at(&mut site.clone()).to_string(),
            Control::Choice { read, .. }
            | Control::Line { read, .. }
            | Control::Lines { read, .. } => read(site),
        }
    }

    /// Parses a text and sets the value.
    pub fn write(&self, site: &mut Site, text: &str) -> Result<(), BadSetting> {
        let bad = |reason: String| BadSetting {
            key: self.key.to_owned(),
            reason,
        };
        let text = text.trim();
        if text.len() > 16_384 {
            return Err(bad("the value is longer than 16 KB".to_owned()));
        }
        match self.control {
            Control::Switch(at) => {
                *at(site) = match text.to_ascii_lowercase().as_str() {
                    "on" | "yes" | "true" | "1" => true,
                    "off" | "no" | "false" | "0" => false,
                    _ => return Err(bad("write on or off".to_owned())),
                };
                Ok(())
            }
            Control::Number {
                least,
                most,
                unit,
                at,
            } => {
                let number = number(text, unit).filter(|number| (least..=most).contains(number));
                let Some(number) = number else {
                    let unit = if unit.is_empty() {
                        String::new()
                    } else {
                        format!(" {unit}")
                    };
                    return Err(bad(format!("write a number from {least} to {most}{unit}")));
                };
                *at(site) = number;
                Ok(())
            }
            Control::Choice { of, write, .. } => {
                if !of.iter().any(|(word, _)| *word == text) {
                    let words: Vec<&str> = of.iter().map(|(word, _)| *word).collect();
                    return Err(bad(format!("write one of {}", words.join(", "))));
                }
                write(site, text).map_err(bad)
            }
            Control::Line { write, .. } | Control::Lines { write, .. } => {
                write(site, text).map_err(bad)
            }
        }
    }
}

/// `256`, `256M`, `256 MB` for a unit of `MB`.
fn number(text: &str, unit: &str) -> Option<u32> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let rest = rest.trim();
    let first = unit.get(..1).unwrap_or_default();
    let fits =
        rest.is_empty() || rest.eq_ignore_ascii_case(unit) || rest.eq_ignore_ascii_case(first);
    digits.parse().ok().filter(|_| fits)
}

/// A parsed wish: this field shall have that value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Raw")]
pub struct Assignment {
    key: String,
    value: String,
}

/// An assignment as it comes over the wire.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    key: String,
    value: String,
}

impl TryFrom<Raw> for Assignment {
    type Error = BadSetting;
    fn try_from(raw: Raw) -> Result<Self, Self::Error> {
        Self::new(&raw.key, &raw.value)
    }
}

impl Assignment {
    /// Checks that there is such a field; whether it takes the value is known with the site.
    pub fn new(key: &str, value: &str) -> Result<Self, BadSetting> {
        let bad = |reason: &str| BadSetting {
            key: crate::domain::text::shown(key, 60),
            reason: reason.to_owned(),
        };
        let field = setting::field(key).ok_or_else(|| bad("there is no such setting"))?;
        let has_lines = matches!(field.control, Control::Lines { .. });
        let clean = value.lines().all(crate::domain::text::is_clean);
        if !clean || (!has_lines && value.trim().contains('\n')) {
            return Err(bad("the value holds a character that is never valid"));
        }
        Ok(Self {
            key: field.key.to_owned(),
            value: value.to_owned(),
        })
    }

    /// The field.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The text.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Sets it.
    pub fn apply(&self, site: &mut Site) -> Result<(), BadSetting> {
        let bad = |reason: String| BadSetting {
            key: self.key.clone(),
            reason,
        };
        let field =
            setting::field(&self.key).ok_or_else(|| bad("there is no such setting".to_owned()))?;
        if !field.applies(site) {
            return Err(bad(format!(
                "a site of the type {} has no such setting",
                site.kind.word()
            )));
        }
        field.write(site, &self.value)
    }
}

/// Splits a list: one entry a line, or separated by commas; empty ones are dropped.
pub(super) fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', ','])
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
}

/// Reads a list of parsed values without doubles.
pub(super) fn list<T: PartialEq, E: ToString>(
    text: &str,
    most: usize,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, String> {
    let mut found = Vec::new();
    for entry in entries(text) {
        let shown = crate::domain::text::shown(entry, 60);
        let value = parse(entry).map_err(|bad| format!("`{shown}`: {}", bad.to_string()))?;
        if found.contains(&value) {
            return Err(format!("`{shown}` is there twice"));
        }
        found.push(value);
    }
    if found.len() > most {
        return Err(format!("at most {most} entries"));
    }
    Ok(found)
}

/// One entry a line.
pub(super) fn lines<T: ToString>(values: &[T]) -> String {
    let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
    texts.join("\n")
}
