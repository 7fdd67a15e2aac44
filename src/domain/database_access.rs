//! What a database user may do in its database, how often at once, and the changes of that.
//!
//! Invariant: a right is one of the words listed here, so none reaches beyond a database and none can be passed on.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::database::{DatabaseHash, DatabaseName, DatabaseUser};

/// What may be granted in a database, in MariaDB's own order and words. `GRANT OPTION` is missing: nobody passes rights on.
const PRIVILEGES: &[&str] = &[
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    "REFERENCES",
    "INDEX",
    "ALTER",
    "CREATE TEMPORARY TABLES",
    "LOCK TABLES",
    "EXECUTE",
    "CREATE VIEW",
    "SHOW VIEW",
    "CREATE ROUTINE",
    "ALTER ROUTINE",
    "EVENT",
    "TRIGGER",
];

const READ_ONLY: &[&str] = &["SELECT", "SHOW VIEW"];
const READ_WRITE: &[&str] = &[
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE TEMPORARY TABLES",
    "LOCK TABLES",
    "EXECUTE",
    "SHOW VIEW",
];

/// What a user may do in its database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Rights {
    /// Everything.
    #[default]
    All,
    /// Read.
    ReadOnly,
    /// Read and change what is in the tables, not the tables.
    ReadWrite,
    /// These alone.
    Only(BTreeSet<usize>),
}

/// The text names no rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "rights are all, read-only, read-write, or words such as select,insert,create-view of what MariaDB grants in one database"
)]
pub struct BadRights;

impl Rights {
    /// The words in forms and on the command line.
    pub const WORDS: [&'static str; 3] = ["all", "read-only", "read-write"];

    /// Reads one of the words, or names of rights with commas between them.
    pub fn parse(text: &str) -> Result<Self, BadRights> {
        match text {
            "all" => return Ok(Self::All),
            "read-only" => return Ok(Self::ReadOnly),
            "read-write" => return Ok(Self::ReadWrite),
            _ => {}
        }
        let number = |word: &str| {
            let word = word.trim().to_uppercase().replace('-', " ");
            PRIVILEGES.iter().position(|one| *one == word)
        };
        let numbers: Option<BTreeSet<usize>> = text.split(',').map(number).collect();
        let only = Self::Only(numbers.ok_or(BadRights)?);
        let named = [Self::ReadOnly, Self::ReadWrite].into_iter();
        let mut same = named.filter(|one| one.privileges() == only.privileges());
        Ok(same.next().unwrap_or(only))
    }

    /// As a grant says it.
    #[must_use]
    pub fn privileges(&self) -> Vec<&'static str> {
        match self {
            Self::All => vec!["ALL PRIVILEGES"],
            Self::ReadOnly => READ_ONLY.to_vec(),
            Self::ReadWrite => READ_WRITE.to_vec(),
            Self::Only(numbers) => {
                let words = numbers.iter().filter_map(|number| PRIVILEGES.get(*number));
                words.copied().collect()
            }
        }
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::ReadOnly => f.write_str("read-only"),
            Self::ReadWrite => f.write_str("read-write"),
            Self::Only(_) => {
                let words = self.privileges().join(",");
                f.write_str(&words.to_lowercase().replace(' ', "-"))
            }
        }
    }
}

impl TryFrom<String> for Rights {
    type Error = BadRights;
    fn try_from(text: String) -> Result<Self, BadRights> {
        Self::parse(&text)
    }
}

impl From<Rights> for String {
    fn from(rights: Rights) -> Self {
        rights.to_string()
    }
}

/// How many connections a user may have at once; 0 sets no limit of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct ConnectionLimit(u32);

/// Too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("connections at once are a number from 1 to 10000, or 0 for no limit of the user's own")]
pub struct BadLimit;

impl ConnectionLimit {
    /// Reads what a person typed.
    pub fn parse(text: &str) -> Result<Self, BadLimit> {
        text.parse::<u32>().map_err(|_| BadLimit)?.try_into()
    }

    /// The number; 0 for none.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for ConnectionLimit {
    type Error = BadLimit;
    fn try_from(number: u32) -> Result<Self, BadLimit> {
        if number > 10_000 {
            return Err(BadLimit);
        }
        Ok(Self(number))
    }
}

impl From<ConnectionLimit> for u32 {
    fn from(limit: ConnectionLimit) -> Self {
        limit.0
    }
}

/// On which terms a user uses its database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// What it may do.
    #[serde(default)]
    pub rights: Rights,
    /// How often at once.
    #[serde(default)]
    pub connections: ConnectionLimit,
}

impl Terms {
    /// True for those that a database's own user has from the beginning.
    #[must_use]
    pub fn are_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.rights)?;
        match self.connections.0 {
            0 => Ok(()),
            1 => f.write_str(", 1 connection at once"),
            many => write!(f, ", {many} connections at once"),
        }
    }
}

/// A change of who may do what in a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseAccess {
    /// In which.
    pub name: DatabaseName,
    /// What.
    pub act: AccessAct,
}

/// What is changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AccessAct {
    /// Make a further user.
    Add {
        /// Who.
        user: DatabaseUser,
        /// The hash of the password.
        hash: DatabaseHash,
        /// What it may do, and how often at once.
        #[serde(default)]
        terms: Terms,
    },
    /// Change the terms of a user; what is not given stays.
    Set {
        /// Who.
        user: DatabaseUser,
        /// What it may do.
        #[serde(default)]
        rights: Option<Rights>,
        /// How often at once.
        #[serde(default)]
        connections: Option<ConnectionLimit>,
    },
    /// Give a user another password.
    Password {
        /// Who.
        user: DatabaseUser,
        /// The hash of it.
        hash: DatabaseHash,
    },
    /// Remove a further user.
    Remove {
        /// Who.
        user: DatabaseUser,
    },
    /// Give all users the rights again that the panel gave them, and no others.
    Repair {},
}

impl AccessAct {
    /// Its verb on the command line.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Add { .. } => "db user add",
            Self::Set { .. } => "db user set",
            Self::Password { .. } => "db user password",
            Self::Remove { .. } => "db user remove",
            Self::Repair {} => "db repair",
        }
    }

    /// Whom it is about; none for all.
    #[must_use]
    pub fn user(&self) -> Option<&DatabaseUser> {
        match self {
            Self::Add { user, .. }
            | Self::Set { user, .. }
            | Self::Password { user, .. }
            | Self::Remove { user } => Some(user),
            Self::Repair {} => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_words_and_nothing_that_reaches_further() {
        for word in Rights::WORDS {
            assert_eq!(Rights::parse(word).unwrap().to_string(), word);
        }
        let some = Rights::parse("Create-View, select,select").unwrap();
        assert_eq!(some.to_string(), "select,create-view");
        assert_eq!(some.privileges(), ["SELECT", "CREATE VIEW"]);
        assert_eq!(Rights::parse(&some.to_string()), Ok(some));
        assert_eq!(Rights::parse("show-view,select"), Ok(Rights::ReadOnly));
        for bad in [
            "",
            "everything",
            "select,",
            "grant option",
            "file",
            "super",
            "process",
            "select ON *.* TO x; --",
            "all privileges",
            "all,select",
        ] {
            assert_eq!(Rights::parse(bad), Err(BadRights), "{bad}");
        }
    }

    #[test]
    fn a_limit_is_a_number_that_means_something() {
        assert_eq!(ConnectionLimit::parse("0").unwrap().number(), 0);
        for bad in ["", "-1", "10001", "many", "1.5"] {
            assert!(ConnectionLimit::parse(bad).is_err(), "{bad}");
        }
        let text = r#"{"rights":"read-only","connections":5}"#;
        let terms: Terms = serde_json::from_str(text).unwrap();
        assert_eq!(terms.to_string(), "read-only, 5 connections at once");
        assert_eq!(serde_json::to_string(&terms).unwrap(), text);
        assert!(serde_json::from_str::<Terms>(r#"{"rights":"file"}"#).is_err());
        assert!(serde_json::from_str::<Terms>("{}").unwrap().are_usual());
    }
}
