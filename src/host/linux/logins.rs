//! The worker's acts on the files that tell a site's program its way into a database.
//!
//! Invariant: only a plain file of the site's own is read or replaced, whole, by a rename; its mode and its group stay, and the former one is kept first.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, renameat};
use nix::sys::stat::{FileStat, Mode, fchmod, fstat};
use nix::unistd::{Gid, UnlinkatFlags, fchown, unlinkat};

use crate::domain::database::DatabaseName;
use crate::domain::path::SitePath;
use crate::domain::secret::Password;
use crate::domain::site_login::{
    Finding, LONGEST, LoginFile, SiteLogin, with_login, with_password,
};
use crate::host::linux::acts::{Done, Refusal, flush, place, refusal, unfit};
use crate::host::walk::beneath;

/// The one name of a half-made file, so that the next act clears what a power cut left. nginx shows no name with a dot.
const HALF: &str = ".lalapanel-half-made";

/// A file as it was found.
struct Found {
    text: String,
    status: FileStat,
}

/// See [`crate::host::job::Act::FindLogin`].
pub(super) fn find(
    base: BorrowedFd<'_>,
    uid: u32,
    paths: &[SitePath],
    login: &SiteLogin,
) -> Vec<LoginFile> {
    let look = |path: &SitePath| match read(base, uid, path) {
        Ok(Some(found)) => LoginFile::read(path, &found.text, login),
        Ok(None) => LoginFile::unread(path, Finding::Absent),
        Err((what, _)) => LoginFile::unread(path, Finding::Unfit { what }),
    };
    paths.iter().map(look).collect()
}

/// See [`crate::host::job::Act::EditLogin`].
pub(super) fn edit(
    base: BorrowedFd<'_>,
    uid: u32,
    path: &SitePath,
    kept: &SitePath,
    (login, password): (&SiteLogin, &Password),
) -> Done {
    let Some(found) = read(base, uid, path)? else {
        return Err(("a file that does not exist".to_owned(), false));
    };
    let text = with_password(path, &found.text, login, password)
        .map_err(|_| ("a file that says something else now".to_owned(), false))?;
    if read(base, uid, kept)?.is_none() {
        replace(base, kept, &found.text, Mode::S_IRUSR.bits(), None)?;
    }
    let gid = Some(found.status.st_gid);
    replace(base, path, &text, found.status.st_mode, gid)?;
    Ok((1, false))
}

/// See [`crate::host::job::Act::MoveLogin`].
pub(super) fn move_to(
    base: BorrowedFd<'_>,
    uid: u32,
    path: &SitePath,
    login: &SiteLogin,
    (to, password): (&DatabaseName, &Password),
) -> Done {
    let Some(found) = read(base, uid, path)? else {
        return Err(("a file that does not exist".to_owned(), false));
    };
    let text = with_login(path, &found.text, login, to, password)
        .map_err(|_| ("a file that says something else now".to_owned(), false))?;
    let gid = Some(found.status.st_gid);
    replace(base, path, &text, found.status.st_mode, gid)?;
    Ok((1, false))
}

/// See [`crate::host::job::Act::PutBack`].
pub(super) fn put_back(base: BorrowedFd<'_>, uid: u32, path: &SitePath, kept: &SitePath) -> Done {
    let Some(former) = read(base, uid, kept)? else {
        return Ok((0, false));
    };
    // The edited file has the mode and the group of the former one.
    let now = read(base, uid, path)?;
    let (mode, gid) = now.map_or((OWN, None), |now| {
        (now.status.st_mode, Some(now.status.st_gid))
    });
    replace(base, path, &former.text, mode, gid)?;
    Ok((1, false))
}

/// For the site alone.
const OWN: u32 = Mode::S_IRUSR.union(Mode::S_IWUSR).bits();

/// The text of a plain file of the site's own; none where there is no such file.
fn read(base: BorrowedFd<'_>, uid: u32, path: &SitePath) -> Result<Option<Found>, Refusal> {
    let absent = |errno| match errno {
        Errno::ENOENT | Errno::ENOTDIR => Ok(None),
        other => Err(refusal(other)),
    };
    let (directory, name) = match place(base, path) {
        Ok(found) => found,
        Err(errno) => return absent(errno),
    };
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW;
    let handle = match beneath(directory.as_fd(), name, flags, Mode::empty()) {
        Ok(handle) => handle,
        // A socket cannot be opened.
        Err(Errno::ENXIO) => return Err(("a socket, a pipe or a device".to_owned(), false)),
        Err(errno) => return absent(errno),
    };
    let status = fstat(&handle).map_err(refusal)?;
    if let Some(what) = unfit(&status, uid) {
        return Err((what.to_owned(), false));
    }
    let mut bytes = Vec::new();
    let most = u64::try_from(LONGEST).unwrap_or(u64::MAX);
    File::from(handle)
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| refusal(errno_of(&error)))?;
    if bytes.len() > LONGEST {
        return Err(("a file of more than 1 MiB".to_owned(), false));
    }
    let text =
        String::from_utf8(bytes).map_err(|_| ("a file that is no text".to_owned(), false))?;
    Ok(Some(Found { text, status }))
}

fn errno_of(error: &std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

/// Puts a whole text in place of whatever file is there.
fn replace(
    base: BorrowedFd<'_>,
    path: &SitePath,
    text: &str,
    mode: u32,
    gid: Option<u32>,
) -> Result<(), Refusal> {
    let (directory, name) = place(base, path).map_err(refusal)?;
    clear(&directory).map_err(refusal)?;
    let made = fill(&directory, text, mode, gid)
        .and_then(|()| renameat(&directory, HALF, &directory, name).map_err(refusal));
    if made.is_err() {
        let _ = clear(&directory);
    }
    made.and_then(|()| flush(&directory).map_err(refusal))
}

fn clear(directory: &OwnedFd) -> nix::Result<()> {
    match unlinkat(directory, HALF, UnlinkatFlags::NoRemoveDir) {
        Err(Errno::ENOENT) => Ok(()),
        answer => answer,
    }
}

fn fill(directory: &OwnedFd, text: &str, mode: u32, gid: Option<u32>) -> Result<(), Refusal> {
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW;
    let private = Mode::S_IRUSR | Mode::S_IWUSR;
    let handle = beneath(directory.as_fd(), HALF, flags, private).map_err(refusal)?;
    let made = fstat(&handle).map_err(refusal)?;
    if let Some(gid) = gid.filter(|gid| *gid != made.st_gid) {
        fchown(&handle, None, Some(Gid::from_raw(gid))).map_err(|errno| match errno {
            Errno::EPERM => (
                "a file of a group that the site is not in".to_owned(),
                false,
            ),
            other => refusal(other),
        })?;
    }
    fchmod(&handle, Mode::from_bits_truncate(mode)).map_err(refusal)?;
    let mut file = File::from(handle);
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|error| refusal(errno_of(&error)))
}
