//! People who may sign in.
//!
//! Invariant: an account name is lower-case ASCII, so two names never look the same.

use serde::{Deserialize, Serialize};

use crate::domain::id::AccountId;
use crate::domain::parsed_text;
use crate::domain::secret::{Password, WeakPassword};

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
    /// The agent itself, when it recovers after a crash.
    Recovery,
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::LocalRoot => f.write_str("root on this server"),
            Self::Account { name, .. } => f.write_str(name.as_str()),
            Self::Recovery => f.write_str("recovery after a restart"),
        }
    }
}

/// Refuses a new password that is too short, too long, or among those attackers try first.
pub fn check_new_password(password: &Password, context: &[&str]) -> Result<(), WeakPassword> {
    let bytes = password.bytes();
    if bytes.len() < 12 {
        return Err(WeakPassword::Short);
    }
    if bytes.len() > 1024 {
        return Err(WeakPassword::Long);
    }
    let folded = String::from_utf8_lossy(bytes).to_lowercase();
    let letters: String = folded.chars().filter(|c| c.is_alphabetic()).collect();
    let repeated = folded
        .chars()
        .collect::<std::collections::BTreeSet<_>>()
        .len()
        < 5;
    let guessable = COMMON_STEMS
        .iter()
        .copied()
        .chain(context.iter().copied())
        .any(|stem| {
            stem.len() > 2
                && letters
                    == stem
                        .to_lowercase()
                        .chars()
                        .filter(|c| c.is_alphabetic())
                        .collect::<String>()
        });
    let sequence = SEQUENCES.iter().any(|row| {
        row.contains(&folded)
            || folded.len() >= 12 && row.starts_with(folded.get(..12).unwrap_or("\0"))
    });
    if repeated || guessable || sequence {
        Err(WeakPassword::Common)
    } else {
        Ok(())
    }
}

/// Words that, with digits and marks around them, make most of the leaked passwords of twelve characters and more.
const COMMON_STEMS: &[&str] = &[
    "password",
    "passwort",
    "passw",
    "password password",
    "motdepasse",
    "contrasena",
    "qwertyuiop",
    "qwertzuiop",
    "qwerty",
    "qwertz",
    "administrator",
    "admin",
    "adminadmin",
    "letmein",
    "letmeinplease",
    "welcome",
    "welcomeback",
    "changeme",
    "changemenow",
    "iloveyou",
    "iloveyouforever",
    "trustno",
    "monkey",
    "dragon",
    "football",
    "baseball",
    "superman",
    "batman",
    "sunshine",
    "princess",
    "lalapanel",
    "lala",
    "server",
    "webserver",
    "hosting",
    "default",
    "secret",
    "topsecret",
    "abcdefghijkl",
    "abcdef",
    "asdfghjkl",
    "qazwsxedc",
    "correcthorsebatterystaple",
];
/// Rows that fingers walk along.
const SEQUENCES: &[&str] = &[
    "01234567890123456789",
    "98765432109876543210",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn",
];

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

    #[test]
    fn passwords_attackers_try_first_are_refused() {
        let check = |text: &str| {
            check_new_password(
                &Password::typed(text.to_owned()),
                &["panel.example", "mara"],
            )
        };
        assert_eq!(check("short"), Err(WeakPassword::Short));
        assert_eq!(check(&"x1Y2".repeat(300)), Err(WeakPassword::Long));
        for common in [
            "Password1234!",
            "aaaaaaaaaaaaa",
            "123456789012",
            "Mara12345678!",
            "lalapanel2026",
            "qwertyuiop123",
            "panel.example1",
        ] {
            assert_eq!(check(common), Err(WeakPassword::Common), "{common}");
        }
        assert_eq!(check("mauve otter tin sky"), Ok(()));
    }
}
