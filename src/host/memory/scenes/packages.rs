//! Users, packages, init scripts and MariaDB in memory.
//!
//! Invariant: test code only.

use super::{host, path, put, run, systemctl, with_site};
use crate::host::exec::Program;
use crate::host::memory::MemoryHost;
use crate::host::memory::machine::Machine;
use crate::host::memory::packages::Stage;
use crate::host::{Host, HostError};

#[test]
fn a_service_does_not_start_without_its_user_its_file_or_its_configuration() {
    let host = host();
    with_site(&host);
    host.remove(&path("/etc/lalapanel/php/s1001.conf")).unwrap();
    assert_eq!(systemctl(&host, "start p.service").code, 1);
    put(&host, "/etc/lalapanel/php/s1001.conf", "[s1001]\n");
    assert!(run(&host, Program::Userdel, "-- s1001").is_success());
    assert!(
        systemctl(&host, "start p.service")
            .stderr
            .contains("217/USER")
    );
    assert_eq!(systemctl(&host, "start none.service").code, 5);
}

#[test]
fn users_and_groups_are_lines_of_their_files() {
    let host = host();
    let before = host.machine();
    let add = |line: &str| run(&host, Program::Useradd, line).code;
    let wide = "--system --user-group -K SYS_UID_MAX=60000 -K SYS_GID_MAX=60000";
    assert_eq!(add(&format!("{wide} --uid 21001 -- s1001")), 0);
    assert_eq!(add("--uid 21002 -- s1001"), 9);
    assert_eq!(add("--uid 21001 -- other"), 4);
    assert_eq!(add("--gid nogroup7 -- other"), 6);
    assert_eq!(run(&host, Program::Groupadd, "--gid 21001 other").code, 4);
    assert_eq!(run(&host, Program::Groupdel, "s1001").code, 8);
    let group = String::from_utf8(host.read(&path("/etc/group"), 4096).unwrap()).unwrap();
    assert!(group.ends_with("s1001:x:21001:\n"));
    assert_eq!(run(&host, Program::Userdel, "s1001").code, 0);
    assert_eq!(run(&host, Program::Userdel, "s1001").code, 6);
    assert_eq!(host.machine().differences(&before), Vec::<String>::new());
}

#[test]
fn a_system_user_above_its_range_has_a_group_of_another_number() {
    let host = host();
    run(
        &host,
        Program::Useradd,
        "--system --user-group --uid 21001 -- s1001",
    );
    let machine = host.machine();
    assert_eq!(
        (machine.uid_of("s1001"), machine.gid_of("s1001")),
        (Some(21_001), Some(999))
    );
}

#[test]
fn a_user_with_a_process_is_deleted_only_after_a_kill() {
    let host = host();
    with_site(&host);
    systemctl(&host, "start p.service");
    assert_eq!(run(&host, Program::Userdel, "-- s1001").code, 8);
    assert_eq!(
        run(&host, Program::Pkill, "--signal KILL --euid s1001").code,
        0
    );
    assert_eq!(
        run(&host, Program::Pkill, "--signal KILL --euid s1001").code,
        1
    );
    assert_eq!(run(&host, Program::Userdel, "-- s1001").code, 0);
}

#[test]
fn init_scripts_have_links_where_they_start_at_boot() {
    let host = host();
    let links = || host.list(&path("/etc/rc2.d")).unwrap();
    let switch = |line: &str| run(&host, Program::UpdateRcD, line).code;
    assert_eq!(switch("nginx enable"), 1);
    assert_eq!(
        (switch("nginx defaults"), links()),
        (0, vec!["S01nginx".to_owned()])
    );
    assert_eq!(
        (switch("nginx disable"), links()),
        (0, vec!["K01nginx".to_owned()])
    );
    assert_eq!(
        (switch("nginx enable"), links()),
        (0, vec!["S01nginx".to_owned()])
    );
    assert_eq!((switch("-f nginx remove"), links()), (0, Vec::new()));
    assert_eq!(run(&host, Program::Service, "none status").code, 1);
    assert_eq!(run(&host, Program::Service, "nginx status").code, 0);
}

#[test]
fn packages_are_unpacked_started_and_listed() {
    let host = MemoryHost::new(Machine::debian());
    let query = || {
        run(
            &host,
            Program::DpkgQuery,
            "-W -f ${db:Status-Status}:${Package}\\n",
        )
    };
    assert_eq!(query().stdout, "");
    assert_eq!(
        run(&host, Program::AptGet, "install -- php9.9-fpm").code,
        100
    );
    let preview = run(
        &host,
        Program::AptGet,
        "-s -y -o DPkg::Lock::Timeout=300 install -- nginx",
    );
    assert!(preview.stdout.starts_with("Inst nginx (1.22.1"));
    assert_eq!(query().stdout, "");
    assert!(run(&host, Program::AptGet, "-y install -- nginx").is_success());
    assert_eq!(query().stdout, "installed:nginx\n");
    assert_eq!(systemctl(&host, "is-active nginx").code, 0);
    assert!(run(&host, Program::AptGet, "-y purge -- nginx").is_success());
    assert_eq!(host.stat(&path("/etc/nginx/nginx.conf")).unwrap(), None);
    assert_eq!(systemctl(&host, "is-active nginx").code, 3);
}

#[test]
fn a_half_configured_package_stops_apt_until_dpkg_finishes_it() {
    let host = host();
    host.change(|machine| {
        if let Some(package) = machine.packages.get_mut("nginx") {
            package.stage = Stage::HalfConfigured;
        }
    });
    assert_eq!(run(&host, Program::Dpkg, "--audit").stdout, " nginx\n");
    assert_eq!(run(&host, Program::AptGet, "install logrotate").code, 100);
    assert!(run(&host, Program::Dpkg, "--configure -a").is_success());
    assert!(run(&host, Program::AptGet, "install logrotate").is_success());
}

#[test]
fn mariadb_answers_while_it_runs() {
    let host = host();
    host.set_rows("SELECT 1", vec![vec!["1".to_owned()]]);
    assert_eq!(host.sql("SELECT 1").unwrap(), [["1"]]);
    assert!(host.sql("DROP TABLE x").unwrap().is_empty());
    assert_eq!(host.statements(), ["SELECT 1", "DROP TABLE x"]);
    systemctl(&host, "stop mariadb");
    assert!(matches!(
        host.sql("SELECT 1"),
        Err(HostError::SqlSilent { .. })
    ));
}
