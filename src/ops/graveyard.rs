//! Where the files of sites that were deleted for good wait, and how they are destroyed.
//!
//! Invariant: root never walks a site's tree, not even a dead one: a worker with the site's number empties it. What is in the
//! trash lies elsewhere, and the sweep never looks there.

use crate::domain::fault::Fault;
use crate::domain::id::SiteId;
use crate::domain::path::HostPath;
use crate::host::{Host, HostError, Node};
use crate::ops::jobs::remove_site_directory;
use crate::ops::{database, trash};
use crate::store::Store;

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

/// Destroys what deleted sites left. Safe beside operations: whether a site is dead is asked anew for each, and one that
/// is being deleted is in the state until its operation has ended. What cannot be removed is passed over and named.
pub fn sweep(host: &dyn Host, store: &Store) -> Result<(), Fault> {
    let mut trouble = database::sweep(host, store);
    for (id, base) in waiting(host, &sites())? {
        if is_dead(store, id)? {
            trouble = trouble.and(bury_files(host, id, &base));
        }
    }
    for (id, base) in waiting(host, &logs())? {
        if is_dead(store, id)? {
            trouble = trouble.and(bury_logs(host, &base));
        }
    }
    trouble
}

/// Removes the places for deleted sites that are empty. To be called while the engine is held: an operation that has just made
/// one would miss it.
pub fn close(host: &dyn Host) -> Result<(), Fault> {
    for place in [sites(), logs(), trash::sites(), trash::logs()] {
        remove_if_empty(host, &place)?;
    }
    Ok(())
}

/// The directories in which files of deleted sites are still left.
pub fn left(host: &dyn Host) -> Result<Vec<HostPath>, Fault> {
    let mut found = waiting(host, &sites())?;
    found.extend(waiting(host, &logs())?);
    Ok(found.into_iter().map(|(_, base)| base).collect())
}

fn bury_files(host: &dyn Host, id: SiteId, base: &HostPath) -> Result<(), Fault> {
    let mut trouble = Ok(());
    for name in host.list(base)? {
        let path = base.join(&name);
        let is_directory = host
            .stat(&path)?
            .is_some_and(|meta| meta.node == Node::Directory);
        let removed = if is_directory {
            remove_site_directory(host, id, base, &name)
        } else {
            host.remove(&path).map_err(Fault::from)
        };
        trouble = trouble.and(removed);
    }
    trouble.and_then(|()| host.remove(base).map_err(Fault::from))
}

/// All directories of logs are root's, so this tree is none of the site's.
fn bury_logs(host: &dyn Host, base: &HostPath) -> Result<(), Fault> {
    let php = base.join("php");
    for directory in [&php, base] {
        let is_directory = host
            .stat(directory)?
            .is_some_and(|meta| meta.node == Node::Directory);
        if is_directory {
            for name in host.list(directory)? {
                host.remove(&directory.join(&name))?;
            }
        }
        host.remove(directory)?;
    }
    Ok(())
}

fn is_dead(store: &Store, id: SiteId) -> Result<bool, Fault> {
    Ok(!store.is_known(id)?)
}

fn waiting(host: &dyn Host, graveyard: &HostPath) -> Result<Vec<(SiteId, HostPath)>, Fault> {
    let mut found = Vec::new();
    for name in host.list(graveyard)? {
        let number = name
            .strip_prefix('s')
            .and_then(|digits| digits.parse::<u32>().ok());
        let base = graveyard.join(&name);
        let is_directory = host
            .stat(&base)?
            .is_some_and(|meta| meta.node == Node::Directory);
        if let Some(number) = number.filter(|_| is_directory) {
            found.push((SiteId::new(number), base));
        }
    }
    Ok(found)
}

fn remove_if_empty(host: &dyn Host, path: &HostPath) -> Result<(), Fault> {
    // Removing syncs also what is not there, and the agent starts here: one that a crash brings back is found next time.
    if host.stat(path)?.is_none() {
        return Ok(());
    }
    match host.remove(path) {
        Ok(()) | Err(HostError::NotEmpty { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
