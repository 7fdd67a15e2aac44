//! Where the files of deleted sites wait, and how they are destroyed.
//!
//! Invariant: root never walks a site's tree, not even a dead one: a worker with the site's number empties it.

use crate::domain::fault::Fault;
use crate::domain::id::SiteId;
use crate::domain::path::HostPath;
use crate::host::{Host, HostError, Node};
use crate::ops::act::remove_site_directory;
use crate::ops::state::State;

/// Files, on the file system of the sites, so that moving is one rename.
#[must_use]
pub fn sites() -> HostPath {
    HostPath::fixed("/var/www/.lalapanel-deleted")
}

/// Logs, on the file system of the logs.
#[must_use]
pub fn logs() -> HostPath {
    HostPath::fixed("/var/log/lalapanel/.deleted")
}

/// Destroys what deleted sites left. Safe to run at any time between operations; what is left by a crash is found again.
pub fn sweep(host: &dyn Host, state: &State) -> Result<(), Fault> {
    for (id, base) in dead(host, &sites(), state)? {
        for name in host.list(&base).map_err(Fault::from)? {
            remove_site_directory(host, id, &base, &name)?;
        }
        host.remove(&base).map_err(Fault::from)?;
    }
    for (_, base) in dead(host, &logs(), state)? {
        for name in host.list(&base).map_err(Fault::from)? {
            host.remove(&base.join(&name)).map_err(Fault::from)?;
        }
        host.remove(&base).map_err(Fault::from)?;
    }
    remove_if_empty(host, &sites())?;
    remove_if_empty(host, &logs())
}

fn dead(
    host: &dyn Host,
    graveyard: &HostPath,
    state: &State,
) -> Result<Vec<(SiteId, HostPath)>, Fault> {
    let mut found = Vec::new();
    for name in host.list(graveyard).map_err(Fault::from)? {
        let Some(number) = name
            .strip_prefix('s')
            .and_then(|digits| digits.parse::<u32>().ok())
        else {
            continue;
        };
        let id = SiteId::new(number);
        let base = graveyard.join(&name);
        let is_directory = host
            .stat(&base)
            .map_err(Fault::from)?
            .is_some_and(|meta| meta.node == Node::Directory);
        if is_directory && state.sites.iter().all(|site| site.id != id) {
            found.push((id, base));
        }
    }
    Ok(found)
}

fn remove_if_empty(host: &dyn Host, path: &HostPath) -> Result<(), Fault> {
    match host.remove(path) {
        Ok(()) | Err(HostError::NotEmpty { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
