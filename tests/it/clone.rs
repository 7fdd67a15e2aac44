//! Cloning a site: what it brings along, what stays the original's alone, what is refused, and every fault on the way.

use lalapanel::domain::change::Change;
use lalapanel::domain::fault::Code;
use lalapanel::domain::path::HostPath;
use lalapanel::domain::site::NewSiteKind;
use lalapanel::host::memory::tree::{Bytes, Kind};
use lalapanel::host::{Host, Mode, Owner};

use crate::faults::every_fault;
use crate::world::{World, create, done, name, php, refused, set, text};

const NEW: &str = "copy.example";

fn clone(hostname: &str, to: &str) -> Change {
    Change::SiteClone {
        hostname: name(hostname),
        name: name(to),
        databases: false,
    }
}

fn path(text: &str) -> HostPath {
    HostPath::parse(text).unwrap()
}

/// Puts a thing of the first site's into its tree.
fn put(world: &World, at: &str, kind: Kind) {
    let owner = Owner {
        uid: 101_001,
        gid: 33,
    };
    let site = world.state().site(&name("shop.example")).unwrap().id;
    let owner = Owner {
        uid: site.uid(),
        ..owner
    };
    world.host.change(|machine| {
        let at = path(&format!("/var/www/shop.example/htdocs/{at}"));
        machine.tree.put(&at, kind, owner, 0o640);
    });
}

fn file(text: &str) -> Kind {
    Kind::File(Bytes(text.as_bytes().to_vec()))
}

fn with_files() -> World {
    let world = World::with_sites();
    let values = [
        ("aliases", "alias.example"),
        ("php.memory_limit", "96M"),
        ("tls", "auto"),
    ];
    done(&world, 3, &set("shop.example", &values));
    put(&world, "more.php", file("<?php // more\n"));
    world
}

fn offline() -> World {
    let world = World::with_sites();
    let hostname = name("shop.example");
    done(&world, 3, &Change::SiteDisable { hostname });
    world
}

fn wordpress() -> World {
    let world = World::installed();
    let kind = NewSiteKind::Wordpress { php: None };
    world.run(1, &create("shop.example", kind)).unwrap();
    world
}

#[test]
fn cloning_a_site_with_php_and_tls_ends_old_or_new_whatever_fails() {
    every_fault(with_files, &clone("shop.example", NEW));
}

#[test]
fn cloning_a_static_site_ends_old_or_new_whatever_fails() {
    every_fault(World::with_sites, &clone("plain.example", NEW));
}

#[test]
fn cloning_a_site_that_is_offline_ends_old_or_new_whatever_fails() {
    every_fault(offline, &clone("shop.example", NEW));
}

#[test]
fn settings_and_files_come_along_and_nothing_else() {
    let world = with_files();
    let before = world.machine();
    done(&world, 9, &clone("shop.example", NEW));
    let state = world.state();
    let (old, new) = (
        state.site(&name("shop.example")).unwrap(),
        state.site(&name(NEW)).unwrap(),
    );
    assert_ne!(old.id, new.id);
    assert_eq!((&new.settings, &new.kind), (&old.settings, &old.kind));
    assert!(new.enabled && new.has_tls() && new.tls.certificate.is_none());
    assert!(new.aliases.is_empty() && new.redirected.is_empty());
    let copy = "/var/www/copy.example/htdocs";
    assert_eq!(text(&world, &format!("{copy}/more.php")), "<?php // more\n");
    let meta = world.host.stat(&path(&format!("{copy}/more.php"))).unwrap();
    assert_eq!(meta.unwrap().owner.uid, new.id.uid());
    assert!(text(&world, "/etc/passwd").contains(":/var/www/copy.example:"));
    let nginx = text(&world, "/etc/nginx/sites-available/copy.example");
    assert!(nginx.contains("server_name copy.example;") && !nginx.contains("alias.example"));
    // And the original is as it was, to the last byte.
    let after = world.machine();
    for (at, entry) in before.tree.iter() {
        if at.as_str().contains("shop.example") {
            assert_eq!(after.tree.entry(at), Some(entry), "{at}");
        }
    }
}

#[test]
fn the_clone_of_an_offline_site_is_offline() {
    let world = offline();
    done(&world, 9, &clone("shop.example", NEW));
    assert!(!world.state().site(&name(NEW)).unwrap().enabled);
    let link = path("/etc/nginx/sites-enabled/copy.example");
    assert_eq!(world.host.stat(&link).unwrap(), None);
    let hostname = name(NEW);
    done(&world, 10, &Change::SiteEnable { hostname });
}

#[test]
fn a_clone_that_would_work_on_the_originals_data_is_made_offline_and_says_so() {
    let world = wordpress();
    let plan = world.plan(&clone("shop.example", NEW)).unwrap().unwrap();
    let first = &plan.notes[0];
    assert!(
        first.contains("is not copied") && first.contains("made offline"),
        "{first}"
    );
    done(&world, 9, &clone("shop.example", NEW));
    assert!(!world.state().site(&name(NEW)).unwrap().enabled);
}

#[test]
fn what_is_left_out_is_told_beforehand() {
    let world = World::with_sites();
    put(&world, "out", Kind::Link("/etc/passwd".to_owned()));
    put(&world, "inside", Kind::Link("index.php".to_owned()));
    put(&world, "pipe", Kind::Socket);
    let plan = world.plan(&clone("shop.example", NEW)).unwrap().unwrap();
    let told = plan.notes.iter().find(|note| note.contains("Left out"));
    assert!(told.is_some_and(|note| note.contains("2 in all, among them out, pipe")));
    done(&world, 9, &clone("shop.example", NEW));
    let there = |at: &str| {
        let at = path(&format!("/var/www/copy.example/htdocs/{at}"));
        world.host.stat(&at).unwrap().is_some()
    };
    assert!(there("inside") && !there("out") && !there("pipe"));
}

#[test]
fn what_will_not_fit_is_refused_with_numbers() {
    let world = World::with_sites();
    put(&world, "big.bin", file(&"x".repeat(20_000_000)));
    world.host.change(|machine| machine.leave_free(70 << 20));
    let fault = refused(&world, &clone("shop.example", NEW));
    assert_eq!(fault.code, Code::DiskFull);
    assert!(
        fault.title.contains("will not fit: they are 21 MB in") && fault.title.contains("are free"),
        "{}",
        fault.title
    );
}

#[test]
fn a_name_of_somebody_else_is_refused_before_anything_changes() {
    let world = with_files();
    let code = |to: &str| refused(&world, &clone("shop.example", to)).code;
    assert_eq!(code("shop.example"), Code::HostnameTaken);
    assert_eq!(code("plain.example"), Code::HostnameTaken);
    assert_eq!(code("alias.example"), Code::HostnameTaken);
    assert_eq!(code("panel.example"), Code::HostnameReserved);
    let full = path("/var/www/full.example");
    world
        .host
        .make_dir(&full, Owner::ROOT, Mode(0o755))
        .unwrap();
    assert_eq!(code("full.example"), Code::SiteDirectoryExists);
    let nobody = clone("nobody.example", NEW);
    assert_eq!(refused(&world, &nobody).code, Code::SiteNotFound);
}

#[test]
fn a_clone_can_be_cloned_renamed_and_deleted_and_the_original_stays() {
    let world = World::with_sites();
    done(&world, 3, &create("third.example", php()));
    done(&world, 4, &clone("shop.example", NEW));
    done(&world, 5, &clone(NEW, "second.example"));
    let gone = Change::SiteDelete {
        hostname: name(NEW),
        now: true,
    };
    done(&world, 6, &gone);
    let state = world.state();
    let numbers: Vec<_> = state.sites.iter().map(|site| site.id).collect();
    let mut single = numbers.clone();
    single.dedup();
    assert_eq!((numbers.len(), single.len()), (4, 4));
    for site in ["shop.example", "second.example"] {
        let page = path(&format!("/var/www/{site}/htdocs/index.php"));
        assert!(world.host.stat(&page).unwrap().is_some());
    }
}

#[test]
fn the_plan_copies_before_php_and_answers_before_nginx_shows_it() {
    let change = clone("shop.example", NEW);
    let plan = World::with_sites().plan(&change).unwrap().unwrap();
    let shown = plan.steps.iter().filter(|one| !one.step.is_for_undoing());
    let titles: Vec<&str> = shown.map(|one| one.title.as_str()).collect();
    let place = |wanted: &str| {
        let found = titles.iter().position(|title| title.starts_with(wanted));
        found.unwrap_or_else(|| panic!("{wanted} in {titles:#?}"))
    };
    let order = [
        place("Create the Unix user s1003"),
        place("Make the document root"),
        place("Copy the files from s1001 to s1003, "),
        place("Start PHP-FPM as the site's user"),
        place("Wait until PHP answers"),
        place("Test the nginx configuration with the new file"),
        place("Link the site's nginx file"),
        place("Load the home page once"),
    ];
    assert!(order.is_sorted(), "{titles:#?}");
}
