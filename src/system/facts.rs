//! Looks up what planners need to know about this host.
//!
//! Invariant: looking only, and all of it at once, so that a plan rests on one moment.

use crate::domain::facts::{Abilities, Facts, ServiceManager, TlsFacts};
use crate::domain::name::Hostname;
use crate::domain::path::HostPath;
use crate::domain::php::PhpVersion;
use crate::domain::site::Site;
use crate::host::{Host, HostError, HostResult};
use crate::render;
use crate::system::nginx_files::{Configuration, Wildcard};
use crate::system::{addresses, files, nginx, nginx_files, ports, service, users};

/// Debian's numbers for `www-data` and `adm`, where a host has no such groups yet.
const WEB_GID: u32 = 33;
const LOG_GID: u32 = 4;
const TLS_PORT: u16 = 443;

/// The facts for a change that would make `paths`; `own` are the sites of the state.
pub fn gather(
    host: &dyn Host,
    panel: &[Hostname],
    own: &[Site],
    paths: &[HostPath],
) -> HostResult<Facts> {
    let services = service::manager(host)?;
    let owners = log_owners(host)?;
    let files: Vec<HostPath> = own.iter().map(Site::nginx_file).collect();
    let found = nginx_files::read(host)?;
    Ok(Facts {
        services,
        panel_names: panel.to_vec(),
        addresses: addresses::own(host),
        php: installed_php(host)?,
        foreign_names: found.foreign_names(&files),
        tls: tls(host, &found, own, &files)?,
        nginx_complaint: nginx_complaint(host)?,
        nginx: abilities(host)?,
        memory: memory(host),
        nginx_running: service::state(host, services, "nginx")?.active,
        web_gid: owners.nginx,
        log_gid: owners.readers,
        free_site: users::free_site(host)?,
        numbers: users::site_numbers(host)?,
        occupied: occupied(host, paths)?,
        disk_free: disk_free(host)?,
        databases: None,
        archive: None,
    })
}

/// Whose the logs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogOwners {
    /// nginx's workers: `www-data`, user and group of one number.
    pub nginx: u32,
    /// The group that may read them: `adm`.
    pub readers: u32,
}

/// Whose the logs are on this machine.
pub fn log_owners(host: &dyn Host) -> HostResult<LogOwners> {
    Ok(LogOwners {
        nginx: users::group(host, "www-data")?.unwrap_or(WEB_GID),
        readers: users::group(host, "adm")?.unwrap_or(LOG_GID),
    })
}

/// PHP versions whose FPM is installed, oldest first.
pub fn installed_php(host: &dyn Host) -> HostResult<Vec<PhpVersion>> {
    let programs = host.list(&HostPath::fixed("/usr/sbin"))?;
    let mut versions: Vec<PhpVersion> = programs
        .iter()
        .filter_map(|name| PhpVersion::parse(name.strip_prefix("php-fpm")?).ok())
        .collect();
    versions.sort();
    Ok(versions)
}

/// What nginx can do here.
pub fn abilities(host: &dyn Host) -> HostResult<Abilities> {
    let modules = host.list(&HostPath::fixed("/etc/nginx/modules-enabled"))?;
    Ok(Abilities {
        ipv6: has_ipv6(host)?,
        brotli: modules.iter().any(|name| name.contains("brotli-filter")),
        shared_php: service::manager(host)? == ServiceManager::Sysv,
    })
}

/// What the first site with TLS finds on port 443.
fn tls(
    host: &dyn Host,
    found: &Configuration,
    sites: &[Site],
    own: &[HostPath],
) -> HostResult<TlsFacts> {
    let program = nginx::program(host)?;
    let others = found.foreign_quic(TLS_PORT, own);
    let speaking = sites.iter().filter(|site| site.speaks_http3());
    let text = |path: HostPath| files::text(host, &path);
    let globals = text(render::nginx_tls::globals_file())?;
    let is_new = globals.is_none();
    let held_by = || {
        let programs = ports::listeners(host, TLS_PORT);
        programs.into_iter().find(|program| program != "nginx")
    };
    Ok(TlsFacts {
        http2: nginx::http2(&program),
        http3: nginx::http3(&program),
        http3_sites: speaking.map(|site| site.id).collect(),
        http3_others: others.map(|server| server.file.clone()),
        globals,
        include: text(render::nginx_tls::include_file())?,
        others: found.foreign_on(Wildcard::V4(TLS_PORT), own).is_some(),
        others_v6: found.foreign_on(Wildcard::V6(TLS_PORT), own).is_some(),
        held_by: is_new.then(held_by).flatten(),
    })
}

fn memory(host: &dyn Host) -> u64 {
    let text = files::text_or_empty(host, "/proc/meminfo");
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0).saturating_mul(1024)
}

/// Whether the kernel has IPv6: then nginx can listen on `[::]`, whatever addresses there are.
pub fn has_ipv6(host: &dyn Host) -> HostResult<bool> {
    Ok(host.stat(&HostPath::fixed("/proc/net/if_inet6"))?.is_some())
}

/// Where nginx is not installed it does not run either, and that is the fault to tell.
fn nginx_complaint(host: &dyn Host) -> HostResult<Option<String>> {
    match host.stat(&HostPath::fixed("/usr/sbin/nginx"))? {
        Some(_) => nginx::complaint(host, None),
        None => Ok(None),
    }
}

fn occupied(host: &dyn Host, paths: &[HostPath]) -> HostResult<Vec<HostPath>> {
    let mut found = Vec::new();
    for path in paths {
        if host.stat(path)?.is_some() {
            found.push(path.clone());
        }
    }
    Ok(found)
}

/// The least room of the places a change writes to: files, logs, and the journal itself.
fn disk_free(host: &dyn Host) -> HostResult<u64> {
    let mut least = u64::MAX;
    for path in ["/var/www", "/var/log/lalapanel", "/var/lib/lalapanel"] {
        let space = match host.space(&HostPath::fixed(path)) {
            Err(HostError::Missing { .. }) => host.space(&HostPath::fixed("/")),
            space => space,
        };
        least = least.min(space?.free);
    }
    Ok(least)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::SiteId;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;
    use crate::host::{Mode, Owner};
    use crate::render::golden::php_site;

    fn put(host: &MemoryHost, path: &'static str, text: &str) {
        let path = HostPath::fixed(path);
        host.write(&path, text.as_bytes(), Owner::ROOT, Mode(0o644))
            .unwrap();
    }

    #[test]
    fn a_fresh_server_with_a_web_stack_is_seen_as_it_is() {
        let host = MemoryHost::new(Machine::debian_with_web());
        let facts = gather(&host, &[], &[], &[]).unwrap();
        assert_eq!(facts.services, ServiceManager::Systemd);
        assert_eq!(facts.php, [PhpVersion::new(8, 2)]);
        assert!(facts.nginx_running && facts.nginx_complaint.is_none());
        assert_eq!((facts.web_gid, facts.log_gid), (33, 4));
        assert_eq!(facts.free_site, SiteId::FIRST);
        assert!(facts.foreign_names.is_empty() && facts.occupied.is_empty());
    }

    #[test]
    fn names_served_by_files_of_others_are_found_through_links_and_ours_are_not_foreign() {
        let host = MemoryHost::new(Machine::debian_with_web());
        put(
            &host,
            "/etc/nginx/sites-available/legacy",
            "server { listen 80; server_name old.example www.old.example; }",
        );
        host.link(
            "../sites-available/legacy",
            &HostPath::fixed("/etc/nginx/sites-enabled/legacy"),
        )
        .unwrap();
        let site = php_site();
        put(
            &host,
            "/etc/nginx/sites-available/shop.example",
            &crate::render::nginx::site(&site, Abilities::default()),
        );
        host.link("../sites-available/shop.example", &site.nginx_link())
            .unwrap();
        let facts = gather(
            &host,
            &[],
            std::slice::from_ref(&site),
            &[site.nginx_file()],
        )
        .unwrap();
        let names: Vec<&str> = facts.foreign_names.keys().map(Hostname::as_str).collect();
        assert_eq!(names, ["old.example", "www.old.example"]);
        assert_eq!(facts.occupied, [site.nginx_file()]);
    }

    #[test]
    fn a_broken_file_of_somebody_else_is_named() {
        let host = MemoryHost::new(Machine::debian_with_web());
        put(&host, "/etc/nginx/conf.d/bad.conf", "server {");
        let complaint = gather(&host, &[], &[], &[]).unwrap().nginx_complaint;
        assert!(complaint.unwrap().contains("/etc/nginx/conf.d/bad.conf"));
    }

    #[test]
    fn a_number_in_use_is_never_handed_out() {
        let host = MemoryHost::new(Machine::debian_with_web());
        put(
            &host,
            "/etc/passwd",
            "root:x:0:0::/root:/bin/bash\ns1003:x:21003:21003::/var/www/a:/x\nsomebody:x:21004:21004::/:/x\n",
        );
        assert_eq!(
            crate::system::users::free_site(&host).unwrap(),
            SiteId::new(1005)
        );
    }
}
