//! The worker's acts on the memory tree, with the rights of the site's user.
//!
//! Invariant: as in `linux/acts.rs`, no link below the base is followed and nothing is done that the site's uid may not do.

use crate::domain::path::{HostPath, SitePath};
use crate::host::job::{Act, Job, JobResult, SiteTree};
use crate::host::memory::machine::Machine;
use crate::host::memory::tree::{Bytes, Entry, Kind};
use crate::host::{Mode, Owner};

pub(super) type Done = Result<(u64, bool), String>;

/// The reason why a disk is full, in the words of the result.
pub(super) const FULL: &str = "no space is left";

/// A job that was refused.
pub(super) fn failed(reason: String) -> JobResult {
    JobResult::Failed {
        disk_full: reason == FULL,
        reason,
    }
}

impl Machine {
    pub(super) fn job(&mut self, job: &Job) -> JobResult {
        if let Act::Measure { path } = &job.act {
            let from = SiteTree {
                site: job.site,
                base: job.base.clone(),
            };
            return match self.parcels(&from, path) {
                Ok((_, size)) => JobResult::Counted(size),
                Err(reason) => failed(reason),
            };
        }
        if let Act::FindLogin { paths, login } = &job.act {
            let owner = Owner::of_site(job.site);
            return JobResult::Logins(self.find_logins(owner, &job.base, paths, login));
        }
        match self.act_for(job) {
            Ok((files, created)) => JobResult::Done { files, created },
            Err(reason) => failed(reason),
        }
    }

    fn act_for(&mut self, job: &Job) -> Done {
        let owner = Owner::of_site(job.site);
        match &job.act {
            Act::PutFile { path, text } => self.put_file(owner, &job.base, path, text, 0o640),
            Act::PutSecret { path, text } => {
                match self.put_file(owner, &job.base, path, text, 0o600)? {
                    (_, false) => Err("a file that is there already".to_owned()),
                    made => Ok(made),
                }
            }
            Act::Unpack { archive, path } => self.unpack_archive(owner, &job.base, archive, path),
            Act::RemoveFile { path } => self.remove_file(owner, &job.base, path),
            Act::MakeDirectory { path } => self.make_directory(owner, &job.base, path),
            Act::Empty { path } => self.empty(owner, &job.base, path),
            Act::EditLogin {
                path,
                kept,
                login,
                password,
            } => self.edit_login(owner, &job.base, path, kept, (login, password)),
            Act::MoveLogin {
                path,
                login,
                to,
                password,
            } => self.move_login(owner, &job.base, path, login, (to, password)),
            Act::PutBack { path, kept } => self.put_back(owner, &job.base, path, kept),
            Act::Measure { .. }
            | Act::Send { .. }
            | Act::Receive { .. }
            | Act::FindLogin { .. } => Err("half a copy".to_owned()),
        }
    }

    /// Where a relative path leads, every directory above it being a directory.
    pub(super) fn beneath(&self, base: &HostPath, path: &SitePath) -> Result<HostPath, String> {
        let mut at = base.clone();
        for part in path.components() {
            match self.tree.entry(&at).map(|entry| &entry.kind) {
                Some(Kind::Directory) => at = at.join(part),
                Some(other) => return Err(other.word().to_owned()),
                None => return Err("a directory that does not exist".to_owned()),
            }
        }
        Ok(at)
    }

    fn writable(&self, owner: Owner, directory: &HostPath) -> Result<&Entry, String> {
        let entry = self
            .tree
            .entry(directory)
            .ok_or("a directory that does not exist")?;
        let class = match entry.owner {
            own if own.uid == owner.uid => 0o300,
            own if own.gid == owner.gid => 0o030,
            _ => 0o003,
        };
        if entry.mode.0 & class == class {
            Ok(entry)
        } else {
            Err("permission denied".to_owned())
        }
    }

    /// The group a new file gets: the directory's where that is setgid.
    pub(super) fn heir(&self, owner: Owner, directory: &HostPath) -> Result<Owner, String> {
        let entry = self.writable(owner, directory)?;
        Ok(match entry.mode.0 & 0o2000 {
            0 => owner,
            _ => Owner {
                gid: entry.owner.gid,
                ..owner
            },
        })
    }

    /// An archive of the memory machine is a text with a name a line; each becomes a file.
    fn unpack_archive(
        &mut self,
        owner: Owner,
        base: &HostPath,
        archive: &HostPath,
        path: &SitePath,
    ) -> Done {
        let names = self.tree.text(archive).ok_or("no archive")?;
        let mut files = 0;
        for name in names.lines() {
            let inside =
                SitePath::parse(&format!("{path}/{name}")).map_err(|bad| bad.to_string())?;
            if let Some((above, _)) = inside.as_str().rsplit_once('/') {
                let above = SitePath::parse(above).map_err(|bad| bad.to_string())?;
                self.make_directory(owner, base, &above)?;
            }
            files += self.put_file(owner, base, &inside, name, 0o640)?.0;
        }
        Ok((files, true))
    }

    fn put_file(
        &mut self,
        owner: Owner,
        base: &HostPath,
        path: &SitePath,
        text: &str,
        mode: u32,
    ) -> Done {
        let at = self.beneath(base, path)?;
        if self.tree.entry(&at).is_some() {
            return Ok((0, false));
        }
        let owner = self.heir(owner, &at.parent())?;
        self.check_room(&at, text.len()).map_err(|_| FULL)?;
        let kind = Kind::File(Bytes(text.as_bytes().to_vec()));
        self.tree.put(&at, kind, owner, mode);
        Ok((1, true))
    }

    fn remove_file(&mut self, owner: Owner, base: &HostPath, path: &SitePath) -> Done {
        let at = match self.beneath(base, path) {
            Err(reason) if reason == "a directory that does not exist" => return Ok((0, false)),
            answer => answer?,
        };
        match self.tree.entry(&at) {
            None => return Ok((0, false)),
            Some(entry) if !matches!(entry.kind, Kind::File(_)) => {
                return Err(entry.kind.word().to_owned());
            }
            Some(entry) if entry.owner.uid != owner.uid => {
                return Err("a file of another user".to_owned());
            }
            Some(_) => {}
        }
        self.writable(owner, &at.parent())?;
        self.tree.take(&at);
        Ok((1, false))
    }

    fn make_directory(&mut self, owner: Owner, base: &HostPath, path: &SitePath) -> Done {
        let at = self.beneath(base, path)?;
        match self.tree.entry(&at).map(|entry| &entry.kind) {
            Some(Kind::Directory) => return Ok((0, false)),
            Some(other) => return Err(other.word().to_owned()),
            None => {}
        }
        let parent = self.writable(owner, &at.parent())?;
        let setgid = parent.mode.0 & 0o2000;
        let heir = self.heir(owner, &at.parent())?;
        self.tree.put(&at, Kind::Directory, heir, 0o700 | setgid);
        Ok((1, true))
    }

    fn empty(&mut self, owner: Owner, base: &HostPath, path: &SitePath) -> Done {
        let top = self.beneath(base, path)?;
        match self.tree.entry(&top).map(|entry| &entry.kind) {
            Some(Kind::Directory) => {}
            Some(other) => return Err(other.word().to_owned()),
            None => return Ok((0, false)),
        }
        let below: Vec<HostPath> = self
            .tree
            .iter()
            .map(|(at, _)| at)
            .filter(|at| top.contains(at) && **at != top)
            .cloned()
            .collect();
        let mut removed = 0;
        // Deepest first: a directory is empty when its turn comes.
        for at in below.iter().rev() {
            self.open_own_directory(owner, &at.parent());
            self.writable(owner, &at.parent())?;
            self.tree.take(at);
            removed += 1;
        }
        Ok((removed, false))
    }

    /// A site may have closed a directory of its own to itself; it is opened again to be emptied.
    fn open_own_directory(&mut self, owner: Owner, at: &HostPath) {
        if let Some(entry) = self.tree.entry_mut(at)
            && entry.owner.uid == owner.uid
            && entry.mode.0 & 0o300 != 0o300
        {
            entry.mode = Mode(entry.mode.0 | 0o700);
        }
    }
}
