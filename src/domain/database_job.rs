//! Users of MariaDB that live for one export alone, and with what rights the client programs run.
//!
//! Invariant: such a user's name holds a `-`, which no database user of a person has, so that what is swept up is ours.

use std::fmt;

use crate::domain::database::DatabaseName;
use crate::domain::secret::{Password, hex};

const EXPORT: &str = "lalapanel-export-";
const DIGITS: usize = 16;

/// A user for one export: `lalapanel-export-0123456789abcdef`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobUser(String);

impl JobUser {
    /// One that reads, of eight random bytes.
    #[must_use]
    pub fn for_export(random: [u8; 8]) -> Self {
        Self(format!("{EXPORT}{}", hex(&random)))
    }

    /// Reads a name that MariaDB holds; none where it is not one of these.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let number = text.strip_prefix(EXPORT)?;
        let is_ours = number.len() == DIGITS && number.bytes().all(digit);
        is_ours.then(|| Self(text.to_owned()))
    }

    /// The bare name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// As an account, `'lalapanel-export-…'@'localhost'`: there is nothing in it to escape.
impl fmt::Display for JobUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'@'localhost'", self.0)
    }
}

/// As whom a client program signs in, and to which database.
#[derive(Debug, Clone)]
pub struct JobLogin {
    /// The user.
    pub user: JobUser,
    /// Its password; it goes into the program's environment, which only its own uid and root can read.
    pub password: Password,
    /// The one database it may use.
    pub database: DatabaseName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_swept_up_is_ours_alone() {
        let user = JobUser::for_export([0xab; 8]);
        assert_eq!(user.as_str(), "lalapanel-export-abababababababab");
        assert_eq!(
            user.to_string(),
            "'lalapanel-export-abababababababab'@'localhost'"
        );
        assert_eq!(JobUser::of(user.as_str()), Some(user.clone()));
        assert!(DatabaseName::parse(user.as_str()).is_err());
        for other in [
            "",
            "root",
            "shop_db",
            "lalapanel-export-",
            "lalapanel-export-ABABABABABABABAB",
            "lalapanel-export-abababababababab'",
            "lalapanel-export-ababababababababab",
            "xlalapanel-export-abababababababab",
        ] {
            assert_eq!(JobUser::of(other), None, "{other}");
        }
    }
}
