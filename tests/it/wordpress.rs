//! WordPress on a new site: old or new whatever fails, refused before anything changes, and no secret where it should not be.

use lalapanel::domain::change::Change;
use lalapanel::domain::fault::Code;
use lalapanel::domain::path::HostPath;
use lalapanel::domain::site::{NewSite, NewSiteKind};
use lalapanel::domain::visitor::VisitorHash;
use lalapanel::domain::wordpress::{AdminEmail, AdminName, ArchiveDigest, NewWordpress, SiteTitle};
use lalapanel::host::Host;
use lalapanel::ops::engine::Outcome;
use sha2::{Digest, Sha256};

use crate::faults::every_fault;
use crate::world::{World, create, name, operation, php};

/// What the memory machine takes for an archive: a name a line.
pub(crate) const ARCHIVE: &str = "index.php\nwp-admin/install.php";

pub(crate) fn digest() -> ArchiveDigest {
    let digest = Sha256::digest(ARCHIVE);
    let text = lalapanel::domain::secret::hex(&digest);
    ArchiveDigest::parse(&text).unwrap()
}

pub(crate) fn install(kind: NewSiteKind) -> Change {
    let Change::SiteCreate(new) = create("wp.example", kind) else {
        unreachable!()
    };
    let wordpress = NewWordpress {
        archive: digest(),
        title: SiteTitle::parse("A shop").unwrap(),
        admin: AdminName::parse("mara").unwrap(),
        email: AdminEmail::parse("mara@wp.example").unwrap(),
        hash: VisitorHash::parse(&format!("$6$saltsalt${}", "a".repeat(86))).unwrap(),
    };
    Change::SiteCreate(NewSite {
        wordpress: Some(Box::new(wordpress)),
        ..new
    })
}

pub(crate) fn wordpress() -> NewSiteKind {
    NewSiteKind::Wordpress { php: None }
}

fn with_archive() -> World {
    let world = World::installed();
    world
        .host
        .change(|machine| machine.tree.put_text(&digest().file(), ARCHIVE));
    world
}

#[test]
fn installing_wordpress_ends_old_or_new_whatever_fails() {
    every_fault(with_archive, &install(wordpress()));
}

#[test]
fn the_installer_is_finished_before_nginx_shows_the_site() {
    let world = with_archive();
    let plan = world.plan(&install(wordpress())).unwrap().unwrap();
    let at = |words: &str| {
        let mut titles = plan.steps.iter().map(|planned| planned.title.as_str());
        titles.position(|title| title.contains(words)).expect(words)
    };
    assert!(at("Wait until PHP answers") < at("installer"));
    assert!(at("installer") < at("Link the site's nginx file"));
    let outcome = world.run(9, &install(wordpress())).unwrap();
    assert_eq!(outcome, Some(Outcome::Done));
    let machine = world.machine();
    assert_eq!(machine.mariadb.wordpress["wp_example"], "mara");
    let config = HostPath::fixed("/var/www/wp.example/htdocs/wp-config.php");
    let meta = world.host.stat(&config).unwrap().unwrap();
    assert_eq!((meta.mode.0, meta.owner.uid), (0o600, 21001));
    let text = machine.tree.text(&config).unwrap();
    let password = text.split("'DB_PASSWORD', '").nth(1).unwrap();
    let password = password.split('\'').next().unwrap();
    assert_eq!(password.len(), 32);
    let engine = world.engine();
    let written = format!("{:?}", engine.record(operation(9)).unwrap());
    let events = world
        .store
        .events::<serde_json::Value>(operation(9))
        .unwrap();
    assert!(!written.contains(password) && !format!("{events:?}").contains(password));
    assert!(!world.host.statements().join("\n").contains(password));
}

#[test]
fn without_its_archive_or_on_another_type_it_is_refused_and_nothing_changes() {
    let world = World::installed();
    let before = world.machine();
    let fault = world.run(9, &install(wordpress())).unwrap_err();
    assert_eq!(fault.code, Code::WordpressArchive);
    let fault = with_archive().run(9, &install(php())).unwrap_err();
    assert_eq!(fault.code, Code::RequestInvalid);
    assert_eq!(world.machine().differences(&before), Vec::<String>::new());
}

#[test]
fn an_archive_that_was_changed_on_its_way_is_undone() {
    let world = with_archive();
    world.host.change(|machine| {
        machine.tree.put_text(
            &digest().file(),
            "index.php\nwp-admin/install.php\nevil.php",
        );
    });
    let before = world.machine();
    let outcome = world.run(9, &install(wordpress())).unwrap();
    let Some(Outcome::Undone(fault)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(fault.code, Code::WordpressArchive);
    assert_eq!(world.machine().differences(&before), Vec::<String>::new());
    assert!(world.state().site(&name("wp.example")).is_err());
}
