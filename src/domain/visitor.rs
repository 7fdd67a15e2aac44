//! Who may pass a protected path of a site: a name and the hash of a password, as nginx reads them.
//!
//! Invariant: neither holds a colon or a line end, so a line of the file is one visitor.

use serde::{Deserialize, Serialize};
use sha_crypt::{PasswordHasher, ShaCrypt};

use crate::domain::parsed_text;
use crate::domain::secret::Password;

/// A name as it is typed into the browser's box.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VisitorName(String);

/// The text is no such name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a visitor's name has 1 to 64 letters, digits and . _ @ -")]
pub struct BadVisitorName;

impl VisitorName {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, BadVisitorName> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._@-".contains(&b);
        if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadVisitorName)
        }
    }
}

parsed_text!(VisitorName, BadVisitorName);

/// The hash of a visitor's password: SHA-512-crypt (crypt(5)), which every nginx of Debian and Ubuntu reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VisitorHash(String);

/// The text is no such hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no SHA-512-crypt hash ($6$...)")]
pub struct BadVisitorHash;

impl VisitorHash {
    /// Reads one. More rounds than usual are refused: nginx computes the hash for every request.
    pub fn parse(text: &str) -> Result<Self, BadVisitorHash> {
        let word = |text: &str| {
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"./".contains(&b))
        };
        let rest = text.strip_prefix("$6$").ok_or(BadVisitorHash)?;
        let rest = rest.strip_prefix("rounds=5000$").unwrap_or(rest);
        match rest.split_once('$') {
            Some((salt, hash))
                if (8..=16).contains(&salt.len())
                    && hash.len() == 86
                    && word(salt)
                    && word(hash) =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err(BadVisitorHash),
        }
    }

    /// Of a password, with a salt that no other one has. 12 bytes become the 16 letters that crypt(5) has room for.
    pub fn of(password: &Password, salt: [u8; 12]) -> Result<Self, BadVisitorHash> {
        let hashed = ShaCrypt::default().hash_password_with_salt(password.bytes(), &salt);
        Self::parse(hashed.map_err(|_| BadVisitorHash)?.as_str())
    }
}

parsed_text!(VisitorHash, BadVisitorHash);

/// Somebody who may pass the protected paths of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    /// As typed.
    pub name: VisitorName,
    /// Of the password.
    pub hash: VisitorHash,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_file_cannot_be_broken() {
        for bad in ["", "a:b", "a b", "a\nb", "ä", "$6$", &"a".repeat(65)] {
            assert!(VisitorName::parse(bad).is_err(), "{bad:?}");
        }
        let hash = format!("$6$saltsalt${}", "a".repeat(86));
        assert!(VisitorHash::parse(&hash).is_ok());
        for bad in [
            "",
            "$6$salt$x",
            "$1$saltsalt$x",
            &format!("{hash}\nroot:x"),
            &format!("$6$rounds=999999999$saltsalt${}", "a".repeat(86)),
        ] {
            assert!(VisitorHash::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_made_here_is_a_hash_that_is_taken() {
        let password = Password::typed("mauve otter".to_owned());
        let one = VisitorHash::of(&password, [7; 12]).unwrap();
        assert_eq!(one, VisitorHash::of(&password, [7; 12]).unwrap());
        assert_ne!(one, VisitorHash::of(&password, [8; 12]).unwrap());
    }
}
