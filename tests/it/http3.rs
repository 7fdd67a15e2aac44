//! HTTP/3: UDP port 443 is opened once for all sites, closed after the last, and refused where nginx cannot have it.
//!
//! Invariant: a refusal changes nothing, and what fails leaves the port as it was.

use lalapanel::domain::change::Change;
use lalapanel::domain::fault::Code;
use lalapanel::domain::path::HostPath;

use crate::faults::every_fault;
use crate::world::{World, done, name, refused, set, text};

const GLOBALS: &str = "/etc/nginx/conf.d/lalapanel-tls.conf";
const ON: &[(&str, &str)] = &[("tls", "auto"), ("tls.http3", "on")];

/// As on Debian 13.
fn able() -> World {
    let world = World::with_sites();
    world.host.change(|machine| {
        let program = HostPath::fixed("/usr/sbin/nginx");
        let says = "\0nginx/1.26.3\0--with-http_v2_module --with-http_v3_module\0";
        machine.tree.put_text(&program, says);
    });
    world
}

fn speaking() -> World {
    let world = able();
    done(&world, 3, &set("shop.example", ON));
    world
}

fn delete(hostname: &str) -> Change {
    Change::SiteDelete {
        hostname: name(hostname),
        now: false,
    }
}

fn site_file(world: &World, hostname: &str) -> String {
    text(world, &format!("/etc/nginx/sites-available/{hostname}"))
}

#[test]
fn http3_ends_off_or_on_whatever_fails() {
    every_fault(able, &set("shop.example", ON));
    every_fault(speaking, &set("shop.example", &[("tls.http3", "off")]));
}

#[test]
fn the_last_site_with_http3_goes_or_stays_with_its_port_whatever_fails() {
    every_fault(speaking, &delete("shop.example"));
    every_fault(speaking, &set("shop.example", &[("tls", "off")]));
}

#[test]
fn udp_is_open_from_the_first_site_to_the_last() {
    let world = speaking();
    let open = |world: &World| text(world, GLOBALS).matches("quic reuseport").count();
    assert!(open(&world) > 0);
    assert!(site_file(&world, "shop.example").contains("listen 443 quic;"));
    done(&world, 4, &set("plain.example", ON));
    done(&world, 5, &set("shop.example", &[("tls.http3", "off")]));
    assert!(!site_file(&world, "shop.example").contains("quic"));
    assert!(open(&world) > 0, "the other site speaks it still");
    done(&world, 6, &set("plain.example", &[("tls", "off")]));
    assert_eq!(open(&world), 0);
}

#[test]
fn the_plan_tells_of_the_firewall() {
    let plan = able().plan(&set("shop.example", ON)).unwrap().unwrap();
    assert!(plan.notes.iter().any(|note| note.contains("UDP port 443")));
}

#[test]
fn an_nginx_without_the_module_is_told_before_anything_changes() {
    let fault = refused(&World::with_sites(), &set("shop.example", ON));
    assert_eq!(fault.code, Code::SettingInvalid);
    assert!(fault.title.contains("built without HTTP/3"));
}

#[test]
fn a_server_of_somebody_else_keeps_its_udp_port() {
    let world = able();
    world.host.change(|machine| {
        let file = HostPath::fixed("/etc/nginx/conf.d/theirs.conf");
        let server = "server { listen 443 quic reuseport; server_name theirs.example; }";
        machine.tree.put_text(&file, server);
    });
    let fault = refused(&world, &set("shop.example", ON));
    assert_eq!(fault.code, Code::SettingInvalid);
    assert!(fault.hint.contains("theirs.conf"), "{}", fault.hint);
}
