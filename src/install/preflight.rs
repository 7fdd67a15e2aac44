//! Reasons not to install, all of them at once, each with what to do about it.
//!
//! Invariant: a pure function of facts; nothing has been changed when one of these is told.

use crate::domain::fault::{Code, Fault};
use crate::install::facts::InstallFacts;
use crate::install::wanted::Wanted;
use crate::system::distro;

const MIB: u64 = 1024 * 1024;
/// nginx, PHP and MariaDB take about 450 MB with what they need; a site and its logs need room as well.
const DISK_WITH_PACKAGES: u64 = 1200 * MIB;
const DISK: u64 = 200 * MIB;
/// A server sold with 512 MB has about 460 MiB left after the kernel.
const MEMORY_TOTAL: u64 = 400 * MIB;
const MEMORY_AVAILABLE: u64 = 96 * MIB;

/// Every reason.
#[must_use]
pub fn refusals(wanted: &Wanted, facts: &InstallFacts) -> Vec<Fault> {
    // Without root most of the other looks see nothing.
    if !facts.is_root {
        return vec![not_root()];
    }
    let mut found = Vec::new();
    found.extend(unsupported(facts));
    found.extend(ports(wanted, facts));
    found.extend(memory(facts));
    found.extend(disk(facts));
    if facts.distribution.is_some() {
        found.extend(lists(facts).or_else(|| unknown_php(wanted, facts)));
    }
    found.extend(broken_nginx(facts));
    found
}

/// One fault out of several: the code of the first, and the reasons line by line.
#[must_use]
pub fn joined(mut refusals: Vec<Fault>) -> Option<Fault> {
    if refusals.len() < 2 {
        return refusals.pop();
    }
    let lines: Vec<String> = refusals
        .iter()
        .map(|fault| {
            let detail = if fault.detail.is_empty() {
                String::new()
            } else {
                format!(" ({})", fault.detail)
            };
            format!(
                "{}: {}{detail}; {}",
                fault.code.as_str(),
                fault.title,
                fault.hint
            )
        })
        .collect();
    let first = refusals.first().map(|fault| fault.code)?;
    Some(
        Fault::new(
            first,
            format!("{} things are in the way of the panel", lines.len()),
            "mend all of them, then run `lalapanel install` again",
        )
        .detail(lines.join("\n")),
    )
}

pub(super) fn not_root() -> Fault {
    Fault::new(
        Code::NotRoot,
        "installing a web host takes root",
        "run it with `sudo`, or in a root shell",
    )
}

fn unsupported(facts: &InstallFacts) -> Option<Fault> {
    if facts.distribution.is_some() {
        return None;
    }
    let known: Vec<&str> = distro::KNOWN.iter().map(|row| row.name).collect();
    let own = if facts.release.pretty.is_empty() {
        "this system".to_owned()
    } else {
        format!("{} {}", facts.release.id, facts.release.version)
    };
    Some(
        Fault::new(
            Code::Unsupported,
            format!("{own} is not one of the systems the panel knows"),
            format!("install it on {}", known.join(", ")),
        )
        .detail(facts.release.pretty.clone()),
    )
}

fn ports(wanted: &Wanted, facts: &InstallFacts) -> Vec<Fault> {
    let panel = wanted.config.panel.port;
    let strangers = |port: &u16| -> Vec<String> {
        let listening = facts.listeners.get(port).cloned().unwrap_or_default();
        let is_ours = |name: &String| match *port {
            80 | 443 => name == "nginx",
            _ => facts.port_is_ours && (name == "systemd" || name.starts_with("lalapanel")),
        };
        listening
            .into_iter()
            .filter(|name| !is_ours(name))
            .collect()
    };
    [80, 443, panel]
        .iter()
        .map(|port| (*port, strangers(port)))
        .filter(|(_, names)| !names.is_empty())
        .map(|(port, names)| taken(port, panel, &names))
        .collect()
}

fn taken(port: u16, panel: u16, names: &[String]) -> Fault {
    let name = names.first().map_or("another program", String::as_str);
    let hint = if port == panel {
        format!(
            "stop it, or give the panel another port: `--port {}`",
            next(port)
        )
    } else {
        format!(
            "stop it and keep it from starting (`systemctl disable --now {name}`): the sites need this port"
        )
    };
    Fault::new(
        Code::PortTaken,
        format!("port {port} is taken by {}", names.join(" and ")),
        hint,
    )
}

fn next(port: u16) -> u16 {
    port.checked_add(1).unwrap_or(8443)
}

fn memory(facts: &InstallFacts) -> Option<Fault> {
    let memory = facts.memory?;
    // What runs already has its memory.
    let is_new = !facts.to_install().is_empty() || !facts.port_is_ours;
    if memory.total >= MEMORY_TOTAL && (memory.available >= MEMORY_AVAILABLE || !is_new) {
        return None;
    }
    Some(Fault::new(
        Code::MemoryShort,
        format!(
            "{} MB of memory are free of {} MB; the panel and its services need {} of {}",
            memory.available / MIB,
            memory.total / MIB,
            MEMORY_AVAILABLE / MIB,
            MEMORY_TOTAL / MIB,
        ),
        "stop what is not needed, add memory, or make a swap file (`fallocate -l 1G /swap; chmod 600 /swap; mkswap /swap; swapon /swap`)",
    ))
}

fn disk(facts: &InstallFacts) -> Option<Fault> {
    let needed = if facts.to_install().is_empty() {
        DISK
    } else {
        DISK_WITH_PACKAGES
    };
    (facts.disk_free < needed).then(|| {
        Fault::new(
            Code::DiskShort,
            format!(
                "{} MB are free on the disk; {} are needed",
                facts.disk_free / MIB,
                needed / MIB
            ),
            "free some space: `apt-get clean`, and `du -xh --max-depth=2 /var` shows where it went",
        )
    })
}

fn lists(facts: &InstallFacts) -> Option<Fault> {
    let packages = &facts.packages;
    let needs_them = !packages.missing.is_empty() && !packages.has_lists;
    (needs_them && !packages.has_sources).then(|| {
        Fault::new(
            Code::AptLists,
            "apt has no lists of packages, and no source to fetch them from",
            "put the distribution's sources back into `/etc/apt/sources.list.d/`, run `apt-get update`, then try again",
        )
    })
}

fn unknown_php(wanted: &Wanted, facts: &InstallFacts) -> Option<Fault> {
    let own = facts.distribution?.php;
    let is_unknown =
        |name: &&String| facts.packages.has_lists && !facts.packages.available.contains(*name);
    let missing = facts.packages.missing.iter().find(is_unknown)?;
    let php = wanted
        .php
        .iter()
        .find(|php| missing.starts_with(&format!("php{php}-")))?;
    if *php == own {
        // The table says it exists: the lists are old, and are fetched first.
        return None;
    }
    Some(Fault::new(
        Code::PhpNotInstalled,
        format!("apt has no package `{missing}`"),
        format!("leave `--php` out for PHP {own}, which this system brings"),
    ))
}

fn broken_nginx(facts: &InstallFacts) -> Option<Fault> {
    let complaint = facts.nginx.as_ref()?.complaint.clone()?;
    Some(
        Fault::new(
            Code::NginxBroken,
            "the nginx on this server does not accept its own configuration",
            "mend the named place, check with `nginx -t`, then try again",
        )
        .detail(complaint),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;
    use crate::install::facts::{self, Memory};
    use crate::install::options::InstallOptions;
    use crate::system::config::Config;

    /// The codes that a fresh server, changed so, is refused with.
    fn codes(change: impl FnOnce(&mut InstallFacts)) -> Vec<Code> {
        let host = MemoryHost::new(Machine::debian());
        let options = InstallOptions::default();
        let mut found = facts::gather(&host, &options).unwrap();
        found.memory = Some(Memory {
            installed: 2000 * MIB,
            total: 2000 * MIB,
            available: 1500 * MIB,
        });
        found.packages.has_lists = true;
        found.packages.available = found.packages.missing.iter().cloned().collect();
        change(&mut found);
        let wanted = Wanted::new(&options, &Config::default(), found.distribution);
        refusals(&wanted, &found)
            .iter()
            .map(|fault| fault.code)
            .collect()
    }

    fn listens(port: u16, name: &str) -> impl FnOnce(&mut InstallFacts) {
        let name = name.to_owned();
        move |facts| {
            facts.listeners.insert(port, vec![name]);
        }
    }

    #[test]
    fn a_fresh_server_is_fine() {
        assert_eq!(codes(|_| {}), []);
    }

    #[test]
    fn each_thing_in_the_way_has_its_code() {
        assert_eq!(codes(|facts| facts.is_root = false), [Code::NotRoot]);
        assert_eq!(
            codes(|facts| facts.distribution = None),
            [Code::Unsupported]
        );
        assert_eq!(codes(listens(80, "apache2")), [Code::PortTaken]);
        assert_eq!(codes(listens(443, "haproxy")), [Code::PortTaken]);
        assert_eq!(codes(listens(8443, "java")), [Code::PortTaken]);
        assert_eq!(
            codes(|facts| facts.disk_free = 300 * MIB),
            [Code::DiskShort]
        );
        let short = |facts: &mut InstallFacts| {
            facts.memory = Some(Memory {
                installed: 128 * MIB,
                total: 128 * MIB,
                available: 20 * MIB,
            });
        };
        assert_eq!(codes(short), [Code::MemoryShort]);
        let no_lists = |facts: &mut InstallFacts| {
            facts.packages.has_lists = false;
            facts.packages.has_sources = false;
        };
        assert_eq!(codes(no_lists), [Code::AptLists]);
    }

    #[test]
    fn an_nginx_on_its_ports_and_our_own_socket_are_no_strangers() {
        assert_eq!(codes(listens(80, "nginx")), []);
        assert_eq!(codes(listens(8443, "systemd")), [Code::PortTaken]);
        let ours = |facts: &mut InstallFacts| {
            facts.port_is_ours = true;
            facts.listeners.insert(8443, vec!["systemd".to_owned()]);
        };
        assert_eq!(codes(ours), []);
    }

    #[test]
    fn swap_makes_up_for_memory() {
        let swap = |facts: &mut InstallFacts| {
            facts.memory = Some(Memory {
                installed: 256 * MIB,
                total: 1280 * MIB,
                available: 1000 * MIB,
            });
        };
        assert_eq!(codes(swap), []);
    }

    #[test]
    fn several_reasons_are_told_at_once() {
        let both = |facts: &mut InstallFacts| {
            facts.disk_free = 0;
            facts.listeners.insert(80, vec!["apache2".to_owned()]);
        };
        assert_eq!(codes(both), [Code::PortTaken, Code::DiskShort]);
        let refusals = vec![
            taken(80, 8443, &["apache2".to_owned()]),
            Fault::new(Code::DiskShort, "a", "b"),
        ];
        let fault = joined(refusals).unwrap();
        assert_eq!(fault.code, Code::PortTaken);
        assert!(fault.detail.contains("apache2") && fault.detail.contains("install.disk"));
        assert_eq!(joined(Vec::new()), None);
    }
}
