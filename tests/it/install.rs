//! Installing on machines in memory: from a bare Debian to a host with the panel, whatever fails, and all the way back.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use lalapanel::domain::account::Actor;
use lalapanel::domain::fault::{Code, Fault};
use lalapanel::domain::id::OperationId;
use lalapanel::domain::name::Hostname;
use lalapanel::domain::path::HostPath;
use lalapanel::host::memory::MemoryHost;
use lalapanel::host::memory::faults::{Crash, FaultyHost, Plan as Struck, Strike};
use lalapanel::host::memory::machine::Machine;
use lalapanel::host::{Host, Mode, Owner};
use lalapanel::install::{InstallOptions, plan_for};
use lalapanel::ops::engine::{Direction, Engine, Outcome};
use lalapanel::ops::plan::Plan;
use lalapanel::ops::step::Step;
use lalapanel::render::handbook;
use lalapanel::store::Store;

fn path(text: &'static str) -> HostPath {
    HostPath::fixed(text)
}

/// A fresh server; the directory of the journal is there, as whoever opens the journal makes it.
fn bare() -> MemoryHost {
    prepared(Machine::debian())
}

/// A server where nginx, PHP and MariaDB came before the panel.
fn with_web() -> MemoryHost {
    prepared(Machine::debian_with_web())
}

fn prepared(mut machine: Machine) -> MemoryHost {
    let list = path("/var/lib/apt/lists/deb.example_dists_bookworm_main_binary-amd64_Packages");
    machine.tree.put_text(&list, "");
    let meminfo = "MemTotal: 2000000 kB\nMemAvailable: 1500000 kB\n";
    machine.tree.put_text(&path("/proc/meminfo"), meminfo);
    machine
        .tree
        .put_text(&path("/usr/local/bin/lalapanel"), "the program");
    let host = MemoryHost::new(machine);
    for directory in ["/etc/tmpfiles.d", "/etc/logrotate.d", "/var/log", "/run"] {
        host.make_dir(&path(directory), Owner::ROOT, Mode(0o755))
            .unwrap();
    }
    host.make_dir(&path("/var/lib/lalapanel"), Owner::ROOT, Mode(0o700))
        .unwrap();
    host
}

/// Short ones: thousands of installations are tried here.
fn options() -> InstallOptions {
    InstallOptions {
        handbook: handbook::files("the manual".to_owned(), "the completion".to_owned()),
        ..InstallOptions::default()
    }
}

fn plan(host: &dyn Host) -> Result<Plan, Fault> {
    plan_for(host, &options())
}

fn install(host: Arc<dyn Host>, store: &Store, number: u64) -> Result<Option<Outcome>, Fault> {
    let plan = plan(host.as_ref())?;
    if plan.steps.is_empty() {
        return Ok(None);
    }
    let engine = Engine::new(host, store.clone());
    let pass = engine.enter(0)?;
    let record = engine.begin(&pass, id(number), Actor::LocalRoot, plan)?;
    Ok(Some(engine.run(&pass, &record)))
}

fn id(number: u64) -> OperationId {
    OperationId::from_parts(number, [0; 10])
}

fn installed(make: fn() -> MemoryHost) -> (MemoryHost, Store) {
    let (host, store) = (make(), Store::in_memory().unwrap());
    let outcome = install(Arc::new(host.clone()), &store, 1).unwrap();
    assert_eq!(outcome, Some(Outcome::Done));
    (host, store)
}

/// The machine, without what differs by nature: keys, and which operation was nginx's last.
fn machine(host: &MemoryHost) -> Machine {
    let mut machine = host.machine().settled();
    for name in [
        "/var/lib/lalapanel/panel/panel.key",
        "/var/lib/lalapanel/panel/panel.crt",
        "/etc/nginx/conf.d/lalapanel-marker.conf",
    ] {
        if machine.tree.entry(&path(name)).is_some() {
            machine.tree.put_text(&path(name), "made");
        }
    }
    machine.nginx = None;
    machine
}

/// What a purged package leaves in memory: directories, and links that Debian's own scripts would take along.
const LEFT_BY_PACKAGES: &[&str] = &[
    "/etc/init.d",
    "/etc/mysql",
    "/etc/nginx",
    "/etc/php",
    "/etc/systemd/system/multi-user.target.wants",
    "/run/mysqld",
    "/run/php",
    "/usr/bin",
    "/var/lib/mysql",
    "/var/log/nginx",
    "/var/www/html",
];

fn same(context: &str, one: &Machine, other: &Machine) {
    let is_ours = |line: &String| {
        line.contains("lalapanel")
            || !LEFT_BY_PACKAGES
                .iter()
                .any(|left| line.starts_with(&format!("+ {left}")))
    };
    let mut found = one.differences(other);
    found.retain(is_ours);
    assert_eq!(found, Vec::<String>::new(), "{context}");
}

#[test]
fn installing_twice_is_installing_once() {
    for make in [bare as fn() -> MemoryHost, with_web] {
        let (host, store) = installed(make);
        let before = machine(&host);
        assert_eq!(
            install(Arc::new(host.clone()), &store, 2).unwrap(),
            None,
            "nothing is left to do"
        );
        same("a second installation", &before, &machine(&host));
    }
}

#[test]
fn everything_installed_can_be_taken_back() {
    for make in [bare as fn() -> MemoryHost, with_web] {
        let before = machine(&make());
        let (host, store) = installed(make);
        let engine = Engine::new(Arc::new(host.clone()), store);
        let pass = engine.enter(0).unwrap();
        engine.take_up(&pass, id(1), Direction::Back).unwrap();
        same("taken back", &before, &machine(&host));
    }
}

#[test]
fn the_plan_is_the_same_for_the_same_host_and_holds_no_key() {
    let one = plan(&bare()).unwrap();
    assert_eq!(one.hash(), plan(&bare()).unwrap().hash());
    assert!(!serde_json::to_string(&one).unwrap().contains("PRIVATE"));
    let packages = one.steps.iter().find_map(|planned| match &planned.step {
        Step::InstallPackages { names } => Some(names.clone()),
        _ => None,
    });
    let packages = packages.unwrap();
    for name in ["nginx", "mariadb-server", "php8.2-fpm", "php8.2-mysql"] {
        assert!(packages.iter().any(|own| own == name), "{name}");
    }
}

#[test]
fn a_newer_program_brings_its_manual_and_a_directory_of_somebody_else_stays_as_it_is() {
    let directory = path("/usr/local/share/man");
    let staff = Owner { uid: 0, gid: 50 };
    let host = bare();
    host.make_dir(&path("/usr/local/share"), staff, Mode(0o2775))
        .unwrap();
    host.make_dir(&directory, staff, Mode(0o2775)).unwrap();
    let before = host.stat(&directory).unwrap();
    let store = Store::in_memory().unwrap();
    install(Arc::new(host.clone()), &store, 1).unwrap();
    assert_eq!(host.stat(&directory).unwrap(), before);
    let newer = InstallOptions {
        handbook: handbook::files("a newer manual".to_owned(), "the completion".to_owned()),
        ..InstallOptions::default()
    };
    let plan = plan_for(&host, &newer).unwrap();
    let titles: Vec<&str> = plan.steps.iter().map(|step| step.title.as_str()).collect();
    assert_eq!(titles, ["Write /usr/local/share/man/man8/lalapanel.8"]);
}

#[test]
fn a_changed_port_changes_only_what_names_it() {
    let (host, _) = installed(bare);
    let options = InstallOptions {
        port: Some(9443),
        ..options()
    };
    let plan = plan_for(&host, &options).unwrap();
    let written: Vec<&str> = plan
        .steps
        .iter()
        .filter_map(|planned| match &planned.step {
            Step::WriteFile { path, .. } => Some(path.name()),
            _ => None,
        })
        .collect();
    assert_eq!(written, ["config.toml", "lalapanel.socket"]);
}

#[test]
fn databases_of_others_keep_their_server_as_it_is() {
    let host = with_web();
    host.make_dir(&path("/var/lib/mysql/shop"), Owner::ROOT, Mode(0o700))
        .unwrap();
    let plan = plan(&host).unwrap();
    let touched = plan
        .steps
        .iter()
        .any(|planned| matches!(planned.step, Step::Sql { .. }));
    assert!(!touched);
    assert!(plan.notes.iter().any(|note| note.contains("MariaDB")));
}

#[test]
fn a_name_of_the_panel_comes_with_the_terms_of_an_authority() {
    let notes = |name: &str| {
        let options = InstallOptions {
            hostname: Some(Hostname::parse(name).unwrap()),
            ..InstallOptions::default()
        };
        plan_for(&bare(), &options).unwrap().notes.join("\n")
    };
    assert!(notes("panel.acme-shop.com").contains("panel.acme-shop.com from Let's Encrypt"));
    assert!(
        !notes("panel.example").contains("terms"),
        "nobody issues for that"
    );
}

#[test]
fn a_system_nobody_tried_is_refused_before_anything_changes() {
    let host = bare();
    host.change(|machine| {
        let text = "ID=fedora\nVERSION_ID=44\nPRETTY_NAME=\"Fedora 44\"\n";
        machine.tree.put_text(&path("/usr/lib/os-release"), text);
    });
    let before = host.machine();
    assert_eq!(plan(&host).unwrap_err().code, Code::Unsupported);
    assert_eq!(host.machine(), before);
}

/// Struck once at every call: an error ends in the old machine or, where it did not matter, in the new one; a crash is
/// gone on from; and a second installation always ends in the new machine.
fn every_fault(make: fn() -> MemoryHost) {
    let old = machine(&make());
    let counting = Arc::new(FaultyHost::counting(make()));
    let outcome = install(counting.clone(), &Store::in_memory().unwrap(), 1).unwrap();
    assert_eq!(outcome, Some(Outcome::Done));
    let new = machine(counting.inner());
    let calls = counting.calls();
    assert!(calls > 100, "{calls}");
    for call in 0..calls {
        for strike in Strike::ALL {
            let context = format!("call {call} {strike:?}");
            let (host, store) = (make(), Store::in_memory().unwrap());
            let faulty = Arc::new(FaultyHost::striking(host.clone(), Struck { call, strike }));
            let result =
                panic::catch_unwind(AssertUnwindSafe(|| install(faulty.clone(), &store, 1)));
            match result {
                Ok(Ok(Some(Outcome::Done))) => same(&context, &new, &machine(&host)),
                Ok(Ok(Some(Outcome::Undone(_))) | Err(_)) => {
                    same(&context, &old, &machine(&host));
                }
                Ok(Ok(other)) => panic!("{context}: {other:?}"),
                Err(payload) => assert!(payload.is::<Crash>(), "{context}"),
            }
            drop(faulty);
            let engine = Engine::new(Arc::new(host.clone()), store.clone());
            engine.recover(Direction::Forward).unwrap();
            let second = install(Arc::new(host.clone()), &store, 2).unwrap();
            assert!(
                matches!(second, None | Some(Outcome::Done)),
                "{context}: {second:?}"
            );
            same(&context, &new, &machine(&host));
        }
    }
}

#[test]
fn installing_on_a_bare_server_ends_old_or_new_whatever_fails() {
    every_fault(bare);
}

#[test]
fn installing_beside_an_nginx_ends_old_or_new_whatever_fails() {
    every_fault(with_web);
}
