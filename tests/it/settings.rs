//! Changing a site: every kind of change, and every fault at every call it makes.

use lalapanel::domain::change::Change;
use lalapanel::domain::setting::Assignment;

use crate::faults::every_fault;
use crate::world::{World, name};

fn set(values: &[(&str, &str)]) -> Change {
    Change::SiteSet {
        hostname: name("shop.example"),
        values: values
            .iter()
            .map(|(key, value)| Assignment::new(key, value).unwrap())
            .collect(),
    }
}

#[test]
fn a_setting_of_nginx_ends_old_or_new_whatever_fails() {
    every_fault(
        World::with_sites,
        &set(&[("www", "redirect"), ("web.cache", "micro")]),
    );
}

#[test]
fn a_setting_of_php_ends_old_or_new_whatever_fails() {
    every_fault(
        World::with_sites,
        &set(&[("php.memory_limit", "512"), ("limits.memory", "2048")]),
    );
}

#[test]
fn another_type_ends_old_or_new_whatever_fails() {
    every_fault(World::with_sites, &set(&[("type", "static")]));
}

#[test]
fn a_type_with_php_ends_old_or_new_whatever_fails() {
    fn static_now() -> World {
        let world = World::with_sites();
        world.run(3, &set(&[("type", "static")])).unwrap();
        world
    }
    every_fault(static_now, &set(&[("type", "php 8.2")]));
}

#[test]
fn emptying_the_page_cache_ends_old_or_new_whatever_fails() {
    fn cached() -> World {
        let world = World::with_sites();
        world.run(3, &set(&[("web.cache", "micro")])).unwrap();
        world
    }
    let purge = Change::SitePurge {
        hostname: name("shop.example"),
    };
    every_fault(cached, &purge);
}

#[test]
fn settings_survive_each_other_and_an_old_value_changes_nothing() {
    let world = World::with_sites();
    world.run(3, &set(&[("php.memory_limit", "512")])).unwrap();
    world.run(4, &set(&[("serving", "suspended")])).unwrap();
    world
        .run(5, &set(&[("serving", "live"), ("type", "wordpress")]))
        .unwrap();
    let site = world
        .store
        .site_named(&name("shop.example"))
        .unwrap()
        .unwrap();
    assert_eq!(site.settings.php.memory_limit, 512);
    assert!(
        world
            .plan(&set(&[("php.memory_limit", "512M")]))
            .unwrap()
            .is_none()
    );
}
