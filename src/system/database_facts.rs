//! Looks into databases: how large they are, what is in them, and what their users were granted.
//!
//! Invariant: sizes are those of the tablespaces, not of statistics, which MariaDB renews when it likes; nothing is changed.

use std::collections::BTreeMap;

use crate::domain::database::{Database, DatabaseName, DatabaseUser};
use crate::domain::database_inside::{Granted, Inside, Table, lost_user};
use crate::host::{Host, HostResult};
use crate::system::database_grants::{self, Access};

/// Databases of MariaDB's own.
const OWN: &str = "('mysql', 'sys', 'information_schema', 'performance_schema')";

/// The bytes on disk of every database that has a table.
pub fn sizes(host: &dyn Host) -> HostResult<BTreeMap<String, u64>> {
    let mut sizes = BTreeMap::new();
    let tablespaces = host.sql(
        "SELECT SUBSTRING_INDEX(NAME, '/', 1), SUM(FILE_SIZE) FROM information_schema.INNODB_SYS_TABLESPACES WHERE NAME LIKE '%/%' GROUP BY 1",
    )?;
    // Tables of other engines have no tablespace; the numbers of theirs are those of their files.
    let others = host.sql(&format!(
        "SELECT TABLE_SCHEMA, SUM(DATA_LENGTH + INDEX_LENGTH) FROM information_schema.TABLES WHERE ENGINE <> 'InnoDB' AND TABLE_SCHEMA NOT IN {OWN} GROUP BY 1"
    ))?;
    for row in tablespaces.into_iter().chain(others) {
        if let [name, bytes] = row.as_slice() {
            let size: &mut u64 = sizes.entry(name.clone()).or_default();
            *size = size.saturating_add(number(bytes).unwrap_or_default());
        }
    }
    Ok(sizes)
}

/// What is in a database, and its bytes on disk; none where MariaDB has no such database.
pub fn inside(host: &dyn Host, name: &DatabaseName) -> HostResult<Option<(Inside, u64)>> {
    let schema = host.sql(&format!(
        "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '{name}'"
    ))?;
    let Some([charset, collation]) = schema.first().map(Vec::as_slice) else {
        return Ok(None);
    };
    let spaces = host.sql(&format!(
        "SELECT SUBSTRING_INDEX(NAME, '/', -1), FILE_SIZE FROM information_schema.INNODB_SYS_TABLESPACES WHERE SUBSTRING_INDEX(NAME, '/', 1) = '{name}'"
    ))?;
    let spaces: Vec<(String, u64)> = spaces
        .into_iter()
        .filter_map(|row| Some((row.first()?.clone(), number(row.get(1)?)?)))
        .collect();
    let rows = host.sql(&format!(
        "SELECT TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_COLLATION, TABLE_ROWS, DATA_LENGTH + INDEX_LENGTH FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{name}' ORDER BY TABLE_NAME"
    ))?;
    let tables: Vec<Table> = rows.iter().filter_map(|row| table(row, &spaces)).collect();
    let others = tables.iter().filter(|one| !is_innodb(one));
    let others: u64 = others.filter_map(|one| one.bytes).sum();
    let bytes = spaces.iter().map(|(_, bytes)| *bytes).sum::<u64>();
    let inside = Inside {
        charset: charset.clone(),
        collation: collation.clone(),
        tables,
    };
    Ok(Some((inside, bytes.saturating_add(others))))
}

fn is_innodb(table: &Table) -> bool {
    table.engine.as_deref() == Some("InnoDB")
}

fn table(row: &[String], spaces: &[(String, u64)]) -> Option<Table> {
    let [name, kind, engine, collation, rows, bytes] = row else {
        return None;
    };
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let mut table = Table {
        name: name.clone(),
        kind: match kind.as_str() {
            "BASE TABLE" => "table".to_owned(),
            other => other.to_lowercase(),
        },
        engine: given(engine),
        collation: given(collation),
        rows: number(rows),
        bytes: number(bytes),
    };
    if is_innodb(&table) {
        let file = file_name(name);
        let own = spaces.iter().filter(|(space, _)| is_of(space, &file));
        table.bytes = own.map(|(_, bytes)| *bytes).reduce(u64::saturating_add);
    }
    Some(table)
}

/// A table's file, or that of one of its partitions.
fn is_of(space: &str, file: &str) -> bool {
    let rest = space.strip_prefix(file);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("#P#") || rest.starts_with("#p#"))
}

/// The name of a table as that of its file: what is neither letter, digit nor `_` is written `@` and four hexadecimal digits.
/// MariaDB has shorter ways to write some letters beyond ASCII; the sizes of such tables stay unknown.
fn file_name(name: &str) -> String {
    name.chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() || letter == '_' {
                letter.to_string()
            } else {
                format!("@{:04x}", u32::from(letter))
            }
        })
        .collect()
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok()
}

/// How what the users of a database were granted differs from what the panel gave them; empty where it does not.
pub fn differing(host: &dyn Host, database: &Database) -> HostResult<Vec<Granted>> {
    let mut found = Vec::new();
    for user in &database.users {
        let now = database_grants::look(host, user)?;
        let granted = compare(now.as_ref(), user, database);
        if !granted.missing.is_empty() || !granted.more.is_empty() {
            found.push(granted);
        }
    }
    Ok(found)
}

/// Holds what was granted against what should be.
fn compare(now: Option<&Access>, user: &DatabaseUser, database: &Database) -> Granted {
    let expected = database_grants::wanted(&database.name, &database.terms_of(user));
    let nothing = Access::default();
    let lost = now.is_none().then(|| lost_user(user));
    let now = now.unwrap_or(&nothing);
    let mut missing: Vec<String> = lost.into_iter().collect();
    missing.extend(expected.beside(now, user));
    Granted {
        user: user.clone(),
        missing,
        more: now.beside(&expected, user),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;

    fn name() -> DatabaseName {
        DatabaseName::parse("b_db").unwrap()
    }

    fn compared(rows: &[&str]) -> (Vec<String>, Vec<String>) {
        let rows = rows.iter().map(|&row| row.to_owned());
        let now = database_grants::read(rows);
        held(Some(&now))
    }

    fn held(now: Option<&Access>) -> (Vec<String>, Vec<String>) {
        let database = Database {
            users: vec![name().user()],
            terms: BTreeMap::new(),
            name: name(),
            site: None,
            created: Timestamp::from_millis(1),
            deleted: None,
        };
        let granted = compare(now, &name().user(), &database);
        (granted.missing, granted.more)
    }

    const USAGE: &str =
        "GRANT USAGE ON *.* TO `b_db`@`localhost` IDENTIFIED BY PASSWORD '*3A70EE9FC659'";
    const ALL: &str = r"GRANT ALL PRIVILEGES ON `b\_db`.* TO `b_db`@`localhost`";

    #[test]
    fn what_was_given_is_no_difference_and_everything_else_is_one() {
        assert_eq!(compared(&[USAGE, ALL]), (vec![], vec![]));
        let wild = r"GRANT ALL PRIVILEGES ON `b_db`.* TO `b_db`@`localhost`";
        let (missing, more) = compared(&[USAGE, wild]);
        assert_eq!(
            missing,
            [r"GRANT ALL PRIVILEGES ON b\_db.* TO b_db@localhost"]
        );
        assert_eq!(more, ["GRANT ALL PRIVILEGES ON b_db.* TO b_db@localhost"]);
        let global = "GRANT FILE ON *.* TO `b_db`@`localhost` IDENTIFIED BY PASSWORD '*3A70' WITH GRANT OPTION";
        let (missing, more) = compared(&[global, ALL]);
        assert_eq!(missing, Vec::<String>::new());
        assert_eq!(
            more,
            ["GRANT FILE ON *.* TO b_db@localhost WITH GRANT OPTION"]
        );
        assert!(!more.concat().contains("3A70"), "no hash is shown");
        let limited = format!("{USAGE} WITH MAX_USER_CONNECTIONS 7");
        let (_, more) = compared(&[&limited, ALL]);
        assert_eq!(more, ["MAX_USER_CONNECTIONS 7"]);
        let (missing, _) = held(None);
        assert_eq!(missing.len(), 2);
        assert_eq!(missing[0], "the user b_db itself");
    }

    #[test]
    fn a_table_is_known_by_its_file_also_in_parts() {
        assert_eq!(file_name("odd `name`"), "odd@0020@0060name@0060");
        assert!(is_of("posts", "posts") && is_of("posts#P#p0", "posts"));
        assert!(!is_of("posts2", "posts"));
        let spaces = [("t#P#a".to_owned(), 100), ("t#P#b".to_owned(), 50)];
        let row = ["t", "BASE TABLE", "InnoDB", "utf8mb4_bin", "7", "1"].map(str::to_owned);
        let found = table(&row, &spaces).unwrap();
        assert_eq!((found.bytes, found.rows), (Some(150), Some(7)));
        let row = ["v", "VIEW", "", "", "", ""].map(str::to_owned);
        let found = table(&row, &spaces).unwrap();
        assert_eq!(
            (found.kind.as_str(), found.bytes, found.engine),
            ("view", None, None)
        );
    }
}
