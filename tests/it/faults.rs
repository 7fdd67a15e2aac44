//! Every operation, struck at every call to the machine in each of four ways: it ends in the old or the new machine, and
//! the state agrees with the machine.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use lalapanel::domain;
use lalapanel::domain::change::Change;
use lalapanel::domain::database::Database;
use lalapanel::domain::path::HostPath;
use lalapanel::domain::site::{NewSiteKind, Site};
use lalapanel::domain::trash::TrashedSite;
use lalapanel::host::memory::faults::{Crash, FaultyHost, Plan as Fault, Strike};
use lalapanel::host::memory::machine::Machine;
use lalapanel::host::{Host, Mode};
use lalapanel::ops::engine::Engine;
use lalapanel::ops::state::State;
use lalapanel::store::{Status, Store, Unread};

use crate::world::{World, create, name, operation, php, run};

/// The old and the new end of an operation, and how many calls lie between.
struct Ends {
    old: (Machine, State),
    new: (Machine, State),
    calls: usize,
}

fn ends(world: fn() -> World, change: &Change) -> Ends {
    let world = world();
    let old = (world.machine(), world.state());
    let counting = Arc::new(FaultyHost::counting(world.host.clone()));
    let engine = Engine::new(counting.clone(), world.store.clone());
    run(&engine, 9, change).unwrap();
    let new = (world.machine(), world.state());
    assert_ne!(old.0, new.0, "the operation changes the machine");
    Ends {
        old,
        new,
        calls: counting.calls(),
    }
}

/// The sites and the databases, and those in the trash.
fn known(state: &State) -> (&[Site], &[TrashedSite], &[Database], &[Database]) {
    let (sites, databases) = (&state.sites, &state.databases);
    (sites, &state.trash, databases, &state.trashed_databases)
}

/// Work outside of an operation, struck at every call in each of four ways: after the agent's next start nothing is left of
/// it. Answers how often it ended well all the same.
pub(crate) fn every_trace_is_swept(
    world: fn() -> World,
    act: fn(&dyn Host, &Store) -> Result<(), domain::fault::Fault>,
    sweep: fn(&dyn Host, &Store) -> Result<(), domain::fault::Fault>,
) -> usize {
    let whole = world();
    let counting = FaultyHost::counting(whole.host);
    act(&counting, &whole.store).unwrap();
    assert!(counting.calls() > 6);
    let mut well = 0;
    for call in 0..counting.calls() {
        for strike in Strike::ALL {
            let world = world();
            let before = world.machine();
            let host = FaultyHost::striking(world.host.clone(), Fault { call, strike });
            let run = || act(&host, &world.store).is_ok();
            let ended = panic::catch_unwind(AssertUnwindSafe(run));
            well += usize::from(ended.unwrap_or(false));
            sweep(&world.host, &world.store).unwrap();
            assert_eq!(
                world.machine().differences(&before),
                Vec::<String>::new(),
                "call {call} {strike:?}"
            );
        }
    }
    well
}

pub(crate) fn every_fault(world: fn() -> World, change: &Change) {
    let ends = ends(world, change);
    assert!(ends.calls > 5);
    let (mut olds, mut news) = (0, 0);
    for call in 0..ends.calls {
        for strike in Strike::ALL {
            let world = world();
            let host = FaultyHost::striking(world.host.clone(), Fault { call, strike });
            let engine = Engine::new(Arc::new(host), world.store.clone());
            let result = panic::catch_unwind(AssertUnwindSafe(|| run(&engine, 9, change)));
            if let Err(payload) = &result {
                assert!(
                    payload.is::<Crash>(),
                    "a panic of our own at call {call} {strike:?}"
                );
            }
            drop(engine);
            world.recover();
            let (machine, state) = (world.machine(), world.state());
            if is_done(&world) {
                assert_eq!(known(&state), known(&ends.new.1), "call {call} {strike:?}");
                assert_eq!(
                    machine.differences(&ends.new.0),
                    Vec::<String>::new(),
                    "call {call} {strike:?}: state new, machine not"
                );
                news += 1;
            } else {
                assert_eq!(known(&state), known(&ends.old.1), "call {call} {strike:?}");
                assert_eq!(
                    machine.differences(&ends.old.0),
                    Vec::<String>::new(),
                    "call {call} {strike:?}: state old, machine not"
                );
                olds += 1;
            }
            assert!(
                world.store.unfinished().unwrap().is_empty(),
                "call {call} {strike:?}"
            );
            assert!(
                world.store.stuck().unwrap().is_empty(),
                "call {call} {strike:?}"
            );
        }
    }
    assert!(olds > 0 && news > 0, "{olds} old, {news} new");
}

/// Whether the struck operation counts as done: then everything of it must be there, and nothing of it otherwise.
fn is_done(world: &World) -> bool {
    let record = world.store.operation::<Unread>(operation(9)).unwrap();
    record.is_some_and(|record| record.status == Status::Done)
}

#[test]
fn creating_a_php_site_ends_old_or_new_whatever_fails() {
    every_fault(World::installed, &create("shop.example", php()));
}

#[test]
fn creating_a_static_site_ends_old_or_new_whatever_fails() {
    every_fault(
        World::with_sites,
        &create("more.example", NewSiteKind::Static { spa: false }),
    );
}

#[test]
fn taking_a_site_offline_ends_old_or_new_whatever_fails() {
    every_fault(
        World::with_sites,
        &Change::SiteDisable {
            hostname: name("shop.example"),
        },
    );
}

#[test]
fn putting_a_site_online_ends_old_or_new_whatever_fails() {
    fn offline() -> World {
        let world = World::with_sites();
        world
            .run(
                3,
                &Change::SiteDisable {
                    hostname: name("shop.example"),
                },
            )
            .unwrap();
        world
    }
    every_fault(
        offline,
        &Change::SiteEnable {
            hostname: name("shop.example"),
        },
    );
}

/// One log deleted, one made anew by `nginx -t`, the directory of PHP's logs gone.
fn without_logs() -> World {
    let world = World::with_sites();
    for name in ["access.log", "php/error.log", "php/slow.log", "php"] {
        world.host.remove(&log_path(name)).unwrap();
    }
    let root = lalapanel::host::Owner::ROOT;
    world
        .host
        .write(&log_path("error.log"), b"kept\n", root, Mode(0o644))
        .unwrap();
    world
}

fn log_path(name: &str) -> HostPath {
    HostPath::parse(&format!("/var/log/lalapanel/shop.example/{name}")).unwrap()
}

#[test]
fn putting_logs_back_ends_old_or_new_whatever_fails() {
    let change = Change::SiteLogs {
        hostname: name("shop.example"),
    };
    every_fault(without_logs, &change);
    let world = without_logs();
    world.run(9, &change).unwrap();
    assert_eq!(
        world.host.read(&log_path("error.log"), 99).unwrap(),
        b"kept\n"
    );
    assert!(
        world.plan(&change).unwrap().is_none(),
        "nothing is left to do"
    );
}

/// The way back itself is struck: the last step of creating a site fails, and then one call of the undoing.
#[test]
fn a_creation_that_fails_at_its_end_is_undone_whatever_fails_on_the_way_back() {
    let change = create("shop.example", php());
    let ends = ends(World::installed, &change);
    let last = Fault {
        // After the last step the graveyard and the pairs are swept, with ten calls.
        call: ends.calls - 11,
        strike: Strike::ErrorBefore,
    };
    let mut undoing = 0;
    for call in last.call.. {
        let mut struck = false;
        for strike in Strike::ALL {
            let world = World::installed();
            let inner = FaultyHost::striking(world.host.clone(), Fault { call, strike });
            let outer = FaultyHost::striking(inner.clone(), last);
            let engine = Engine::new(Arc::new(outer), world.store.clone());
            let _ = panic::catch_unwind(AssertUnwindSafe(|| run(&engine, 9, &change)));
            drop(engine);
            struck |= inner.calls() > call;
            world.recover();
            assert_eq!(
                world.machine().differences(&ends.old.0),
                Vec::<String>::new(),
                "call {call} {strike:?}"
            );
            assert_eq!(
                world.state().sites,
                ends.old.1.sites,
                "call {call} {strike:?}"
            );
            assert!(
                world.store.unfinished().unwrap().is_empty()
                    && world.store.stuck().unwrap().is_empty()
            );
        }
        if !struck {
            break;
        }
        undoing += 1;
    }
    assert!(undoing > 20, "only {undoing} calls undo a creation");
}
