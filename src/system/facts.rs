//! Looks up what planners need to know about this host.
//!
//! Invariant: looking only, and all of it at once, so that a plan rests on one moment.

use crate::domain::facts::Facts;
use crate::domain::name::Hostname;
use crate::domain::path::HostPath;
use crate::domain::php::PhpVersion;
use crate::domain::site::Site;
use crate::host::{Host, HostError, HostResult};
use crate::system::{addresses, nginx, nginx_files, service, users};

/// Debian's numbers for `www-data` and `adm`, where a host has no such groups yet.
const WEB_GID: u32 = 33;
const LOG_GID: u32 = 4;

/// The facts for a change that would make `paths`; `own` are the sites of the state.
pub fn gather(
    host: &dyn Host,
    panel: &[Hostname],
    own: &[Site],
    paths: &[HostPath],
) -> HostResult<Facts> {
    let services = service::manager(host)?;
    let files: Vec<HostPath> = own.iter().map(Site::nginx_file).collect();
    Ok(Facts {
        services,
        panel_names: panel.to_vec(),
        addresses: addresses::own(host),
        php: installed_php(host)?,
        foreign_names: nginx_files::read(host)?.foreign_names(&files),
        nginx_complaint: nginx_complaint(host)?,
        ipv6: has_ipv6(host)?,
        nginx_running: service::state(host, services, "nginx")?.active,
        web_gid: users::group(host, "www-data")?.unwrap_or(WEB_GID),
        log_gid: users::group(host, "adm")?.unwrap_or(LOG_GID),
        free_site: users::free_site(host)?,
        occupied: occupied(host, paths)?,
        disk_free: disk_free(host)?,
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

fn disk_free(host: &dyn Host) -> HostResult<u64> {
    match host.space(&HostPath::fixed("/var/www")) {
        Err(HostError::Missing { .. }) => Ok(host.space(&HostPath::fixed("/"))?.free),
        space => Ok(space?.free),
    }
}
