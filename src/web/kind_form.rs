//! What runs behind a hostname, as a form asks for it: one choice, and the fields that some choices need.
//!
//! Invariant: fields of choices that were not made are kept and shown again, and never sent to the agent.

use crate::domain::php::PhpVersion;
use crate::domain::proxy_target::ProxyTarget;
use crate::domain::site::NewSiteKind;
use crate::domain::text::shown;
use crate::domain::web_target::{RedirectCode, WebAddress};
use crate::web::form::Fields;
use crate::web::page::Problem;
use crate::web::words::sentence_of;

/// One type of sites: its word, its name, what it is.
pub(super) struct KindWord {
    pub(super) word: &'static str,
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
}

const fn kind(word: &'static str, name: &'static str, meaning: &'static str) -> KindWord {
    KindWord {
        word,
        name,
        meaning,
    }
}

/// The choices, in the order people see them.
pub(super) const KINDS: &[KindWord] = &[
    kind(
        "php",
        "PHP application",
        "Every PHP file can be run, as a Unix user of its own",
    ),
    kind(
        "wordpress",
        "WordPress",
        "One front controller, hardened rules",
    ),
    kind(
        "laravel",
        "Laravel, Symfony and others",
        "One front controller; only index.php runs",
    ),
    kind(
        "static",
        "Static files",
        "HTML, images and downloads, served as they are",
    ),
    kind(
        "spa",
        "Single-page application",
        "What is no file is answered by /index.html",
    ),
    kind(
        "proxy",
        "Proxy to an application",
        "Your own program on this server, by HTTP and websockets",
    ),
    kind("redirect", "Redirect", "Everything is sent elsewhere"),
];

/// The statuses of a redirect, with what they mean.
pub(super) const CODES: &[(&str, &str)] = &[
    ("301", "moved for good"),
    ("302", "for the time being"),
    ("307", "for the time being, forms included"),
    ("308", "moved for good, forms included"),
];

/// What was chosen and typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct KindForm {
    pub(super) word: String,
    pub(super) php: String,
    pub(super) address: String,
    pub(super) target: String,
    pub(super) code: String,
    /// Installed versions, newest first.
    pub(super) versions: Vec<String>,
    /// True where the version is switched on a page of its own.
    pub(super) php_is_fixed: bool,
}

impl KindForm {
    /// Reads a form.
    pub(super) fn read(fields: &Fields) -> Self {
        Self {
            word: shown(fields.text("type"), 16),
            php: shown(fields.text("php"), 8),
            address: shown(fields.text("address"), 1024),
            target: shown(fields.text("target"), 1024),
            code: shown(fields.text("code"), 8),
            ..Self::default()
        }
    }

    /// Reads the text of a setting: `php 8.4`, `redirect https://new.example 301`.
    pub(super) fn parse(text: &str) -> Self {
        let mut words = text.split_whitespace().map(str::to_owned);
        let word = words.next().unwrap_or_default();
        let mut made = Self::default();
        match word.as_str() {
            "proxy" => made.address = words.next().unwrap_or_default(),
            "redirect" => {
                made.target = words.next().unwrap_or_default();
                made.code = words.next().unwrap_or_default();
            }
            _ => made.php = words.next().unwrap_or_default(),
        }
        Self { word, ..made }
    }

    /// The same as the text of a setting.
    pub(super) fn text(&self) -> String {
        let text = match self.word.as_str() {
            "php" | "wordpress" | "laravel" => format!("{} {}", self.word, self.php),
            "proxy" => format!("proxy {}", self.address),
            "redirect" => format!("redirect {} {}", self.target, self.code),
            word => word.to_owned(),
        };
        text.trim().to_owned()
    }

    /// What a new site shall run.
    pub(super) fn new_kind(&self) -> Result<NewSiteKind, Problem> {
        Ok(match self.word.as_str() {
            "static" => NewSiteKind::Static { spa: false },
            "spa" => NewSiteKind::Static { spa: true },
            "proxy" => NewSiteKind::Proxy {
                target: ProxyTarget::parse(&self.address).map_err(|bad| at("address", &bad))?,
            },
            "redirect" => NewSiteKind::Redirect {
                target: WebAddress::parse(&self.target).map_err(|bad| at("target", &bad))?,
                code: self.code()?,
            },
            "wordpress" => NewSiteKind::Wordpress {
                php: Some(self.version()?),
            },
            "laravel" => NewSiteKind::Laravel {
                php: Some(self.version()?),
            },
            "php" | "" => NewSiteKind::Php {
                php: Some(self.version()?),
            },
            _ => return Err(at("type", &"choose one of the types")),
        })
    }

    fn version(&self) -> Result<PhpVersion, Problem> {
        let newest = self.versions.first().map(String::as_str);
        let wanted = match self.php.as_str() {
            "" => newest.ok_or_else(|| {
                at(
                    "type",
                    &"no PHP is installed on this server; choose another type",
                )
            })?,
            typed => typed,
        };
        PhpVersion::parse(wanted).map_err(|bad| at("php", &bad))
    }

    fn code(&self) -> Result<RedirectCode, Problem> {
        if self.code.is_empty() {
            return Ok(RedirectCode::default());
        }
        RedirectCode::parse(&self.code).map_err(|bad| at("code", &bad))
    }

    /// True where this word is the one that is chosen.
    pub(super) fn is(&self, word: &str) -> bool {
        self.word == word || (self.word.is_empty() && word == "php")
    }
}

fn at(field: &'static str, bad: &dyn std::fmt::Display) -> Problem {
    Problem {
        field,
        text: sentence_of(&bad.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_type_fills_the_form_and_comes_back() {
        for text in [
            "php 8.4",
            "laravel 8.2",
            "static",
            "spa",
            "proxy 127.0.0.1:3000",
            "redirect https://new.example 308",
        ] {
            assert_eq!(KindForm::parse(text).text(), text);
        }
    }

    #[test]
    fn every_choice_makes_a_site_of_its_type() {
        for kind in KINDS {
            let typed = format!(
                "type={}&address=127.0.0.1:3000&target=https://new.example",
                kind.word
            );
            let form = KindForm {
                versions: vec!["8.4".to_owned()],
                ..KindForm::read(&Fields::parse(typed.as_bytes()))
            };
            let made = form.new_kind().unwrap();
            let word = match made {
                NewSiteKind::Php { .. } => "php",
                NewSiteKind::Wordpress { .. } => "wordpress",
                NewSiteKind::Laravel { .. } => "laravel",
                NewSiteKind::Static { spa } => ["static", "spa"][usize::from(spa)],
                NewSiteKind::Proxy { .. } => "proxy",
                NewSiteKind::Redirect { .. } => "redirect",
            };
            assert_eq!(word, kind.word);
        }
    }

    #[test]
    fn what_is_missing_is_said_at_its_field() {
        for (typed, field) in [
            ("type=proxy", "address"),
            ("type=proxy&address=localhost:3000", "address"),
            ("type=redirect&target=new.example", "target"),
            ("type=redirect&target=https://a.example&code=200", "code"),
            ("type=php", "type"),
            ("type=php&php=x", "php"),
            ("type=asp", "type"),
        ] {
            let problem = KindForm::read(&Fields::parse(typed.as_bytes()))
                .new_kind()
                .unwrap_err();
            assert_eq!(problem.field, field, "{typed}");
            assert!(problem.text.ends_with('.'), "{}", problem.text);
        }
    }
}
