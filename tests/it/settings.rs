//! Changing a site: every kind of change, and every fault at every call it makes.

use lalapanel::domain::change::Change;
use lalapanel::domain::fault::Code;
use lalapanel::domain::path::HostPath;
use lalapanel::domain::setting::Assignment;
use lalapanel::domain::site::NewSiteKind;
use lalapanel::domain::web_target::{RedirectCode, WebAddress};
use lalapanel::ops::engine::Outcome;
use lalapanel::ops::step::{Expectation, Step};
use lalapanel::ops::view;

use crate::faults::every_fault;
use crate::world::{World, create, name, php, set};

#[test]
fn a_setting_of_nginx_ends_old_or_new_whatever_fails() {
    every_fault(
        World::with_sites,
        &set(
            "shop.example",
            &[("www", "redirect"), ("web.cache", "micro")],
        ),
    );
}

#[test]
fn a_setting_of_php_ends_old_or_new_whatever_fails() {
    every_fault(
        World::with_sites,
        &set(
            "shop.example",
            &[("php.memory_limit", "512"), ("limits.memory", "2048")],
        ),
    );
}

#[test]
fn an_extension_that_a_site_does_without_ends_old_or_new_whatever_fails() {
    let values = vec![Assignment::new("php.without", "xml\nredis").unwrap()];
    let hostname = name("shop.example");
    every_fault(World::with_sites, &Change::SiteSet { hostname, values });
}

#[test]
fn sites_that_share_their_php_have_the_same_extensions() {
    let world = World::installed();
    world.host.change(|machine| {
        machine.tree.take(&HostPath::fixed("/run/systemd/system"));
    });
    world.run(1, &create("shop.example", php())).unwrap();
    let values = vec![Assignment::new("php.without", "redis").unwrap()];
    let hostname = name("shop.example");
    let change = Change::SiteSet { hostname, values };
    let before = world.machine();
    let fault = world.run(2, &change).expect_err("it should be refused");
    assert_eq!(fault.code, Code::SettingInvalid);
    assert_eq!(world.machine().differences(&before), Vec::<String>::new());
}

#[test]
fn another_type_ends_old_or_new_whatever_fails() {
    every_fault(
        World::with_sites,
        &set("shop.example", &[("type", "static")]),
    );
}

#[test]
fn a_type_with_php_ends_old_or_new_whatever_fails() {
    fn static_now() -> World {
        let world = World::with_sites();
        world
            .run(3, &set("shop.example", &[("type", "static")]))
            .unwrap();
        world
    }
    every_fault(static_now, &set("shop.example", &[("type", "php 8.2")]));
}

#[test]
fn emptying_the_page_cache_ends_old_or_new_whatever_fails() {
    fn cached() -> World {
        let world = World::with_sites();
        world
            .run(3, &set("shop.example", &[("web.cache", "micro")]))
            .unwrap();
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
    world
        .run(3, &set("shop.example", &[("php.memory_limit", "512")]))
        .unwrap();
    world
        .run(4, &set("shop.example", &[("serving", "suspended")]))
        .unwrap();
    world
        .run(
            5,
            &set(
                "shop.example",
                &[("serving", "live"), ("type", "wordpress")],
            ),
        )
        .unwrap();
    let site = world
        .store
        .site_named(&name("shop.example"))
        .unwrap()
        .unwrap();
    assert_eq!(site.settings.php.memory_limit, 512);
    assert!(
        world
            .plan(&set("shop.example", &[("php.memory_limit", "512M")]))
            .unwrap()
            .is_none()
    );
}

/// A site that is closed answers 503 by its owner's wish, so that is no reason to take "online" back.
#[test]
fn a_suspended_site_and_one_behind_a_proxy_go_online_whatever_they_answer() {
    for values in [
        &[("serving", "suspended")],
        &[("type", "proxy 127.0.0.1:3000")],
    ] {
        let world = World::with_sites();
        world.run(3, &set("shop.example", values)).unwrap();
        let hostname = name("shop.example");
        world
            .run(
                4,
                &Change::SiteDisable {
                    hostname: hostname.clone(),
                },
            )
            .unwrap();
        let plan = world
            .plan(&Change::SiteEnable { hostname })
            .unwrap()
            .unwrap();
        let probe = plan.steps.iter().find_map(|planned| match &planned.step {
            Step::ProbeSite { expect, .. } => Some(*expect),
            _ => None,
        });
        assert_eq!(probe, Some(Expectation::Anything), "{values:?}");
    }
}

#[test]
fn nobody_is_shown_the_hash_of_a_visitors_password() {
    let world = World::with_sites();
    let hash = format!("$6$saltsalt${}", "a".repeat(86));
    let visitor = |who: &str| Change::SiteVisitor {
        hostname: name("shop.example"),
        name: who.parse().unwrap(),
        hash: Some(hash.parse().unwrap()),
    };
    world.run(3, &visitor("mara")).unwrap();
    for change in [
        set("shop.example", &[("access.protected", "/admin/")]),
        visitor("otto"),
    ] {
        let plan = world.plan(&change).unwrap();
        let plan = plan.unwrap_or_else(|| panic!("nothing to do"));
        let shown = view::plan(&plan, &world.host);
        let text = serde_json::to_string(&shown).unwrap();
        assert!(!text.contains("$6$"), "{text}");
        world
            .run(4 + u64::from(change.word() == "site visitor"), &change)
            .unwrap();
    }
    let file = Change::SiteDelete {
        hostname: name("shop.example"),
        now: true,
    };
    let shown = view::plan(&world.plan(&file).unwrap().unwrap(), &world.host);
    assert!(!serde_json::to_string(&shown).unwrap().contains("$6$"));
}

#[test]
fn a_type_brings_its_directory_and_what_is_typed_beside_it_counts() {
    let world = World::with_sites();
    let root = |world: &World| {
        let site = world.store.site_named(&name("shop.example")).unwrap();
        site.unwrap().document_root().to_string()
    };
    let laravel = set("shop.example", &[("type", "laravel")]);
    let plan = world.plan(&laravel).unwrap().unwrap();
    let told = plan.notes.iter().any(|note| note.contains("htdocs/public"));
    assert!(told, "{:?}", plan.notes);
    world.run(3, &laravel).unwrap();
    assert_eq!(root(&world), "/var/www/shop.example/htdocs/public");
    let both = set("shop.example", &[("web.directory", "web"), ("type", "php")]);
    world.run(4, &both).unwrap();
    assert_eq!(root(&world), "/var/www/shop.example/htdocs/web");
}

#[test]
fn a_redirect_that_leads_to_itself_is_refused_however_it_is_asked_for() {
    let world = World::with_sites();
    let code = |change: &Change| world.run(90, change).unwrap_err().code;
    let to = |target: &str| NewSiteKind::Redirect {
        target: WebAddress::parse(target).unwrap(),
        code: RedirectCode::default(),
    };
    let own = create("old.example", to("https://old.example/x"));
    assert_eq!(code(&own), Code::SettingInvalid);
    assert!(world.state().site(&name("old.example")).is_err());
    let fine = create("old.example", to("https://shop.example"));
    assert_eq!(world.run(3, &fine).unwrap(), Some(Outcome::Done));
    let other = create("far.example", to("https://away.example"));
    world.run(4, &other).unwrap();
    let far = |key| Change::SiteSet {
        hostname: name("far.example"),
        values: vec![Assignment::new(key, "away.example").unwrap()],
    };
    for key in ["aliases", "redirected_names"] {
        assert_eq!(code(&far(key)), Code::SettingInvalid, "{key}");
    }
}

#[test]
fn a_change_of_visitors_is_called_what_it_is() {
    let world = World::with_sites();
    let hash = format!("$6$saltsalt${}", "a".repeat(86));
    let visitor = |hash: Option<&str>| Change::SiteVisitor {
        hostname: name("shop.example"),
        name: "mara".parse().unwrap(),
        hash: hash.map(|hash| hash.parse().unwrap()),
    };
    let add = world.plan(&visitor(Some(&hash))).unwrap().unwrap();
    assert_eq!(
        (add.change.as_str(), add.title.as_str()),
        (
            "site visitor",
            "Let mara pass the protected paths of shop.example"
        )
    );
    world.run(3, &visitor(Some(&hash))).unwrap();
    let remove = world.plan(&visitor(None)).unwrap().unwrap();
    assert_eq!(remove.change, visitor(None).word());
}
