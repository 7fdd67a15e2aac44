//! Databases of sites: their names, their users, and how each is written in SQL.
//!
//! Invariant: a name holds `[a-z0-9_]` only and none of MariaDB's own, and reaches SQL through one of the three writers here:
//! `Identifier`, `GrantPattern` or `Account`. A password reaches it as a hash only.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use crate::domain::database_access::Terms;
use crate::domain::id::SiteId;
use crate::domain::name::Hostname;
use crate::domain::parsed_text;
use crate::domain::secret::{Password, hex};
use crate::domain::time::Timestamp;

/// MariaDB takes longer names; every version that can be met takes this.
const LONGEST: usize = 32;

/// Databases and users that are MariaDB's own or its distribution's, and names that have a meaning in a grant.
const RESERVED: &[&str] = &[
    "current_role",
    "current_user",
    "information_schema",
    "innodb",
    "lost",
    "mariadb",
    "mysql",
    "none",
    "performance_schema",
    "public",
    "root",
    "sys",
    "test",
];

/// The name of a database.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DatabaseName(String);

/// The name of a database user; it comes from this machine only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DatabaseUser(String);

/// Why a text is no name of a database or a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadDatabaseName {
    /// Other characters, another beginning, or too long.
    #[error("a database's name begins with a letter and has at most 32 letters a-z, digits and _")]
    Shape,
    /// MariaDB's own.
    #[error("this name is one of MariaDB's own")]
    Reserved,
}

fn check(text: &str) -> Result<(), BadDatabaseName> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let begins = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    if !begins || text.len() > LONGEST || !text.bytes().all(plain) {
        return Err(BadDatabaseName::Shape);
    }
    if RESERVED.contains(&text) {
        return Err(BadDatabaseName::Reserved);
    }
    Ok(())
}

impl DatabaseName {
    /// Reads what a person typed.
    pub fn parse(text: &str) -> Result<Self, BadDatabaseName> {
        check(text).map(|()| Self(text.to_owned()))
    }

    /// The name a site's first database gets: the hostname, as far as it fits. `number` sets it apart from another.
    #[must_use]
    pub fn of_site(hostname: &Hostname, number: Option<SiteId>) -> Self {
        Self::one_of_site(hostname, number, 1)
    }

    /// The same for the first, the second, the third database.
    #[must_use]
    pub fn one_of_site(hostname: &Hostname, number: Option<SiteId>, place: usize) -> Self {
        let mut end = number.map_or_else(String::new, |id| format!("_{id}"));
        if place > 1 {
            end = format!("{end}_{place}");
        }
        let name: String = hostname
            .as_str()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        let name = if name.starts_with(|c: char| c.is_ascii_lowercase()) {
            name
        } else {
            format!("db_{name}")
        };
        let cut = LONGEST.saturating_sub(end.len());
        Self(format!("{}{end}", name.get(..cut).unwrap_or(&name)))
    }

    /// The user that comes with the database.
    #[must_use]
    pub fn user(&self) -> DatabaseUser {
        DatabaseUser(self.0.clone())
    }
}

impl DatabaseUser {
    /// Reads a name from the state.
    pub fn parse(text: &str) -> Result<Self, BadDatabaseName> {
        check(text).map(|()| Self(text.to_owned()))
    }
}

parsed_text!(DatabaseName, BadDatabaseName);
parsed_text!(DatabaseUser, BadDatabaseName);

/// A name as an identifier: in backticks, each of its own twice.
pub struct Identifier<'a>(pub &'a DatabaseName);

impl fmt::Display for Identifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0.as_str().replace('`', "``"))
    }
}

/// A name where a grant wants a pattern: without the escapes, `a_b` would also mean `axb`.
pub struct GrantPattern<'a>(pub &'a DatabaseName);

impl GrantPattern<'_> {
    /// The pattern as MariaDB keeps it.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for letter in self.0.as_str().chars() {
            if matches!(letter, '_' | '%' | '\\') {
                text.push('\\');
            }
            text.push(letter);
        }
        text
    }
}

impl fmt::Display for GrantPattern<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.text().replace('`', "``"))
    }
}

/// A user as an account: `'shop'@'localhost'`.
pub struct Account<'a>(pub &'a DatabaseUser);

impl fmt::Display for Account<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.as_str().replace('\\', "\\\\").replace('\'', "''");
        write!(f, "'{name}'@'localhost'")
    }
}

/// True where a grant's pattern covers a name: `%` is any text, `_` any letter, `\` takes the meaning from what follows.
#[must_use]
pub fn covers(pattern: &str, name: &DatabaseName) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.as_str().chars().collect();
    matches(&pattern, &name)
}

fn matches(pattern: &[char], name: &[char]) -> bool {
    match (pattern, name) {
        ([], rest) => rest.is_empty(),
        (['%', after @ ..], _) => {
            (0..=name.len()).any(|skip| name.get(skip..).is_some_and(|rest| matches(after, rest)))
        }
        (['\\', letter, after @ ..] | [letter, after @ ..], [first, rest @ ..])
            if letter.eq_ignore_ascii_case(first) || (*letter == '_' && !is_escaped(pattern)) =>
        {
            matches(after, rest)
        }
        _ => false,
    }
}

fn is_escaped(pattern: &[char]) -> bool {
    pattern.first() == Some(&'\\')
}

/// The hash of a password as MariaDB keeps it (`mysql_native_password`): `*` and SHA-1 of SHA-1 in 40 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DatabaseHash(String);

/// The text is no such hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no hash of a database password")]
pub struct BadDatabaseHash;

impl DatabaseHash {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, BadDatabaseHash> {
        let digit = |b: u8| b.is_ascii_digit() || (b'A'..=b'F').contains(&b);
        match text.strip_prefix('*') {
            Some(rest) if rest.len() == 40 && rest.bytes().all(digit) => Ok(Self(text.to_owned())),
            _ => Err(BadDatabaseHash),
        }
    }

    /// Of a password.
    #[must_use]
    pub fn of(password: &Password) -> Self {
        let once = Sha1::digest(password.bytes());
        Self(format!("*{}", hex(&Sha1::digest(once)).to_uppercase()))
    }
}

parsed_text!(DatabaseHash, BadDatabaseHash);

impl fmt::Debug for DatabaseHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseHash(hidden)")
    }
}

/// A database as it is kept in the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Its name.
    pub name: DatabaseName,
    /// The site it belongs to; none for one of the server's own.
    pub site: Option<SiteId>,
    /// Who may use it, and nothing elsewhere. The first is its own user, which came with it.
    pub users: Vec<DatabaseUser>,
    /// On which terms, where a user has others than the usual ones. Why not beside the name: a version before this one locks
    /// and drops all users that it finds above.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub terms: BTreeMap<DatabaseUser, Terms>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was deleted, while it lies in the trash; its name stays taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Timestamp>,
}

impl Database {
    /// On which terms a user uses it.
    #[must_use]
    pub fn terms_of(&self, user: &DatabaseUser) -> Terms {
        self.terms.get(user).cloned().unwrap_or_default()
    }

    /// The same with a user on these terms.
    #[must_use]
    pub fn with_user(mut self, user: &DatabaseUser, terms: &Terms) -> Self {
        if !self.users.contains(user) {
            self.users.push(user.clone());
        }
        self.terms.insert(user.clone(), terms.clone());
        self.terms.retain(|_, terms| !terms.are_usual());
        self
    }

    /// The same without a user.
    #[must_use]
    pub fn without_user(mut self, user: &DatabaseUser) -> Self {
        self.users.retain(|one| one != user);
        self.terms.remove(user);
        self
    }
}

/// What MariaDB holds already, whoever made it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseFacts {
    /// The names of all databases.
    pub names: Vec<String>,
    /// The names of all users, from wherever they come.
    pub users: Vec<String>,
    /// What is granted: the pattern and the user.
    pub grants: Vec<(String, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DatabaseName {
        DatabaseName::parse(text).unwrap()
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = "a".repeat(33);
        for bad in [
            "", "1a", "_a", "A", "a-b", "a b", "a`b", "a'b", "a\"b", "a%b", "a\\b", "ä", "a\n",
            "😀", "a.b", "a/b", &long,
        ] {
            assert_eq!(
                DatabaseName::parse(bad),
                Err(BadDatabaseName::Shape),
                "{bad:?}"
            );
        }
        for own in RESERVED {
            assert_eq!(
                DatabaseName::parse(own),
                Err(BadDatabaseName::Reserved),
                "{own}"
            );
            assert!(DatabaseUser::parse(own).is_err(), "{own}");
        }
        assert_eq!(name("shop_db2").as_str(), "shop_db2");
    }

    #[test]
    fn a_site_gives_its_database_a_name_that_fits() {
        let of = |host: &str, number| {
            let host = Hostname::parse(host).unwrap();
            DatabaseName::of_site(&host, number).to_string()
        };
        assert_eq!(of("shop.example", None), "shop_example");
        assert_eq!(of("a-b.example", None), "a_b_example");
        assert_eq!(of("1a.example", None), "db_1a_example");
        assert_eq!(
            of("shop.example", Some(SiteId::FIRST)),
            "shop_example_s1001"
        );
        let second = |host: &str| {
            let host = Hostname::parse(host).unwrap();
            DatabaseName::one_of_site(&host, None, 2).to_string()
        };
        assert_eq!(second("shop.example"), "shop_example_2");
        assert_eq!(second(&format!("{}.example", "a".repeat(60))).len(), 32);
        let long = of(&format!("{}.example", "a".repeat(60)), Some(SiteId::FIRST));
        assert_eq!(long, format!("{}_s1001", "a".repeat(26)));
        assert!(DatabaseName::parse(&long).is_ok());
    }

    #[test]
    fn a_grant_means_its_own_database_alone() {
        let shop = name("a_b");
        assert_eq!(GrantPattern(&shop).to_string(), r"`a\_b`");
        assert_eq!(Identifier(&shop).to_string(), "`a_b`");
        assert_eq!(Account(&shop.user()).to_string(), "'a_b'@'localhost'");
        assert!(covers(r"a\_b", &name("a_b")));
        assert!(!covers(r"a\_b", &name("axb")));
        assert!(covers("a_b", &name("axb")));
        assert!(covers("sh%", &name("shop")) && covers("%", &name("shop")));
        assert!(covers("SHOP", &name("shop")));
        assert!(!covers("sh", &name("shop")) && !covers("shops", &name("shop")));
    }

    #[test]
    fn a_password_becomes_the_hash_that_mariadb_knows() {
        // The example of MariaDB's own documentation of PASSWORD().
        let hash = DatabaseHash::of(&Password::typed("notagoodpwd".to_owned()));
        assert_eq!(hash.as_str(), "*3A70EE9FC6594F88CE9E959CD51C5A1C002DC937");
        assert_eq!(format!("{hash:?}"), "DatabaseHash(hidden)");
        assert!(DatabaseHash::parse(hash.as_str()).is_ok());
        for bad in [
            "",
            "*",
            "*3a",
            "3A70EE9FC6594F88CE9E959CD51C5A1C002DC937*",
            "*' OR 1",
        ] {
            assert!(DatabaseHash::parse(bad).is_err(), "{bad}");
        }
    }
}
