//! Renaming a site: what goes along, what becomes of the old name, what is refused, and every fault on the way.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use lalapanel::agent::live::LiveSettings;
use lalapanel::agent::operations::Operations;
use lalapanel::domain::change::{Change, OldName};
use lalapanel::domain::fault::Code;
use lalapanel::domain::path::HostPath;
use lalapanel::domain::site::{NewSite, NewSiteKind};
use lalapanel::domain::tls::TlsMode;
use lalapanel::host::memory::faults::{FaultyHost, Plan as Struck, Strike};
use lalapanel::host::{Host, Mode, Node, Owner};
use lalapanel::ops::engine::Engine;
use lalapanel::ops::step::Step;
use lalapanel::ops::view;
use lalapanel::system::nginx;

use lalapanel::system::config::Config;

use crate::certificates::with_certificate;
use crate::faults::every_fault;
use crate::world::{World, create, done, name, php, refused, run, set, text};

fn rename(hostname: &str, to: &str, old: OldName) -> Change {
    Change::SiteRename {
        hostname: name(hostname),
        name: name(to),
        old,
    }
}

fn path(text: &str) -> HostPath {
    HostPath::parse(text).unwrap()
}

fn names_of(world: &World, hostname: &str) -> (Vec<String>, Vec<String>) {
    let state = world.state();
    let site = state.site(&name(hostname)).unwrap();
    let list = |names: &[_]| names.iter().map(ToString::to_string).collect();
    (list(&site.aliases), list(&site.redirected))
}

fn offline() -> World {
    let world = World::with_sites();
    let hostname = name("shop.example");
    done(&world, 3, &Change::SiteDisable { hostname });
    world
}

fn with_www() -> World {
    let world = World::with_sites();
    done(&world, 3, &set("shop.example", &[("www", "redirect")]));
    world
}

#[test]
fn renaming_a_php_site_ends_old_or_new_whatever_fails() {
    every_fault(
        with_www,
        &rename("shop.example", "new.example", OldName::Redirect),
    );
}

#[test]
fn renaming_a_static_site_ends_old_or_new_whatever_fails() {
    every_fault(
        World::with_sites,
        &rename("plain.example", "new.example", OldName::Drop),
    );
}

#[test]
fn renaming_a_site_that_is_offline_ends_old_or_new_whatever_fails() {
    every_fault(
        offline,
        &rename("shop.example", "new.example", OldName::Alias),
    );
}

#[test]
fn renaming_a_site_with_a_certificate_ends_old_or_new_whatever_fails() {
    every_fault(
        with_certificate,
        &rename("shop.example", "new.example", OldName::Redirect),
    );
}

#[test]
fn a_certificate_goes_along_by_its_link_and_is_shown_under_the_new_name() {
    let world = with_certificate();
    let link = |host: &str| {
        let at = path(&format!("/var/lib/lalapanel/certificates/{host}"));
        world.host.stat(&at).unwrap().map(|meta| meta.node)
    };
    let pair = link("shop.example");
    assert!(matches!(&pair, Some(Node::Link { target }) if target.contains("/pairs/s1001-")));
    let before = world
        .state()
        .site(&name("shop.example"))
        .unwrap()
        .tls
        .clone();
    let change = rename("shop.example", "new.example", OldName::Alias);
    let plan = world.plan(&change).unwrap().unwrap();
    // It is looked at under the name that it covers; the new one is not on port 443 before there is a certificate for it.
    let looked_at = plan.steps.iter().find_map(|one| match &one.step {
        Step::ConfirmCertificate { hostname, .. } => Some(hostname.to_string()),
        _ => None,
    });
    assert_eq!(looked_at.as_deref(), Some("shop.example"));
    assert!(
        plan.notes
            .iter()
            .any(|note| note.starts_with("The certificate is not for new.example"))
    );
    done(&world, 9, &change);
    assert_eq!((link("shop.example"), link("new.example")), (None, pair));
    let state = world.state();
    let site = state.site(&name("new.example")).unwrap();
    assert_eq!(site.tls, before);
    assert_eq!(site.uncovered(), [name("new.example").into()]);
    let nginx = text(&world, "/etc/nginx/sites-available/new.example");
    assert!(nginx.contains("/var/lib/lalapanel/certificates/new.example/"));
    assert!(!nginx.contains("certificates/shop.example"));
}

#[test]
fn a_site_whose_certificate_covers_no_name_of_it_any_more_is_renamed_all_the_same() {
    let world = with_certificate();
    let change = rename("shop.example", "new.example", OldName::Drop);
    done(&world, 9, &change);
    let nginx = text(&world, "/etc/nginx/sites-available/new.example");
    assert!(nginx.contains("server_name new.example;") && !nginx.contains("443"));
}

/// A machine that lost power at any call starts nginx again with all other sites.
#[test]
fn whenever_the_power_goes_nginx_would_start_again() {
    let change = rename("shop.example", "new.example", OldName::Redirect);
    let counting = {
        let world = World::with_sites();
        let host = Arc::new(FaultyHost::counting(world.host.clone()));
        run(&Engine::new(host.clone(), world.store.clone()), 9, &change).unwrap();
        host.calls()
    };
    for call in 0..counting {
        let world = World::with_sites();
        let strike = Strike::CrashAfter;
        let host = FaultyHost::striking(world.host.clone(), Struck { call, strike });
        let engine = Engine::new(Arc::new(host), world.store.clone());
        let _ = panic::catch_unwind(AssertUnwindSafe(|| run(&engine, 9, &change)));
        let complaint = nginx::complaint(&world.host, None).unwrap();
        assert_eq!(complaint, None, "call {call}");
    }
}

#[test]
fn everything_that_bears_the_name_follows_and_everything_else_stays() {
    let world = World::with_sites();
    let access = "/var/log/lalapanel/shop.example/access.log";
    let logged = Owner { uid: 33, gid: 4 };
    world
        .host
        .write(&path(access), b"a line\n", logged, Mode(0o640))
        .unwrap();
    let before = world.state().site(&name("shop.example")).unwrap().clone();
    done(
        &world,
        9,
        &rename("shop.example", "new.example", OldName::Redirect),
    );
    let state = world.state();
    let after = state.site(&name("new.example")).unwrap();
    assert_eq!((after.id, after.created), (before.id, before.created));
    assert_eq!(after.settings, before.settings);
    assert_eq!(
        text(&world, "/var/log/lalapanel/new.example/access.log"),
        "a line\n"
    );
    assert!(text(&world, "/etc/passwd").contains(":/var/www/new.example:"));
    let nginx = text(&world, "/etc/nginx/sites-available/new.example");
    assert!(
        nginx.contains("server_name new.example;") && nginx.contains("server_name shop.example;")
    );
    let page = path("/var/www/new.example/htdocs/index.php");
    assert!(world.host.stat(&page).unwrap().is_some());
    for gone in [
        "/var/www/shop.example",
        "/var/log/lalapanel/shop.example",
        "/etc/nginx/sites-available/shop.example",
        "/etc/nginx/sites-enabled/shop.example",
    ] {
        assert_eq!(world.host.stat(&path(gone)).unwrap(), None, "{gone}");
    }
    let machine = world.machine();
    for (file, _) in machine.tree.iter() {
        let text = machine.tree.text(file).unwrap_or_default();
        let named =
            text.contains("/var/www/shop.example") || text.contains("lalapanel/shop.example");
        assert!(!named, "{file} still names the old place");
    }
}

#[test]
fn renamed_there_and_back_it_is_the_same_machine() {
    let world = World::with_sites();
    let before = world.machine();
    let state = world.state();
    done(
        &world,
        8,
        &rename("shop.example", "new.example", OldName::Drop),
    );
    done(
        &world,
        9,
        &rename("new.example", "shop.example", OldName::Drop),
    );
    let mut left = world.machine().differences(&before);
    left.retain(|line| !line.contains("lalapanel-marker.conf") && !line.contains("reloads"));
    assert_eq!(left, Vec::<String>::new());
    // What Lala wrote last is remembered by file, and no file of the other name is left among it.
    let mut sites = world.state().sites.to_vec();
    for site in &mut sites {
        let other = site
            .written
            .keys()
            .find(|path| path.as_str().contains("new.example"));
        assert_eq!(other, None);
        site.written.clear();
    }
    let mut first = state.sites.to_vec();
    for site in &mut first {
        site.written.clear();
    }
    assert_eq!(sites, first);
}

#[test]
fn the_old_name_leads_to_the_new_one_or_shows_it_or_is_free() {
    for (old, aliases, redirected) in [
        (
            OldName::Redirect,
            vec![],
            vec!["www.new.example", "shop.example", "www.shop.example"],
        ),
        (
            OldName::Alias,
            vec!["shop.example", "www.shop.example"],
            vec!["www.new.example"],
        ),
        (OldName::Drop, vec![], vec!["www.new.example"]),
    ] {
        let world = with_www();
        done(&world, 9, &rename("shop.example", "new.example", old));
        let found = names_of(&world, "new.example");
        assert_eq!(found.0, aliases, "{old:?}");
        assert_eq!(found.1, redirected, "{old:?}");
        assert_eq!(
            world.run(10, &create("shop.example", php())).is_ok(),
            old == OldName::Drop
        );
    }
}

#[test]
fn a_name_the_site_has_already_can_become_its_first() {
    let world = World::with_sites();
    done(
        &world,
        3,
        &set("shop.example", &[("aliases", "new.example")]),
    );
    done(
        &world,
        4,
        &rename("shop.example", "new.example", OldName::Redirect),
    );
    let expected = (vec![], vec!["shop.example".to_owned()]);
    assert_eq!(names_of(&world, "new.example"), expected);
    // And with `www.` in front, back and forth.
    done(
        &world,
        5,
        &rename("new.example", "www.new.example", OldName::Redirect),
    );
    done(
        &world,
        6,
        &rename("www.new.example", "new.example", OldName::Redirect),
    );
    let (aliases, mut redirected) = names_of(&world, "new.example");
    redirected.sort();
    assert_eq!(aliases, Vec::<String>::new());
    assert_eq!(redirected, ["shop.example", "www.new.example"]);
    let same = rename("new.example", "new.example", OldName::Redirect);
    assert!(world.plan(&same).unwrap().is_none());
}

#[test]
fn a_name_of_somebody_else_is_refused_before_anything_changes() {
    let world = World::with_sites();
    done(
        &world,
        3,
        &Change::SiteCreate(NewSite {
            hostname: name("other.example"),
            aliases: vec![name("alias.example").into()],
            redirected: Vec::new(),
            kind: NewSiteKind::Static { spa: false },
            tls: TlsMode::Off,
            database: None,
            wordpress: None,
        }),
    );
    let code = |to: &str| refused(&world, &rename("shop.example", to, OldName::Redirect)).code;
    assert_eq!(code("plain.example"), Code::HostnameTaken);
    assert_eq!(code("alias.example"), Code::HostnameTaken);
    assert_eq!(code("panel.example"), Code::HostnameReserved);
    let foreign = path("/etc/nginx/conf.d/theirs.conf");
    let server = b"server { listen 80; server_name theirs.example; }";
    world
        .host
        .write(&foreign, server, Owner::ROOT, Mode(0o644))
        .unwrap();
    assert_eq!(code("theirs.example"), Code::HostnameForeign);
    world
        .host
        .make_dir(&path("/var/www/full.example"), Owner::ROOT, Mode(0o755))
        .unwrap();
    assert_eq!(code("full.example"), Code::SiteDirectoryExists);
    let nobody = rename("nobody.example", "new.example", OldName::Redirect);
    assert_eq!(refused(&world, &nobody).code, Code::SiteNotFound);
}

#[test]
fn a_file_changed_by_hand_is_not_written_over() {
    let world = World::with_sites();
    let file = path("/etc/nginx/sites-available/shop.example");
    let mut bytes = world.host.read(&file, 1 << 20).unwrap();
    bytes.extend_from_slice(b"# mine\n");
    world
        .host
        .write(&file, &bytes, Owner::ROOT, Mode(0o644))
        .unwrap();
    let change = rename("shop.example", "new.example", OldName::Redirect);
    assert_eq!(refused(&world, &change).code, Code::Drift);
}

#[test]
fn a_user_whose_home_somebody_chose_keeps_it() {
    let world = World::with_sites();
    let passwd = path("/etc/passwd");
    world.host.change(|machine| {
        let text = machine.tree.text(&passwd).unwrap();
        let text = text.replace(":/var/www/shop.example:", ":/srv/shop:");
        machine.tree.put_text(&passwd, &text);
    });
    done(
        &world,
        9,
        &rename("shop.example", "new.example", OldName::Redirect),
    );
    assert!(text(&world, "/etc/passwd").contains(":/srv/shop:"));
}

#[test]
fn what_was_done_to_a_site_is_still_told_under_its_new_name() {
    let world = World::with_sites();
    done(
        &world,
        3,
        &rename("shop.example", "new.example", OldName::Drop),
    );
    done(&world, 4, &create("shop.example", php()));
    let operations = Operations::new(world.engine(), LiveSettings::new(Config::default()));
    let told = |hostname: &str| {
        let mut list = operations.list(50).unwrap();
        view::history(&mut list, &name(hostname));
        list.into_iter().map(|one| one.title).collect::<Vec<_>>()
    };
    assert_eq!(
        told("new.example"),
        ["Rename shop.example to new.example", "Create shop.example"]
    );
    assert!(told("shop.example").contains(&"Create shop.example".to_owned()));
}

#[test]
fn the_plan_closes_moves_and_opens_in_this_order() {
    let change = rename("shop.example", "new.example", OldName::Redirect);
    let plan = World::with_sites().plan(&change).unwrap().unwrap();
    let shown = plan.steps.iter().filter(|one| !one.step.is_for_undoing());
    let titles: Vec<&str> = shown.map(|one| one.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "Test the nginx configuration with the site closed",
            "Stamp the nginx configuration with this operation",
            "Close the site for a moment",
            "Reload nginx and wait for the new configuration",
            "Close the socket",
            "Stop PHP-FPM",
            "Keep the socket closed at boot",
            "Move the site's files",
            "Move the site's logs",
            "End what runs as s1001 and name its new home",
            "Write the PHP-FPM 8.2 configuration of the site",
            "Write the systemd socket of its PHP-FPM",
            "Write the systemd service of its PHP-FPM",
            "Let systemd read its units again",
            "Make systemd's list of sockets",
            "Open the socket now",
            "Open the socket at every boot",
            "Start PHP-FPM as the site's user",
            "Wait until PHP answers",
            "Test the nginx configuration with the new file",
            "Stamp the nginx configuration with this operation",
            "Write the site's nginx file",
            "Unlink the old nginx file",
            "Link the site's nginx file",
            "Remove the old nginx file",
            "Reload nginx and wait for the new configuration",
            "Load the home page once",
        ]
    );
}
