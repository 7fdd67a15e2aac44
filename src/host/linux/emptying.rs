//! Emptying a directory of a site, however deep and however strange its content is.
//!
//! Invariant: links are removed as links, no other file system is entered, and depth costs no more than a fixed number of handles.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, renameat};
use nix::sys::stat::{Mode as Bits, SFlag, fstat};
use nix::unistd::{UnlinkatFlags, fsync, unlinkat};

use crate::domain::path::SitePath;
use crate::host::Mode;
use crate::host::linux::acts::{Refusal, refusal};
use crate::host::linux::files::change_mode;
use crate::host::walk::{self, beneath};

/// Directories deeper than this are moved up to the top and emptied there.
const DEPTH: usize = 32;
/// Names read at a time, so that a directory with a million files fits in memory.
const BATCH: usize = 4096;

/// Removes everything below `path`, which itself stays; says how many things went.
pub(super) fn empty(base: BorrowedFd<'_>, uid: u32, path: &SitePath) -> Result<u64, Refusal> {
    let top = match beneath(
        base,
        path.as_str(),
        OFlag::O_PATH | OFlag::O_DIRECTORY,
        Bits::empty(),
    ) {
        Err(Errno::ENOENT) => return Ok(0),
        answer => answer.map_err(refusal)?,
    };
    let top = readable(&top, uid).map_err(refusal)?;
    let mut emptying = Emptying {
        top: top.as_fd(),
        uid,
        removed: 0,
        moved: 0,
    };
    emptying.clear(top.as_fd(), 0).map_err(refusal)?;
    fsync(&top).map_err(refusal)?;
    Ok(emptying.removed)
}

struct Emptying<'t> {
    top: BorrowedFd<'t>,
    uid: u32,
    removed: u64,
    moved: u64,
}

impl Emptying<'_> {
    /// Removes what is in a directory, again and again until nothing is found.
    fn clear(&mut self, directory: BorrowedFd<'_>, depth: usize) -> nix::Result<()> {
        loop {
            let names = walk::names(walk::reopen(directory)?, BATCH)?;
            if names.is_empty() {
                return Ok(());
            }
            for name in names {
                self.remove(directory, &name, depth)?;
            }
        }
    }

    fn remove(&mut self, directory: BorrowedFd<'_>, name: &[u8], depth: usize) -> nix::Result<()> {
        match unlinkat(directory, name, UnlinkatFlags::NoRemoveDir) {
            // Linux says EISDIR for a directory, POSIX says EPERM.
            Err(Errno::EISDIR | Errno::EPERM) => self.remove_directory(directory, name, depth),
            Err(Errno::ENOENT) => Ok(()),
            Ok(()) => {
                self.removed += 1;
                Ok(())
            }
            other => other,
        }
    }

    fn remove_directory(
        &mut self,
        directory: BorrowedFd<'_>,
        name: &[u8],
        depth: usize,
    ) -> nix::Result<()> {
        if depth >= DEPTH {
            return self.move_up(directory, name);
        }
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
        let inner = readable(&walk::beneath_bytes(directory, name, flags)?, self.uid)?;
        self.clear(inner.as_fd(), depth + 1)?;
        unlinkat(directory, name, UnlinkatFlags::RemoveDir)?;
        self.removed += 1;
        Ok(())
    }

    /// Moves a directory that is too deep to the top, under a name nothing has there; the loop at the top finds it.
    fn move_up(&mut self, directory: BorrowedFd<'_>, name: &[u8]) -> nix::Result<()> {
        loop {
            self.moved += 1;
            let fresh = format!(".lalapanel-emptying-{}", self.moved);
            if walk::look(self.top, &fresh) == Err(Errno::ENOENT) {
                return renameat(directory, name, self.top, fresh.as_str());
            }
        }
    }
}

/// Opens a directory for listing; one that the site closed to itself is opened again with the owner's right to do so.
fn readable(handle: &OwnedFd, uid: u32) -> nix::Result<OwnedFd> {
    let status = fstat(handle)?;
    let closed = status.st_mode & 0o700 != 0o700;
    if closed && status.st_uid == uid && walk::kind(&status) == SFlag::S_IFDIR {
        change_mode(handle, Mode(status.st_mode & 0o7777 | 0o700))?;
    }
    walk::reopen(handle.as_fd())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::mkdirat;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn uid() -> u32 {
        nix::unistd::geteuid().as_raw()
    }

    fn emptied(scratch: &std::path::Path) -> Result<u64, Refusal> {
        let base = std::fs::File::open(scratch).unwrap();
        empty(base.as_fd(), uid(), &SitePath::parse("top").unwrap())
    }

    #[test]
    fn a_very_deep_tree_is_emptied_with_few_handles() {
        let scratch = tempfile::tempdir().unwrap();
        std::fs::create_dir(scratch.path().join("top")).unwrap();
        let mut here = OwnedFd::from(std::fs::File::open(scratch.path().join("top")).unwrap());
        for _ in 0..500 {
            mkdirat(&here, "d", Bits::S_IRWXU).unwrap();
            here = beneath(
                here.as_fd(),
                "d",
                OFlag::O_RDONLY | OFlag::O_DIRECTORY,
                Bits::empty(),
            )
            .unwrap();
        }
        assert_eq!(emptied(scratch.path()), Ok(500));
        assert_eq!(
            std::fs::read_dir(scratch.path().join("top"))
                .unwrap()
                .count(),
            0
        );
    }

    #[test]
    fn links_go_as_links_and_closed_directories_are_opened() {
        let scratch = tempfile::tempdir().unwrap();
        let (top, kept) = (scratch.path().join("top"), scratch.path().join("kept"));
        std::fs::create_dir(&top).unwrap();
        std::fs::create_dir(&kept).unwrap();
        std::fs::File::create(kept.join("file")).unwrap();
        symlink(&kept, top.join("link")).unwrap();
        std::fs::create_dir(top.join("closed")).unwrap();
        std::fs::File::create(top.join("closed/file")).unwrap();
        let closed = std::fs::File::open(top.join("closed")).unwrap();
        closed
            .set_permissions(std::fs::Permissions::from_mode(0o000))
            .unwrap();
        assert_eq!(emptied(scratch.path()), Ok(3));
        assert!(kept.join("file").exists());
    }

    #[test]
    fn a_directory_that_is_a_link_is_not_entered() {
        let scratch = tempfile::tempdir().unwrap();
        std::fs::create_dir(scratch.path().join("kept")).unwrap();
        std::fs::File::create(scratch.path().join("kept/file")).unwrap();
        symlink("kept", scratch.path().join("top")).unwrap();
        assert_eq!(
            emptied(scratch.path()),
            Err(("a symbolic link".to_owned(), false))
        );
        assert!(scratch.path().join("kept/file").exists());
    }
}
