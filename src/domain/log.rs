//! The logs of a site: which there are, what is asked of them, and a place in one.
//!
//! Invariant: a filter and a place are parsed values; neither can name a file.

use serde::{Deserialize, Serialize};

use crate::domain::parsed_text;
use crate::domain::text::is_clean;

/// One of a site's logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFile {
    /// Every request, one JSON object a line; written by nginx.
    Access,
    /// What nginx could not do.
    Error,
    /// What PHP complains about; written by the site.
    Php,
    /// Where PHP was when a request took long; written by the site's PHP-FPM.
    Slow,
}

impl LogFile {
    /// All, in the order people see them.
    pub const ALL: [Self; 4] = [Self::Access, Self::Error, Self::Php, Self::Slow];

    /// Reads `access`, `error`, `php` or `slow`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|file| file.word() == text)
    }

    /// The word of the command line and of addresses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Error => "error",
            Self::Php => "php",
            Self::Slow => "slow",
        }
    }

    /// True for those that PHP writes.
    #[must_use]
    pub fn is_of_php(self) -> bool {
        matches!(self, Self::Php | Self::Slow)
    }
}

/// Which lines are asked for; an empty filter lets all through.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogFilter {
    /// Answers of this kind only; of the access log alone.
    #[serde(default)]
    pub status: Option<StatusFilter>,
    /// Only what holds this text, in upper or lower case.
    #[serde(default)]
    pub text: Option<SearchText>,
}

/// A class of answers (`5xx`) or one status (`404`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StatusFilter(String);

/// The text is neither a class nor a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a status is a number such as 404, or a class such as 5xx")]
pub struct BadStatus;

impl StatusFilter {
    /// Reads `5xx` or `404`.
    pub fn parse(text: &str) -> Result<Self, BadStatus> {
        let text = text.trim().to_ascii_lowercase();
        let rest = text.strip_prefix(|first: char| ('1'..='5').contains(&first));
        let is_number = |rest: &str| rest.len() == 2 && rest.bytes().all(|b| b.is_ascii_digit());
        match rest {
            Some(rest) if rest == "xx" || is_number(rest) => Ok(Self(text)),
            _ => Err(BadStatus),
        }
    }

    /// True for a status of this kind.
    #[must_use]
    pub fn fits(&self, status: u16) -> bool {
        let status = status.to_string();
        match self.0.strip_suffix("xx") {
            Some(class) => status.len() == 3 && status.starts_with(class),
            None => status == self.0,
        }
    }
}

parsed_text!(StatusFilter, BadStatus);

/// A text to look for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SearchText(String);

/// The text cannot be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a text to look for has 1 to 200 characters and no control characters")]
pub struct BadSearch;

impl SearchText {
    /// Reads a text; spaces at its ends do not count.
    pub fn parse(text: &str) -> Result<Self, BadSearch> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > 200 || !is_clean(text) {
            return Err(BadSearch);
        }
        Ok(Self(text.to_owned()))
    }
}

parsed_text!(SearchText, BadSearch);

/// A place in a log that stays right when the log is rotated: which file it was, and how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LogPlace {
    /// The inode of the file.
    pub inode: u64,
    /// Bytes before the place.
    pub offset: u64,
}

/// The text is not a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a place in a log looks like 1234-5678")]
pub struct BadPlace;

impl LogPlace {
    /// Reads `inode-offset`.
    pub fn parse(text: &str) -> Result<Self, BadPlace> {
        let (inode, offset) = text.split_once('-').ok_or(BadPlace)?;
        let number = |text: &str| {
            let plain = text.bytes().all(|b| b.is_ascii_digit());
            let number = text.parse().ok();
            number.filter(|_| plain).ok_or(BadPlace)
        };
        Ok(Self {
            inode: number(inode)?,
            offset: number(offset)?,
        })
    }
}

impl std::fmt::Display for LogPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.inode, self.offset)
    }
}

impl TryFrom<String> for LogPlace {
    type Error = BadPlace;
    fn try_from(text: String) -> Result<Self, BadPlace> {
        Self::parse(&text)
    }
}

impl From<LogPlace> for String {
    fn from(place: LogPlace) -> Self {
        place.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_a_class_or_a_number() {
        let fits = |filter: &str, status| StatusFilter::parse(filter).unwrap().fits(status);
        assert!(fits("5xx", 502) && fits("5XX", 500) && !fits("5xx", 404));
        assert!(fits("404", 404) && !fits("404", 403));
        for bad in ["", "6xx", "0xx", "xx", "40", "4044", "5x5", "+04", "5xx "] {
            assert_eq!(StatusFilter::parse(bad).is_ok(), bad == "5xx ", "{bad:?}");
        }
    }

    #[test]
    fn a_place_survives_the_wire_and_nothing_else_is_one() {
        let place = LogPlace {
            inode: u64::MAX,
            offset: 7,
        };
        let text = serde_json::to_string(&place).unwrap();
        assert_eq!(serde_json::from_str::<LogPlace>(&text).unwrap(), place);
        for bad in ["", "1", "1-", "-1", "a-1", "1-1-1", "1-+1", "../1-1"] {
            assert!(LogPlace::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_cannot_be_seen_cannot_be_looked_for() {
        assert_eq!(
            SearchText::parse(" timed out ").unwrap().as_str(),
            "timed out"
        );
        for bad in ["", "  ", "a\u{1b}[2J", "a\nb"] {
            assert!(SearchText::parse(bad).is_err(), "{bad:?}");
        }
    }
}
