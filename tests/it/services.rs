//! Services of the server, started, stopped and restarted on a machine in memory.

use lalapanel::domain::change::Change;
use lalapanel::domain::fault::Code;
use lalapanel::domain::path::HostPath;
use lalapanel::domain::service::{Service, ServiceVerb};
use lalapanel::host::Host;
use lalapanel::host::exec::{Command, Program};
use lalapanel::ops::engine::Outcome;

use crate::faults::every_fault;
use crate::world::{World, refused};

fn change(service: Service, verb: ServiceVerb) -> Change {
    Change::Service { service, verb }
}

fn runs(world: &World, unit: &str) -> bool {
    let asked = Command::new(Program::Systemctl, ["is-active", "--quiet", "--", unit]);
    world.host.run(&asked).unwrap().is_success()
}

fn stopped(service: Service) -> World {
    let world = World::with_sites();
    let stop = change(service, ServiceVerb::Stop);
    assert_eq!(world.run(3, &stop).unwrap(), Some(Outcome::Done));
    world
}

fn put(world: &World, path: &'static str, text: &str) {
    let path = HostPath::fixed(path);
    world
        .host
        .change(|machine| machine.tree.put_text(&path, text));
}

#[test]
fn a_restart_ends_old_or_new_whatever_fails() {
    let restart = |service| change(service, ServiceVerb::Restart);
    every_fault(|| stopped(Service::Nginx), &restart(Service::Nginx));
    every_fault(|| stopped(Service::Mariadb), &restart(Service::Mariadb));
}

#[test]
fn stopping_and_starting_end_old_or_new_whatever_fails() {
    every_fault(
        World::with_sites,
        &change(Service::Mariadb, ServiceVerb::Stop),
    );
    every_fault(
        || stopped(Service::Mariadb),
        &change(Service::Mariadb, ServiceVerb::Start),
    );
}

#[test]
fn what_is_so_already_is_nothing_to_do() {
    let world = World::with_sites();
    let start = change(Service::Nginx, ServiceVerb::Start);
    assert_eq!(world.run(3, &start).unwrap(), None);
    let world = stopped(Service::Mariadb);
    assert!(!runs(&world, "mariadb.service") && runs(&world, "nginx.service"));
    let stop = change(Service::Mariadb, ServiceVerb::Stop);
    assert_eq!(world.run(4, &stop).unwrap(), None);
    let start = change(Service::Mariadb, ServiceVerb::Start);
    assert_eq!(world.run(5, &start).unwrap(), Some(Outcome::Done));
    assert!(runs(&world, "mariadb.service"));
}

#[test]
fn nothing_is_restarted_with_a_configuration_that_it_refuses() {
    let world = World::with_sites();
    put(&world, "/etc/nginx/sites-enabled/own", "BROKEN");
    put(&world, "/etc/mysql/mariadb.conf.d/99-own.cnf", "BROKEN");
    for service in [Service::Nginx, Service::Mariadb] {
        let restart = change(service, ServiceVerb::Restart);
        let fault = refused(&world, &restart);
        assert_eq!(fault.code, Code::ServiceRefused);
        assert!(fault.detail.contains("BROKEN"), "{fault:?}");
        assert!(runs(&world, &format!("{}.service", service.unit())));
        // It can always be stopped.
        assert!(
            world
                .plan(&change(service, ServiceVerb::Stop))
                .unwrap()
                .is_some()
        );
    }
}
