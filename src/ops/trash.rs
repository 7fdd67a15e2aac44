//! Where the files of sites in the trash lie, and whose time is over.
//!
//! Invariant: both places are root's and closed to everybody else, the sites included; nothing in them is ever looked into.

use crate::domain::change::Change;
use crate::domain::fault::Fault;
use crate::domain::id::SiteId;
use crate::domain::path::HostPath;
use crate::domain::site::Site;
use crate::domain::time::Timestamp;
use crate::store::Store;

/// Files, on the file system of the sites, so that moving is one rename.
#[must_use]
pub fn sites() -> HostPath {
    HostPath::fixed("/var/www/.lalapanel-trash")
}

/// Logs, on the file system of the logs.
#[must_use]
pub fn logs() -> HostPath {
    HostPath::fixed("/var/log/lalapanel/.trash")
}

/// The files of one site.
#[must_use]
pub fn files_of(site: SiteId) -> HostPath {
    sites().join(&site.to_string())
}

/// The logs of one site.
#[must_use]
pub fn logs_of(site: SiteId) -> HostPath {
    logs().join(&site.to_string())
}

/// The changes that end the sites whose time in the trash is over.
pub fn due(store: &Store, now: Timestamp) -> Result<Vec<Change>, Fault> {
    let trash = store.trash()?.into_iter();
    Ok(trash
        .filter(|trashed| trashed.is_over(now))
        .map(|trashed| end_of(trashed.site))
        .collect())
}

/// The change that ends a site in the trash.
#[must_use]
pub fn end_of(site: Site) -> Change {
    Change::SiteDiscard {
        site: site.id,
        hostname: site.hostname,
    }
}
