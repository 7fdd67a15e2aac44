//! `lalapanel db` as scripts use it.
//!
//! Invariant: the agent is asked with a hash; the password is on standard output alone, once.

use super::*;
use crate::domain::database::{DatabaseHash, DatabaseName};
use crate::domain::database_access::{ConnectionLimit, Rights};
use crate::domain::database_inside::{Granted, Inside, Table};
use crate::domain::secret::Password;
use crate::rpc::database::{DatabaseDetail, DatabaseView, InTrash, Known, UserAccess};

fn view() -> DatabaseView {
    let name = DatabaseName::parse("shop_db").unwrap();
    DatabaseView {
        users: vec![name.user()],
        access: vec![UserAccess {
            user: name.user(),
            own: true,
            rights: Rights::All,
            max_connections: ConnectionLimit::default(),
        }],
        name,
        site: Some(Hostname::parse("shop.example").unwrap()),
        locked: false,
        created: Timestamp::from_millis(1_767_225_600_000),
        bytes: Some(16_384),
        sized: Some(Timestamp::from_millis(1_767_225_600_000)),
        trash: None,
    }
}

fn listed() -> Reply {
    Reply::Databases(vec![view()])
}

fn ended() -> Answer {
    followed(OperationState::Done, StepState::Done)
}

#[test]
fn a_password_that_was_made_is_printed_and_only_its_hash_is_sent() {
    for line in [
        "lalapanel db create shop_db --site shop.example --json",
        "lalapanel db password shop_db --json",
    ] {
        let ran = ran(line, vec![began(), ended(), Ok(listed())]);
        let document = ran.json();
        let password = document["password"].as_str().unwrap().to_owned();
        let hash = DatabaseHash::of(&Password::typed(password.clone()));
        assert_eq!(password.len(), 32);
        assert!(ran.asked[0].contains(hash.as_str()), "{}", ran.asked[0]);
        assert!(!ran.asked.join("").contains(&password));
        assert_eq!(ran.out.matches(&password).count(), 1);
        assert_eq!(document["user"], "shop_db");
        assert_eq!(document["changed"], true);
        assert!(!ran.err.contains(&password));
    }
}

#[test]
fn a_password_for_the_sites_file_is_made_by_the_agent_and_printed_nowhere() {
    let line = "lalapanel db password shop_db --edit-site --json";
    let ran = ran(line, vec![began(), ended()]);
    assert!(ran.asked[0].contains(r#"{"database_site_password":{"name":"shop_db"}}"#));
    assert!(!ran.asked[0].contains("hash"));
    let document = ran.json();
    assert_eq!(document["changed"], true);
    assert!(document.get("password").is_none());
}

#[test]
fn a_site_with_a_database_says_how_to_reach_it() {
    let mut with = site();
    with.databases = vec!["shop_db".to_owned()];
    let shown = || Ok(Reply::Site(Box::new(with.clone())));
    let ran = ran(
        "lalapanel site create shop.example --database",
        vec![began(), ended(), shown(), Ok(listed())],
    );
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("  user      shop_db\n"), "{}", ran.out);
    assert!(ran.out.contains("(shown only this once)"), "{}", ran.out);
}

#[test]
fn databases_are_listed_and_one_that_is_not_there_is_said_so() {
    let ran = |line| super::ran(line, vec![Ok(listed())]);
    assert_eq!(
        ran("lalapanel db list --json").json()["databases"][0]["name"],
        "shop_db"
    );
    assert!(ran("lalapanel db list").out.contains("shop.example"));
    let list = ran("lalapanel db list");
    assert!(
        list.out.contains("16 kB") || list.out.contains("17 kB"),
        "{}",
        list.out
    );
    assert!(list.out.contains("Sizes as of 2026-01-01"), "{}", list.out);
    let missing = super::ran(
        "lalapanel db delete other --yes --json",
        vec![began(), ended(), Ok(listed())],
    );
    assert_eq!(
        (missing.code, missing.json()["error"]["code"].clone()),
        (1, Value::from("database.not_found"))
    );
}

fn detail(mariadb: Known) -> Reply {
    let name = view().name;
    let answers = mariadb == Known::Answers;
    let table = Table {
        name: "posts".to_owned(),
        kind: "table".to_owned(),
        engine: Some("InnoDB".to_owned()),
        collation: Some("utf8mb4_bin".to_owned()),
        rows: Some(7),
        bytes: Some(16_384),
    };
    let inside = Inside {
        charset: "utf8mb4".to_owned(),
        collation: "utf8mb4_bin".to_owned(),
        tables: vec![table],
    };
    let more = vec!["GRANT FILE ON *.* TO shop_db@localhost".to_owned()];
    let granted = Granted {
        user: name.user(),
        missing: vec![],
        more,
    };
    Reply::Database(Box::new(DatabaseDetail {
        view: view(),
        mariadb,
        inside: answers.then_some(inside),
        grants_differ: answers.then(|| vec![granted]),
    }))
}

#[test]
fn one_database_is_shown_with_its_tables_and_what_was_granted_beside_the_panel() {
    let ran = |line, mariadb| super::ran(line, vec![Ok(detail(mariadb))]);
    let json = ran("lalapanel db show shop_db --json", Known::Answers).json();
    assert_eq!(json["site"], "shop.example");
    assert_eq!(json["bytes"], 16_384);
    assert_eq!(
        (&json["mariadb"], &json["charset"]),
        (&"answers".into(), &"utf8mb4".into())
    );
    assert_eq!(json["tables"][0]["bytes"], 16_384);
    let out = ran("lalapanel db show shop_db", Known::Answers).out;
    assert!(
        out.contains("not from the panel: GRANT FILE ON *.*"),
        "{out}"
    );
    assert!(out.contains("posts"), "{out}");
    let silent = ran("lalapanel db show shop_db", Known::Silent).out;
    assert!(
        silent.contains("not known: MariaDB does not answer"),
        "{silent}"
    );
    let json = ran("lalapanel db show shop_db --json", Known::Silent).json();
    assert_eq!(json["tables"], Value::Null);
}

#[test]
fn a_database_is_not_deleted_without_a_word_nor_made_under_a_bad_name() {
    let asked = ran("lalapanel db delete shop_db --json", vec![]);
    assert_eq!(asked.json()["error"]["code"], "database.confirmation");
    let bad = ran("lalapanel db create Shop-DB --json", vec![]);
    assert_eq!(bad.json()["error"]["code"], "database.name_invalid");
    let gone = ran(
        "lalapanel db delete shop_db --now --yes --json",
        vec![began(), ended()],
    );
    assert_eq!(
        (gone.code, gone.json()["name"].clone()),
        (0, Value::from("shop_db"))
    );
}

#[test]
fn a_deleted_database_is_listed_in_the_trash_alone_and_put_back_by_its_name() {
    let mut gone = view();
    let then = gone.created;
    gone.trash = Some(InTrash::of(then, then));
    let listed = || Ok(Reply::Databases(vec![gone.clone()]));
    let deleted = ran(
        "lalapanel db delete shop_db --yes",
        vec![began(), ended(), listed()],
    );
    assert!(
        deleted.asked[0].contains(r#""now":false"#),
        "{:?}",
        deleted.asked
    );
    assert!(deleted.out.contains("lalapanel db restore shop_db"));
    let live = ran("lalapanel db list --json", vec![listed()]).json();
    assert_eq!(live["databases"], Value::Array(vec![]));
    let trash = ran("lalapanel db list --trash --json", vec![listed()]).json();
    assert_eq!(trash["trash"][0]["trash"]["days_left"], 7);
    let back = ran(
        "lalapanel db restore shop_db --json",
        vec![began(), ended(), Ok(super::databases::listed())],
    );
    assert_eq!(back.json()["name"], "shop_db");
}

#[test]
fn a_further_user_has_rights_and_a_limit_and_its_password_is_printed_once() {
    let line = "lalapanel db user add shop_db reader --rights read-only --max-connections 5 --json";
    let ran = ran(line, vec![began(), ended(), Ok(listed())]);
    let document = ran.json();
    let password = document["password"].as_str().unwrap().to_owned();
    assert_eq!(document["user"], "reader");
    assert_eq!(ran.out.matches(&password).count(), 1);
    assert!(!ran.asked.join("").contains(&password));
    let asked = &ran.asked[0];
    assert!(
        asked.contains(r#""terms":{"rights":"read-only","connections":5}"#),
        "{asked}"
    );
    assert!(asked.contains(DatabaseHash::of(&Password::typed(password)).as_str()));
    let shown = super::ran(
        "lalapanel db show shop_db",
        vec![Ok(detail(Known::Answers))],
    );
    assert!(shown.out.contains("shop_db (all)"), "{}", shown.out);
    assert!(
        shown.out.contains("lalapanel db repair shop_db"),
        "{}",
        shown.out
    );
}

#[test]
fn what_is_no_right_and_no_limit_is_refused_before_anybody_is_asked() {
    for (line, said) in [
        ("user add shop_db reader --rights file", "no right"),
        (
            "user add shop_db reader --max-connections many",
            "from 1 to 10000",
        ),
        (
            "user add shop_db reader --max-connections 99999",
            "from 1 to 10000",
        ),
        ("user add shop_db Reader", "a user's name"),
    ] {
        let ran = ran(&format!("lalapanel db {line}"), vec![]);
        assert!(ran.code != 0 && ran.asked.is_empty(), "{line}");
        assert!(ran.err.contains(said), "{line}: {}", ran.err);
    }
    let nothing = "lalapanel db user set shop_db reader";
    assert!(Cli::try_parse_from(nothing.split(' ')).is_err());
    for (line, sent) in [
        (
            "user set shop_db reader --max-connections 0",
            r#"{"set":{"user":"reader","rights":null,"connections":0}}"#,
        ),
        (
            "user remove shop_db reader",
            r#"{"remove":{"user":"reader"}}"#,
        ),
        ("repair shop_db", r#"{"repair":{}}"#),
    ] {
        let line = format!("lalapanel db {line} --json");
        let ran = ran(&line, vec![began(), ended(), Ok(listed())]);
        assert_eq!(ran.code, 0, "{line}: {}", ran.out);
        assert!(ran.asked[0].contains(sent), "{line}: {}", ran.asked[0]);
    }
}
