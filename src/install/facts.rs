//! What an installation is planned on, looked up at once.
//!
//! Invariant: looking changes nothing, and needs neither the agent nor the state.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::domain::facts::ServiceManager;
use crate::domain::fault::Fault;
use crate::domain::path::HostPath;
use crate::host::{Host, HostError, HostResult};
use crate::install::nginx_facts::{self, NginxFacts};
use crate::install::options::InstallOptions;
use crate::install::wanted::Wanted;
use crate::ops::panel;
use crate::render;
use crate::system::config::Config;
use crate::system::distro::{self, Distribution, Release};
use crate::system::{addresses, apt, facts, machine, ports, service};

const SMALL: usize = 1024 * 1024;
/// What MariaDB makes in its directory by itself.
const SYSTEM_DATABASES: &[&str] = &["mysql", "performance_schema", "sys"];

/// The machine before an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each answers a question of its own"
)]
pub struct InstallFacts {
    /// Whether this process may do what it must.
    pub is_root: bool,
    /// Who starts and stops services.
    pub services: ServiceManager,
    /// What os-release(5) says.
    pub release: Release,
    /// Its row, where there is one.
    pub distribution: Option<&'static Distribution>,
    /// What the server calls itself.
    pub server: String,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Whether the kernel has IPv6.
    pub ipv6: bool,
    /// Its memory, as far as it can be read.
    pub memory: Option<Memory>,
    /// Bytes free where packages and sites go.
    pub disk_free: u64,
    /// Who listens on the ports the panel needs.
    pub listeners: BTreeMap<u16, Vec<String>>,
    /// True where the panel's own port is held for the panel.
    pub port_is_ours: bool,
    /// Packages.
    pub packages: PackageFacts,
    /// An nginx that is here already.
    pub nginx: Option<NginxFacts>,
    /// True where MariaDB is not here, or has nobody's databases yet.
    pub mariadb_is_fresh: bool,
    /// True where MariaDB has our options already.
    pub mariadb_has_options: bool,
    /// Where this program is, unless it is where units expect it.
    pub program: Option<HostPath>,
    /// Directories of the manual page and the completion that are not there.
    pub without: Vec<&'static str>,
}

/// Bytes of memory, swap among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Without swap.
    pub installed: u64,
    /// With swap.
    pub total: u64,
    /// What a new process could take, with swap.
    pub available: u64,
}

/// What apt and dpkg say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackageFacts {
    /// Needed and not here.
    pub missing: Vec<String>,
    /// Useful, and not here.
    pub missing_extensions: Vec<String>,
    /// Those of both that apt could install, as far as its lists go.
    pub available: BTreeSet<String>,
    /// Whether there are any lists.
    pub has_lists: bool,
    /// Whether apt knows where to fetch from.
    pub has_sources: bool,
    /// Unpacked and not configured.
    pub half_configured: Vec<String>,
    /// dpkg was interrupted.
    pub interrupted: bool,
}

impl InstallFacts {
    /// Everything that will be installed.
    #[must_use]
    pub fn to_install(&self) -> Vec<String> {
        let packages = &self.packages;
        if packages.missing.is_empty() && packages.missing_extensions.is_empty() {
            return Vec::new();
        }
        // Without lists there is only the table, which names what the distribution has.
        let there = |name: &&String| !packages.has_lists || packages.available.contains(*name);
        let extensions = packages.missing_extensions.iter().filter(there);
        packages.missing.iter().chain(extensions).cloned().collect()
    }
}

/// Looks.
pub fn gather(host: &dyn Host, options: &InstallOptions) -> Result<InstallFacts, Fault> {
    let configured = Config::read(host)?;
    let release = distro::release(host);
    let wanted = Wanted::new(options, &configured, distro::known(&release));
    look(host, release, &wanted, configured.panel.port).map_err(Fault::from)
}

fn look(
    host: &dyn Host,
    release: Release,
    wanted: &Wanted,
    present_port: u16,
) -> HostResult<InstallFacts> {
    let services = service::manager(host)?;
    let distribution = distro::known(&release);
    let ipv6 = facts::has_ipv6(host)?;
    let port = wanted.config.panel.port;
    let is_root = is_root(host)?;
    Ok(InstallFacts {
        is_root,
        services,
        distribution,
        release,
        server: machine::hostname(host),
        addresses: addresses::own(host),
        ipv6,
        memory: memory(host)?,
        disk_free: host.space(&HostPath::fixed("/"))?.free,
        listeners: [80, 443, port]
            .map(|port| (port, ports::listeners(host, port)))
            .into(),
        port_is_ours: port == present_port && is_installed(host)?,
        packages: match distribution {
            Some(row) if is_root => packages(host, wanted, row)?,
            _ => PackageFacts::default(),
        },
        nginx: if is_root {
            nginx_facts::look(host, ipv6)?
        } else {
            None
        },
        mariadb_is_fresh: mariadb_is_fresh(host)?,
        mariadb_has_options: host.stat(&render::mariadb::file())?.is_some(),
        program: program(host)?,
        without: missing_directories(host)?,
    })
}

fn missing_directories(host: &dyn Host) -> HostResult<Vec<&'static str>> {
    let mut missing = Vec::new();
    for path in render::handbook::DIRECTORIES {
        if host.stat(&HostPath::fixed(path))?.is_none() {
            missing.push(path);
        }
    }
    Ok(missing)
}

pub(super) fn is_root(host: &dyn Host) -> HostResult<bool> {
    let status = small(host, "/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    // Real, effective, saved, file system.
    let effective = line.and_then(|ids| ids.split_whitespace().nth(1));
    Ok(effective.is_none_or(|effective| effective == "0"))
}

/// Why an error is one: what could not be read must not look like a machine without memory.
fn small(host: &dyn Host, path: &'static str) -> HostResult<String> {
    match host.read(&HostPath::fixed(path), SMALL) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(HostError::Missing { .. }) => Ok(String::new()),
        Err(error) => Err(error),
    }
}

fn memory(host: &dyn Host) -> HostResult<Option<Memory>> {
    Ok(parse_memory(&small(host, "/proc/meminfo")?))
}

fn parse_memory(text: &str) -> Option<Memory> {
    let kib = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let bytes = |key: &str| kib(key)?.checked_mul(1024);
    let swap = |key| bytes(key).unwrap_or(0);
    Some(Memory {
        installed: bytes("MemTotal:")?,
        total: bytes("MemTotal:")?.saturating_add(swap("SwapTotal:")),
        available: bytes("MemAvailable:")?.saturating_add(swap("SwapFree:")),
    })
}

/// Something of the panel holds the port: a unit of ours is there.
pub(super) fn is_installed(host: &dyn Host) -> HostResult<bool> {
    for path in [
        "/etc/systemd/system/lalapanel.socket",
        "/etc/init.d/lalapanel",
    ] {
        if host.stat(&HostPath::fixed(path))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn packages(host: &dyn Host, wanted: &Wanted, row: &Distribution) -> HostResult<PackageFacts> {
    let (required, optional) = (wanted.required(row), wanted.optional());
    let all: Vec<String> = required.iter().chain(&optional).cloned().collect();
    let installed = apt::installed(host, &all)?;
    let absent = |names: Vec<String>| -> Vec<String> {
        let absent = names.into_iter().filter(|name| !installed.contains(name));
        absent.collect()
    };
    let interrupted = apt::is_half_configured(host)?;
    let (missing, missing_extensions) = (absent(required), absent(optional));
    let nothing = missing.is_empty() && missing_extensions.is_empty();
    Ok(PackageFacts {
        available: if nothing {
            BTreeSet::new()
        } else {
            apt::available(host, &absent(all))?
        },
        has_lists: nothing || apt::has_lists(host)?,
        has_sources: nothing || apt::has_sources(host)?,
        half_configured: if interrupted {
            apt::half_configured(host)?
        } else {
            Vec::new()
        },
        interrupted,
        missing,
        missing_extensions,
    })
}

fn mariadb_is_fresh(host: &dyn Host) -> HostResult<bool> {
    let data = HostPath::fixed("/var/lib/mysql");
    for name in host.list(&data).unwrap_or_default() {
        let node = host.stat(&data.join(&name))?.map(|meta| meta.node);
        let is_database = node == Some(crate::host::Node::Directory) && !name.starts_with('#');
        if is_database && !SYSTEM_DATABASES.contains(&name.as_str()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Where this program is, if units would start another one or none.
fn program(host: &dyn Host) -> HostResult<Option<HostPath>> {
    let Some(own) = std::env::current_exe()
        .ok()
        .and_then(|path| HostPath::parse(&path.to_string_lossy()).ok())
    else {
        return Ok(None);
    };
    let place = panel::program();
    if own == place || host.stat(&own)?.is_none() {
        return Ok(None);
    }
    let same = host.stat(&place)?.is_some() && panel::is_same(host, &own, &place)?;
    Ok((!same).then_some(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swap_counts_as_memory() {
        let text = "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 200 kB\nSwapTotal: 500 kB\nSwapFree: 400 kB\n";
        let memory = parse_memory(text).unwrap();
        assert_eq!(memory.installed, 1000 * 1024);
        assert_eq!((memory.total, memory.available), (1500 * 1024, 600 * 1024));
        assert_eq!(parse_memory("MemTotal: x kB\n"), None);
    }
}
