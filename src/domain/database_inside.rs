//! What is in a database, and whether its users may do what the panel says.
//!
//! Invariant: every number was looked up or is absent; rows are MariaDB's estimate and called so; no hash is among the grants.

use serde::{Deserialize, Serialize};

use crate::domain::database::DatabaseUser;

/// One table, view or sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// `table`, `view`, `sequence`.
    pub kind: String,
    /// `InnoDB`; none for a view, or for a table that MariaDB cannot open.
    pub engine: Option<String>,
    /// `utf8mb4_general_ci`.
    pub collation: Option<String>,
    /// About how many rows it has.
    pub rows: Option<u64>,
    /// Bytes on the disk.
    pub bytes: Option<u64>,
}

/// What is in a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inside {
    /// The character set of new tables.
    pub charset: String,
    /// The order of their letters.
    pub collation: String,
    /// By name.
    pub tables: Vec<Table>,
}

/// What is missing of a user that somebody removed.
#[must_use]
pub fn lost_user(user: &DatabaseUser) -> String {
    format!("the user {user} itself")
}

/// How what a user may do differs from what the panel gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// Who.
    pub user: DatabaseUser,
    /// What it should be granted and is not.
    pub missing: Vec<String>,
    /// What it is granted and should not be.
    pub more: Vec<String>,
}
