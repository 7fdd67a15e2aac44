//! People who may sign in.
//!
//! Invariant: an account name is lower-case ASCII, so two names never look the same.

use serde::{Deserialize, Serialize};

use crate::domain::id::AccountId;
use crate::domain::parsed_text;
use crate::domain::token::{Scope, TokenName};

/// The name a person signs in with.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountName(String);

/// The text is not an account name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an account name has 2 to 32 letters, digits, dots, `-` and `_`, and begins with a letter")]
pub struct BadAccountName;

impl AccountName {
    /// Reads what was typed; upper case is folded.
    pub fn parse(text: &str) -> Result<Self, BadAccountName> {
        let folded = text.trim().to_ascii_lowercase();
        let first = folded
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_lowercase());
        let rest = folded.bytes().all(|b| {
            b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_')
        });
        if first && rest && (2..=32).contains(&folded.len()) {
            Ok(Self(folded))
        } else {
            Err(BadAccountName)
        }
    }
}

parsed_text!(AccountName, BadAccountName);

/// What an account may do. One role today; the policy table is written so that a second one must be decided row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May do everything.
    Owner,
}

/// Who is asking, as the agent established it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The root shell of this machine: peer uid 0 on the agent's socket.
    LocalRoot,
    /// A signed-in person.
    Account {
        /// Which account.
        id: AccountId,
        /// Its name at that time.
        name: AccountName,
        /// Its role at that time.
        role: Role,
    },
    /// A program with a token of an account.
    Token {
        /// Whose.
        id: AccountId,
        /// The name of the account at that time.
        account: AccountName,
        /// The account's role at that time.
        role: Role,
        /// The name of the token.
        name: TokenName,
        /// What it may.
        scope: Scope,
    },
    /// The agent itself, when it recovers after a crash.
    Recovery,
    /// The agent itself, for what is due: the trash lets go of a site.
    Panel,
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::LocalRoot => f.write_str("root on this server"),
            Self::Account { name, .. } => f.write_str(name.as_str()),
            Self::Token { account, name, .. } => write!(f, "{account} by token {name}"),
            Self::Panel => f.write_str("the panel itself"),
            Self::Recovery => f.write_str("recovery after a restart"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_names_are_folded_and_boring() {
        assert_eq!(AccountName::parse(" Mara ").unwrap().as_str(), "mara");
        for bad in ["", "a", "-a", "a b", "mära", "1a", "a\n", "../a"] {
            assert!(AccountName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
