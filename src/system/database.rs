//! Databases and their users on the MariaDB of this machine.
//!
//! Invariant: every statement is put together from the writers of `domain::database`; none holds a password, and each is safe to run twice.

use serde_json::Value;

use crate::domain::database::{
    Account, DatabaseFacts, DatabaseHash, DatabaseName, DatabaseUser, Identifier,
};
use crate::domain::database_access::Terms;
use crate::host::{Host, HostError, HostResult};
use crate::system::database_grants;

/// Everything MariaDB holds already.
pub fn look(host: &dyn Host) -> HostResult<DatabaseFacts> {
    let grants = host.sql("SELECT Db, User FROM mysql.db")?.into_iter();
    Ok(DatabaseFacts {
        names: firsts(host.sql("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA")?),
        users: firsts(host.sql("SELECT DISTINCT User FROM mysql.global_priv")?),
        grants: grants.filter_map(pair).collect(),
    })
}

fn firsts(rows: Vec<Vec<String>>) -> Vec<String> {
    let firsts = rows.into_iter().filter_map(|row| row.into_iter().next());
    firsts.collect()
}

fn pair(row: Vec<String>) -> Option<(String, String)> {
    let mut values = row.into_iter();
    Some((values.next()?, values.next()?))
}

/// Whether a database is there.
pub fn exists(host: &dyn Host, name: &DatabaseName) -> HostResult<bool> {
    let names = firsts(host.sql("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA")?);
    Ok(names.iter().any(|one| one == name.as_str()))
}

/// Makes a database.
pub fn create(host: &dyn Host, name: &DatabaseName) -> HostResult<()> {
    run(host, &create_statement(name))
}

/// The statement that makes a database.
#[must_use]
pub fn create_statement(name: &DatabaseName) -> String {
    let name = Identifier(name);
    format!("CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4")
}

/// Gives new tables of a database the character set and the collation that those of another get.
pub fn take_after(host: &dyn Host, name: &DatabaseName, from: &DatabaseName) -> HostResult<()> {
    let rows = host.sql(&format!(
        "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '{from}'"
    ))?;
    let plain = |text: &String| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    match rows.first().map(Vec::as_slice) {
        Some([charset, collation]) if plain(charset) && plain(collation) => {
            let name = Identifier(name);
            run(
                host,
                &format!("ALTER DATABASE {name} CHARACTER SET {charset} COLLATE {collation}"),
            )
        }
        _ => Ok(()),
    }
}

/// Removes a database. To be called only once nobody has a grant on it: dropping leaves grants for the next owner of the name.
pub fn drop_database(host: &dyn Host, name: &DatabaseName) -> HostResult<()> {
    run(
        host,
        &format!("DROP DATABASE IF EXISTS {}", Identifier(name)),
    )
}

/// How a user is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserState {
    /// The hash of its password; none where it signs in another way.
    pub hash: Option<DatabaseHash>,
    /// Whether it is kept from signing in.
    pub locked: bool,
}

/// How a user is known now; none where there is no such user.
pub fn user(host: &dyn Host, user: &DatabaseUser) -> HostResult<Option<UserState>> {
    let statement =
        format!("SELECT Priv FROM mysql.global_priv WHERE User = '{user}' AND Host = 'localhost'");
    let rows = firsts(host.sql(&statement)?);
    let Some(text) = rows.first() else {
        return Ok(None);
    };
    let known: Value = serde_json::from_str(text).map_err(|_| HostError::Sql {
        detail: format!("the entry of the user {user} cannot be read"),
    })?;
    let hash = known.get("authentication_string").and_then(Value::as_str);
    Ok(Some(UserState {
        hash: hash.and_then(|text| DatabaseHash::parse(text).ok()),
        locked: known.get("account_locked").and_then(Value::as_bool) == Some(true),
    }))
}

/// Makes a user that may use one database on these terms and do nothing elsewhere, and looks whether that is what MariaDB understood.
pub fn create_user(
    host: &dyn Host,
    user: &DatabaseUser,
    hash: &DatabaseHash,
    name: &DatabaseName,
    terms: &Terms,
) -> HostResult<()> {
    make_user(host, user, hash)?;
    database_grants::bring(host, user, &database_grants::wanted(name, terms))
}

/// Makes a user that may do nothing.
pub fn make_user(host: &dyn Host, user: &DatabaseUser, hash: &DatabaseHash) -> HostResult<()> {
    let account = Account(user);
    run(
        host,
        &format!(
            "CREATE USER IF NOT EXISTS {account} IDENTIFIED VIA mysql_native_password USING '{hash}'"
        ),
    )
}

pub(super) fn unlike(user: &DatabaseUser) -> HostError {
    HostError::Sql {
        detail: format!("what {user} may do is not what was asked for"),
    }
}

/// Removes a user with all its grants.
pub fn drop_user(host: &dyn Host, user: &DatabaseUser) -> HostResult<()> {
    run(host, &drop_user_statement(user))
}

/// The statement for that.
#[must_use]
pub fn drop_user_statement(user: &DatabaseUser) -> String {
    format!("DROP USER IF EXISTS {}", Account(user))
}

/// Gives a user another password.
pub fn set_password(host: &dyn Host, user: &DatabaseUser, hash: &DatabaseHash) -> HostResult<()> {
    let account = Account(user);
    run(
        host,
        &format!("ALTER USER {account} IDENTIFIED VIA mysql_native_password USING '{hash}'"),
    )
}

/// Keeps a user from signing in and ends its connections, or lets it sign in.
pub fn set_locked(host: &dyn Host, user: &DatabaseUser, locked: bool) -> HostResult<()> {
    run(host, &lock_statement(user, locked))?;
    if locked {
        // After the lock: nobody comes in again between the two.
        run(host, &format!("KILL USER {}", Account(user)))?;
    }
    Ok(())
}

/// The statement for that.
#[must_use]
pub fn lock_statement(user: &DatabaseUser, locked: bool) -> String {
    let word = if locked { "LOCK" } else { "UNLOCK" };
    format!("ALTER USER {} ACCOUNT {word}", Account(user))
}

fn run(host: &dyn Host, statement: &str) -> HostResult<()> {
    host.sql(statement).map(drop)
}
