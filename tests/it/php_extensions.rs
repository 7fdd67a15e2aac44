//! Extensions of a PHP version on a machine in memory: installed and removed under its sites, whatever fails.

use lalapanel::domain::change::Change;
use lalapanel::domain::fault::{Code, Fault};
use lalapanel::domain::path::HostPath;
use lalapanel::domain::php::PhpVersion;
use lalapanel::domain::php_extension::PhpExtension;
use lalapanel::domain::site::NewSiteKind;
use lalapanel::ops::engine::Outcome;
use lalapanel::ops::step::{ServiceAct, Step};

use crate::faults::every_fault;
use crate::world::{World, create, name, set};

const PHP: PhpVersion = PhpVersion::new(8, 2);

fn named(text: &str) -> PhpExtension {
    PhpExtension::parse(text).unwrap()
}

fn install(text: &str) -> Change {
    let extension = named(text);
    Change::PhpExtensionInstall {
        php: PHP,
        extension,
    }
}

fn remove(text: &str) -> Change {
    let extension = named(text);
    Change::PhpExtensionRemove {
        php: PHP,
        extension,
    }
}

fn with_redis() -> World {
    let world = World::with_sites();
    assert_eq!(
        world.run(3, &install("redis")).unwrap(),
        Some(Outcome::Done)
    );
    world
}

/// Where systemd is absent, its sites share one PHP-FPM.
fn shared() -> World {
    let world = World::installed();
    world.host.change(|machine| {
        machine.tree.take(&HostPath::fixed("/run/systemd/system"));
    });
    let kind = NewSiteKind::Php { php: Some(PHP) };
    world.run(1, &create("shop.example", kind)).unwrap();
    world
}

fn refused(world: &World, change: &Change) -> Fault {
    let before = (world.machine(), world.state());
    let fault = world.run(9, change).expect_err("it should be refused");
    assert_eq!(world.machine().differences(&before.0), Vec::<String>::new());
    assert_eq!(world.state(), before.1);
    assert!(!fault.hint.is_empty());
    fault
}

#[test]
fn one_package_comes_and_the_sites_of_the_version_are_reloaded_and_looked_at() {
    let world = World::with_sites();
    let plan = world.plan(&install("redis")).unwrap().unwrap();
    let steps: Vec<&Step> = plan.steps.iter().map(|planned| &planned.step).collect();
    let names = vec!["php8.2-redis".to_owned()];
    assert!(steps.contains(&&Step::InstallPackages { names }));
    let reloads = steps.iter().filter(|step| {
        matches!(step, Step::Service { unit, act: ServiceAct::Reload, .. } if unit == "lalapanel-php-s1001.service")
    });
    assert_eq!(reloads.count(), 1);
    let looks = |step: &&&Step| matches!(step, Step::LookAtHome { .. } | Step::CompareHome { .. });
    assert_eq!(steps.iter().filter(looks).count(), 2);
    assert!(plan.notes.iter().any(|note| note.contains("shop.example")));
    assert_eq!(
        world.run(3, &install("redis")).unwrap(),
        Some(Outcome::Done)
    );
    assert_eq!(world.run(4, &install("redis")).unwrap(), None);
    assert_eq!(world.run(5, &remove("redis")).unwrap(), Some(Outcome::Done));
    assert_eq!(
        refused(&world, &remove("redis")).code,
        Code::PhpNotInstalled
    );
}

#[test]
fn what_apt_does_not_know_and_a_version_that_is_not_here_are_refused() {
    let world = World::with_sites();
    let fault = refused(&world, &install("oracle"));
    assert_eq!(fault.code, Code::PhpUnavailable);
    assert!(fault.hint.contains("redis"), "{}", fault.hint);
    let change = Change::PhpExtensionInstall {
        php: PhpVersion::new(8, 4),
        extension: named("mysql"),
    };
    assert_eq!(refused(&world, &change).code, Code::PhpNotInstalled);
}

#[test]
fn what_the_version_or_another_package_needs_stays() {
    let world = World::with_sites();
    world.run(3, &install("xml")).unwrap();
    let drags = |by: &str, what: &str| {
        let pair = (by.to_owned(), what.to_owned());
        world.host.change(|machine| machine.drags = Some(pair));
    };
    drags("php8.2-xml", "php8.2-fpm");
    let fault = refused(&world, &remove("xml"));
    assert_eq!(fault.code, Code::PhpInUse);
    assert!(
        fault.title.starts_with("PHP 8.2 itself needs"),
        "{}",
        fault.title
    );
    drags("php8.2-xml", "phpmyadmin");
    assert!(refused(&world, &remove("xml")).title.contains("phpmyadmin"));
}

#[test]
fn a_wordpress_site_keeps_the_way_to_its_database() {
    let world = World::with_sites();
    world.run(3, &install("mysql")).unwrap();
    let kind = NewSiteKind::Wordpress { php: Some(PHP) };
    world.run(4, &create("blog.example", kind)).unwrap();
    let fault = refused(&world, &remove("mysql"));
    assert_eq!(fault.code, Code::PhpInUse);
    assert!(fault.title.contains("blog.example"), "{}", fault.title);
    assert!(!fault.title.contains("shop.example"), "{}", fault.title);
}

#[test]
fn an_extension_with_which_php_does_not_start_goes_before_a_visitor_meets_it() {
    let world = World::with_sites();
    world
        .host
        .change(|machine| machine.broken_program = Some("/usr/sbin/php-fpm8.2".to_owned()));
    let before = world.machine();
    let plan = world.plan(&install("redis")).unwrap().unwrap();
    let place = |wanted: fn(&Step) -> bool| {
        let mut steps = plan.steps.iter();
        steps.position(|planned| wanted(&planned.step)).unwrap()
    };
    let trial = place(|step| matches!(step, Step::StartPhp { .. }));
    let reload =
        place(|step| matches!(step, Step::Service { act, .. } if *act == ServiceAct::Reload));
    assert!(trial < reload);
    let Some(Outcome::Undone(fault)) = world.run(3, &install("redis")).unwrap() else {
        panic!("it should be undone");
    };
    assert_eq!(fault.code, Code::PhpSilent);
    world.host.change(|machine| machine.broken_program = None);
    let left = world.machine();
    let names = left
        .tree
        .text(&HostPath::fixed("/usr/lib/php/20220829/redis.so"));
    assert_eq!(names, None);
    assert!(before.packages == left.packages);
}

#[test]
fn what_a_site_does_without_follows_it_to_another_version_and_into_a_clone() {
    let world = World::with_sites();
    let set = set("shop.example", &[("php.without", "redis")]);
    assert_eq!(world.run(3, &set).unwrap(), Some(Outcome::Done));
    let unit = |number: &str| {
        let machine = world.host.machine();
        let name = format!("lalapanel-php-{number}.service");
        machine.running.get(&name).unwrap().unit.clone()
    };
    assert!(unit("s1001").contains("-/etc/php/8.2/mods-available/redis.ini"));
    let reload = |step: &Step| matches!(step, Step::Service { unit, act: ServiceAct::Restart, .. } if unit == "lalapanel-php-s1001.service");
    let plan = world.plan(&install("redis")).unwrap().unwrap();
    assert!(plan.steps.iter().any(|planned| reload(&planned.step)));
    let php = PhpVersion::new(8, 4);
    world.run(4, &Change::PhpInstall { php }).unwrap();
    let hostname = name("shop.example");
    world.run(5, &Change::SitePhp { hostname, php }).unwrap();
    assert!(unit("s1001").contains("-/etc/php/8.4/mods-available/redis.ini"));
    assert!(!unit("s1001").contains("/etc/php/8.2"));
    let clone = Change::SiteClone {
        hostname: name("shop.example"),
        name: name("copy.example"),
        databases: false,
    };
    assert_eq!(world.run(6, &clone).unwrap(), Some(Outcome::Done));
    let state = world.state();
    let copy = state.site(&name("copy.example")).unwrap();
    assert!(unit(&copy.id.to_string()).contains("-/etc/php/8.4/mods-available/redis.ini"));
}

#[test]
fn installing_an_extension_ends_old_or_new_whatever_fails() {
    every_fault(World::with_sites, &install("redis"));
}

#[test]
fn removing_an_extension_ends_old_or_new_whatever_fails() {
    every_fault(with_redis, &remove("redis"));
}

#[test]
fn installing_an_extension_of_a_shared_php_ends_old_or_new_whatever_fails() {
    every_fault(shared, &install("redis"));
}
