//! How a site's own files tell its program the way into a database: `wp-config.php` and `.env`.
//!
//! Invariant: pure text; what is not plainly a literal is never guessed at, and nothing but the one literal is changed.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::domain::database::{DatabaseName, DatabaseUser};
use crate::domain::path::SitePath;
use crate::domain::secret::Password;

mod dotenv;
mod php;

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

/// The four keys.
#[derive(Debug, Default, PartialEq, Eq)]
struct Keys {
    database: Said,
    user: Said,
    password: Said,
    host: Said,
}

/// Reads the text of a file by its name.
#[must_use]
pub fn judge(path: &SitePath, text: &str, login: &SiteLogin) -> Finding {
    find(path, text, login).map_or_else(|finding| finding, |(user, _)| Finding::Fits { user })
}

/// The text with another password in it.
pub fn with_password(
    path: &SitePath,
    text: &str,
    login: &SiteLogin,
    password: &Password,
) -> Result<String, Finding> {
    let (_, old) = find(path, text, login)?;
    let before = text.get(..old.place.start).unwrap_or_default();
    let after = text.get(old.place.end..).unwrap_or_default();
    let quote = old.quote;
    let new = format!("{before}{quote}{}{quote}{after}", password.reveal());
    match find(path, &new, login) {
        Ok((_, now)) if now.value == password.reveal() => Ok(new),
        _ => Err(Finding::Unclear),
    }
}

fn find(
    path: &SitePath,
    text: &str,
    login: &SiteLogin,
) -> Result<(DatabaseUser, Literal), Finding> {
    let name = path.components().last();
    let keys = if name.is_none_or(|name| name != ".env") {
        php::keys(text)
    } else {
        dotenv::keys(text)
    };
    let keys = keys.ok_or(Finding::Unclear)?;
    let database = match keys.database {
        Said::Plainly(literal) => literal.value,
        Said::Nothing => return Err(Finding::Other),
        Said::Unclear => return Err(Finding::Unclear),
    };
    if database != login.database.as_str() {
        return Err(Finding::Other);
    }
    match keys.host {
        Said::Plainly(host) if !is_here(&host.value) => return Err(Finding::Elsewhere),
        Said::Unclear => return Err(Finding::Unclear),
        _ => {}
    }
    let user = match keys.user {
        Said::Plainly(literal) => literal.value,
        Said::Nothing => return Err(Finding::Other),
        Said::Unclear => return Err(Finding::Unclear),
    };
    let user = login.users.iter().find(|one| one.as_str() == user);
    let user = user.ok_or(Finding::Other)?.clone();
    match keys.password {
        Said::Plainly(literal) => Ok((user, literal)),
        Said::Nothing | Said::Unclear => Err(Finding::Unclear),
    }
}

/// This machine, by whatever socket; the panel's MariaDB knows its users from nowhere else.
fn is_here(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or_default();
    ["", "localhost", "127.0.0.1"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "abcdefghijkmnpqrstuvwxyz23456789";

    fn login() -> SiteLogin {
        SiteLogin {
            database: DatabaseName::parse("shop_db").unwrap(),
            users: ["shop_db", "shop_read"]
                .map(|user| DatabaseUser::parse(user).unwrap())
                .to_vec(),
        }
    }

    fn judged(name: &str, text: &str) -> Finding {
        judge(&SitePath::parse(name).unwrap(), text, &login())
    }

    fn edited(name: &str, text: &str) -> Result<String, Finding> {
        let password = Password::typed(NEW.to_owned());
        with_password(&SitePath::parse(name).unwrap(), text, &login(), &password)
    }

    fn wordpress(password: &str) -> String {
        format!(
            "<?php\n// define('DB_NAME', 'old');\n/* define('DB_PASSWORD', 'x'); */\n# it's\ndefine( 'DB_NAME', 'shop_db' );\ndefine(\"DB_USER\", \"shop_db\", false);\nDEFINE('DB_PASSWORD',{password}) ;\ndefine('DB_HOST', 'localhost');\n$x = 'define('; $y = \"DB_PASSWORD\";\n"
        )
    }

    #[test]
    fn a_wp_config_gets_the_new_literal_and_nothing_else_changes() {
        for old in ["'secret'", "\"secret\"", r"'a\'b\\c'", "''"] {
            let new = edited("htdocs/wp-config.php", &wordpress(old)).unwrap();
            assert_eq!(new, wordpress(&format!("'{NEW}'")), "{old}");
        }
        let constants = "<?php const DB_NAME = 'shop_db'; const DB_USER = 'shop_read'; const DB_PASSWORD = 'x'; ?> DB_PASSWORD";
        let new = edited("wp-config.php", constants).unwrap();
        assert_eq!(new, constants.replace("'x'", &format!("'{NEW}'")));
        let Finding::Fits { user } = judged("wp-config.php", constants) else {
            panic!("it fits");
        };
        assert_eq!(user.as_str(), "shop_read");
    }

    #[test]
    fn what_is_no_plain_literal_is_left_alone() {
        for unclear in [
            "getenv('DB_PASSWORD')",
            "$password",
            "\"a$b\"",
            "\"a\\x41\"",
            "'a' . 'b'",
            "SECRET",
            "'a') or die(",
        ] {
            let text = wordpress(unclear);
            let found = judged("wp-config.php", &text);
            let fits = matches!(found, Finding::Fits { .. });
            assert_eq!(fits, unclear.contains("die"), "{unclear}: {found:?}");
        }
        let twice = format!("{}define('DB_PASSWORD', 'y');", wordpress("'x'"));
        assert_eq!(judged("wp-config.php", &twice), Finding::Unclear);
        for broken in ["<?php 'open", "<?php /* open", "<?php $a = <<<E\nE;\n"] {
            assert_eq!(
                judged("wp-config.php", broken),
                Finding::Unclear,
                "{broken}"
            );
        }
    }

    #[test]
    fn a_file_for_another_database_user_or_server_is_told_apart() {
        let text = wordpress("'x'");
        for (from, to, finding) in [
            ("'shop_db'", "'other'", Finding::Other),
            ("\"shop_db\"", "\"other\"", Finding::Other),
            ("'localhost'", "'db.example'", Finding::Elsewhere),
            ("'localhost'", "getenv('H')", Finding::Unclear),
        ] {
            let text = text.replace(from, to);
            assert_eq!(judged("wp-config.php", &text), finding, "{to}");
        }
        let socket = text.replace("localhost", "localhost:/run/mysqld/mysqld.sock");
        assert!(matches!(
            judged("wp-config.php", &socket),
            Finding::Fits { .. }
        ));
        assert_eq!(judged("wp-config.php", "<?php"), Finding::Other);
        assert_eq!(
            judged("wp-config.php", "define('DB_NAME', 'shop_db');"),
            Finding::Other
        );
    }

    fn env(password: &str) -> String {
        format!(
            "APP_NAME=Shop\r\n# DB_PASSWORD=old\nDB_HOST=127.0.0.1\nDB_DATABASE=shop_db\nexport DB_USERNAME=\"shop_db\"\nDB_PASSWORD={password}\nMAIL=x"
        )
    }

    #[test]
    fn an_env_file_gets_the_new_value_and_nothing_else_changes() {
        for old in [
            "secret",
            "",
            "'se cret'",
            "\"secret\"",
            "secret # why",
            "a=b",
        ] {
            let comment = if old.contains('#') { " # why" } else { "" };
            let quote = match old.chars().next() {
                Some(quote @ ('\'' | '"')) => quote.to_string(),
                _ => String::new(),
            };
            let new = edited("htdocs/.env", &env(old)).unwrap();
            assert_eq!(new, env(&format!("{quote}{NEW}{quote}{comment}")), "{old}");
        }
    }

    #[test]
    fn an_env_file_that_puts_values_together_is_left_alone() {
        for unclear in ["${OTHER}", "\"a$b\"", "\"a\\\"b\"", "'open", "a b", "'a'b"] {
            assert_eq!(judged(".env", &env(unclear)), Finding::Unclear, "{unclear}");
        }
        let twice = format!("{}\nDB_PASSWORD=y", env("x"));
        assert_eq!(judged(".env", &twice), Finding::Unclear);
        assert_eq!(
            judged(".env", "DATABASE_URL=mysql://a:b@c/d"),
            Finding::Other
        );
    }
}
