//! The MariaDB of the memory machine: databases, users and what they may do.
//!
//! Invariant: it understands the statements of `system::database` alone; others change nothing and answer no rows.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::database::{DatabaseHash, DatabaseName, covers};
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
    /// Users that are signed in at this moment.
    pub connected: BTreeSet<String>,
    /// Their tables: `shop_db.posts`.
    pub tables: BTreeSet<String>,
    /// Databases with WordPress in them, and its administrator.
    pub wordpress: BTreeMap<String, String>,
    /// Databases in which a client changed rows, and how.
    pub changed: BTreeMap<String, String>,
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
    /// What it may do with what, as grants name it: `` `shop\_db`.* ``.
    pub rights: BTreeMap<String, BTreeSet<String>>,
    /// How many connections it may have at once; 0 for any number.
    pub connections: u32,
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
            [
                "SELECT",
                "TABLE_NAME",
                "FROM",
                _,
                "WHERE",
                "TABLE_SCHEMA",
                "=",
                name,
                "AND",
                "TABLE_TYPE",
                ..,
            ] => {
                let start = format!("{}.", name.trim_matches('\''));
                let tables = self.tables.iter();
                let tables = tables.filter_map(|table| table.strip_prefix(start.as_str()));
                return Ok(tables.map(|table| vec![table.to_owned()]).collect());
            }
            ["SET", "STATEMENT", _, "FOR", "RENAME", "TABLE", ..] => {
                let (_, pairs) = statement.split_once(" TABLE ").unwrap_or_default();
                return self.rename(&pairs.replace('`', ""));
            }
            ["CREATE", "DATABASE", name, ..]
                if !self.databases.insert(name.trim_matches('`').to_owned()) =>
            {
                return Err(format!("there is a database {name}"));
            }
            ["DROP", "DATABASE", "IF", "EXISTS", name] => {
                let start = format!("{}.", name.trim_matches('`'));
                self.tables.retain(|table| !table.starts_with(&start));
                self.databases.remove(name.trim_matches('`'));
                self.wordpress.remove(name.trim_matches('`'));
                self.changed.remove(name.trim_matches('`'));
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
            ["SHOW", "GRANTS", "FOR", account] => return self.shown(account),
            ["GRANT", .., "ON", object, "TO", account] => {
                let rights = rights_of(statement, "GRANT ");
                self.known(account)?.give(object, rights);
            }
            ["REVOKE", .., "ON", object, "FROM", account] => {
                let rights = rights_of(statement, "REVOKE ");
                return self.known(account)?.take(object, &rights);
            }
            ["ALTER", "USER", account, "WITH", _, number] => {
                self.known(account)?.connections = number.parse().unwrap_or_default();
            }
            ["ALTER", "USER", account, "ACCOUNT", word] => {
                self.known(account)?.locked = *word == "LOCK";
            }
            ["KILL", "USER", account] => {
                self.connected.remove(&user_of(account));
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
            let name = DatabaseName::parse(name).ok();
            let mut grants = known.grants.iter();
            grants.any(|pattern| name.as_ref().is_some_and(|name| covers(pattern, name)))
        });
        if !may || !self.databases.contains(name) {
            return Err(format!("Unknown database '{name}'"));
        }
        let start = format!("{name}.");
        let mut text = format!("-- Database: {name}\n");
        for table in &self.tables {
            if let Some(table) = table.strip_prefix(start.as_str()) {
                text.extend(["CREATE TABLE ", table, " (x INT);\n"]);
            }
        }
        text += "-- Dump completed\n";
        Ok(text)
    }

    /// All of the pairs, or none.
    fn rename(&mut self, pairs: &str) -> Result<Vec<Vec<String>>, String> {
        let mut tables = self.tables.clone();
        for pair in pairs.split(", ") {
            let (from, to) = pair.split_once(" TO ").unwrap_or_default();
            let target = to.split('.').next().unwrap_or_default();
            if !tables.remove(from) {
                return Err(format!("there is no table {from}"));
            }
            if !self.databases.contains(target) || !tables.insert(to.to_owned()) {
                return Err(format!("{to} cannot be made"));
            }
        }
        self.tables = tables;
        Ok(Vec::new())
    }

    /// Runs a dump: of each line that makes a table, its name; of one that changes rows, the line.
    pub(super) fn load(&mut self, login: &JobLogin, text: &str) -> Result<(), String> {
        let known = self.users.get(login.user.as_str());
        let pattern = login.database.replace('_', "\\_");
        if known.is_none_or(|known| !known.grants.contains(&pattern)) {
            return Err("ERROR 1045 (28000): Access denied".to_owned());
        }
        for (number, line) in text.lines().enumerate() {
            if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
                let table = rest.split(' ').next().unwrap_or_default();
                self.tables.insert(format!("{}.{table}", login.database));
            } else if line.starts_with("UPDATE ") {
                self.changed.insert(login.database.clone(), line.to_owned());
            } else if !line.is_empty() && !line.starts_with("--") {
                let at = number + 1;
                return Err(format!(
                    "ERROR 1064 (42000) at line {at}: You have an error"
                ));
            }
        }
        Ok(())
    }

    fn grants(&self) -> Vec<Vec<String>> {
        let pairs = self.users.iter().flat_map(|(name, user)| {
            let grants = user.grants.iter();
            grants.map(move |pattern| vec![pattern.clone(), name.clone()])
        });
        pairs.collect()
    }

    fn shown(&self, account: &str) -> Result<Vec<Vec<String>>, String> {
        let user = user_of(account);
        let known = self.users.get(&user);
        let known = known.ok_or_else(|| format!("there is no grant defined for {user}"))?;
        let limit = match known.connections {
            0 => String::new(),
            some => format!(" WITH MAX_USER_CONNECTIONS {some}"),
        };
        let usage = format!(
            "GRANT USAGE ON *.* TO `{user}`@`localhost` IDENTIFIED BY PASSWORD '{}'{limit}",
            known.hash
        );
        let rights = known.rights.iter().map(|(object, rights)| {
            let rights: Vec<&str> = rights.iter().map(String::as_str).collect();
            let rights = rights.join(", ");
            vec![format!(
                "GRANT {rights} ON {object} TO `{user}`@`localhost`"
            )]
        });
        Ok([vec![usage]].into_iter().chain(rights).collect())
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

const ALL: &str = "ALL PRIVILEGES";

impl MariadbUser {
    fn give(&mut self, object: &str, rights: BTreeSet<String>) {
        let held = self.rights.entry(object.to_owned()).or_default();
        held.extend(rights);
        if held.contains(ALL) {
            held.retain(|one| one == ALL);
        }
        self.know_patterns();
    }

    fn take(&mut self, object: &str, gone: &BTreeSet<String>) -> Result<Vec<Vec<String>>, String> {
        let Some(rights) = self.rights.get_mut(object) else {
            return Err(format!("there is no such grant on {object}"));
        };
        rights.retain(|one| !gone.contains(one));
        self.rights.retain(|_, rights| !rights.is_empty());
        self.know_patterns();
        Ok(Vec::new())
    }

    fn know_patterns(&mut self) {
        let objects = self.rights.keys();
        let patterns = objects.filter_map(|object| object.strip_suffix("`.*"));
        self.grants = patterns
            .map(|one| one.trim_start_matches('`').to_owned())
            .collect();
    }
}

fn rights_of(statement: &str, verb: &str) -> BTreeSet<String> {
    let what = statement.split(" ON ").next().unwrap_or_default();
    let what = what.trim_start_matches(verb).split(", ");
    what.map(str::to_owned).collect()
}

fn user_of(account: &str) -> String {
    let name = account.split('@').next().unwrap_or_default();
    name.trim_matches('\'').to_owned()
}
