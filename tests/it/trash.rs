//! The trash: what goes in, what comes out, what is refused, and what ends by itself.

use lalapanel::agent::live::LiveSettings;
use lalapanel::agent::operations::Operations;
use lalapanel::domain::change::Change;
use lalapanel::domain::fault::Code;
use lalapanel::domain::id::SiteId;
use lalapanel::domain::nginx_text::Snippet;
use lalapanel::domain::path::HostPath;
use lalapanel::domain::site::{NewSite, NewSiteKind};
use lalapanel::domain::time::Timestamp;
use lalapanel::domain::tls::TlsMode;
use lalapanel::host::Host;
use lalapanel::ops::trash;

use lalapanel::system::config::Config;

use crate::faults::every_fault;
use crate::world::{World, create, done, name, php, refused};

const SHOP: u32 = 1001;
const PLAIN: u32 = 1002;

fn delete(hostname: &str, now: bool) -> Change {
    let hostname = name(hostname);
    Change::SiteDelete { hostname, now }
}

fn restore(number: u32, hostname: &str) -> Change {
    Change::SiteRestore {
        site: SiteId::new(number),
        hostname: name(hostname),
    }
}

fn discard(number: u32, hostname: &str) -> Change {
    Change::SiteDiscard {
        site: SiteId::new(number),
        hostname: name(hostname),
    }
}

/// Both sites are in the trash.
fn with_trash() -> World {
    let world = World::with_sites();
    done(&world, 3, &delete("shop.example", false));
    done(&world, 4, &delete("plain.example", false));
    world
}

fn with_offline_trash() -> World {
    let world = World::with_sites();
    let hostname = name("shop.example");
    done(&world, 3, &Change::SiteDisable { hostname });
    done(&world, 4, &delete("shop.example", false));
    world
}

/// What differs beside nginx's count of reloads and the marker.
fn differences(world: &World, before: &lalapanel::host::memory::machine::Machine) -> Vec<String> {
    let mut left = world.machine().differences(before);
    left.retain(|line| !line.contains("lalapanel-marker.conf") && !line.contains("nginx"));
    left
}

#[test]
fn deleting_a_php_site_ends_old_or_new_whatever_fails() {
    every_fault(World::with_sites, &delete("shop.example", false));
}

#[test]
fn deleting_a_static_site_ends_old_or_new_whatever_fails() {
    every_fault(World::with_sites, &delete("plain.example", false));
}

#[test]
fn deleting_a_site_for_good_ends_old_or_new_whatever_fails() {
    every_fault(World::with_sites, &delete("shop.example", true));
}

#[test]
fn putting_a_php_site_back_ends_old_or_new_whatever_fails() {
    every_fault(with_trash, &restore(SHOP, "shop.example"));
}

#[test]
fn putting_an_offline_site_back_ends_old_or_new_whatever_fails() {
    every_fault(with_offline_trash, &restore(SHOP, "shop.example"));
}

#[test]
fn putting_a_site_back_under_another_name_ends_old_or_new_whatever_fails() {
    every_fault(with_trash, &restore(PLAIN, "other.example"));
}

#[test]
fn emptying_the_trash_ends_old_or_new_whatever_fails() {
    every_fault(with_trash, &discard(SHOP, "shop.example"));
}

#[test]
fn a_site_put_back_is_the_site_that_was_deleted() {
    let world = World::with_sites();
    let own = Change::SiteSnippet {
        hostname: name("shop.example"),
        text: Snippet::parse("add_header X-Own yes;").unwrap(),
    };
    done(&world, 3, &own);
    let (machine, state) = (world.machine(), world.state());
    done(&world, 4, &delete("shop.example", false));
    assert!(
        world
            .state()
            .sites
            .iter()
            .all(|site| site.id.number() != SHOP)
    );
    let root = world.host.stat(&HostPath::fixed("/var/www/shop.example"));
    assert_eq!(root.unwrap(), None);
    let closed = world.host.stat(&trash::sites()).unwrap().unwrap();
    assert_eq!((closed.owner.uid, closed.mode.0), (0, 0o700));
    assert!(
        !world
            .machine()
            .tree
            .text(&HostPath::fixed("/etc/passwd"))
            .unwrap()
            .contains("s1001")
    );

    done(&world, 5, &restore(SHOP, "shop.example"));
    assert_eq!(world.state(), state);
    assert_eq!(differences(&world, &machine), Vec::<String>::new());
}

#[test]
fn an_offline_site_is_put_back_offline() {
    let world = with_offline_trash();
    done(&world, 5, &restore(SHOP, "shop.example"));
    let site = world.state().site(&name("shop.example")).unwrap().clone();
    assert!(!site.enabled);
    assert_eq!(world.host.stat(&site.nginx_link()).unwrap(), None);
    done(
        &world,
        6,
        &Change::SiteEnable {
            hostname: site.hostname,
        },
    );
}

#[test]
fn names_of_a_deleted_site_are_free_and_then_taken() {
    let world = with_trash();
    done(&world, 5, &create("shop.example", php()));
    assert_eq!(
        world
            .state()
            .site(&name("shop.example"))
            .unwrap()
            .id
            .number(),
        1003
    );
    let fault = refused(&world, &restore(SHOP, "shop.example"));
    assert_eq!(fault.code, Code::HostnameTaken);
    assert!(
        fault.hint.contains("lalapanel site restore s1001 --as"),
        "{}",
        fault.hint
    );
    done(&world, 6, &restore(SHOP, "old.example"));
    let back = world.state().site(&name("old.example")).unwrap().clone();
    assert_eq!(back.id.number(), SHOP);
    let page = world
        .host
        .stat(&back.files().join("index.php"))
        .unwrap()
        .unwrap();
    assert_eq!(page.owner.uid, back.id.uid());
}

#[test]
fn further_names_that_were_taken_meanwhile_are_left_out_and_named() {
    let world = World::installed();
    let with_alias = |hostname: &str, alias: &str| {
        Change::SiteCreate(NewSite {
            hostname: name(hostname),
            aliases: vec![name(alias).into()],
            redirected: Vec::new(),
            kind: NewSiteKind::Static { spa: false },
            database: None,
            wordpress: None,
            tls: TlsMode::Off,
        })
    };
    done(&world, 1, &with_alias("shop.example", "www.shop.example"));
    done(&world, 2, &delete("shop.example", false));
    done(&world, 3, &with_alias("new.example", "www.shop.example"));
    let plan = world.plan(&restore(SHOP, "shop.example")).unwrap().unwrap();
    assert!(
        plan.notes
            .iter()
            .any(|note| note.starts_with("www.shop.example belongs")),
        "{:?}",
        plan.notes
    );
    done(&world, 4, &restore(SHOP, "shop.example"));
    assert_eq!(
        world.state().site(&name("shop.example")).unwrap().aliases,
        []
    );
}

#[test]
fn a_site_whose_files_number_or_php_are_gone_is_not_put_back() {
    let world = with_trash();
    let passwd = HostPath::fixed("/etc/passwd");
    world.host.change(|machine| {
        let text = machine.tree.text(&passwd).unwrap().clone();
        machine.tree.put_text(
            &passwd,
            &format!("{text}\nguest:x:21001:100::/home/guest:/bin/sh\n"),
        );
    });
    let fault = refused(&world, &restore(SHOP, "shop.example"));
    assert!(fault.title.contains("`guest`"), "{}", fault.title);

    let world = with_trash();
    world.host.change(|machine| {
        machine.tree.take(&HostPath::fixed("/usr/sbin/php-fpm8.2"));
    });
    assert_eq!(
        refused(&world, &restore(SHOP, "shop.example")).code,
        Code::PhpNotInstalled
    );

    let world = with_trash();
    world
        .host
        .rename(
            &trash::files_of(SiteId::new(PLAIN)),
            &HostPath::fixed("/var/www/elsewhere"),
        )
        .unwrap();
    assert_eq!(
        refused(&world, &restore(PLAIN, "plain.example")).code,
        Code::SiteNotFound
    );
    assert_eq!(
        refused(&world, &restore(1009, "plain.example")).code,
        Code::SiteNotFound
    );
}

#[test]
fn a_site_in_the_trash_is_named_where_it_is_looked_for() {
    let hostname = name("shop.example");
    let fault = refused(&with_trash(), &Change::SiteEnable { hostname });
    assert_eq!(fault.code, Code::SiteNotFound);
    assert!(
        fault.hint.contains("lalapanel site restore s1001"),
        "{}",
        fault.hint
    );
}

#[test]
fn the_trash_lets_go_after_seven_days_and_the_number_is_never_used_again() {
    let world = with_trash();
    let deleted = world.state().trash[0].deleted;
    let due = |seconds| trash::due(&world.store, deleted.plus_seconds(seconds)).unwrap();
    assert_eq!(due(7 * 86_400 - 1), []);
    let later = due(7 * 86_400 + 60);
    assert_eq!(
        later,
        [
            discard(SHOP, "shop.example"),
            discard(PLAIN, "plain.example")
        ]
    );
    for (number, change) in (10..).zip(&later) {
        done(&world, number, change);
    }
    assert_eq!(world.state().trash, []);
    for place in [
        trash::sites(),
        trash::logs(),
        lalapanel::ops::graveyard::sites(),
    ] {
        assert_eq!(world.host.stat(&place).unwrap(), None, "{place}");
    }
    done(&world, 20, &create("shop.example", php()));
    assert_eq!(
        world
            .state()
            .site(&name("shop.example"))
            .unwrap()
            .id
            .number(),
        1003
    );
}

#[test]
fn the_agent_ends_what_is_due_by_itself_and_writes_it_down() {
    let world = with_trash();
    let operations = Operations::new(world.engine(), LiveSettings::new(Config::default()));
    let tidy_at = |seconds| {
        let deleted = world
            .state()
            .trash
            .first()
            .map_or(Timestamp::from_millis(0), |gone| gone.deleted);
        world.host.set_now(deleted.plus_seconds(seconds));
        operations.tidy().unwrap();
        // Whoever gets in here knows that what was begun has ended.
        drop(operations.engine().enter(60_000).unwrap());
        world.state().trash.len()
    };
    assert_eq!(tidy_at(6 * 86_400), 2);
    assert_eq!(tidy_at(6 * 86_400 + 43_200), 2);
    assert_eq!(tidy_at(7 * 86_400 + 5), 0);
    let newest = operations.list(1).unwrap().remove(0);
    assert_eq!(
        (newest.change.as_str(), newest.actor.as_str()),
        ("site discard", "the panel itself")
    );
}

#[test]
fn a_clock_that_jumps_ahead_ends_nothing_even_across_a_restart_of_the_agent() {
    let world = with_trash();
    let deleted = world.state().trash.first().unwrap().deleted;
    let tidy_at = |operations: &Operations, seconds| {
        world.host.set_now(deleted.plus_seconds(seconds));
        operations.tidy().unwrap();
        drop(operations.engine().enter(60_000).unwrap());
        world.state().trash.len()
    };
    let operations = Operations::new(world.engine(), LiveSettings::new(Config::default()));
    assert_eq!(tidy_at(&operations, 60), 2);
    assert_eq!(tidy_at(&operations, 40 * 86_400), 2);
    world.host.set_now(deleted.plus_seconds(7200));
    operations.tidy().unwrap();
    let restarted = Operations::new(world.engine(), LiveSettings::new(Config::default()));
    assert_eq!(tidy_at(&restarted, 40 * 86_400), 2);
}

#[test]
fn a_sweep_never_touches_the_trash() {
    let world = with_trash();
    let before = world.machine();
    world.recover();
    assert_eq!(world.machine().differences(&before), Vec::<String>::new());
    let page = trash::files_of(SiteId::new(SHOP))
        .join("htdocs")
        .join("index.php");
    assert!(world.host.stat(&page).unwrap().is_some());
}
