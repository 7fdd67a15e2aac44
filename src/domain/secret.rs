//! Texts that must not be seen: passwords, tokens, one-time links.
//!
//! Invariant: `Debug` shows nothing, memory is wiped on drop, and comparing takes the same time for every wrong guess.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A password as it was typed: exact bytes, 12 to 1024 of them when new.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Password(Zeroizing<String>);

/// Why a new password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Under 12 bytes.
    #[error("the password is shorter than 12 characters")]
    Short,
    /// Over 1024 bytes.
    #[error("the password is longer than 1024 bytes")]
    Long,
    /// On the list of passwords people use most, or made of our own words.
    #[error("the password is one that attackers try first")]
    Common,
}

/// 32 letters and digits that are not taken for each other: five bits each.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

impl Password {
    /// A password of 160 random bits that can be copied by hand.
    #[must_use]
    pub fn from_random(bytes: [u8; 32]) -> Self {
        let letter = |byte: &u8| LETTERS.get(usize::from(byte & 31)).copied();
        let letters = bytes.iter().filter_map(letter).map(char::from);
        Self(Zeroizing::new(letters.collect()))
    }

    /// The password itself, for the one who shall keep it; shown once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Takes what was typed at a sign-in form; length is capped by the frame that carried it.
    #[must_use]
    pub fn typed(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The bytes, for hashing only.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl PartialEq for Password {
    fn eq(&self, other: &Self) -> bool {
        self.bytes().ct_eq(other.bytes()).into()
    }
}

impl Eq for Password {}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(hidden)")
    }
}

/// 256 random bits that let their holder in: a session, or a one-time link.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Token(Zeroizing<String>);

/// The text is not a token of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token has 64 hexadecimal digits")]
pub struct BadToken;

/// What is stored of a token: its SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TokenHash([u8; 32]);

impl Token {
    /// A token of 32 random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(hex(&bytes)))
    }

    /// Reads a token from a cookie or a link.
    pub fn parse(text: &str) -> Result<Self, BadToken> {
        let plain = text.len() == 64
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if plain {
            Ok(Self(Zeroizing::new(text.to_owned())))
        } else {
            Err(BadToken)
        }
    }

    /// The token itself, for the cookie or the link only.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What may be stored of it.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// A second secret tied to this one: whoever has the session's page can prove it, without the cookie itself standing in the page.
    #[must_use]
    pub fn derived(&self, purpose: &str) -> Self {
        let mut digest = Sha256::new();
        digest.update(b"lalapanel/");
        digest.update(purpose.as_bytes());
        digest.update([0]);
        digest.update(self.0.as_bytes());
        Self(Zeroizing::new(hex(&digest.finalize())))
    }

    /// Compares in constant time.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl TokenHash {
    /// The bytes, as a table key.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A hash read back from the store.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

impl TryFrom<String> for Token {
    type Error = BadToken;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Token> for String {
    fn from(token: Token) -> Self {
        token.0.to_string()
    }
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_was_made_is_plain_to_copy() {
        let made = Password::from_random(std::array::from_fn(|at| u8::try_from(at).unwrap() + 32));
        assert_eq!(made.reveal().as_bytes(), LETTERS);
    }

    #[test]
    fn a_token_is_hidden_compared_and_stored_as_a_hash() {
        let token = Token::from_random([9; 32]);
        assert_eq!(
            format!("{token:?} {:?}", Password::typed("hunter2".into())),
            "Token(hidden) Password(hidden)"
        );
        assert!(Token::parse(token.reveal()).unwrap().is_same(&token));
        assert!(!Token::from_random([8; 32]).is_same(&token));
        assert_ne!(token.derived("form").reveal(), token.reveal());
        assert!(Token::parse("0").is_err() && Token::parse(&"G".repeat(64)).is_err());
    }
}
