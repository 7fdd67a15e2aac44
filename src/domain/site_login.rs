//! How a site's own files tell its program the way into a database: `wp-config.php` and `.env`.
//!
//! Invariant: pure text; what is not plainly a literal is never guessed at, and nothing but the one literal is changed.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::domain::database::{DatabaseName, DatabaseUser};
use crate::domain::path::SitePath;
use crate::domain::secret::Password;
use crate::domain::wordpress::TablePrefix;

mod dotenv;
mod php;
#[cfg(test)]
mod tests;

/// Longer files are none that people write.
pub const LONGEST: usize = 1 << 20;

/// The names of the files that are looked for.
pub const NAMES: [&str; 2] = ["wp-config.php", ".env"];

/// What a file says, or why it does not say it plainly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// There is no such file.
    Absent,
    /// It names the database and one of its users, and holds the password as a literal.
    Fits {
        /// That user.
        user: DatabaseUser,
    },
    /// It names another database or user, or none.
    Other,
    /// It names the database on another server.
    Elsewhere,
    /// What it names or the password is no literal: it is put together when it is read, or stands there twice.
    Unclear,
    /// It is no plain file of the site's own: `a symbolic link`.
    Unfit {
        /// What it is.
        what: String,
    },
}

/// One file and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginFile {
    /// Which, below the site's base.
    pub path: SitePath,
    /// What it says.
    pub finding: Finding,
    /// What the names of WordPress's tables begin with, where the file fits and says so plainly.
    #[serde(default)]
    pub prefix: Option<TablePrefix>,
}

impl LoginFile {
    /// A file that cannot be read, or is not there.
    #[must_use]
    pub fn unread(path: &SitePath, finding: Finding) -> Self {
        Self {
            path: path.clone(),
            finding,
            prefix: None,
        }
    }

    /// A file with this text.
    #[must_use]
    pub fn read(path: &SitePath, text: &str, login: &SiteLogin) -> Self {
        match find(path, text, login) {
            Ok(found) => Self {
                path: path.clone(),
                finding: Finding::Fits { user: found.user },
                prefix: found.prefix,
            },
            Err(finding) => Self::unread(path, finding),
        }
    }
}

/// A way into a database, as the files are compared with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteLogin {
    /// The database.
    pub database: DatabaseName,
    /// Its users.
    pub users: Vec<DatabaseUser>,
}

/// A value in a file: a literal, where it stands, and what has to stand around a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Literal {
    value: String,
    place: Range<usize>,
    quote: &'static str,
}

/// What a file says of one key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Said {
    #[default]
    Nothing,
    Plainly(Literal),
    Unclear,
}

impl Said {
    /// A second word on the same key takes the meaning from the first.
    fn add(&mut self, said: Self) {
        *self = match self {
            Self::Nothing => said,
            _ => Self::Unclear,
        };
    }
}

/// The four keys, and what the names of WordPress's tables begin with.
#[derive(Debug, Default, PartialEq, Eq)]
struct Keys {
    database: Said,
    user: Said,
    password: Said,
    host: Said,
    prefix: Said,
}

/// A file that fits.
struct Found {
    user: DatabaseUser,
    database: Literal,
    named_user: Literal,
    password: Literal,
    prefix: Option<TablePrefix>,
}

/// The text with another password in it.
pub fn with_password(
    path: &SitePath,
    text: &str,
    login: &SiteLogin,
    password: &Password,
) -> Result<String, Finding> {
    let old = find(path, text, login)?;
    let new = exchanged(text, vec![(&old.password, password.reveal())]);
    match find(path, &new, login) {
        Ok(now) if now.password.value == password.reveal() => Ok(new),
        _ => Err(Finding::Unclear),
    }
}

/// The text with the way into another database in it, whose user has the same name. One that leads there already gets the password.
pub fn with_login(
    path: &SitePath,
    text: &str,
    login: &SiteLogin,
    to: &DatabaseName,
    password: &Password,
) -> Result<String, Finding> {
    let wanted = SiteLogin {
        database: to.clone(),
        users: vec![to.user()],
    };
    let old = find(path, text, login).or_else(|finding| {
        let done = find(path, text, &wanted);
        done.map_err(|_| finding)
    })?;
    let new = exchanged(
        text,
        vec![
            (&old.database, to.as_str()),
            (&old.named_user, to.as_str()),
            (&old.password, password.reveal()),
        ],
    );
    match find(path, &new, &wanted) {
        Ok(now) if now.password.value == password.reveal() => Ok(new),
        _ => Err(Finding::Unclear),
    }
}

/// The text with other values in the place of literals; the last one first, so that the places of the others stay.
fn exchanged(text: &str, mut values: Vec<(&Literal, &str)>) -> String {
    values.sort_by_key(|(literal, _)| std::cmp::Reverse(literal.place.start));
    let mut text = text.to_owned();
    for (literal, value) in values {
        let before = text.get(..literal.place.start).unwrap_or_default();
        let after = text.get(literal.place.end..).unwrap_or_default();
        let quote = literal.quote;
        text = format!("{before}{quote}{value}{quote}{after}");
    }
    text
}

fn find(path: &SitePath, text: &str, login: &SiteLogin) -> Result<Found, Finding> {
    let name = path.components().last();
    let keys = if name.is_none_or(|name| name != ".env") {
        php::keys(text)
    } else {
        dotenv::keys(text)
    };
    let keys = keys.ok_or(Finding::Unclear)?;
    let database = match keys.database {
        Said::Plainly(literal) => literal,
        Said::Nothing => return Err(Finding::Other),
        Said::Unclear => return Err(Finding::Unclear),
    };
    if database.value != login.database.as_str() {
        return Err(Finding::Other);
    }
    match keys.host {
        Said::Plainly(host) if !is_here(&host.value) => return Err(Finding::Elsewhere),
        Said::Unclear => return Err(Finding::Unclear),
        _ => {}
    }
    let named_user = match keys.user {
        Said::Plainly(literal) => literal,
        Said::Nothing => return Err(Finding::Other),
        Said::Unclear => return Err(Finding::Unclear),
    };
    let mut users = login.users.iter();
    let user = users.find(|one| one.as_str() == named_user.value);
    let user = user.ok_or(Finding::Other)?.clone();
    let Said::Plainly(password) = keys.password else {
        return Err(Finding::Unclear);
    };
    let prefix = match keys.prefix {
        Said::Plainly(literal) => TablePrefix::parse(&literal.value).ok(),
        Said::Nothing | Said::Unclear => None,
    };
    Ok(Found {
        user,
        database,
        named_user,
        password,
        prefix,
    })
}

/// This machine, by whatever socket; the panel's MariaDB knows its users from nowhere else.
fn is_here(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or_default();
    ["", "localhost", "127.0.0.1"].contains(&name)
}
