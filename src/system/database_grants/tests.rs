//! Grants as MariaDB writes them, and what makes of them what they should be.
//!
//! Invariant: every line here was seen of a real MariaDB, or is odder than one.

use super::*;
use crate::domain::database_access::{ConnectionLimit, Rights};

fn name() -> DatabaseName {
    DatabaseName::parse("a_b").unwrap()
}

fn now(rows: &[&str]) -> Access {
    read(rows.iter().map(|&row| row.to_owned()))
}

fn terms(rights: &str, connections: u32) -> Terms {
    Terms {
        rights: Rights::parse(rights).unwrap(),
        connections: ConnectionLimit::try_from(connections).unwrap(),
    }
}

fn towards(rows: &[&str], terms: &Terms) -> Vec<String> {
    now(rows).towards(&wanted(&name(), terms), &name().user())
}

const USAGE: &str = "GRANT USAGE ON *.* TO `a_b`@`localhost` IDENTIFIED BY PASSWORD '*3A70'";
const OWN: &str = r"GRANT ALL PRIVILEGES ON `a\_b`.* TO `a_b`@`localhost`";

#[test]
fn what_is_right_is_left_alone() {
    assert_eq!(
        towards(&[USAGE, OWN], &terms("all", 0)),
        Vec::<String>::new()
    );
    let limited = format!("{USAGE} WITH MAX_USER_CONNECTIONS 5");
    let reading = r"GRANT SHOW VIEW, SELECT ON `a\_b`.* TO `a_b`@`localhost`";
    let terms = terms("read-only", 5);
    assert_eq!(towards(&[&limited, reading], &terms), Vec::<String>::new());
}

#[test]
fn exactly_what_differs_is_given_and_taken() {
    let wild = "GRANT SELECT, INSERT ON `a_b`.* TO `a_b`@`localhost` WITH GRANT OPTION";
    assert_eq!(
        towards(&[USAGE, wild], &terms("all", 3)),
        [
            r"GRANT ALL PRIVILEGES ON `a\_b`.* TO 'a_b'@'localhost'",
            "ALTER USER 'a_b'@'localhost' WITH MAX_USER_CONNECTIONS 3",
            "REVOKE GRANT OPTION ON `a_b`.* FROM 'a_b'@'localhost'",
            "REVOKE SELECT, INSERT ON `a_b`.* FROM 'a_b'@'localhost'",
        ]
    );
    assert_eq!(
        towards(&[USAGE, OWN], &terms("read-only", 0)),
        [
            r"REVOKE ALL PRIVILEGES ON `a\_b`.* FROM 'a_b'@'localhost'",
            r"GRANT SELECT, SHOW VIEW ON `a\_b`.* TO 'a_b'@'localhost'",
        ]
    );
    let some = r"GRANT SELECT, INSERT ON `a\_b`.* TO `a_b`@`localhost`";
    assert_eq!(
        towards(&[USAGE, some], &terms("read-only", 0)),
        [
            r"GRANT SHOW VIEW ON `a\_b`.* TO 'a_b'@'localhost'",
            r"REVOKE INSERT ON `a\_b`.* FROM 'a_b'@'localhost'",
        ]
    );
}

#[test]
fn names_that_look_like_sql_stay_names() {
    let odd = "GRANT SELECT (`x ON y`, ` TO `), INSERT ON `b TO ``c`.`t, u` TO `a_b`@`localhost`";
    assert_eq!(
        towards(&[USAGE, OWN, odd], &terms("all", 0)),
        ["REVOKE SELECT (`x ON y`, ` TO `), INSERT ON `b TO ``c`.`t, u` FROM 'a_b'@'localhost'"]
    );
    let roles = [
        USAGE,
        OWN,
        "GRANT `boss` TO `a_b`@`localhost` WITH ADMIN OPTION",
        "SET DEFAULT ROLE `boss` FOR `a_b`@`localhost`",
        "GRANT PROXY ON 'x'@'%' TO 'a_b'@'localhost' WITH GRANT OPTION",
    ];
    let taken = towards(&roles, &terms("all", 0));
    assert_eq!(
        taken,
        [
            "SET DEFAULT ROLE NONE FOR 'a_b'@'localhost'",
            "REVOKE `boss` FROM 'a_b'@'localhost'",
            "REVOKE PROXY ON 'x'@'%' FROM 'a_b'@'localhost'",
        ]
    );
}

#[test]
fn the_way_back_is_written_without_a_password_and_leads_back() {
    let global = format!(
        "{} WITH GRANT OPTION MAX_USER_CONNECTIONS 7",
        USAGE.replace("USAGE", "FILE")
    );
    let was = now(&[&global, "GRANT SELECT ON `x%`.* TO `a_b`@`localhost`"]);
    let lines = was.lines(&name().user());
    assert!(!lines.concat().contains("3A70"), "{lines:?}");
    let kept = read(lines);
    assert_eq!(kept, was);
    let new = wanted(&name(), &terms("all", 0));
    assert_eq!(
        new.towards(&kept, &name().user()),
        [
            "GRANT FILE ON *.* TO 'a_b'@'localhost' WITH GRANT OPTION",
            "GRANT SELECT ON `x%`.* TO 'a_b'@'localhost'",
            "ALTER USER 'a_b'@'localhost' WITH MAX_USER_CONNECTIONS 7",
            r"REVOKE ALL PRIVILEGES ON `a\_b`.* FROM 'a_b'@'localhost'",
        ]
    );
}
