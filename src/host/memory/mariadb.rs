//! The MariaDB of the memory machine: databases, users and what they may do.
//!
//! Invariant: it understands the statements of `system::database` alone; others change nothing and answer no rows.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::database::{DatabaseHash, covers};
use crate::domain::database_job::JobLogin;
use crate::host::exec::Output;
use crate::host::memory::machine::Machine;
use crate::host::memory::{done, failed};

/// What a MariaDB holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mariadb {
    /// Its databases.
    pub databases: BTreeSet<String>,
    /// Its users from this machine.
    pub users: BTreeMap<String, MariadbUser>,
    /// Databases with WordPress in them, and its administrator.
    pub wordpress: BTreeMap<String, String>,
}

/// A user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MariadbUser {
    /// The hash of the password.
    pub hash: String,
    /// Whether it is kept from signing in.
    pub locked: bool,
    /// The patterns of the databases it may use.
    pub grants: BTreeSet<String>,
}

impl Machine {
    /// Its options are refused where one of its files says `BROKEN`.
    pub(super) fn mariadb_options(&self) -> Output {
        let mut files = self.tree.iter();
        let broken = files.find(|(path, _)| {
            path.as_str().starts_with("/etc/mysql/")
                && (self.tree.text(path)).is_some_and(|text| text.contains("BROKEN"))
        });
        match broken {
            Some((path, _)) => failed(7, format!("[ERROR] unknown variable 'BROKEN' in {path}")),
            None => done(String::new()),
        }
    }
}

impl Mariadb {
    /// Runs one statement.
    pub(super) fn run(&mut self, statement: &str) -> Result<Vec<Vec<String>>, String> {
        let words: Vec<&str> = statement.split(' ').collect();
        let one = |text: &String| vec![text.clone()];
        match words.as_slice() {
            ["SELECT", "SCHEMA_NAME", ..] => return Ok(self.databases.iter().map(one).collect()),
            ["SELECT", "DISTINCT", "User", ..] => return Ok(self.users.keys().map(one).collect()),
            ["SELECT", "Db,", "User", ..] => return Ok(self.grants()),
            [
                "SELECT",
                "Priv",
                "FROM",
                "mysql.global_priv",
                "WHERE",
                "User",
                "=",
                user,
                ..,
            ] => {
                return Ok(self.entry(user.trim_matches('\'')));
            }
            ["CREATE", "DATABASE", "IF", "NOT", "EXISTS", name, ..] => {
                self.databases.insert(name.trim_matches('`').to_owned());
            }
            ["DROP", "DATABASE", "IF", "EXISTS", name] => {
                self.databases.remove(name.trim_matches('`'));
                self.wordpress.remove(name.trim_matches('`'));
            }
            ["SELECT", "user_login", "FROM", table] => {
                let name = table.trim_end_matches(".wp_users").trim_matches('`');
                let admin = self.wordpress.get(name);
                return admin
                    .map(|admin| vec![one(admin)])
                    .ok_or_else(|| format!("there is no table {table}"));
            }
            ["CREATE", "USER", "IF", "NOT", "EXISTS", account, .., hash] => {
                self.users.entry(user_of(account)).or_insert(MariadbUser {
                    hash: hash.trim_matches('\'').to_owned(),
                    ..MariadbUser::default()
                });
            }
            ["DROP", "USER", "IF", "EXISTS", account] => {
                self.users.remove(&user_of(account));
            }
            ["GRANT", .., "ON", pattern, "TO", account] => {
                let pattern = pattern.trim_end_matches(".*").trim_matches('`');
                self.known(account)?.grants.insert(pattern.to_owned());
            }
            ["ALTER", "USER", account, "ACCOUNT", word] => {
                self.known(account)?.locked = *word == "LOCK";
            }
            ["ALTER", "USER", account, .., hash] => {
                hash.trim_matches('\'')
                    .clone_into(&mut self.known(account)?.hash);
            }
            _ => {}
        }
        Ok(Vec::new())
    }

    /// What the dump program writes, or its complaint.
    pub(super) fn dump(&self, login: &JobLogin) -> Result<String, String> {
        let (name, user) = (login.database.as_str(), login.user.as_str());
        let known = self.users.get(user);
        let hash = DatabaseHash::of(&login.password);
        if known.is_none_or(|known| known.hash != hash.as_str() || known.locked) {
            return Err(format!("Access denied for user '{user}'@'localhost'"));
        }
        let may = known.is_some_and(|known| {
            let mut grants = known.grants.iter();
            grants.any(|pattern| covers(pattern, &login.database))
        });
        if !may || !self.databases.contains(name) {
            return Err(format!("Unknown database '{name}'"));
        }
        Ok(format!("-- Database: {name}\n-- Dump completed\n"))
    }

    fn grants(&self) -> Vec<Vec<String>> {
        let pairs = self.users.iter().flat_map(|(name, user)| {
            let grants = user.grants.iter();
            grants.map(move |pattern| vec![pattern.clone(), name.clone()])
        });
        pairs.collect()
    }

    fn entry(&self, name: &str) -> Vec<Vec<String>> {
        let found = self.users.get(name).map(|user| {
            let (hash, locked) = (&user.hash, user.locked);
            vec![format!(
                r#"{{"plugin":"mysql_native_password","authentication_string":"{hash}","account_locked":{locked}}}"#
            )]
        });
        found.into_iter().collect()
    }

    fn known(&mut self, account: &str) -> Result<&mut MariadbUser, String> {
        let user = user_of(account);
        self.users
            .get_mut(&user)
            .ok_or_else(|| format!("there is no user {user}"))
    }
}

fn user_of(account: &str) -> String {
    let name = account.split('@').next().unwrap_or_default();
    name.trim_matches('\'').to_owned()
}
