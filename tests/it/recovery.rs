//! What a crash, a full disk or a person's hands leave behind, and how it ends.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use lalapanel::domain::fault::Code;
use lalapanel::domain::path::HostPath;
use lalapanel::host::Host;
use lalapanel::host::memory::faults::{FaultyHost, Plan as Fault, Strike};
use lalapanel::ops::engine::{Direction, Engine, Outcome};
use lalapanel::ops::event::Event;
use lalapanel::ops::view;
use lalapanel::rpc::view::OperationState;

use crate::world::{World, create, name, operation, php, run};

/// A world in which creating shop.example died after most of its steps.
fn died_in_the_middle() -> World {
    let world = World::installed();
    let host = FaultyHost::striking(
        world.host.clone(),
        Fault {
            call: 60,
            strike: Strike::CrashAfter,
        },
    );
    let engine = Engine::new(Arc::new(host), world.store.clone());
    let change = create("shop.example", php());
    let died = panic::catch_unwind(AssertUnwindSafe(|| run(&engine, 9, &change)));
    assert!(died.is_err());
    assert_eq!(world.store.unfinished().unwrap(), [operation(9)]);
    world
}

#[test]
fn an_open_operation_is_ended_before_the_next_one_begins() {
    let world = died_in_the_middle();
    let outcome = world.run(10, &create("shop.example", php())).unwrap();
    assert_eq!(outcome, Some(Outcome::Done));
    assert!(world.store.unfinished().unwrap().is_empty());
    let site = world.state().sites[0].clone();
    assert_eq!(
        site.id.to_string(),
        "s1002",
        "the number of the undone site stays out of use"
    );
    let page = HostPath::fixed("/var/www/shop.example/htdocs/index.php");
    assert_eq!(
        world.host.stat(&page).unwrap().unwrap().owner.uid,
        site.id.uid()
    );
}

#[test]
fn what_cannot_be_undone_is_stuck_until_a_person_helped() {
    let old = World::installed().machine();
    let world = died_in_the_middle();
    let foreign = HostPath::fixed("/var/www/shop.example/htdocs/root/file");
    world
        .host
        .change(|machine| machine.tree.put_text(&foreign, "made by root"));
    world.recover();
    assert_eq!(world.store.stuck().unwrap(), [operation(9)]);

    let record = world.engine().record(operation(9)).unwrap();
    let events = world.store.events::<Event>(operation(9)).unwrap();
    let view = view::operation(&record, &events);
    assert_eq!(view.summary.state, OperationState::Stuck);
    let lines = view.remaining.join("\n");
    assert!(
        lines.contains("rm -r '/var/www/shop.example/htdocs'"),
        "{lines}"
    );
    assert!(lines.contains("userdel s1001"), "{lines}");

    let again = world.run(10, &create("shop.example", php())).unwrap_err();
    assert_eq!(again.code, Code::OperationStuck);
    assert_eq!(
        world.run(11, &create("other.example", php())).unwrap(),
        Some(Outcome::Done)
    );
    let other = lalapanel::domain::change::Change::SiteDelete {
        hostname: name("other.example"),
        now: true,
    };
    world.run(12, &other).unwrap();

    world.host.change(|machine| {
        machine.tree.take(&foreign);
        machine.tree.take(&foreign.parent());
    });
    let engine = world.engine();
    let pass = engine.enter(0).unwrap();
    let outcome = engine
        .take_up(&pass, operation(9), Direction::Back)
        .unwrap();
    assert!(matches!(outcome, Outcome::Undone(_)), "{outcome:?}");
    assert!(world.store.stuck().unwrap().is_empty());
    let left = world.machine().differences(&old);
    let expected = |line: &String| {
        line.contains("marker") || line.contains("nginx") || line.contains("sockets.target.wants")
    };
    assert!(left.iter().all(expected), "{left:#?}");
}

#[test]
fn an_operation_of_another_version_becomes_stuck_and_stops_nobody() {
    let world = World::installed();
    let record = lalapanel::store::OperationRecord {
        id: operation(3),
        title: "Create future.example".to_owned(),
        change: "site create".to_owned(),
        hostname: Some(name("future.example")),
        actor: lalapanel::domain::account::Actor::LocalRoot,
        began: world.host.now(),
        ended: None,
        status: lalapanel::store::Status::Open,
        fault: None,
        recovered: false,
        plan: "a plan of another shape",
    };
    world.store.begin(&record).unwrap();
    world.recover();
    assert_eq!(world.store.stuck().unwrap(), [operation(3)]);
    assert_eq!(
        world.run(4, &create("shop.example", php())).unwrap(),
        Some(Outcome::Done)
    );
}
