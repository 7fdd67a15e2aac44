//! Databases: what is made, what is refused, what goes with a site, and that nothing is lost or left whatever fails.

use lalapanel::domain::change::Change;
use lalapanel::domain::database::{DatabaseHash, DatabaseName};
use lalapanel::domain::fault::Code;
use lalapanel::domain::id::SiteId;
use lalapanel::domain::secret::Password;
use lalapanel::domain::site::{NewSite, NewSiteKind};
use lalapanel::host::memory::mariadb::MariadbUser;
use lalapanel::ops::database_export::export;
use lalapanel::ops::database_import::sweep;
use lalapanel::ops::engine::Outcome;

use crate::faults::{every_fault, every_trace_is_swept};
use crate::world::{World, create, name, php};

const SECRET: &str = "quiet violet heron";

fn hash(password: &str) -> DatabaseHash {
    DatabaseHash::of(&Password::typed(password.to_owned()))
}

pub(crate) fn database(text: &str) -> DatabaseName {
    DatabaseName::parse(text).unwrap()
}

pub(crate) fn make(text: &str, site: Option<&str>) -> Change {
    Change::DatabaseCreate {
        name: database(text),
        hostname: site.map(name),
        hash: hash(SECRET),
    }
}

pub(crate) fn delete(text: &str, now: bool) -> Change {
    let name = database(text);
    Change::DatabaseDelete { name, now }
}

pub(crate) fn with_database(hostname: &str, kind: NewSiteKind) -> Change {
    match create(hostname, kind) {
        Change::SiteCreate(new) => Change::SiteCreate(NewSite {
            database: Some(hash(SECRET)),
            ..new
        }),
        other => other,
    }
}

pub(crate) fn delete_site(now: bool) -> Change {
    let hostname = name("data.example");
    Change::SiteDelete { hostname, now }
}

pub(crate) fn done(world: &World, number: u64, change: &Change) {
    let outcome = world.run(number, change).unwrap();
    assert_eq!(outcome, Some(Outcome::Done), "{change:?}");
}

pub(crate) fn refused(world: &World, change: &Change) -> Code {
    let before = world.machine();
    let fault = world.run(90, change).expect_err("it should be refused");
    assert!(!fault.hint.is_empty());
    assert_eq!(world.machine().differences(&before), Vec::<String>::new());
    fault.code
}

pub(crate) fn with_data() -> World {
    let world = World::installed();
    done(&world, 1, &with_database("data.example", php()));
    world
}

fn in_trash() -> World {
    let world = with_data();
    done(&world, 2, &delete_site(false));
    world
}

pub(crate) fn user(world: &World, user: &str) -> Option<MariadbUser> {
    world.machine().mariadb.users.get(user).cloned()
}

#[test]
fn making_a_database_ends_old_or_new_whatever_fails() {
    every_fault(World::with_sites, &make("shop_db", Some("shop.example")));
}

#[test]
fn making_a_site_with_a_database_ends_old_or_new_whatever_fails() {
    every_fault(World::installed, &with_database("data.example", php()));
}

#[test]
fn another_password_ends_old_or_new_whatever_fails() {
    let change = Change::DatabasePassword {
        name: database("data_example"),
        hash: hash("green heron oak"),
    };
    every_fault(with_data, &change);
}

#[test]
fn deleting_a_database_ends_old_or_new_whatever_fails() {
    every_fault(with_data, &delete("data_example", true));
}

#[test]
fn trashing_a_site_with_a_database_ends_old_or_new_whatever_fails() {
    every_fault(with_data, &delete_site(false));
}

#[test]
fn deleting_a_site_with_a_database_for_good_ends_old_or_new_whatever_fails() {
    every_fault(with_data, &delete_site(true));
}

#[test]
fn putting_a_site_with_a_database_back_ends_old_or_new_whatever_fails() {
    let change = Change::SiteRestore {
        site: SiteId::FIRST,
        hostname: name("data.example"),
    };
    every_fault(in_trash, &change);
}

#[test]
fn a_user_may_use_its_own_database_alone_and_the_password_is_nowhere() {
    let world = with_data();
    let made = user(&world, "data_example").unwrap();
    assert_eq!(
        made.grants.into_iter().collect::<Vec<_>>(),
        [r"data\_example"]
    );
    assert_eq!(made.hash, hash(SECRET).as_str());
    let plan = world.plan(&make("other", None)).unwrap().unwrap();
    let shown = lalapanel::ops::view::plan(&plan, &world.host);
    let text = serde_json::to_string(&shown).unwrap();
    assert!(!text.contains(hash(SECRET).as_str()), "{text}");
    let statements = world.host.statements().join("\n");
    assert!(!statements.contains(SECRET) && statements.contains("GRANT ALL"));
}

#[test]
fn a_site_in_the_trash_keeps_its_database_and_locks_its_user() {
    let world = in_trash();
    let locked = |world: &World| user(world, "data_example").map(|user| user.locked);
    assert_eq!(locked(&world), Some(true));
    assert!(world.machine().mariadb.databases.contains("data_example"));
    assert_eq!(
        refused(&world, &make("data_example", None)),
        Code::DatabaseTaken
    );
    let back = Change::SiteRestore {
        site: SiteId::FIRST,
        hostname: name("data.example"),
    };
    done(&world, 3, &back);
    assert_eq!(locked(&world), Some(false));
}

#[test]
fn a_site_that_is_deleted_for_good_leaves_no_database_user_or_grant() {
    let world = in_trash();
    let end = Change::SiteDiscard {
        site: SiteId::FIRST,
        hostname: name("data.example"),
    };
    done(&world, 3, &end);
    assert_eq!(
        world.machine().mariadb,
        World::installed().machine().mariadb
    );
    assert_eq!(
        (world.state().databases, world.state().doomed),
        (vec![], vec![])
    );
    done(&world, 4, &make("data_example", None));
}

#[test]
fn while_mariadb_is_stopped_nothing_is_begun_and_nothing_is_lost() {
    let world = with_data();
    let mariadb = |world: &World| {
        world
            .host
            .change(|machine| machine.running.remove("mariadb.service"))
    };
    let was = mariadb(&world).unwrap();
    for change in [make("other", None), with_database("more.example", php())] {
        assert_eq!(refused(&world, &change), Code::MariadbSilent);
    }
    let before = world.machine();
    let outcome = world.run(5, &delete("data_example", true)).unwrap();
    let Some(Outcome::Undone(fault)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(fault.code, Code::MariadbSilent);
    assert_eq!(world.machine().differences(&before), Vec::<String>::new());

    // The end of a site does not wait for MariaDB; its database does.
    world.host.change(|machine| {
        machine
            .running
            .insert("mariadb.service".to_owned(), was.clone())
    });
    done(&world, 6, &delete_site(false));
    mariadb(&world);
    let end = Change::SiteDiscard {
        site: SiteId::FIRST,
        hostname: name("data.example"),
    };
    done(&world, 7, &end);
    assert_eq!(world.state().doomed.len(), 1);
    world
        .host
        .change(|machine| machine.running.insert("mariadb.service".to_owned(), was));
    assert_eq!(
        refused(&world, &make("data_example", None)),
        Code::DatabaseTaken
    );
    world.recover();
    assert_eq!(world.state().doomed, []);
    assert!(world.machine().mariadb.users.is_empty());
}

#[test]
fn what_somebody_else_has_is_never_taken_over() {
    let world = World::with_sites();
    world.host.change(|machine| {
        machine.mariadb.databases.insert("legacy".to_owned());
        let grants = ["wild%".to_owned()].into();
        let user = MariadbUser {
            grants,
            ..MariadbUser::default()
        };
        machine.mariadb.users.insert("admin_tool".to_owned(), user);
    });
    for taken in ["legacy", "admin_tool", "wild_west"] {
        assert_eq!(
            refused(&world, &make(taken, None)),
            Code::DatabaseTaken,
            "{taken}"
        );
    }
    assert_eq!(
        refused(&world, &delete("legacy", false)),
        Code::DatabaseNotFound
    );
    assert_eq!(
        refused(&world, &make("a", Some("nobody.example"))),
        Code::SiteNotFound
    );
    done(&world, 3, &make("mine", None));
    assert_eq!(refused(&world, &make("mine", None)), Code::DatabaseTaken);
}

#[test]
fn two_sites_that_want_the_same_name_get_two_databases() {
    let world = World::installed();
    done(&world, 1, &with_database("a-b.example", php()));
    done(&world, 2, &with_database("a.b.example", php()));
    let names: Vec<String> = world
        .state()
        .databases
        .iter()
        .map(|one| one.name.to_string())
        .collect();
    assert_eq!(names, ["a_b_example", "a_b_example_s1002"]);
}

#[test]
fn a_database_is_exported_by_a_user_that_is_gone_afterwards() {
    let world = with_data();
    let before = world.machine();
    let mut text = Vec::new();
    let name = database("data_example");
    let whole = export(&world.host, &world.store, &name, &mut text).unwrap();
    assert_eq!(whole.bytes, text.len() as u64);
    assert!(text.ends_with(b"\n-- Dump completed\n"));
    assert_eq!(world.machine().differences(&before), Vec::<String>::new());
    let said = world.host.statements().join("\n");
    assert!(said.contains(r"GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `data\_example`.* TO"));
    let nobody = export(&world.host, &world.store, &database("nobody"), &mut text);
    assert_eq!(nobody.unwrap_err().code, Code::DatabaseNotFound);
}

#[test]
fn an_export_that_fails_or_is_killed_anywhere_leaves_no_user_behind() {
    let well = every_trace_is_swept(
        with_data,
        |host, store| export(host, store, &database("data_example"), &mut Vec::new()).map(drop),
        sweep,
    );
    assert_eq!(well, 0, "a struck export never counts as whole");
}

#[test]
fn where_nobody_takes_an_export_any_more_it_ends() {
    struct Gone;
    impl std::io::Write for Gone {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let world = with_data();
    let before = world.machine();
    let ended = export(
        &world.host,
        &world.store,
        &database("data_example"),
        &mut Gone,
    );
    assert_eq!(ended.unwrap_err().code, Code::ProgramFailed);
    assert_eq!(world.machine().differences(&before), Vec::<String>::new());
}
