//! What plans for sites refuse, and what they leave when they are done.

use lalapanel::domain::change::Change;
use lalapanel::domain::fault::Code;
use lalapanel::domain::path::HostPath;
use lalapanel::domain::php::PhpVersion;
use lalapanel::domain::site::{NewSite, NewSiteKind};
use lalapanel::domain::tls::TlsMode;
use lalapanel::host::Host;
use lalapanel::ops::engine::Outcome;

use crate::world::{World, create, name, php};

fn refused(world: &World, change: &Change) -> Code {
    let before = world.machine();
    let fault = world.run(9, change).expect_err("it should be refused");
    assert!(!fault.hint.is_empty());
    assert_eq!(world.machine().differences(&before), Vec::<String>::new());
    fault.code
}

#[test]
fn a_created_site_is_served_as_its_own_user() {
    let world = World::installed();
    assert_eq!(
        world.run(1, &create("shop.example", php())).unwrap(),
        Some(Outcome::Done)
    );
    let htdocs = world
        .host
        .stat(&HostPath::fixed("/var/www/shop.example/htdocs"))
        .unwrap()
        .unwrap();
    let root = world
        .host
        .stat(&HostPath::fixed("/var/www/shop.example"))
        .unwrap()
        .unwrap();
    assert_eq!((root.owner.uid, root.mode.0), (0, 0o711));
    assert_eq!((htdocs.owner.uid, htdocs.mode.0), (21_001, 0o2750));
    let page = world
        .host
        .stat(&HostPath::fixed("/var/www/shop.example/htdocs/index.php"))
        .unwrap()
        .unwrap();
    assert_eq!(page.owner.uid, 21_001);
    assert_eq!(world.state().sites.len(), 1);
}

#[test]
fn a_taken_hostname_is_refused_before_anything_changes() {
    let world = World::with_sites();
    assert_eq!(
        refused(&world, &create("shop.example", php())),
        Code::HostnameTaken
    );
    let alias = Change::SiteCreate(NewSite {
        hostname: name("other.example"),
        aliases: vec![name("shop.example").into()],
        redirected: Vec::new(),
        kind: php(),
        database: None,
        wordpress: None,
        tls: TlsMode::Off,
    });
    assert_eq!(refused(&world, &alias), Code::HostnameTaken);
}

#[test]
fn an_alias_named_twice_is_refused() {
    let double = Change::SiteCreate(NewSite {
        hostname: name("a.example"),
        aliases: vec![name("a.example").into()],
        redirected: Vec::new(),
        kind: php(),
        database: None,
        wordpress: None,
        tls: TlsMode::Off,
    });
    assert_eq!(refused(&World::installed(), &double), Code::HostnameTaken);
}

#[test]
fn the_panels_own_name_is_refused() {
    assert_eq!(
        refused(&World::installed(), &create("panel.example", php())),
        Code::HostnameReserved
    );
}

#[test]
fn a_name_served_by_a_foreign_file_is_refused() {
    let world = World::installed();
    let text = "server { listen 80; server_name other.example shop.example; root /srv/old; }\n";
    world.host.change(|machine| {
        machine
            .tree
            .put_text(&HostPath::fixed("/etc/nginx/sites-enabled/old"), text);
    });
    assert_eq!(
        refused(&world, &create("shop.example", php())),
        Code::HostnameForeign
    );
}

#[test]
fn a_php_version_that_is_not_installed_is_refused() {
    let change = create(
        "shop.example",
        NewSiteKind::Php {
            php: Some(PhpVersion::new(8, 1)),
        },
    );
    assert_eq!(refused(&World::installed(), &change), Code::PhpNotInstalled);
}

#[test]
fn a_directory_in_the_way_is_refused_and_kept() {
    let world = World::installed();
    world.host.change(|machine| {
        machine.tree.put_text(
            &HostPath::fixed("/var/www/shop.example/htdocs/mine.html"),
            "mine",
        );
    });
    assert_eq!(
        refused(&world, &create("shop.example", php())),
        Code::SiteDirectoryExists
    );
}

#[test]
fn a_configuration_broken_by_somebody_else_is_refused_with_the_line() {
    let world = World::installed();
    world.host.change(|machine| {
        machine
            .tree
            .put_text(&HostPath::fixed("/etc/nginx/sites-enabled/old"), "BROKEN\n");
    });
    assert_eq!(
        refused(&world, &create("shop.example", php())),
        Code::NginxBroken
    );
}

#[test]
fn a_stopped_nginx_is_refused() {
    let world = World::installed();
    world
        .host
        .run(&lalapanel::host::exec::Command::new(
            lalapanel::host::exec::Program::Systemctl,
            ["stop", "nginx"],
        ))
        .unwrap();
    assert_eq!(
        refused(&world, &create("shop.example", php())),
        Code::NginxStopped
    );
}

#[test]
fn a_full_disk_is_refused() {
    let world = World::installed();
    world.host.change(|machine| machine.leave_free(1024 * 1024));
    assert_eq!(
        refused(&world, &create("shop.example", php())),
        Code::DiskFull
    );
}

#[test]
fn a_site_that_is_not_there_is_missing() {
    let hostname = name("none.example");
    assert_eq!(
        refused(
            &World::installed(),
            &Change::SiteDelete {
                hostname,
                now: false,
            }
        ),
        Code::SiteNotFound
    );
}

#[test]
fn a_deleted_site_leaves_nothing_and_its_number_is_never_used_again() {
    let world = World::installed();
    // systemd's own directory of sockets to open at boot is there once there was a site; it may stay.
    world.run(7, &create("first.example", php())).unwrap();
    let before = world.machine();
    world.run(1, &create("shop.example", php())).unwrap();
    assert_eq!(
        world
            .run(
                2,
                &Change::SiteDelete {
                    hostname: name("shop.example"),
                    now: true,
                }
            )
            .unwrap(),
        Some(Outcome::Done)
    );
    let left = world.machine().differences(&before);
    assert!(
        left.iter()
            .all(|line| line.contains("lalapanel-marker.conf") || line.contains("nginx")),
        "{left:#?}"
    );
    world.run(3, &create("shop.example", php())).unwrap();
    let again = world.state().site(&name("shop.example")).unwrap().id;
    assert_eq!(again.to_string(), "s1003");
}

#[test]
fn an_offline_site_comes_back_as_it_was() {
    let world = World::with_sites();
    let before = world.machine();
    let hostname = name("shop.example");
    world
        .run(
            3,
            &Change::SiteDisable {
                hostname: hostname.clone(),
            },
        )
        .unwrap();
    assert!(!world.state().site(&hostname).unwrap().enabled);
    assert_eq!(
        world
            .run(
                4,
                &Change::SiteDisable {
                    hostname: hostname.clone()
                }
            )
            .unwrap(),
        None
    );
    world
        .run(
            5,
            &Change::SiteEnable {
                hostname: hostname.clone(),
            },
        )
        .unwrap();
    assert!(world.state().site(&hostname).unwrap().enabled);
    let left = world.machine().differences(&before);
    assert!(
        left.iter()
            .all(|line| line.contains("lalapanel-marker.conf") || line.contains("nginx")),
        "{left:#?}"
    );
}

#[test]
fn planning_changes_nothing_and_gives_the_same_plan_twice() {
    let world = World::with_sites();
    let before = world.machine();
    let change = create("more.example", php());
    let (first, second) = (
        world.plan(&change).unwrap().unwrap(),
        world.plan(&change).unwrap().unwrap(),
    );
    assert_eq!(first.hash(), second.hash());
    assert_eq!(world.machine().differences(&before), Vec::<String>::new());
}
