//! A site's own nginx directives, and files that somebody changed by hand.

use sha2::{Digest, Sha256};

use lalapanel::domain::account::Actor;
use lalapanel::domain::change::{Change, DriftChoice};
use lalapanel::domain::facts::ServiceManager;
use lalapanel::domain::fault::Code;
use lalapanel::domain::nginx_text::Snippet;
use lalapanel::domain::path::HostPath;
use lalapanel::domain::setting::Assignment;
use lalapanel::ops::drift;
use lalapanel::ops::engine::Outcome;
use lalapanel::ops::nginx;
use lalapanel::ops::plan::Plan;
use lalapanel::store::Effect;

use crate::faults::every_fault;
use crate::world::{World, name, operation};

const SITE: &str = "/etc/nginx/sites-available/shop.example";
const OWN: &str = "/etc/nginx/lalapanel/custom/s1001.conf";
const POOL: &str = "/etc/lalapanel/php/s1001.conf";

fn snippet(text: &str) -> Change {
    Change::SiteSnippet {
        hostname: name("shop.example"),
        text: Snippet::parse(text).unwrap(),
    }
}

fn decide(choice: DriftChoice) -> Change {
    Change::SiteDrift {
        hostname: name("shop.example"),
        choice,
    }
}

fn text(world: &World, path: &'static str) -> Option<String> {
    world.machine().tree.text(&HostPath::fixed(path))
}

/// Somebody edits a file with an editor.
fn edit(world: &World, path: &'static str, from: &str, to: &str) {
    let path = HostPath::fixed(path);
    world.host.change(|machine| {
        let old = machine.tree.text(&path).unwrap_or_default();
        let new = old.replacen(from, to, 1);
        assert_ne!(old, new, "{path}");
        machine.tree.put_text(&path, &new);
    });
}

fn with_snippet() -> World {
    let world = World::with_sites();
    world.run(3, &snippet("expires 1d;")).unwrap();
    world
}

fn with_an_edit() -> World {
    let world = with_snippet();
    edit(
        &world,
        SITE,
        "    location / {",
        "    location = /mine {\n        return 204;\n    }\n    location / {",
    );
    nginx::reload(&world.host, ServiceManager::Systemd).unwrap();
    world
}

fn with_an_edited_pool() -> World {
    let world = World::with_sites();
    edit(&world, POOL, "pm.max_children", "; mine\npm.max_children");
    world
}

fn drifted(world: &World) -> Vec<String> {
    let state = world.state();
    let found = drift::undecided(&world.host, &state.sites).unwrap();
    let paths = found.into_iter().flat_map(|(_, paths)| paths);
    paths.map(|path| path.to_string()).collect()
}

fn refused(world: &World, change: &Change) -> lalapanel::domain::fault::Fault {
    let before = world.machine();
    let fault = world.run(9, change).expect_err("it should be refused");
    assert_eq!(world.machine().differences(&before), Vec::<String>::new());
    fault
}

#[test]
fn directives_of_a_site_stand_in_a_file_that_only_root_reads() {
    let world = with_snippet();
    assert!(
        text(&world, OWN)
            .unwrap()
            .starts_with("expires 1d;\n# Written by Lala Panel")
    );
    let machine = world.machine();
    let loaded = machine.nginx.as_ref().unwrap();
    assert!(
        loaded.files.contains_key(&HostPath::fixed(OWN)),
        "nginx reads it"
    );
    let meta = lalapanel::host::Host::stat(&world.host, &HostPath::fixed(OWN))
        .unwrap()
        .unwrap();
    assert_eq!((meta.owner.uid, meta.owner.gid, meta.mode.0), (0, 0, 0o640));
    assert_eq!(world.run(4, &snippet("expires 1d;")).unwrap(), None);
    assert_eq!(world.run(5, &snippet("")).unwrap(), Some(Outcome::Done));
    assert_eq!(text(&world, OWN), None);
    assert!(
        world
            .state()
            .sites
            .iter()
            .all(|site| site.snippet.is_empty())
    );
}

#[test]
fn what_nginx_itself_refuses_never_reaches_the_live_file() {
    let world = with_snippet();
    let outcome = world.run(4, &snippet("# BROKEN")).unwrap().unwrap();
    let Outcome::Undone(fault) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(fault.code, Code::NginxRejected);
    assert!(
        fault.detail.contains("the site's own directives, line 1"),
        "{}",
        fault.detail
    );
    assert!(text(&world, OWN).unwrap().starts_with("expires 1d;"));
    assert!(drifted(&world).is_empty());
}

#[test]
fn a_deleted_site_leaves_no_directives() {
    let world = with_snippet();
    let hostname = name("shop.example");
    let now = true;
    world.run(4, &Change::SiteDelete { hostname, now }).unwrap();
    assert_eq!(text(&world, OWN), None);
}

#[test]
fn changing_directives_ends_old_or_new_whatever_fails() {
    every_fault(World::with_sites, &snippet("location = /a { return 204; }"));
    every_fault(with_snippet, &snippet(""));
}

#[test]
fn deciding_about_changed_files_ends_old_or_new_whatever_fails() {
    // Left before, so that the state tells which end was reached.
    fn left(world: World) -> World {
        world.run(4, &decide(DriftChoice::Leave)).unwrap();
        world
    }
    every_fault(with_an_edit, &decide(DriftChoice::Keep));
    every_fault(|| left(with_an_edit()), &decide(DriftChoice::Restore));
    every_fault(
        || left(with_an_edited_pool()),
        &decide(DriftChoice::Restore),
    );
}

#[test]
fn what_was_added_by_hand_is_kept_among_the_sites_own_directives() {
    let world = with_an_edit();
    assert_eq!(drifted(&world), [SITE]);
    assert_eq!(
        world.run(4, &decide(DriftChoice::Keep)).unwrap(),
        Some(Outcome::Done)
    );
    let own = text(&world, OWN).unwrap();
    assert!(
        own.starts_with("expires 1d;\nlocation = /mine {\n"),
        "{own}"
    );
    assert!(!text(&world, SITE).unwrap().contains("/mine"));
    assert!(drifted(&world).is_empty());
    assert_eq!(world.run(5, &decide(DriftChoice::Keep)).unwrap(), None);
}

#[test]
fn what_cannot_be_kept_is_named_by_its_line_and_nothing_changes() {
    let world = World::with_sites();
    edit(
        &world,
        SITE,
        "server {\n",
        "server {\n    include /etc/passwd;\n",
    );
    let fault = refused(&world, &decide(DriftChoice::Keep));
    assert_eq!(fault.code, Code::DriftUnkept);
    assert!(
        fault.detail.starts_with("line 3: `include`"),
        "{}",
        fault.detail
    );
    let world = with_an_edited_pool();
    assert_eq!(
        refused(&world, &decide(DriftChoice::Keep)).code,
        Code::DriftUnkept
    );
}

#[test]
fn lalas_text_is_put_back_even_where_the_edit_broke_nginx() {
    let world = World::with_sites();
    let before = text(&world, SITE);
    edit(&world, SITE, "server {\n", "server {\n BROKEN\n");
    assert_eq!(
        refused(&world, &snippet("expires 1d;")).code,
        Code::NginxBroken
    );
    assert_eq!(
        world.run(4, &decide(DriftChoice::Restore)).unwrap(),
        Some(Outcome::Done)
    );
    assert_eq!(text(&world, SITE), before);
    assert!(drifted(&world).is_empty());
}

#[test]
fn a_directive_file_edited_by_hand_can_be_kept_too() {
    let world = with_snippet();
    edit(&world, OWN, "expires 1d;", "expires 2d;\netag off;");
    assert_eq!(drifted(&world), [OWN]);
    world.run(4, &decide(DriftChoice::Keep)).unwrap();
    assert_eq!(
        world.state().sites.first().unwrap().snippet.as_str(),
        "expires 2d;\netag off;\n"
    );
    assert!(drifted(&world).is_empty());
}

#[test]
fn what_is_left_is_silent_until_it_changes_again_and_is_never_written_over() {
    let world = with_an_edit();
    let before = text(&world, SITE);
    assert_eq!(
        world.run(4, &decide(DriftChoice::Leave)).unwrap(),
        Some(Outcome::Done)
    );
    assert_eq!((drifted(&world), text(&world, SITE)), (vec![], before));
    assert_eq!(world.run(5, &decide(DriftChoice::Leave)).unwrap(), None);
    edit(&world, SITE, "/mine", "/mine-too");
    assert_eq!(drifted(&world), [SITE]);
}

#[test]
fn no_other_change_writes_over_an_edit_and_the_refusal_names_the_three_choices() {
    let world = with_snippet();
    edit(&world, OWN, "expires 1d;", "expires 2d;");
    let fault = refused(&world, &snippet("etag off;"));
    assert_eq!(fault.code, Code::Drift);
    for choice in ["--keep", "--restore", "--leave"] {
        assert!(fault.hint.contains(choice), "{}", fault.hint);
    }
    world.run(4, &decide(DriftChoice::Leave)).unwrap();
    assert_eq!(refused(&world, &snippet("etag off;")).code, Code::Drift);
    let hostname = name("shop.example");
    assert!(
        world
            .run(5, &Change::SiteDisable { hostname })
            .unwrap()
            .is_some()
    );
}

/// As if an earlier version of Lala had written the file otherwise.
fn as_an_earlier_version_wrote_it(world: &World) {
    edit(
        world,
        SITE,
        "    location / {",
        "    # as it used to be\n    location / {",
    );
    let text = text(world, SITE).unwrap();
    let mut site = world.state().sites.first().unwrap().clone();
    let digest = Sha256::digest(text.as_bytes());
    let mark = lalapanel::domain::secret::hex(&digest);
    site.written.insert(HostPath::fixed(SITE), mark);
    let plan = Plan::new("Remember", "test").effect(Effect::PutSite(Box::new(site)));
    let engine = world.engine();
    let pass = engine.enter(60_000).unwrap();
    let record = engine
        .begin(&pass, operation(90), Actor::LocalRoot, plan)
        .unwrap();
    assert_eq!(engine.run(&pass, &record), Outcome::Done);
}

#[test]
fn what_an_earlier_version_wrote_is_nobodys_edit_and_a_change_writes_over_it() {
    let world = with_snippet();
    as_an_earlier_version_wrote_it(&world);
    assert!(drifted(&world).is_empty());
    let sites = world.state().sites;
    assert_eq!(drift::outdated(&world.host, &sites).unwrap().len(), 1);
    let values = Change::SiteSet {
        hostname: name("shop.example"),
        values: vec![Assignment::new("web.gzip", "off").unwrap()],
    };
    assert_eq!(world.run(5, &values).unwrap(), Some(Outcome::Done));
    assert!(!text(&world, SITE).unwrap().contains("as it used to be"));
    let sites = world.state().sites;
    assert!(drift::outdated(&world.host, &sites).unwrap().is_empty());
}

#[test]
fn restoring_brings_files_of_an_earlier_version_up_to_date() {
    let world = with_snippet();
    let now = text(&world, SITE);
    as_an_earlier_version_wrote_it(&world);
    assert_eq!(
        world.run(5, &decide(DriftChoice::Restore)).unwrap(),
        Some(Outcome::Done)
    );
    assert_eq!(text(&world, SITE), now);
}

#[test]
fn an_edit_of_what_an_earlier_version_wrote_is_an_edit() {
    let world = with_snippet();
    as_an_earlier_version_wrote_it(&world);
    edit(&world, SITE, "# as it used to be", "# by hand");
    assert_eq!(drifted(&world), [SITE]);
}
