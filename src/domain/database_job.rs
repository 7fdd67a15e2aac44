//! Users and databases of MariaDB that live for one export or import alone.
//!
//! Invariant: each name here holds a `-`, which no name that a person gives has, so that what is swept up is ours.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::database::DatabaseName;
use crate::domain::parsed_text;
use crate::domain::secret::{Password, hex};

const EXPORT: &str = "lalapanel-export-";
const DIGITS: usize = 16;

/// A user for one export or import: `lalapanel-export-0123456789abcdef`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobUser(String);

/// The text is the name of no such user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no user of an export or an import")]
pub struct BadJobUser;

impl TryFrom<String> for JobUser {
    type Error = BadJobUser;

    fn try_from(text: String) -> Result<Self, BadJobUser> {
        Self::of(&text).ok_or(BadJobUser)
    }
}

impl From<JobUser> for String {
    fn from(user: JobUser) -> Self {
        user.0
    }
}

impl JobUser {
    /// One that reads, of eight random bytes.
    #[must_use]
    pub fn for_export(random: [u8; 8]) -> Self {
        Self(format!("{EXPORT}{}", hex(&random)))
    }

    /// One that fills a new database, of eight random bytes.
    #[must_use]
    pub fn for_import(random: [u8; 8]) -> Self {
        Self(format!("{LOADED}{}", hex(&random)))
    }

    /// Reads a name that MariaDB holds; none where it is not one of these.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let number = text.strip_prefix(EXPORT);
        let number = number.or_else(|| text.strip_prefix(LOADED))?;
        let is_ours = number.len() == DIGITS && number.bytes().all(is_digit);
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
    pub database: String,
}

/// The number of one import: eight hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImportId(String);

/// The text is no such number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the number of an import has eight hexadecimal digits")]
pub struct BadImportId;

impl ImportId {
    /// Of four random bytes.
    #[must_use]
    pub fn from_random(random: [u8; 4]) -> Self {
        Self(hex(&random))
    }

    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, BadImportId> {
        if text.len() == 8 && text.bytes().all(is_digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadImportId)
        }
    }
}

parsed_text!(ImportId, BadImportId);

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

/// A database that lives for one import. Its name holds a `-`, which no database of a person has, and ends in the name of the
/// database that is imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scratch {
    before: bool,
    import: ImportId,
    of: DatabaseName,
}

const LOADED: &str = "lalapanel-import-";
const BEFORE: &str = "lalapanel-before-";

impl Scratch {
    /// Where a dump is loaded.
    #[must_use]
    pub fn loaded(import: &ImportId, of: &DatabaseName) -> Self {
        let (import, of) = (import.clone(), of.clone());
        Self {
            before: false,
            import,
            of,
        }
    }

    /// Where the former tables are until the import has ended.
    #[must_use]
    pub fn before(import: &ImportId, of: &DatabaseName) -> Self {
        Self {
            before: true,
            ..Self::loaded(import, of)
        }
    }

    /// Reads a name that `MariaDB` holds; none where it is not one of these.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let before = text.starts_with(BEFORE);
        let rest = text.strip_prefix(if before { BEFORE } else { LOADED })?;
        let (import, of) = rest.split_once('-')?;
        Some(Self {
            before,
            import: ImportId::parse(import).ok()?,
            of: DatabaseName::parse(of).ok()?,
        })
    }

    /// Of which database it is.
    #[must_use]
    pub fn of(&self) -> &DatabaseName {
        &self.of
    }

    /// True where former tables are in it.
    #[must_use]
    pub fn is_before(&self) -> bool {
        self.before
    }

    /// True where this is what was loaded, and `before` what it took the place of.
    #[must_use]
    pub fn is_loaded_of(&self, before: &Self) -> bool {
        !self.before && before.before && self.import == before.import && self.of == before.of
    }

    /// As a pattern of a grant: `_` means itself.
    #[must_use]
    pub fn pattern(&self) -> String {
        format!("`{}`", self.to_string().replace('_', "\\_"))
    }
}

/// The bare name; there is nothing in it that needs more than backticks.
impl fmt::Display for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = if self.before { BEFORE } else { LOADED };
        write!(f, "{start}{}-{}", self.import, self.of)
    }
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

    #[test]
    fn a_database_of_an_import_says_whose_it_is_and_matches_itself_alone() {
        let import = ImportId::from_random([0xcd; 4]);
        let name = DatabaseName::parse("shop_db").unwrap();
        let loaded = Scratch::loaded(&import, &name);
        assert_eq!(loaded.to_string(), "lalapanel-import-cdcdcdcd-shop_db");
        assert_eq!(loaded.pattern(), r"`lalapanel-import-cdcdcdcd-shop\_db`");
        let before = Scratch::before(&import, &name);
        assert_eq!(Scratch::parse(&before.to_string()), Some(before.clone()));
        assert_eq!(Scratch::parse(&loaded.to_string()), Some(loaded));
        assert!(before.is_before() && *before.of() == name);
        assert!(before.to_string().len() <= 64 - 32 + name.as_str().len());
        for other in [
            "",
            "shop_db",
            "lalapanel-import-cdcdcdcd",
            "lalapanel-import-cdcdcdcd-mysql",
            "lalapanel-import-cdcdcd-shop_db",
            "lalapanel-before-CDCDCDCD-shop_db",
            "lalapanel-import-cdcdcdcd-a`b",
        ] {
            assert_eq!(Scratch::parse(other), None, "{other}");
        }
        assert!(ImportId::parse("cdcdcdc;").is_err());
    }
}
