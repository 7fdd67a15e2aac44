//! Databases as people and scripts see them; field names are the contract's.
//!
//! Invariant: no password and no hash of one is in a view.

use serde::{Deserialize, Serialize};

use crate::domain::database::{Database, DatabaseName, DatabaseUser};
use crate::domain::database_access::{ConnectionLimit, Rights, Terms};
use crate::domain::database_inside::{Granted, Inside};
use crate::domain::database_job::ImportId;
use crate::domain::name::Hostname;
use crate::domain::time::Timestamp;
use crate::domain::trash;

/// One database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseView {
    /// Its name.
    pub name: DatabaseName,
    /// The site it belongs to, also one in the trash; none for one of the server's own.
    pub site: Option<Hostname>,
    /// Who may use it, from this machine.
    pub users: Vec<DatabaseUser>,
    /// What each of them may do, in the same order.
    #[serde(default)]
    pub access: Vec<UserAccess>,
    /// True while its users are kept from signing in, because its site is in the trash.
    pub locked: bool,
    /// When it was made.
    pub created: Timestamp,
    /// Bytes on the disk, where they were looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// When they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sized: Option<Timestamp>,
    /// While it lies in the trash: since when, and for how long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trash: Option<InTrash>,
}

/// What a user of a database may do in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserAccess {
    /// Who.
    pub user: DatabaseUser,
    /// True for the user that came with the database.
    pub own: bool,
    /// `all`, `read-only`, `read-write`, or the names of rights.
    pub rights: Rights,
    /// How many connections at once; 0 for no limit of its own.
    pub max_connections: ConnectionLimit,
}

impl UserAccess {
    fn all_of(database: &Database) -> Vec<Self> {
        let own = database.name.user();
        let users = database.users.iter().map(|user| {
            let Terms {
                rights,
                connections,
            } = database.terms_of(user);
            Self {
                user: user.clone(),
                own: *user == own,
                rights,
                max_connections: connections,
            }
        });
        users.collect()
    }

    /// In words: `read-only, 5 connections at once`.
    #[must_use]
    pub fn words(&self) -> String {
        let (rights, connections) = (self.rights.clone(), self.max_connections);
        Terms {
            rights,
            connections,
        }
        .to_string()
    }
}

/// What MariaDB says of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// It answers and has it.
    Answers,
    /// It does not answer.
    Silent,
    /// It answers and has no such database.
    Missing,
}

/// One database in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseDetail {
    /// As in the list; its size is that of this moment.
    #[serde(flatten)]
    pub view: DatabaseView,
    /// What MariaDB says of it.
    pub mariadb: Known,
    /// What is in it.
    #[serde(flatten)]
    pub inside: Option<Inside>,
    /// Where what its users may do differs from what the panel gave them; none where nobody answered.
    pub grants_differ: Option<Vec<Granted>>,
}

/// How long the trash keeps something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InTrash {
    /// When it was deleted.
    pub deleted: Timestamp,
    /// Until when it can be put back.
    pub until: Timestamp,
    /// Days left, begun ones counted as whole.
    pub days_left: u64,
}

impl InTrash {
    /// Of what was deleted then.
    #[must_use]
    pub fn of(deleted: Timestamp, now: Timestamp) -> Self {
        Self {
            deleted,
            until: trash::until(deleted),
            days_left: trash::days_left(deleted, now),
        }
    }
}

impl DatabaseView {
    /// Of a database of a site that is there, in the trash (`locked`), or of none.
    #[must_use]
    pub fn of(database: &Database, site: Option<Hostname>, locked: bool, now: Timestamp) -> Self {
        Self {
            name: database.name.clone(),
            site,
            users: database.users.clone(),
            access: UserAccess::all_of(database),
            locked,
            created: database.created,
            bytes: None,
            sized: None,
            trash: database.deleted.map(|deleted| InTrash::of(deleted, now)),
        }
    }
}

/// A database that was written out whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedView {
    /// Bytes of SQL.
    pub bytes: u64,
    /// Tables of engines that know no transactions, which may be of another moment than the rest.
    pub beside: Vec<String>,
    /// Views, triggers, routines and events, which `db import` does not take: at most a hundred.
    #[serde(default)]
    pub unimported: Vec<String>,
}

/// A dump that was loaded and waits to be put in place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadedView {
    /// Its number.
    pub import: ImportId,
    /// How many tables it has.
    pub tables: u64,
    /// Bytes of SQL.
    pub bytes: u64,
}
