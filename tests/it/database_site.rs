//! Another password for a database in the file of its site: what is changed, what is refused, and that both come back whatever fails.

use lalapanel::domain::change::Change;
use lalapanel::domain::database::{DatabaseHash, DatabaseName};
use lalapanel::domain::fault::Code;
use lalapanel::domain::id::SiteId;
use lalapanel::domain::path::{HostPath, SitePath};
use lalapanel::domain::secret::Password;
use lalapanel::host::job::{Act, Job};
use lalapanel::host::memory::tree::Kind;
use lalapanel::host::{Host, Owner};
use lalapanel::ops::engine::Outcome;

use crate::databases::{make, user, with_data};
use crate::faults::every_fault;
use crate::world::{World, done, name, refused, text};

const FILE: &str = "/var/www/data.example/htdocs/wp-config.php";
const OLD: &str = "<?php\ndefine('DB_NAME', 'data_example');\ndefine('DB_USER', 'data_example');\ndefine('DB_PASSWORD', 'quiet violet heron');\n";

fn change() -> Change {
    let name = DatabaseName::parse("data_example").unwrap();
    Change::DatabaseSitePassword { name }
}

fn put(world: &World, file: &str, text: &str) {
    let act = Act::PutSecret {
        path: SitePath::parse(file).unwrap(),
        text: text.to_owned(),
    };
    let base = HostPath::fixed("/var/www/data.example");
    world
        .host
        .job(&Job::new(SiteId::FIRST, &base, act))
        .unwrap();
}

fn with_file() -> World {
    let world = with_data();
    put(&world, "htdocs/wp-config.php", OLD);
    world
}

fn offline() -> World {
    let world = with_file();
    let hostname = name("data.example");
    done(&world, 2, &Change::SiteDisable { hostname });
    world
}

#[test]
fn the_file_and_the_password_end_old_or_new_whatever_fails() {
    every_fault(with_file, &change());
}

#[test]
fn those_of_a_site_that_is_offline_end_old_or_new_whatever_fails() {
    every_fault(offline, &change());
}

#[test]
fn the_file_has_the_password_that_mariadb_knows_and_no_plan_or_journal_has_it() {
    let world = with_file();
    let plan = world.plan(&change()).unwrap().unwrap();
    assert_eq!(text(&world, FILE), OLD);
    done(&world, 3, &change());
    let now = text(&world, FILE);
    let password = now.split('\'').rev().nth(1).unwrap().to_owned();
    assert_eq!(now, OLD.replace("quiet violet heron", &password));
    assert_eq!(password.len(), 32);
    let hash = DatabaseHash::of(&Password::typed(password.clone()));
    assert_eq!(user(&world, "data_example").unwrap().hash, hash.as_str());
    let meta = world.host.stat(&HostPath::fixed(FILE)).unwrap().unwrap();
    assert_eq!((meta.owner, meta.mode.0), (owner(&with_file()), 0o600));
    let planned = serde_json::to_string(&plan).unwrap();
    let statements = world.host.statements().join("\n");
    for seen in [planned, statements] {
        assert!(!seen.contains(&password) && !seen.contains("quiet violet heron"));
    }
    let former = HostPath::fixed("/var/www/data.example/former");
    assert!(world.host.stat(&former).unwrap().is_none());
}

fn owner(world: &World) -> Owner {
    world
        .host
        .stat(&HostPath::fixed(FILE))
        .unwrap()
        .unwrap()
        .owner
}

#[test]
fn an_env_file_is_edited_as_well() {
    let world = with_data();
    let env = "DB_DATABASE=data_example\nDB_USERNAME=data_example\nDB_PASSWORD=x\n";
    put(&world, "htdocs/.env", env);
    assert_eq!(world.run(3, &change()).unwrap(), Some(Outcome::Done));
    let now = text(&world, "/var/www/data.example/htdocs/.env");
    assert!(now.starts_with("DB_DATABASE=data_example\n") && !now.contains("=x\n"));
}

fn says(world: &World, words: &str) {
    let fault = refused(world, &change());
    assert_eq!(fault.code, Code::DatabaseSiteFile);
    assert!(fault.title.contains(words), "{}", fault.title);
}

#[test]
fn what_cannot_be_edited_for_certain_is_refused_and_says_why() {
    let world = with_data();
    says(&world, "has no wp-config.php and no .env");
    put(&world, "htdocs/.env", "APP_NAME=x\n");
    says(
        &world,
        "htdocs/.env does not name the database data_example",
    );
    let file = HostPath::fixed(FILE);
    world.host.change(|machine| {
        let link = Kind::Link("/etc/passwd".to_owned());
        machine
            .tree
            .put(&file, link, Owner::of_site(SiteId::FIRST), 0o777);
    });
    says(&world, "htdocs/wp-config.php is a symbolic link");
    world.host.change(|machine| machine.tree.take(&file));
    let unclear = OLD.replace("'quiet violet heron'", "getenv('P')");
    put(&world, "htdocs/wp-config.php", &unclear);
    says(&world, "no plain text between quotes");
    world.host.change(|machine| machine.tree.take(&file));
    let far = format!("{OLD}define('DB_HOST', 'db.example');");
    put(&world, "htdocs/wp-config.php", &far);
    says(&world, "another server");
    world.host.change(|machine| machine.tree.take(&file));
    put(&world, "htdocs/wp-config.php", OLD);
    assert!(world.plan(&change()).unwrap().is_some());
    let env = HostPath::fixed("/var/www/data.example/htdocs/.env");
    world.host.change(|machine| machine.tree.take(&env));
    let other = "DB_DATABASE=data_example\nDB_USERNAME=data_example\nDB_PASSWORD=x\n";
    put(&world, "htdocs/.env", other);
    says(&world, "both htdocs/wp-config.php and htdocs/.env");
}

#[test]
fn a_database_of_no_site_or_a_silent_mariadb_is_refused() {
    let world = with_file();
    done(&world, 3, &make("alone", None));
    let name = DatabaseName::parse("alone").unwrap();
    let fault = refused(&world, &Change::DatabaseSitePassword { name });
    assert_eq!(fault.code, Code::DatabaseSiteFile);
    world
        .host
        .change(|machine| machine.running.remove("mariadb.service"));
    assert_eq!(refused(&world, &change()).code, Code::MariadbSilent);
    assert_eq!(text(&world, FILE), OLD);
}
