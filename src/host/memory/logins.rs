//! The worker's acts on the files that tell a site's program its way into a database, on the memory tree.
//!
//! Invariant: as in `linux/logins.rs`, only a plain file of the site's own is read or replaced.

use crate::domain::database::DatabaseName;
use crate::domain::path::{HostPath, SitePath};
use crate::domain::secret::Password;
use crate::domain::site_login::{Finding, LoginFile, SiteLogin, with_login, with_password};
use crate::host::Owner;
use crate::host::memory::jobs::{Done, FULL};
use crate::host::memory::machine::Machine;
use crate::host::memory::tree::{Bytes, Kind};

impl Machine {
    pub(super) fn find_logins(
        &self,
        owner: Owner,
        base: &HostPath,
        paths: &[SitePath],
        login: &SiteLogin,
    ) -> Vec<LoginFile> {
        let look = |path: &SitePath| match self.own_text(owner, base, path) {
            Ok(Some(text)) => LoginFile::read(path, &text, login),
            Ok(None) => LoginFile::unread(path, Finding::Absent),
            Err(what) => LoginFile::unread(path, Finding::Unfit { what }),
        };
        paths.iter().map(look).collect()
    }

    pub(super) fn edit_login(
        &mut self,
        owner: Owner,
        base: &HostPath,
        path: &SitePath,
        kept: &SitePath,
        (login, password): (&SiteLogin, &Password),
    ) -> Done {
        let found = self.own_text(owner, base, path)?;
        let found = found.ok_or("a file that does not exist")?;
        let text = with_password(path, &found, login, password)
            .map_err(|_| "a file that says something else now")?;
        if self.own_text(owner, base, kept)?.is_none() {
            self.replace(owner, base, kept, found, 0o400)?;
        }
        self.replace(owner, base, path, text, 0o600)?;
        Ok((1, false))
    }

    pub(super) fn move_login(
        &mut self,
        owner: Owner,
        base: &HostPath,
        path: &SitePath,
        login: &SiteLogin,
        (to, password): (&DatabaseName, &Password),
    ) -> Done {
        let found = self.own_text(owner, base, path)?;
        let found = found.ok_or("a file that does not exist")?;
        let text = with_login(path, &found, login, to, password)
            .map_err(|_| "a file that says something else now")?;
        self.replace(owner, base, path, text, 0o600)?;
        Ok((1, false))
    }

    pub(super) fn put_back(
        &mut self,
        owner: Owner,
        base: &HostPath,
        path: &SitePath,
        kept: &SitePath,
    ) -> Done {
        let Some(former) = self.own_text(owner, base, kept)? else {
            return Ok((0, false));
        };
        self.replace(owner, base, path, former, 0o600)?;
        Ok((1, false))
    }

    fn own_text(
        &self,
        owner: Owner,
        base: &HostPath,
        path: &SitePath,
    ) -> Result<Option<String>, String> {
        let at = match self.beneath(base, path) {
            Err(reason)
                if ["a directory that does not exist", "a file"].contains(&reason.as_str()) =>
            {
                return Ok(None);
            }
            answer => answer?,
        };
        match self.tree.entry(&at) {
            None => Ok(None),
            Some(entry) if entry.owner.uid != owner.uid && matches!(entry.kind, Kind::File(_)) => {
                Err("a file of another user".to_owned())
            }
            Some(entry) => match &entry.kind {
                Kind::File(bytes) => Ok(Some(String::from_utf8_lossy(&bytes.0).into_owned())),
                other => Err(other.word().to_owned()),
            },
        }
    }

    /// What is there keeps its owner and its mode.
    fn replace(
        &mut self,
        owner: Owner,
        base: &HostPath,
        path: &SitePath,
        text: String,
        mode: u32,
    ) -> Result<(), String> {
        let at = self.beneath(base, path)?;
        let heir = self.heir(owner, &at.parent())?;
        self.check_room(&at, text.len()).map_err(|_| FULL)?;
        let was = self
            .tree
            .entry(&at)
            .map(|entry| (entry.owner, entry.mode.0));
        let (owner, mode) = was.unwrap_or((heir, mode));
        let kind = Kind::File(Bytes(text.into_bytes()));
        self.tree.put(&at, kind, owner, mode);
        Ok(())
    }
}
