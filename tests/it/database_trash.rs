//! Databases in the trash: closed, kept, put back, and dropped when their time is over.

use lalapanel::domain::change::Change;
use lalapanel::domain::fault::Code;
use lalapanel::domain::id::SiteId;
use lalapanel::domain::time::Timestamp;
use lalapanel::ops::database_trash::due;

use crate::databases::{database, delete, delete_site, done, make, refused, user, with_data};
use crate::faults::every_fault;
use crate::world::{World, name};

fn restore(text: &str) -> Change {
    let name = database(text);
    Change::DatabaseRestore { name }
}

/// The database is in the trash, its site is not.
fn with_deleted() -> World {
    let world = with_data();
    done(&world, 2, &delete("data_example", false));
    world
}

#[test]
fn a_database_goes_to_the_trash_or_stays_whatever_fails() {
    every_fault(with_data, &delete("data_example", false));
}

#[test]
fn a_database_comes_out_of_the_trash_or_stays_there_whatever_fails() {
    every_fault(with_deleted, &restore("data_example"));
}

#[test]
fn emptying_the_trash_of_a_database_ends_old_or_new_whatever_fails() {
    every_fault(with_deleted, &delete("data_example", true));
}

#[test]
fn a_database_in_the_trash_is_closed_and_comes_back_as_it_was() {
    let world = with_data();
    world.host.change(|machine| {
        let all = &mut machine.mariadb;
        all.tables.insert("data_example.posts".to_owned());
        all.connected.insert("data_example".to_owned());
    });
    let state = world.state();
    done(&world, 2, &delete("data_example", false));
    let machine = world.machine().mariadb;
    assert!(machine.users["data_example"].locked);
    assert!(machine.connected.is_empty(), "its connections end");
    assert!(machine.tables.contains("data_example.posts"));
    assert_eq!(world.state().databases, vec![]);
    for (change, code) in [
        (make("data_example", None), Code::DatabaseTaken),
        (delete("data_example", false), Code::DatabaseConfirmation),
        (restore("other"), Code::DatabaseNotFound),
    ] {
        assert_eq!(refused(&world, &change), code, "{change:?}");
    }
    done(&world, 3, &restore("data_example"));
    assert_eq!(world.state(), state);
    assert!(!user(&world, "data_example").unwrap().locked);
    assert_eq!(
        refused(&world, &restore("data_example")),
        Code::DatabaseNotFound
    );
}

#[test]
fn a_site_that_is_put_back_does_not_open_a_database_that_was_deleted_before_it() {
    let world = with_deleted();
    done(&world, 3, &delete_site(false));
    assert_eq!(
        refused(&world, &restore("data_example")),
        Code::DatabaseNotFound
    );
    let back = Change::SiteRestore {
        site: SiteId::FIRST,
        hostname: name("data.example"),
    };
    done(&world, 4, &back);
    assert!(user(&world, "data_example").unwrap().locked);
    done(&world, 5, &restore("data_example"));
    assert!(!user(&world, "data_example").unwrap().locked);
    done(&world, 6, &delete("data_example", false));
    done(&world, 7, &delete_site(true));
    assert_eq!(world.state().trashed_databases, vec![]);
    assert!(world.machine().mariadb.users.is_empty());
}

#[test]
fn a_clone_is_made_offline_also_where_the_database_is_in_the_trash() {
    let world = with_deleted();
    let change = Change::SiteClone {
        hostname: name("data.example"),
        name: name("copy.example"),
        databases: false,
    };
    done(&world, 3, &change);
    let state = world.state();
    assert!(!state.site(&name("copy.example")).unwrap().enabled);
}

#[test]
fn after_seven_days_a_database_in_the_trash_is_dropped_and_not_before() {
    let world = with_deleted();
    let deleted = world.state().trashed_databases[0].deleted.unwrap();
    let end = deleted.plus_seconds(7 * 86_400);
    let last = Timestamp::from_millis(end.millis() - 1);
    assert_eq!(due(&world.store, last).unwrap(), []);
    let due = due(&world.store, end).unwrap();
    assert_eq!(due, [delete("data_example", true)]);
    done(&world, 3, &due[0]);
    assert!(world.machine().mariadb.databases.is_empty());
    assert_eq!(world.state().trashed_databases, vec![]);
}

#[test]
fn what_somebody_dropped_beside_the_panel_cannot_be_put_back_and_can_be_forgotten() {
    let world = with_deleted();
    world.host.change(|machine| {
        machine.mariadb.databases.clear();
        machine.mariadb.users.clear();
    });
    assert_eq!(
        refused(&world, &restore("data_example")),
        Code::DatabaseNotFound
    );
    done(&world, 3, &delete("data_example", true));
    assert_eq!(world.state().trashed_databases, vec![]);
}
