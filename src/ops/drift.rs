//! Finds owned files that differ from what the panel would write.
//!
//! Invariant: looking only; what differs is shown and never overwritten without consent.

use crate::domain::facts::{Abilities, ServiceManager};
use crate::domain::path::HostPath;
use crate::domain::site::Site;
use crate::host::{Host, HostError, HostResult};
use crate::ops::site_parts as parts;
use crate::render;
use crate::system::facts;
use crate::system::service;

/// A file of ours is never larger.
const LIMIT: usize = 1024 * 1024;

/// The files of a site as the panel would write them now.
#[must_use]
pub fn owned(
    site: &Site,
    services: ServiceManager,
    abilities: Abilities,
) -> Vec<(HostPath, String)> {
    let mut files = vec![(site.nginx_file(), render::nginx::site(site, abilities))];
    files.extend(
        render::nginx::visitors(site).map(|text| (render::nginx::visitors_file(site), text)),
    );
    match (site.kind.php(), services) {
        (Some(php), ServiceManager::Systemd) => files.extend([
            (
                render::php_fpm::master_file(site),
                render::php_fpm::master(site),
            ),
            (parts::socket_file(site), render::systemd::php_socket(site)),
            (
                parts::service_file(site),
                render::systemd::php_service(site, php),
            ),
        ]),
        (Some(php), ServiceManager::Sysv) => files.push((
            render::php_fpm::pool_file(site, php),
            render::php_fpm::pool(site),
        )),
        (None, _) => {}
    }
    files
}

/// Those that are missing or differ.
pub fn of_site(host: &dyn Host, site: &Site) -> HostResult<Vec<HostPath>> {
    let mut differing = Vec::new();
    for (path, text) in owned(site, service::manager(host)?, facts::abilities(host)?) {
        if !is_same(host, &path, &text)? {
            differing.push(path);
        }
    }
    Ok(differing)
}

fn is_same(host: &dyn Host, path: &HostPath, text: &str) -> HostResult<bool> {
    match host.read(path, LIMIT) {
        Ok(bytes) => Ok(bytes == text.as_bytes()),
        Err(HostError::Missing { .. } | HostError::Kind { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
