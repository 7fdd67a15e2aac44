//! PHP versions on a machine in memory: installed, removed, and switched under a site, whatever fails.

use lalapanel::domain::change::Change;
use lalapanel::domain::fault::Code;
use lalapanel::domain::path::HostPath;
use lalapanel::domain::php::PhpVersion;
use lalapanel::host::Host;
use lalapanel::host::exec::{Command, Program};
use lalapanel::ops::engine::Outcome;
use lalapanel::ops::step::Step;

use crate::faults::every_fault;
use crate::world::{World, create, name, php};

const OLD: PhpVersion = PhpVersion::new(8, 2);
const NEW: PhpVersion = PhpVersion::new(8, 4);

fn install() -> Change {
    Change::PhpInstall { php: NEW }
}

fn remove(php: PhpVersion) -> Change {
    Change::PhpRemove { php }
}

fn switch(php: PhpVersion) -> Change {
    let hostname = name("shop.example");
    Change::SitePhp { hostname, php }
}

/// Two versions, one site on the older.
fn two_versions() -> World {
    let world = World::with_sites();
    assert_eq!(world.run(3, &install()).unwrap(), Some(Outcome::Done));
    world
}

fn switched() -> World {
    let world = two_versions();
    assert_eq!(world.run(4, &switch(NEW)).unwrap(), Some(Outcome::Done));
    world
}

fn refused(world: &World, change: &Change) -> lalapanel::domain::fault::Fault {
    let before = (world.machine(), world.state());
    let fault = world.run(9, change).expect_err("it should be refused");
    assert_eq!(world.machine().differences(&before.0), Vec::<String>::new());
    assert_eq!(world.state(), before.1);
    assert!(!fault.hint.is_empty());
    fault
}

fn put(world: &World, path: &'static str, text: &str) {
    let path = HostPath::fixed(path);
    world
        .host
        .change(|machine| machine.tree.put_text(&path, text));
}

fn page(world: &World, text: &str) {
    put(world, "/var/www/shop.example/htdocs/index.php", text);
}

fn php_of(world: &World) -> Option<PhpVersion> {
    let state = world.state();
    state.site(&name("shop.example")).unwrap().kind.php()
}

#[test]
fn a_version_is_installed_without_its_metapackage_and_its_own_fpm_is_masked() {
    let world = World::with_sites();
    let plan = world.plan(&install()).unwrap().unwrap();
    let names: Vec<&String> = plan
        .steps
        .iter()
        .filter_map(|planned| match &planned.step {
            Step::InstallPackages { names } => Some(names),
            _ => None,
        })
        .flatten()
        .collect();
    assert!(names.iter().all(|name| name.starts_with("php8.4-")));
    assert_eq!(world.run(3, &install()).unwrap(), Some(Outcome::Done));
    let enabled = Command::new(Program::Systemctl, ["is-enabled", "php8.4-fpm"]);
    assert_eq!(world.host.run(&enabled).unwrap().stdout, "masked\n");
    assert_eq!(
        world.run(4, &install()).unwrap(),
        None,
        "it is here already"
    );
}

#[test]
fn a_version_that_apt_does_not_know_is_refused() {
    let php = PhpVersion::new(7, 4);
    let fault = refused(&World::with_sites(), &Change::PhpInstall { php });
    assert_eq!(fault.code, Code::PhpUnavailable);
    assert!(fault.hint.contains("8.4"), "{}", fault.hint);
}

#[test]
fn a_second_web_server_is_refused_before_anything_changes() {
    let world = World::with_sites();
    world.host.change(|machine| {
        let package = machine.packages.get_mut("php8.4-mysql").unwrap().clone();
        machine.packages.insert("php8.4-bcmath".to_owned(), package);
        machine.drags = Some(("php8.4-bcmath".to_owned(), "apache2".to_owned()));
    });
    let fault = refused(&world, &install());
    assert_eq!(fault.code, Code::PhpUnavailable);
    assert!(fault.title.contains("apache2"), "{}", fault.title);
}

#[test]
fn apts_lock_is_waited_for_and_then_the_holder_is_named() {
    let world = World::with_sites();
    put(&world, "/var/lib/dpkg/lock-held", "");
    let before = world.machine();
    let Some(Outcome::Undone(fault)) = world.run(3, &install()).unwrap() else {
        panic!("it should be undone");
    };
    assert_eq!(fault.code, Code::AptLocked);
    assert!(fault.title.contains("unattended-upgr"), "{}", fault.title);
    assert_eq!(world.machine().differences(&before), Vec::<String>::new());
}

#[test]
fn a_version_in_use_is_not_removed_and_the_sites_are_named() {
    let world = two_versions();
    let fault = refused(&world, &remove(OLD));
    assert_eq!(fault.code, Code::PhpInUse);
    assert!(fault.title.contains("shop.example"), "{}", fault.title);
    let world = switched();
    let fault = refused(&world, &remove(OLD));
    assert!(fault.title.contains("php8.2-fpm"), "{}", fault.title);
    let stop = Command::new(Program::Systemctl, ["disable", "--now", "php8.2-fpm"]);
    assert!(world.host.run(&stop).unwrap().is_success());
    assert_eq!(world.run(5, &remove(OLD)).unwrap(), Some(Outcome::Done));
    assert_eq!(refused(&world, &remove(OLD)).code, Code::PhpNotInstalled);
}

#[test]
fn a_version_with_a_pool_of_somebody_else_is_not_removed() {
    let world = two_versions();
    put(&world, "/etc/php/8.4/fpm/pool.d/forum.conf", "[forum]\n");
    assert!(refused(&world, &remove(NEW)).title.contains("forum.conf"));
}

#[test]
fn a_switched_site_is_what_a_new_one_on_that_version_would_be() {
    let world = switched();
    assert_eq!(php_of(&world), Some(NEW));
    let units = world.host.list(&HostPath::fixed("/etc/systemd/system"));
    let left: Vec<String> = units
        .unwrap()
        .into_iter()
        .filter(|unit| unit.contains("trial") || unit.contains("next"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
    let machine = world.host.machine();
    let service = machine.running.get("lalapanel-php-s1001.service").unwrap();
    assert!(service.unit.contains("/usr/sbin/php-fpm8.4"));
    assert_eq!(world.run(5, &switch(NEW)).unwrap(), None);
    assert_eq!(world.run(6, &switch(OLD)).unwrap(), Some(Outcome::Done));
}

#[test]
fn a_home_page_that_breaks_on_the_new_version_keeps_the_old_one() {
    let world = two_versions();
    page(&world, "<?php // breaks on 8.4");
    let before = world.machine();
    let Some(Outcome::Undone(fault)) = world.run(4, &switch(NEW)).unwrap() else {
        panic!("it should be undone");
    };
    assert_eq!(fault.code, Code::PhpWorse);
    assert!(
        fault.title.starts_with("shop.example stays on PHP 8.2"),
        "{}",
        fault.title
    );
    assert_eq!(world.machine().differences(&before), Vec::<String>::new());
    assert_eq!(php_of(&world), Some(OLD));
}

#[test]
fn a_home_page_that_was_broken_before_may_stay_so() {
    let world = two_versions();
    page(&world, "<?php // breaks on 8.2");
    assert_eq!(world.run(4, &switch(NEW)).unwrap(), Some(Outcome::Done));
}

#[test]
fn a_version_that_does_not_start_keeps_the_old_one() {
    let world = two_versions();
    world.host.change(|machine| {
        machine.tree.take(&HostPath::fixed("/usr/sbin/php-fpm8.4"));
    });
    // As a broken extension would: the version counts as installed, and does not start.
    put(&world, "/usr/sbin/php-fpm8.4", "");
    let plan = world.plan(&switch(NEW)).unwrap().unwrap();
    assert!(plan.steps.len() > 10);
    world
        .host
        .change(|machine| machine.broken_program = Some("/usr/sbin/php-fpm8.4".to_owned()));
    let before = world.machine();
    let Some(Outcome::Undone(fault)) = world.run(4, &switch(NEW)).unwrap() else {
        panic!("it should be undone");
    };
    assert_eq!(fault.code, Code::PhpSilent);
    assert_eq!(world.machine().differences(&before), Vec::<String>::new());
}

#[test]
fn a_site_that_is_offline_gets_its_version_for_later() {
    let world = two_versions();
    let hostname = name("shop.example");
    world
        .run(
            4,
            &Change::SiteDisable {
                hostname: hostname.clone(),
            },
        )
        .unwrap();
    assert_eq!(world.run(5, &switch(NEW)).unwrap(), Some(Outcome::Done));
    world.run(6, &Change::SiteEnable { hostname }).unwrap();
    let machine = world.host.machine();
    let service = machine.running.get("lalapanel-php-s1001.service").unwrap();
    assert!(service.unit.contains("/usr/sbin/php-fpm8.4"));
}

#[test]
fn a_static_site_and_an_absent_version_are_refused() {
    let world = World::with_sites();
    let hostname = name("plain.example");
    let change = Change::SitePhp { hostname, php: OLD };
    assert_eq!(refused(&world, &change).code, Code::RequestInvalid);
    assert_eq!(refused(&world, &switch(NEW)).code, Code::PhpNotInstalled);
}

#[test]
fn installing_a_version_ends_old_or_new_whatever_fails() {
    every_fault(World::with_sites, &install());
}

#[test]
fn removing_a_version_ends_old_or_new_whatever_fails() {
    every_fault(two_versions, &remove(NEW));
}

#[test]
fn switching_a_version_ends_old_or_new_whatever_fails() {
    every_fault(two_versions, &switch(NEW));
}

/// The same where systemd is absent: sites share the master of their version.
fn shared() -> World {
    let world = World::installed();
    world.host.change(|machine| {
        machine.tree.take(&HostPath::fixed("/run/systemd/system"));
    });
    world.run(1, &create("shop.example", php())).unwrap();
    assert_eq!(world.run(3, &install()).unwrap(), Some(Outcome::Done));
    world
}

#[test]
fn a_shared_pool_moves_to_the_other_master_and_nginx_follows() {
    let world = shared();
    assert_eq!(world.run(4, &switch(NEW)).unwrap(), Some(Outcome::Done));
    let text = |path: &'static str| world.host.machine().tree.text(&HostPath::fixed(path));
    let nginx = text("/etc/nginx/sites-available/shop.example").unwrap();
    assert!(nginx.contains("unix:/run/lalapanel/php/s1001-8.4.sock"));
    let pool = text("/etc/php/8.4/fpm/pool.d/lalapanel-s1001.conf").unwrap();
    assert!(pool.contains("listen = /run/lalapanel/php/s1001-8.4.sock\n"));
    assert_eq!(text("/etc/php/8.2/fpm/pool.d/lalapanel-s1001.conf"), None);
    page(&world, "<?php // breaks on 8.2");
    let before = world.machine();
    assert!(matches!(
        world.run(5, &switch(OLD)).unwrap(),
        Some(Outcome::Undone(_))
    ));
    assert_eq!(world.machine().differences(&before), Vec::<String>::new());
}

#[test]
fn switching_a_shared_pool_ends_old_or_new_whatever_fails() {
    every_fault(shared, &switch(NEW));
}

#[test]
fn turning_the_extra_repository_on_ends_old_or_new_whatever_fails() {
    let change = Change::PhpRepository { enabled: true };
    assert_eq!(
        World::with_sites().run(3, &change).unwrap(),
        Some(Outcome::Done)
    );
    every_fault(World::with_sites, &change);
}
