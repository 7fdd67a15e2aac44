//! What is read of a site's own files, and what is changed in them.
//!
//! Invariant: test code only.

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
    LoginFile::read(&SitePath::parse(name).unwrap(), text, &login()).finding
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

fn moved(name: &str, text: &str) -> Result<String, Finding> {
    let (path, to) = (SitePath::parse(name), DatabaseName::parse("copy_db"));
    let password = Password::typed(NEW.to_owned());
    with_login(&path.unwrap(), text, &login(), &to.unwrap(), &password)
}

#[test]
fn the_way_into_another_database_takes_the_place_of_three_literals() {
    let new = moved("wp-config.php", &wordpress("'secret'")).unwrap();
    let wanted = wordpress(&format!("'{NEW}'"))
        .replace("'shop_db'", "'copy_db'")
        .replace("\"shop_db\"", "'copy_db'");
    assert_eq!(new, wanted);
    assert_eq!(moved("wp-config.php", &new).unwrap(), wanted, "twice");
    let new = moved(".env", &env("'se cret'")).unwrap();
    assert_eq!(new, env(&format!("'{NEW}'")).replace("shop_db", "copy_db"));
    let other = wordpress("'x'").replace("'shop_db'", "'other'");
    assert_eq!(moved("wp-config.php", &other), Err(Finding::Other));
    let unclear = wordpress("getenv('X')");
    assert_eq!(moved("wp-config.php", &unclear), Err(Finding::Unclear));
}

#[test]
fn the_prefix_of_the_tables_is_known_where_it_is_plain() {
    let prefix = |line: &str| {
        let text = format!("{}{line}", wordpress("'x'"));
        let read = LoginFile::read(&SitePath::parse("wp-config.php").unwrap(), &text, &login());
        assert!(matches!(read.finding, Finding::Fits { .. }), "{line}");
        read.prefix.map(|prefix| prefix.options())
    };
    assert_eq!(
        prefix("$table_prefix = 'wp_';"),
        Some("wp_options".to_owned())
    );
    assert_eq!(
        prefix("$table_prefix=\"a9_\";"),
        Some("a9_options".to_owned())
    );
    assert_eq!(prefix("$table_prefix = '';"), Some("options".to_owned()));
    for unclear in [
        "",
        "$table_prefix = getenv('P');",
        "$table_prefix = 'a' . 'b';",
        "$table_prefix = 'a`b';",
        "$table_prefix = 'a_'; $table_prefix = 'b_';",
        "// $table_prefix = 'wp_';",
        "$x->table_prefix = 'wp_';",
    ] {
        assert_eq!(prefix(unclear), None, "{unclear}");
    }
}
