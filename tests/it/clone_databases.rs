//! Cloning a site with its databases: what is copied, where it leads, what is refused, and every fault on the way.

use lalapanel::domain::change::Change;
use lalapanel::domain::database::DatabaseHash;
use lalapanel::domain::fault::Code;
use lalapanel::domain::id::SiteId;
use lalapanel::domain::path::{HostPath, SitePath};
use lalapanel::domain::secret::Password;
use lalapanel::host::Host;
use lalapanel::host::job::{Act, Job};
use lalapanel::ops::database_export::export;

use crate::databases::{database, delete, make, user, with_data};
use crate::faults::every_fault;
use crate::world::{World, done, name, refused, text};

const CONFIG: &str = "<?php\ndefine('DB_NAME', 'data_example');\ndefine('DB_USER', 'data_example');\ndefine('DB_PASSWORD', 'quiet violet heron');\n$table_prefix = 'wp_';\n";
const COPY: &str = "/var/www/copy.example/htdocs/wp-config.php";

fn clone(databases: bool) -> Change {
    Change::SiteClone {
        hostname: name("data.example"),
        name: name("copy.example"),
        databases,
    }
}

fn put(world: &World, file: &str, text: &str) {
    let act = Act::PutSecret {
        path: SitePath::parse(file).unwrap(),
        text: text.to_owned(),
    };
    let base = HostPath::fixed("/var/www/data.example");
    let job = Job::new(SiteId::FIRST, &base, act);
    world.host.job(&job).unwrap();
}

fn put_tables(world: &World, tables: &[&str]) {
    let tables = tables.iter().map(|&table| table.to_owned());
    world
        .host
        .change(|machine| machine.mariadb.tables.extend(tables));
}

fn with_wordpress() -> World {
    let world = with_data();
    put(&world, "htdocs/wp-config.php", CONFIG);
    let tables = ["data_example.wp_options", "data_example.wp_posts"];
    put_tables(&world, &tables);
    world
}

/// Two databases: the one named by `.env`, the other by nothing.
fn with_two() -> World {
    let world = with_data();
    done(&world, 2, &make("other_db", Some("data.example")));
    put_tables(&world, &["data_example.users", "other_db.rows"]);
    let env = "DB_DATABASE=data_example\nDB_USERNAME=data_example\nDB_PASSWORD=x\n";
    put(&world, "htdocs/.env", env);
    world
}

fn tables_of(world: &World, database: &str) -> Vec<String> {
    let tables = world.machine().mariadb.tables.into_iter();
    let start = format!("{database}.");
    let own = tables.filter_map(|table| table.strip_prefix(&start).map(str::to_owned));
    own.collect()
}

#[test]
fn cloning_wordpress_with_its_database_ends_old_or_new_whatever_fails() {
    every_fault(with_wordpress, &clone(true));
}

#[test]
fn cloning_a_site_with_two_databases_ends_old_or_new_whatever_fails() {
    every_fault(with_two, &clone(true));
}

#[test]
fn the_clone_has_the_content_and_a_way_into_it_and_the_original_is_untouched() {
    let world = with_wordpress();
    let before = world.machine();
    done(&world, 9, &clone(true));
    assert_eq!(
        tables_of(&world, "copy_example"),
        ["wp_options", "wp_posts"]
    );
    let file = text(&world, COPY);
    let password = file.split('\'').nth(11).unwrap().to_owned();
    let wanted = CONFIG
        .replace("data_example", "copy_example")
        .replace("quiet violet heron", &password);
    assert_eq!((file, password.len()), (wanted, 32));
    let new = user(&world, "copy_example").unwrap();
    let hash = DatabaseHash::of(&Password::typed(password.clone()));
    assert_eq!(new.hash, hash.as_str());
    assert!(new.grants.iter().eq([r"copy\_example"]) && !new.locked);
    let state = world.state();
    let site = state.site(&name("copy.example")).unwrap();
    let own: Vec<_> = state
        .databases_of(site.id)
        .map(|one| one.name.clone())
        .collect();
    assert_eq!((own, site.enabled), (vec![database("copy_example")], true));
    // The address is set by a client that may fill that one database, and nothing of the original's has changed.
    let after = world.machine().mariadb;
    let said: Vec<_> = after.changed.into_iter().collect();
    assert_eq!(said.len(), 1);
    let (place, statement) = &said[0];
    assert!(place == "copy_example" && statement.starts_with("UPDATE `wp_options` SET "));
    assert!(statement.contains("'://copy.example'"), "{statement}");
    assert_eq!(tables_of(&world, "data_example").len(), 2);
    assert_eq!(
        user(&world, "data_example"),
        before.mariadb.users.get("data_example").cloned()
    );
    assert_eq!(
        text(&world, "/var/www/data.example/htdocs/wp-config.php"),
        CONFIG
    );
    assert_eq!(after.users.len(), 2, "no user of a copy is left");
    // The secret is in the file alone.
    let said = world.host.statements().join("\n");
    assert!(!said.contains(&password) && !said.contains("quiet violet heron"));
    export(
        &world.host,
        &world.store,
        &database("copy_example"),
        &mut Vec::new(),
    )
    .unwrap();
}

#[test]
fn the_plan_names_what_is_made_and_holds_no_password() {
    let world = with_wordpress();
    let plan = world.plan(&clone(true)).unwrap().unwrap();
    let titles: Vec<&str> = plan.steps.iter().map(|one| one.title.as_str()).collect();
    let place = |wanted: &str| {
        let found = titles.iter().position(|title| title.starts_with(wanted));
        found.unwrap_or_else(|| panic!("{wanted} in {titles:#?}"))
    };
    let order = [
        place("Copy the files"),
        place("Create the database copy_example"),
        place("Copy what is in the database data_example into copy_example: 2 tables"),
        place(
            "Create the database user copy_example with a new password, and write both into htdocs/wp-config.php of the clone",
        ),
        place("Set the address of WordPress in copy_example to copy.example"),
        place("Start PHP-FPM"),
    ];
    assert!(order.is_sorted(), "{titles:#?}");
    assert!(
        plan.notes
            .iter()
            .any(|note| note.contains("Links inside posts"))
    );
    assert!(!plan.notes.iter().any(|note| note.contains("made offline")));
    let all = serde_json::to_string(&plan).unwrap();
    assert!(!all.contains("quiet violet heron"));
}

#[test]
fn names_that_are_taken_are_passed_over_and_what_no_file_names_keeps_the_clone_offline() {
    let world = with_two();
    done(&world, 3, &make("copy_example", None));
    let plan = world.plan(&clone(true)).unwrap().unwrap();
    let offline = plan.notes.iter().find(|note| note.contains("made offline"));
    assert!(
        offline.is_some_and(|note| note.contains("other_db")),
        "{:?}",
        plan.notes
    );
    done(&world, 9, &clone(true));
    let state = world.state();
    let site = state.site(&name("copy.example")).unwrap();
    assert!(!site.enabled);
    let own = state.databases_of(site.id).map(|one| one.name.to_string());
    let own: Vec<String> = own.collect();
    assert_eq!(
        own,
        ["copy_example_2", &format!("copy_example_{}", site.id)]
    );
    assert_eq!(tables_of(&world, &own[1]), ["users"]);
    assert_eq!(tables_of(&world, &own[0]), ["rows"]);
    let env = text(&world, "/var/www/copy.example/htdocs/.env");
    assert!(env.contains(&format!("DB_DATABASE={0}\nDB_USERNAME={0}\n", own[1])));
    assert!(world.machine().mariadb.changed.is_empty());
}

#[test]
fn without_the_word_no_database_is_copied() {
    let world = with_wordpress();
    done(&world, 9, &clone(false));
    assert_eq!(world.state().databases.len(), 1);
    assert_eq!(text(&world, COPY), CONFIG);
    assert!(!world.state().site(&name("copy.example")).unwrap().enabled);
}

#[test]
fn what_cannot_be_copied_whole_is_refused_before_anything_changes() {
    let world = with_wordpress();
    let question = "SELECT CONCAT('view ', TABLE_NAME) FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'data_example' UNION ALL SELECT CONCAT('trigger ', TRIGGER_NAME) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'data_example' UNION ALL SELECT CONCAT(LOWER(ROUTINE_TYPE), ' ', ROUTINE_NAME) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'data_example' UNION ALL SELECT CONCAT('event ', EVENT_NAME) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'data_example' LIMIT 100";
    world
        .host
        .set_rows(question, vec![vec!["view sold".to_owned()]]);
    let fault = refused(&world, &clone(true));
    assert_eq!(
        (fault.code, fault.detail.as_str()),
        (Code::DatabaseUnloaded, "view sold")
    );
    assert!(world.plan(&clone(false)).is_ok());
    let silent = with_wordpress();
    let stop = |machine: &mut lalapanel::host::memory::machine::Machine| {
        machine.running.remove("mariadb.service");
    };
    silent.host.change(stop);
    assert_eq!(refused(&silent, &clone(true)).code, Code::MariadbSilent);
    let none = with_wordpress();
    done(&none, 5, &delete("data_example", false));
    assert_eq!(refused(&none, &clone(true)).code, Code::DatabaseNotFound);
}
