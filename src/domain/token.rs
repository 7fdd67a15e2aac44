//! Tokens by which programs ask the panel, instead of a person with a session.
//!
//! Invariant: a token says what it may (`Scope`) and until when; what it is written as tells it from everything else.

use serde::{Deserialize, Serialize};

use crate::domain::account::AccountName;
use crate::domain::parsed_text;
use crate::domain::secret::Token;
use crate::domain::time::Timestamp;

/// What a token begins with, so that people and scanners of source code know one when they see it.
const PREFIX: &str = "lala_";

/// By which a token is told from others.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenName(String);

/// The text is not the name of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a token's name has 1 to 40 lower-case letters, digits, dots, `-` and `_`, and begins with a letter"
)]
pub struct BadTokenName;

impl TokenName {
    /// Reads what was typed.
    pub fn parse(text: &str) -> Result<Self, BadTokenName> {
        let plain =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
        let begins = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        if begins && text.len() <= 40 && text.bytes().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadTokenName)
        }
    }
}

parsed_text!(TokenName, BadTokenName);

/// What a token may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// To look at everything, and change nothing.
    Read,
    /// What its account may, but for what asks for the password once more.
    Write,
}

impl Scope {
    /// The word on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// What is known of a token; never the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenView {
    /// Its name.
    pub name: TokenName,
    /// In whose name it asks.
    pub account: AccountName,
    /// What it may.
    pub scope: Scope,
    /// When it was made.
    pub created: Timestamp,
    /// When it stops working; none means never.
    pub expires: Option<Timestamp>,
    /// When it was used last, to the minute.
    pub used: Option<Timestamp>,
}

/// A token as it is written in a file or after `Authorization: Bearer`.
#[must_use]
pub fn written(token: &Token) -> String {
    format!("{PREFIX}{}", token.reveal())
}

/// Reads one.
#[must_use]
pub fn read(text: &str) -> Option<Token> {
    Token::parse(text.strip_prefix(PREFIX)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_is_written_and_in_no_other_way() {
        let token = Token::from_random([7; 32]);
        let text = written(&token);
        assert_eq!(read(&text).unwrap().hash(), token.hash());
        for bad in [
            "",
            "lala_",
            token.reveal(),
            &text[..60],
            &text.to_uppercase(),
        ] {
            assert!(read(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn names_of_tokens_are_boring() {
        assert_eq!(
            TokenName::parse("deploy.ci-2").unwrap().as_str(),
            "deploy.ci-2"
        );
        for bad in ["", "A", "1a", "a b", "a\n", "../a", &"a".repeat(41)] {
            assert!(TokenName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
