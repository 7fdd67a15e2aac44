//! Dumps that are loaded: nothing but tables comes in, and the database is the old or the new one whatever fails.
//!
//! Invariant: after every fault the former tables are where they were, or those of the dump are, and nothing is left beside.

use std::io::Read;

use lalapanel::domain::change::Change;
use lalapanel::domain::database::{DatabaseHash, DatabaseName};
use lalapanel::domain::database_job::{ImportId, Scratch};
use lalapanel::domain::fault::{Code, Fault};
use lalapanel::domain::secret::Password;
use lalapanel::ops::database_export::export;
use lalapanel::ops::database_import::{Loaded, discard, load, sweep};

use crate::faults::{every_fault, every_trace_is_swept};
use crate::world::{World, done, refused};

const DUMP: &str = "CREATE TABLE posts (x INT);\nCREATE TABLE more (x INT);\n-- Dump completed\n";

fn shop() -> DatabaseName {
    DatabaseName::parse("shop_db").unwrap()
}

fn import() -> ImportId {
    ImportId::from_random([0xcd; 4])
}

fn put_in_place(import: ImportId) -> Change {
    let name = shop();
    Change::DatabaseImport { name, import }
}

fn with_tables() -> World {
    let world = World::installed();
    let make = Change::DatabaseCreate {
        name: shop(),
        hostname: None,
        hash: DatabaseHash::of(&Password::typed("quiet violet heron".to_owned())),
    };
    done(&world, 1, &make);
    put(&world, &["shop_db.posts", "shop_db.users"]);
    world
}

fn put(world: &World, tables: &[&str]) {
    let tables = tables.iter().map(|&table| table.to_owned());
    world
        .host
        .change(|machine| machine.mariadb.tables.extend(tables));
}

/// A dump was loaded: one table has the name of a former one.
fn with_loaded() -> World {
    let world = with_tables();
    let loaded = Scratch::loaded(&import(), &shop()).to_string();
    world
        .host
        .change(|machine| machine.mariadb.databases.insert(loaded.clone()));
    let tables = ["posts", "more"].map(|table| format!("{loaded}.{table}"));
    put(&world, &tables.each_ref().map(String::as_str));
    world
}

fn with_an_empty_database() -> World {
    let world = with_loaded();
    world.host.change(|machine| {
        let tables = &mut machine.mariadb.tables;
        tables.retain(|table| !table.starts_with("shop_db."));
    });
    world
}

fn tables(world: &World) -> Vec<String> {
    world.machine().mariadb.tables.into_iter().collect()
}

fn loads(world: &World, dump: &str) -> Result<Loaded, Fault> {
    load(
        &world.host,
        &world.store,
        &shop(),
        false,
        &mut dump.as_bytes(),
    )
}

#[test]
fn putting_a_dump_in_place_ends_old_or_new_whatever_fails() {
    every_fault(with_loaded, &put_in_place(import()));
}

#[test]
fn filling_an_empty_database_ends_old_or_new_whatever_fails() {
    every_fault(with_an_empty_database, &put_in_place(import()));
}

#[test]
fn a_dump_is_loaded_beside_and_then_put_in_place_and_nothing_is_left_beside() {
    let world = with_tables();
    let loaded = loads(&world, DUMP).unwrap();
    assert_eq!((loaded.tables, loaded.bytes), (2, DUMP.len() as u64));
    assert!(tables(&world).contains(&"shop_db.users".to_owned()));
    done(&world, 2, &put_in_place(loaded.import));
    assert_eq!(tables(&world), ["shop_db.more", "shop_db.posts"]);
    assert_eq!(
        world.machine().mariadb.databases,
        with_tables().machine().mariadb.databases
    );
    let said = world.host.statements().join("\n");
    assert!(said.contains(r"GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, LOCK TABLES, CREATE TEMPORARY TABLES ON `lalapanel-import-"));
    let users: Vec<String> = world.machine().mariadb.users.into_keys().collect();
    assert_eq!(users, ["shop_db"]);
}

#[test]
fn what_cannot_be_loaded_leaves_everything_as_it_was() {
    let world = with_tables();
    let before = world.machine();
    let refused = |dump: &str| {
        let fault = loads(&world, dump).unwrap_err();
        assert_eq!(world.machine().differences(&before), Vec::<String>::new());
        assert_eq!(fault.code, Code::DatabaseUnloaded, "{dump}");
        fault
    };
    let wrong = refused("CREATE TABLE a (x INT);\nnonsense\n-- Dump completed\n");
    assert!(wrong.detail.contains("line 2"), "{}", wrong.detail);
    assert!(
        refused("CREATE TABLE a (x INT);\n")
            .hint
            .contains("--unfinished")
    );
    assert!(refused("-- Dump completed\n").title.contains("0 tables"));
    let unfinished = load(
        &world.host,
        &world.store,
        &shop(),
        true,
        &mut "CREATE TABLE a (x INT);\n".as_bytes(),
    );
    discard(
        &world.host,
        &world.store,
        &shop(),
        &unfinished.unwrap().import,
    )
    .unwrap();
    assert_eq!(world.machine().differences(&before), Vec::<String>::new());
    let nobody = DatabaseName::parse("nobody").unwrap();
    let none = load(
        &world.host,
        &world.store,
        &nobody,
        false,
        &mut DUMP.as_bytes(),
    );
    assert_eq!(none.unwrap_err().code, Code::DatabaseNotFound);
}

#[test]
fn a_dump_that_breaks_off_on_its_way_leaves_everything_as_it_was() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::UnexpectedEof.into())
        }
    }
    let world = with_tables();
    let before = world.machine();
    let mut from = "CREATE TABLE a (x INT);\n".as_bytes().chain(Broken);
    let fault = load(&world.host, &world.store, &shop(), true, &mut from).unwrap_err();
    assert_eq!(fault.code, Code::DatabaseUnloaded);
    assert_eq!(world.machine().differences(&before), Vec::<String>::new());
}

#[test]
fn a_load_that_fails_or_is_killed_anywhere_is_forgotten_at_the_next_start() {
    every_trace_is_swept(
        with_tables,
        |host, store| load(host, store, &shop(), false, &mut DUMP.as_bytes()).map(drop),
        sweep,
    );
}

#[test]
fn what_is_more_than_tables_is_neither_lost_nor_half_kept() {
    let world = with_tables();
    let question = "SELECT CONCAT('view ', TABLE_NAME) FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'shop_db' UNION ALL SELECT CONCAT('trigger ', TRIGGER_NAME) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'shop_db' UNION ALL SELECT CONCAT(LOWER(ROUTINE_TYPE), ' ', ROUTINE_NAME) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'shop_db' UNION ALL SELECT CONCAT('event ', EVENT_NAME) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'shop_db' LIMIT 100";
    let loaded = loads(&world, DUMP).unwrap();
    world
        .host
        .set_rows(question, vec![vec!["trigger noted".to_owned()]]);
    let fault = loads(&world, DUMP).unwrap_err();
    assert_eq!(fault.detail, "trigger noted");
    let fault = refused(&world, &put_in_place(loaded.import));
    assert_eq!(fault.code, Code::DatabaseUnloaded);
    let whole = export(&world.host, &world.store, &shop(), &mut Vec::new()).unwrap();
    assert_eq!(
        whole.unimported,
        ["trigger noted"],
        "said when it is copied"
    );
}

#[test]
fn an_import_that_is_not_there_is_refused_and_a_second_load_takes_the_place_of_the_first() {
    let world = with_tables();
    let fault = refused(&world, &put_in_place(import()));
    assert_eq!(fault.code, Code::DatabaseUnloaded);
    let first = loads(&world, DUMP).unwrap();
    let second = loads(&world, DUMP).unwrap();
    assert_ne!(first.import, second.import);
    let fault = refused(&world, &put_in_place(first.import));
    assert_eq!(fault.code, Code::DatabaseUnloaded);
    done(&world, 2, &put_in_place(second.import));
    assert_eq!(tables(&world), ["shop_db.more", "shop_db.posts"]);
}
