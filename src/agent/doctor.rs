//! Looks at host and state and says what is not as it should be. Each finding names the fix.
//!
//! Invariant: the doctor changes nothing.

use crate::agent::issuance::Issuer;
use crate::agent::operations::Operations;
use crate::agent::{certificates, doctor_databases, doctor_room};
use crate::domain::facts::ServiceManager;
use crate::domain::fault::Fault;
use crate::domain::name::Hostname;
use crate::domain::path::HostPath;
use crate::domain::site::Site;
use crate::host::{Host, Meta, Node};
use crate::ops::site_logs::{self, Amiss};
use crate::ops::{drift, graveyard};
use crate::rpc::uptime::Standing;
use crate::rpc::view::{DoctorReport, Finding, Level};
use crate::system::config::Config;
use crate::system::notify::Notify;
use crate::system::{courier, nginx, open_files, service};

/// Every check.
#[must_use]
pub(super) fn examine(operations: &Operations, issuer: &Issuer) -> DoctorReport {
    let host = operations.engine().host();
    let mut findings = quick(operations, issuer);
    // First: testing the configuration makes missing logs anew.
    let logs = logs(operations);
    findings.push(nginx_configuration(host));
    findings.push(logs);
    findings.push(open_files(operations));
    findings.push(sandbox(host));
    findings.push(courier(host));
    findings.push(graves(host));
    findings.extend(databases(operations));
    findings.extend(kernel(host));
    findings.push(state_file(host));
    DoctorReport { findings }
}

/// The checks that are cheap enough for every visit of the first page.
#[must_use]
pub(super) fn quick(operations: &Operations, issuer: &Issuer) -> Vec<Finding> {
    let host = operations.engine().host();
    let limits = Config::read(host).map_or_else(|_| Notify::default(), |config| config.notify);
    let mut findings = vec![
        running(host, "nginx", "visitors see nothing"),
        running(host, "mariadb", "sites with a database fail"),
        doctor_room::disk(host, limits.disk_percent),
        stuck(operations),
    ];
    findings.extend(doctor_room::memory(host, limits.memory_percent));
    findings.extend(drifted(operations));
    findings.extend(certificates::findings(operations, issuer));
    findings.extend(unreached(operations));
    findings
}

/// Sites that answered before and do not now.
fn unreached(operations: &Operations) -> Vec<Finding> {
    let every = operations.settings().now().uptime.every_seconds;
    let view = operations
        .uptime()
        .view(operations.engine(), every.seconds(), None);
    let Ok(view) = view else {
        return Vec::new();
    };
    let down = view.sites.into_iter().filter_map(|site| {
        let (Standing::Down, Some(since), Some(last)) = (site.standing, site.since, site.last)
        else {
            return None;
        };
        let title = format!(
            "{} is not reached from outside since {since}: {}",
            site.hostname_unicode,
            last.words()
        );
        let hint = format!(
            "open it from another network; `lalapanel uptime {}` shows each look",
            site.hostname
        );
        Some(Finding {
            site: Some(site.hostname),
            ..finding("uptime", Level::Problem, title, hint)
        })
    });
    down.collect()
}

fn databases(operations: &Operations) -> Vec<Finding> {
    let engine = operations.engine();
    doctor_databases::findings(engine.host(), engine.store()).unwrap_or_default()
}

pub(super) fn finding(
    check: &str,
    level: Level,
    title: impl Into<String>,
    hint: impl Into<String>,
) -> Finding {
    Finding {
        check: check.to_owned(),
        level,
        title: title.into(),
        hint: hint.into(),
        site: None,
    }
}

fn running(host: &dyn Host, name: &str, consequence: &str) -> Finding {
    let check = format!("service.{name}");
    let state = service::manager(host).and_then(|manager| service::state(host, manager, name));
    match state {
        Ok(state) if state.active => finding(&check, Level::Ok, format!("{name} runs"), ""),
        Ok(_) => finding(
            &check,
            Level::Problem,
            format!("{name} is stopped: {consequence}"),
            format!("see `systemctl status {name}`, then start it with `systemctl start {name}`"),
        ),
        Err(_) => finding(
            &check,
            Level::Warning,
            format!("whether {name} runs could not be found out"),
            format!("see `systemctl status {name}`"),
        ),
    }
}

fn stuck(operations: &Operations) -> Finding {
    match operations.stuck() {
        Ok(stuck) if stuck.is_empty() => finding(
            "operations.stuck",
            Level::Ok,
            "no operation waits for a person",
            "",
        ),
        Ok(stuck) => finding(
            "operations.stuck",
            Level::Problem,
            format!("{} operation(s) could not be undone", stuck.len()),
            stuck
                .first()
                .map(|id| {
                    format!("run `lalapanel op show {id}`; it names the commands that are left")
                })
                .unwrap_or_default(),
        ),
        Err(fault) => finding("operations.stuck", Level::Problem, fault.title, fault.hint),
    }
}

fn nginx_configuration(host: &dyn Host) -> Finding {
    match nginx::complaint(host, None) {
        Ok(None) => finding(
            "nginx.configuration",
            Level::Ok,
            "nginx accepts its configuration",
            "",
        ),
        Ok(Some(line)) => finding(
            "nginx.configuration",
            Level::Problem,
            format!("nginx would not start again: {line}"),
            "mend the named file, check with `nginx -t`",
        ),
        Err(error) => finding(
            "nginx.configuration",
            Level::Warning,
            error.to_string(),
            "run `nginx -t`",
        ),
    }
}

fn drifted(operations: &Operations) -> Vec<Finding> {
    let Ok(sites) = operations.engine().store().sites() else {
        return Vec::new();
    };
    let found = drift::undecided(operations.engine().host(), &sites).unwrap_or_default();
    let one = |(site, paths): (&Site, Vec<HostPath>)| {
        let files: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
        Finding {
            site: Some(site.hostname.clone()),
            ..finding(
                "files.drift",
                Level::Warning,
                format!(
                    "{} changed outside Lala: {}",
                    site.hostname,
                    files.join(", ")
                ),
                format!(
                    "see the difference with `lalapanel site drift {}`, then choose `--keep`, `--restore` or `--leave`",
                    site.hostname
                ),
            )
        }
    };
    let mut findings: Vec<Finding> = found.into_iter().map(one).collect();
    findings.extend(outdated(operations, &sites));
    findings
}

/// They go on working; the next version may count on the new text.
fn outdated(operations: &Operations, sites: &[Site]) -> Option<Finding> {
    let found = drift::outdated(operations.engine().host(), sites).ok()?;
    let first = found.first()?;
    let names: Vec<&str> = found.iter().map(|site| site.hostname.as_str()).collect();
    Some(finding(
        "files.version",
        Level::Warning,
        format!(
            "files of {} are as an earlier version wrote them; they work as before",
            names.join(", ")
        ),
        format!(
            "have this version write them, site by site: `lalapanel site drift {} --restore`",
            first.hostname
        ),
    ))
}

/// Log files that somebody deleted or made anew: nginx goes on writing to what nobody can read.
fn logs(operations: &Operations) -> Finding {
    const CHECK: &str = "logs.files";
    let host = operations.engine().host();
    let look = || -> Result<Vec<(Hostname, Vec<Amiss>)>, Fault> {
        let sites = operations.engine().store().sites()?;
        let mut found = Vec::new();
        for site in sites.iter() {
            let amiss = site_logs::look(host, site)?;
            if !amiss.is_empty() {
                found.push((site.hostname.clone(), amiss));
            }
        }
        Ok(found)
    };
    match look() {
        Err(fault) => finding(CHECK, Level::Warning, fault.title, fault.hint),
        Ok(found) => match found.first() {
            None => finding(CHECK, Level::Ok, "every site has its logs", ""),
            Some((hostname, amiss)) => finding(
                CHECK,
                Level::Warning,
                format!(
                    "{}; {} site(s) have such logs",
                    amiss.first().map_or_else(String::new, Amiss::told),
                    found.len()
                ),
                format!("run `lalapanel log {hostname} --restore`"),
            ),
        },
    }
}

/// Two logs a site, and what else nginx has open: beyond the limit it neither starts nor reads a new configuration.
fn open_files(operations: &Operations) -> Finding {
    const CHECK: &str = "nginx.open_files";
    let host = operations.engine().host();
    let sites = operations
        .engine()
        .store()
        .sites()
        .map_or(0, |sites| sites.len());
    let needed = open_files::needed(sites);
    match open_files::of_nginx(host) {
        Some(limit) if limit >= needed => finding(
            CHECK,
            Level::Ok,
            format!("nginx may open {limit} files"),
            "",
        ),
        Some(limit) => finding(
            CHECK,
            if limit < open_files::least(sites) {
                Level::Problem
            } else {
                Level::Warning
            },
            format!(
                "nginx may open {limit} files; {sites} site(s) with many visitors need {needed}"
            ),
            "with systemd run `lalapanel doctor --fix`, then `systemctl restart nginx`; without it write `ULIMIT=\"-n 65536\"` into `/etc/default/nginx` and restart nginx",
        ),
        None => finding(
            CHECK,
            Level::Warning,
            "how many files nginx may open could not be found out",
            "see `/proc/PID/limits` of nginx's master process",
        ),
    }
}

/// What a sweep could not remove: something that belongs to root in a dead site's tree.
fn graves(host: &dyn Host) -> Finding {
    match graveyard::left(host) {
        Ok(left) if left.is_empty() => finding(
            "sites.deleted",
            Level::Ok,
            "nothing is left of deleted sites",
            "",
        ),
        Ok(left) => finding(
            "sites.deleted",
            Level::Warning,
            format!("files of {} deleted site(s) are left", left.len()),
            left.first().map_or_else(String::new, |path| {
                format!("look at `{path}`, then remove it with `rm -r`")
            }),
        ),
        Err(fault) => finding("sites.deleted", Level::Warning, fault.title, fault.hint),
    }
}

/// What is lost where systemd is not PID 1.
fn sandbox(host: &dyn Host) -> Finding {
    match service::manager(host) {
        Ok(ServiceManager::Systemd) => finding(
            "host.sandbox",
            Level::Ok,
            "panel and sites run in systemd's sandboxes",
            "",
        ),
        Ok(ServiceManager::Sysv) => finding(
            "host.sandbox",
            Level::Warning,
            "systemd is not PID 1: sites share one PHP-FPM master per version, and nothing holds the panel's port while it restarts",
            "boot this server with systemd if sites of different people live on it",
        ),
        Err(error) => finding(
            "host.sandbox",
            Level::Warning,
            error.to_string(),
            "see `ps -p 1`",
        ),
    }
}

/// Asked, which starts it: an errand would do no more.
fn courier(host: &dyn Host) -> Finding {
    match courier::ping(host) {
        Ok(()) => finding(
            "courier.answers",
            Level::Ok,
            "the courier, which talks to the internet, answers",
            "",
        ),
        Err(fault) => finding("courier.answers", Level::Problem, fault.title, fault.hint),
    }
}

/// Kernel settings that keep a site from tricking root through links in shared directories.
fn kernel(host: &dyn Host) -> Vec<Finding> {
    ["protected_symlinks", "protected_hardlinks"]
        .into_iter()
        .map(|name| {
            let path = HostPath::fixed("/proc/sys/fs").join(name);
            let on = host
                .read(&path, 64)
                .is_ok_and(|bytes| bytes.starts_with(b"1"));
            if on {
                finding("kernel.links", Level::Ok, format!("fs.{name} is on"), "")
            } else {
                finding(
                    "kernel.links",
                    Level::Warning,
                    format!("fs.{name} is off"),
                    format!("run `sysctl -w fs.{name}=1` and keep it in `/etc/sysctl.d/`"),
                )
            }
        })
        .collect()
}

fn state_file(host: &dyn Host) -> Finding {
    match host.stat(&HostPath::fixed("/var/lib/lalapanel/state.redb")) {
        Ok(Some(Meta {
            node: Node::File { .. },
            owner,
            mode,
        })) if owner.uid == 0 && mode.0 & 0o077 == 0 => {
            finding("state.file", Level::Ok, "only root can read the state", "")
        }
        Ok(Some(_)) => finding(
            "state.file",
            Level::Problem,
            "others than root can read the state",
            "run `chown root:root /var/lib/lalapanel/state.redb` and `chmod 600 /var/lib/lalapanel/state.redb`",
        ),
        _ => finding(
            "state.file",
            Level::Problem,
            "the state file is not where it should be",
            "see `/var/lib/lalapanel`",
        ),
    }
}
