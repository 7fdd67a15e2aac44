//! A copy between the trees of two sites on the memory machine, with the rights of the two users.
//!
//! Invariant: as in `linux/copying.rs`, no link is followed, what may not be read is left out and counted, nothing is replaced.

use crate::domain::path::{HostPath, SitePath};
use crate::domain::tree_size::TreeSize;
use crate::host::job::{JobResult, SiteTree, TreeCopy};
use crate::host::memory::jobs::{FULL, failed};
use crate::host::memory::machine::Machine;
use crate::host::memory::tree::{Entry, Kind};
use crate::host::walk::stays_within;
use crate::host::{HostError, Owner};

/// What is sent: where, below the top, and what.
pub(super) type Parcels = Vec<(String, Entry)>;

impl Machine {
    pub(super) fn copy(&mut self, copy: &TreeCopy) -> JobResult {
        let parcels = self.parcels(&copy.from, &copy.path);
        let done = parcels.and_then(|(parcels, size)| {
            self.put_parcels(copy, parcels)?;
            Ok(size)
        });
        done.map_or_else(failed, JobResult::Counted)
    }

    /// Everything below a directory that its site can read.
    pub(super) fn parcels(
        &self,
        from: &SiteTree,
        path: &SitePath,
    ) -> Result<(Parcels, TreeSize), String> {
        let top = self.beneath(&from.base, path)?;
        match self.tree.entry(&top).map(|entry| &entry.kind) {
            Some(Kind::Directory) => {}
            Some(other) => return Err(other.word().to_owned()),
            None => return Err("a directory that does not exist".to_owned()),
        }
        let owner = Owner::of_site(from.site);
        let (mut parcels, mut size) = (Parcels::new(), TreeSize::default());
        let mut closed: Vec<HostPath> = Vec::new();
        for (at, entry) in self.tree.iter() {
            let below = at.as_str().strip_prefix(top.as_str());
            let Some(name) = below.and_then(|below| below.strip_prefix('/')) else {
                continue;
            };
            if closed.iter().any(|closed| closed.contains(at)) {
                continue;
            }
            if !is_sent(entry, owner, name) {
                size.left_out += 1;
                size.examples.push(name.to_owned());
                closed.push(at.clone());
                continue;
            }
            size.things += 1;
            if let Kind::File(bytes) = &entry.kind {
                size.bytes += u64::try_from(bytes.0.len()).unwrap_or(u64::MAX);
            }
            parcels.push((name.to_owned(), entry.clone()));
        }
        size.examples.truncate(3);
        Ok((parcels, size))
    }

    fn put_parcels(&mut self, copy: &TreeCopy, parcels: Parcels) -> Result<(), String> {
        let owner = Owner::of_site(copy.to.site);
        let top = self.beneath(&copy.to.base, &copy.path)?;
        let (mut bytes, mut things) = (0_u64, 0_u64);
        for (name, entry) in parcels {
            let at = HostPath::parse(&format!("{top}/{name}")).map_err(|bad| bad.to_string())?;
            if self.tree.entry(&at).is_some() {
                return Err("file exists".to_owned());
            }
            let heir = self.heir(owner, &at.parent())?;
            if let Kind::File(content) = &entry.kind {
                let length = content.0.len();
                bytes += u64::try_from(length).unwrap_or(u64::MAX);
                let room: Result<(), HostError> = self.check_room(&at, length);
                room.map_err(|_| FULL)?;
            }
            things += 1;
            if bytes > copy.bytes || things > copy.things {
                return Err(FULL.to_owned());
            }
            let setgid = self
                .tree
                .entry(&at.parent())
                .map_or(0, |parent| parent.mode.0 & 0o2000);
            let mode = match &entry.kind {
                Kind::Directory => (entry.mode.0 | 0o700) & 0o770 | setgid,
                _ => (entry.mode.0 | 0o600) & 0o770,
            };
            self.tree.put(&at, entry.kind, heir, mode);
        }
        Ok(())
    }
}

fn is_sent(entry: &Entry, owner: Owner, name: &str) -> bool {
    let class = match entry.owner {
        own if own.uid == owner.uid => 0o400,
        own if own.gid == owner.gid => 0o040,
        _ => 0o004,
    };
    match &entry.kind {
        Kind::Link(target) => stays_within(target.as_bytes(), name.matches('/').count()),
        Kind::Socket => false,
        Kind::File(_) | Kind::Directory => entry.mode.0 & class != 0,
    }
}
