//! What the programs and services of the memory machine do, checked against what the real ones were seen to do.
//!
//! Invariant: test code only.

mod packages;

use crate::domain::path::HostPath;
use crate::domain::time::Timestamp;
use crate::host::exec::{Command, Output, Program};
use crate::host::memory::MemoryHost;
use crate::host::memory::machine::Machine;
use crate::host::memory::tree::Kind;
use crate::host::{Host, HostError, Mode, Owner};

const SOCKET: &str = "/run/lalapanel/nginx.sock";
const PHP: &str = "/run/lalapanel/php/s1001.sock";

fn host() -> MemoryHost {
    MemoryHost::new(Machine::debian_with_web())
}

fn path(text: &str) -> HostPath {
    HostPath::parse(text).unwrap()
}

fn run(host: &MemoryHost, program: Program, line: &str) -> Output {
    host.run(&Command::new(program, line.split(' '))).unwrap()
}

fn systemctl(host: &MemoryHost, line: &str) -> Output {
    run(host, Program::Systemctl, line)
}

fn put(host: &MemoryHost, at: &str, text: &str) {
    host.change(|machine| machine.tree.put_text(&path(at), text));
}

fn ask(host: &MemoryHost, name: &str) -> String {
    let page = if name == "marker.invalid" {
        "/generation"
    } else {
        "/"
    };
    let request = format!("GET {page} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
    let answer = host.exchange(&path(SOCKET), request.as_bytes(), 4096, 100);
    String::from_utf8(answer.unwrap()).unwrap()
}

/// A PHP site as the panel makes one, nginx not yet reloaded.
fn with_site(host: &MemoryHost) {
    host.make_dir(&path("/run/lalapanel"), Owner::ROOT, Mode(0o711))
        .unwrap();
    put(
        host,
        "/etc/nginx/conf.d/marker.conf",
        "server { listen unix:/run/lalapanel/nginx.sock default_server; server_name marker.invalid; location = /generation { return 200 \"one\\n\"; } location / { return 444; } }",
    );
    put(
        host,
        "/etc/nginx/sites-enabled/shop.example",
        "server { listen 80; listen unix:/run/lalapanel/nginx.sock; server_name shop.example; root /var/www/shop.example/htdocs; location ~ \\.php$ { fastcgi_pass unix:/run/lalapanel/php/s1001.sock; } }",
    );
    put(host, "/var/www/shop.example/htdocs/index.php", "<?php");
    put(host, "/etc/lalapanel/php/s1001.conf", "[s1001]\n");
    put(
        host,
        "/etc/systemd/system/p.socket",
        "[Socket]\nListenStream=/run/lalapanel/php/s1001.sock\nSocketGroup=www-data\nSocketMode=0660\nRemoveOnStop=yes\n[Install]\nWantedBy=sockets.target\n",
    );
    put(
        host,
        "/etc/systemd/system/p.service",
        "[Unit]\nRequires=p.socket\n[Service]\nUser=s1001\nExecStart=/usr/sbin/php-fpm8.2 --nodaemonize --fpm-config /etc/lalapanel/php/s1001.conf\n",
    );
    let made = run(
        host,
        Program::Useradd,
        "--system --user-group --no-create-home --uid 21001 --home-dir /var/www/shop.example --shell /usr/sbin/nologin -- s1001",
    );
    assert!(made.is_success());
}

#[test]
fn a_php_site_answers_once_nginx_is_reloaded_and_its_socket_listens() {
    let host = host();
    with_site(&host);
    let silence = host.exchange(&path(SOCKET), b"", 10, 10);
    assert!(matches!(silence, Err(HostError::Silent { .. })));
    assert!(systemctl(&host, "reload nginx").is_success());
    assert!(ask(&host, "shop.example").starts_with("HTTP/1.1 502"));
    assert!(systemctl(&host, "enable --now p.socket").is_success());
    assert_eq!(systemctl(&host, "is-active p.service").code, 3);
    assert!(ask(&host, "shop.example").starts_with("HTTP/1.1 200"));
    assert_eq!(systemctl(&host, "is-active p.service").stdout, "active\n");
    assert!(ask(&host, "marker.invalid").ends_with("\r\n\r\none\n"));
    assert_eq!(ask(&host, "nobody.example"), "");
    let pong = host.exchange(&path(PHP), &[1, 1, 0, 1], 4096, 100).unwrap();
    assert!(pong.windows(4).any(|window| window == b"pong"));
}

#[test]
fn stopping_a_socket_takes_its_service_and_its_file_along() {
    let host = host();
    with_site(&host);
    systemctl(&host, "start p.service");
    let meta = host.stat(&path(PHP)).unwrap().unwrap();
    assert_eq!((meta.owner.gid, meta.mode), (33, Mode(0o660)));
    assert!(systemctl(&host, "stop p.socket").is_success());
    assert_eq!(systemctl(&host, "is-active p.service").code, 3);
    assert_eq!(host.stat(&path(PHP)).unwrap(), None);
}

#[test]
fn a_broken_file_is_refused_and_what_was_loaded_stays() {
    let host = host();
    with_site(&host);
    systemctl(&host, "reload nginx");
    for broken in [
        "BROKEN",
        "server {",
        "access_log /no/such/x.log;",
        "include /none;",
        "ssl_certificate /none.pem;",
    ] {
        put(&host, "/etc/nginx/conf.d/x.conf", broken);
        assert_eq!(run(&host, Program::Nginx, "-t").code, 1, "{broken}");
        assert_eq!(systemctl(&host, "reload nginx").code, 1, "{broken}");
        assert!(ask(&host, "marker.invalid").starts_with("HTTP/1.1 200"));
    }
    host.remove(&path("/etc/nginx/conf.d/x.conf")).unwrap();
    host.link("/none", &path("/etc/nginx/sites-enabled/dangling"))
        .unwrap();
    assert!(
        run(&host, Program::Nginx, "-t")
            .stderr
            .contains("[emerg] open() \"/etc/nginx/sites-enabled/dangling\"")
    );
}

#[test]
fn another_main_file_can_be_tested_and_names_served_twice_are_told() {
    let host = host();
    with_site(&host);
    put(
        &host,
        "/etc/nginx/staged.conf",
        "include /etc/nginx/nginx.conf; http { include /new.conf; }",
    );
    put(
        &host,
        "/new.conf",
        "server { listen 80; server_name shop.example; }",
    );
    let output = run(&host, Program::Nginx, "-t -c /etc/nginx/staged.conf");
    assert!(output.is_success());
    assert!(
        output
            .stderr
            .contains("[warn] conflicting server name \"shop.example\"")
    );
    assert!(!run(&host, Program::Nginx, "-t").stderr.contains("[warn]"));
}

#[test]
fn a_masked_unit_does_not_start_until_it_is_unmasked() {
    let host = host();
    let before = host.machine();
    systemctl(&host, "disable --now php8.2-fpm");
    assert!(systemctl(&host, "mask -- php8.2-fpm.service").is_success());
    let shown = systemctl(
        &host,
        "show --property=ActiveState --property=UnitFileState -- php8.2-fpm.service",
    );
    assert_eq!(shown.stdout, "ActiveState=inactive\nUnitFileState=masked\n");
    assert!(
        systemctl(&host, "start php8.2-fpm")
            .stderr
            .contains("is masked")
    );
    assert!(
        systemctl(&host, "enable php8.2-fpm")
            .stderr
            .contains("is masked")
    );
    systemctl(&host, "unmask php8.2-fpm.service");
    assert_eq!(
        systemctl(&host, "is-enabled php8.2-fpm").stdout,
        "disabled\n"
    );
    systemctl(&host, "enable --now php8.2-fpm");
    assert_eq!(host.machine().differences(&before), Vec::<String>::new());
}

#[test]
fn a_shared_master_listens_for_the_pools_it_has_read() {
    let host = host();
    let pool = path("/etc/php/8.2/fpm/pool.d/s1001.conf");
    put(
        &host,
        pool.as_str(),
        "[s1001]\nlisten = /run/php/s1001.sock\n",
    );
    let ping = || {
        host.exchange(&path("/run/php/s1001.sock"), &[1], 100, 10)
            .is_ok()
    };
    assert!(!ping());
    assert!(run(&host, Program::Service, "php8.2-fpm reload").is_success());
    assert!(ping());
    for name in ["www.conf", "s1001.conf"] {
        host.remove(&pool.parent().join(name)).unwrap();
    }
    assert!(
        systemctl(&host, "restart php8.2-fpm")
            .stderr
            .contains("No pool defined")
    );
    assert!(!ping());
}

#[test]
fn a_full_disk_keeps_the_old_file() {
    let host = host();
    put(&host, "/etc/x", "old");
    host.change(|machine| machine.leave_free(2));
    let full = host.write(&path("/etc/x"), b"new", Owner::ROOT, Mode(0o644));
    assert!(matches!(full, Err(HostError::DiskFull { .. })));
    assert_eq!(host.read(&path("/etc/x"), 10).unwrap(), b"old");
    host.change(|machine| machine.leave_free(3));
    host.write(&path("/etc/x"), b"new", Owner::ROOT, Mode(0o644))
        .unwrap();
}

#[test]
fn a_link_of_a_site_is_not_gone_along() {
    let host = host();
    let owner = Owner {
        uid: 21_001,
        gid: 21_001,
    };
    host.change(|machine| {
        let link = Kind::Link("/root".to_owned());
        machine.tree.put(&path("/var/www/l"), link, owner, 0o777);
    });
    assert!(matches!(
        host.stat(&path("/var/www/l/x")),
        Err(HostError::Kind { .. })
    ));
}

#[test]
fn two_machines_differ_in_what_is_named() {
    let host = host();
    let before = host.machine();
    put(&host, "/etc/new", "");
    host.remove(&path("/etc/hostname")).unwrap();
    systemctl(&host, "stop mariadb");
    host.set_now(Timestamp::from_millis(5));
    let found = before.differences(&host.machine());
    assert_eq!(
        found,
        ["- /etc/hostname", "+ /etc/new", "- unit mariadb.service"]
    );
    assert_eq!(
        host.machine().differences(&host.machine()),
        Vec::<String>::new()
    );
}
