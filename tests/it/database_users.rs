//! Further users of databases: what each may do, what becomes of them with the database, and grants that somebody changed.

use lalapanel::domain::change::Change;
use lalapanel::domain::database::{DatabaseHash, DatabaseUser};
use lalapanel::domain::database_access::{
    AccessAct, ConnectionLimit, DatabaseAccess, Rights, Terms,
};
use lalapanel::domain::fault::Code;
use lalapanel::domain::id::SiteId;
use lalapanel::domain::secret::Password;
use lalapanel::host::memory::mariadb::MariadbUser;
use lalapanel::system::database_facts::differing;

use crate::databases::{database, delete, delete_site, done, make, refused, user, with_data};
use crate::faults::every_fault;
use crate::world::{World, name};

const DATA: &str = "data_example";

fn who(text: &str) -> DatabaseUser {
    DatabaseUser::parse(text).unwrap()
}

fn access(act: AccessAct) -> Change {
    let name = database(DATA);
    Change::DatabaseAccess(DatabaseAccess { name, act })
}

fn hash(password: &str) -> DatabaseHash {
    DatabaseHash::of(&Password::typed(password.to_owned()))
}

fn terms(rights: &str, connections: u32) -> Terms {
    Terms {
        rights: Rights::parse(rights).unwrap(),
        connections: ConnectionLimit::try_from(connections).unwrap(),
    }
}

fn add(user: &str) -> Change {
    access(AccessAct::Add {
        user: who(user),
        hash: hash("quiet violet heron"),
        terms: terms("read-only", 5),
    })
}

fn set(user: &str, rights: Option<&str>, connections: Option<u32>) -> Change {
    access(AccessAct::Set {
        user: who(user),
        rights: rights.map(|text| Rights::parse(text).unwrap()),
        connections: connections.map(|number| ConnectionLimit::try_from(number).unwrap()),
    })
}

fn password(user: &str) -> Change {
    access(AccessAct::Password {
        user: who(user),
        hash: hash("green heron oak"),
    })
}

fn remove(user: &str) -> Change {
    access(AccessAct::Remove { user: who(user) })
}

fn repair() -> Change {
    access(AccessAct::Repair {})
}

fn with_reader() -> World {
    let world = with_data();
    done(&world, 2, &add("reader"));
    world
}

/// Somebody gave the one user more, took all of the other, and let it in more often.
fn with_drift() -> World {
    let world = with_reader();
    world.host.change(|machine| {
        let users = &mut machine.mariadb.users;
        let own = users.get_mut(DATA).unwrap();
        own.rights
            .insert("*.*".to_owned(), ["FILE".to_owned()].into());
        let reader = users.get_mut("reader").unwrap();
        reader.rights.clear();
        reader.grants.clear();
        reader.connections = 7;
    });
    world
}

fn rights(world: &World, of: &str) -> Vec<String> {
    let rights = user(world, of).unwrap().rights.into_iter();
    let line = |(object, rights): (String, std::collections::BTreeSet<String>)| {
        let rights: Vec<String> = rights.into_iter().collect();
        format!("{}: {}", object, rights.join(", "))
    };
    rights.map(line).collect()
}

fn differs(world: &World) -> usize {
    let state = world.state();
    let found = state.database(&database(DATA)).unwrap();
    differing(&world.host, found).unwrap().len()
}

#[test]
fn making_a_further_user_ends_old_or_new_whatever_fails() {
    every_fault(with_data, &add("reader"));
}

#[test]
fn other_terms_end_old_or_new_whatever_fails() {
    every_fault(with_reader, &set("reader", Some("read-write"), Some(0)));
    every_fault(with_reader, &set(DATA, None, Some(9)));
}

#[test]
fn another_password_of_a_further_user_ends_old_or_new_whatever_fails() {
    every_fault(with_reader, &password("reader"));
}

#[test]
fn removing_a_further_user_ends_old_or_new_whatever_fails() {
    every_fault(with_reader, &remove("reader"));
}

#[test]
fn putting_grants_right_ends_old_or_new_whatever_fails() {
    every_fault(with_drift, &repair());
}

#[test]
fn a_database_with_further_users_goes_to_the_trash_and_back_with_them_whatever_fails() {
    every_fault(with_reader, &delete(DATA, false));
    every_fault(with_reader, &delete(DATA, true));
}

#[test]
fn a_further_user_has_what_was_asked_for_and_its_password_is_its_own() {
    let world = with_reader();
    assert_eq!(
        rights(&world, "reader"),
        [r"`data\_example`.*: SELECT, SHOW VIEW"]
    );
    assert_eq!(user(&world, "reader").unwrap().connections, 5);
    assert_eq!(differs(&world), 0);
    let before = user(&world, "reader").unwrap().hash;
    let change = Change::DatabasePassword {
        name: database(DATA),
        hash: hash("green heron oak"),
    };
    done(&world, 3, &change);
    assert_eq!(user(&world, "reader").unwrap().hash, before);
    assert_ne!(user(&world, DATA).unwrap().hash, before);
    done(&world, 4, &password("reader"));
    assert_ne!(user(&world, "reader").unwrap().hash, before);
    done(&world, 5, &set("reader", Some("all"), Some(0)));
    assert_eq!(
        rights(&world, "reader"),
        [r"`data\_example`.*: ALL PRIVILEGES"]
    );
    assert_eq!(
        world.run(6, &set("reader", Some("all"), None)).unwrap(),
        None
    );
    done(&world, 7, &remove("reader"));
    assert_eq!(user(&world, "reader"), None);
    let kept = world.state().database(&database(DATA)).unwrap().clone();
    assert_eq!((kept.users.len(), kept.terms.len()), (1, 0));
}

#[test]
fn further_users_are_locked_put_back_and_dropped_with_their_database() {
    let world = with_reader();
    let locked = |world: &World| user(world, "reader").map(|user| user.locked);
    done(&world, 3, &delete(DATA, false));
    assert_eq!(locked(&world), Some(true));
    assert_eq!(refused(&world, &add("other")), Code::DatabaseNotFound);
    let name_of = database(DATA);
    done(&world, 4, &Change::DatabaseRestore { name: name_of });
    assert_eq!((locked(&world), differs(&world)), (Some(false), 0));
    done(&world, 5, &delete_site(false));
    assert_eq!(locked(&world), Some(true));
    assert_eq!(refused(&world, &add("other")), Code::DatabaseNotFound);
    let back = Change::SiteRestore {
        site: SiteId::FIRST,
        hostname: name("data.example"),
    };
    done(&world, 6, &back);
    assert_eq!(locked(&world), Some(false));
    done(&world, 7, &delete(DATA, true));
    assert_eq!(locked(&world), None);
    assert!(world.machine().mariadb.users.is_empty());
}

#[test]
fn a_name_of_somebody_else_and_the_own_user_are_left_alone() {
    let world = with_reader();
    done(&world, 3, &make("shop_db", None));
    world.host.change(|machine| {
        let user = MariadbUser::default();
        machine.mariadb.users.insert("admin_tool".to_owned(), user);
    });
    for taken in [DATA, "reader", "shop_db", "admin_tool"] {
        assert_eq!(refused(&world, &add(taken)), Code::DatabaseTaken, "{taken}");
    }
    assert_eq!(refused(&world, &make("reader", None)), Code::DatabaseTaken);
    assert_eq!(refused(&world, &remove(DATA)), Code::DatabaseOwnUser);
    let narrow = set(DATA, Some("read-only"), None);
    assert_eq!(refused(&world, &narrow), Code::DatabaseOwnUser);
    for change in [
        remove("shop_db"),
        password("shop_db"),
        set("nobody", None, Some(1)),
    ] {
        assert_eq!(refused(&world, &change), Code::DatabaseUserNotFound);
    }
}

#[test]
fn what_somebody_changed_is_put_right_by_what_the_plan_said() {
    let world = with_drift();
    assert_eq!(differs(&world), 2);
    let plan = world.plan(&repair()).unwrap().unwrap();
    let shown = lalapanel::ops::view::plan(&plan, &world.host);
    let said: Vec<String> = shown
        .steps
        .iter()
        .filter_map(|step| step.command.clone())
        .collect();
    let said = said.join("; ");
    let before = world.host.statements().len();
    done(&world, 3, &repair());
    let ran = world.host.statements();
    let changing = |line: &&String| {
        ["GRANT", "REVOKE", "ALTER"]
            .iter()
            .any(|word| line.starts_with(word))
    };
    let ran: Vec<String> = ran[before..].iter().filter(changing).cloned().collect();
    assert_eq!(ran.join("; "), said);
    assert!(said.contains("REVOKE FILE ON *.* FROM 'data_example'@'localhost'"));
    assert_eq!(differs(&world), 0);
    assert_eq!(world.run(4, &repair()).unwrap(), None);
}

#[test]
fn a_user_that_somebody_removed_comes_back_with_another_password() {
    let world = with_reader();
    world.host.change(|machine| {
        machine.mariadb.users.clear();
    });
    assert_eq!(differs(&world), 2);
    assert_eq!(refused(&world, &repair()), Code::DatabaseUserNotFound);
    let own = Change::DatabasePassword {
        name: database(DATA),
        hash: hash("green heron oak"),
    };
    done(&world, 3, &own);
    done(&world, 4, &password("reader"));
    assert_eq!(differs(&world), 0);
    assert_eq!(user(&world, "reader").unwrap().connections, 5);
}
