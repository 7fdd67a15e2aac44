//! The worker's acts: files inside a site's tree, reached by openat2 from one handle, with the site's own rights.
//!
//! Invariant: everything is checked on handles (regular, the site's, one name) and nothing outside the base can be named.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{FileStat, Mode, SFlag, fchmod, fstat, mkdirat};
use nix::unistd::{UnlinkatFlags, fsync, unlinkat};

use crate::domain::path::SitePath;
use crate::host::job::{Act, JobResult};
use crate::host::linux::copying::Room;
use crate::host::linux::{copying, emptying, logins, unpacking};
use crate::host::walk::{self, beneath};

/// Why an act was refused.
pub(super) type Refusal = (String, bool);

/// A system error in the words of the result.
pub(super) fn refusal(errno: Errno) -> Refusal {
    let text = match errno {
        Errno::ELOOP => "a symbolic link",
        Errno::EXDEV => "a way out of the site's directory, or another file system",
        Errno::ENOENT => "a directory that does not exist",
        Errno::ENOTDIR => "a file where a directory was expected",
        Errno::ENOSYS => "a kernel without openat2 (Linux 5.6 or newer is needed)",
        Errno::ENOSPC | Errno::EDQUOT => return ("no space is left".to_owned(), true),
        other => return (other.desc().to_lowercase(), false),
    };
    (text.to_owned(), false)
}

/// Does one act below `base`, in the name of `uid`; `beside` is the archive or the pipe that comes with it.
#[must_use]
pub(super) fn perform(
    base: BorrowedFd<'_>,
    uid: u32,
    act: &Act,
    beside: Option<File>,
) -> JobResult {
    if let Act::FindLogin { paths, login } = act {
        return JobResult::Logins(logins::find(base, uid, paths, login));
    }
    let counted = match (act, &beside) {
        (Act::Measure { path }, _) => copying::measure(base, path),
        (Act::Send { path }, Some(pipe)) => {
            copying::send(base, path, &mut BufWriter::with_capacity(PIPE, pipe))
        }
        (
            Act::Receive {
                path,
                bytes,
                things,
            },
            Some(pipe),
        ) => {
            let (bytes, things) = (*bytes, *things);
            let mut pipe = BufReader::with_capacity(PIPE, pipe);
            copying::receive(base, path, &mut pipe, Room { bytes, things })
        }
        _ => return change(base, uid, act, beside),
    };
    match counted {
        Ok(size) => JobResult::Counted(size),
        Err((reason, disk_full)) => JobResult::Failed { reason, disk_full },
    }
}

/// Bytes of a copy that wait on either side of its pipe.
const PIPE: usize = 128 * 1024;

fn change(base: BorrowedFd<'_>, uid: u32, act: &Act, beside: Option<File>) -> JobResult {
    let done = match act {
        Act::PutFile { path, text } => put_file(base, path, text, READABLE),
        Act::PutSecret { path, text } => match put_file(base, path, text, SECRET) {
            Ok((_, false)) => Err(("a file that is there already".to_owned(), false)),
            answer => answer,
        },
        Act::Unpack { path, .. } => match beside {
            Some(archive) => unpacking::unpack(base, path, archive).map(|files| (files, true)),
            None => Err(("no archive".to_owned(), false)),
        },
        Act::RemoveFile { path } => remove_file(base, uid, path),
        Act::MakeDirectory { path } => make_directory(base, path),
        Act::Empty { path } => emptying::empty(base, uid, path).map(|files| (files, false)),
        Act::EditLogin {
            path,
            kept,
            login,
            password,
        } => logins::edit(base, uid, path, kept, (login, password)),
        Act::MoveLogin {
            path,
            login,
            to,
            password,
        } => logins::move_to(base, uid, path, login, (to, password)),
        Act::PutBack { path, kept } => logins::put_back(base, uid, path, kept),
        Act::Measure { .. } | Act::Send { .. } | Act::Receive { .. } | Act::FindLogin { .. } => {
            Err(("half a copy".to_owned(), false))
        }
    };
    match done {
        Ok((files, created)) => JobResult::Done { files, created },
        Err((reason, disk_full)) => JobResult::Failed { reason, disk_full },
    }
}

pub(super) type Done = Result<(u64, bool), Refusal>;

/// The directory of a path, open for listing and flushing, and the last component.
pub(super) fn place<'p>(
    base: BorrowedFd<'_>,
    path: &'p SitePath,
) -> nix::Result<(OwnedFd, &'p str)> {
    let (directory, name) = path
        .as_str()
        .rsplit_once('/')
        .unwrap_or((".", path.as_str()));
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
    // Why not `?` on EACCES alone: a site's root may be passed through but not listed (mode 0711).
    let opened = match beneath(base, directory, flags, Mode::empty()) {
        Err(Errno::EACCES) => beneath(
            base,
            directory,
            OFlag::O_PATH | OFlag::O_DIRECTORY,
            Mode::empty(),
        ),
        answer => answer,
    };
    Ok((opened?, name))
}

pub(super) fn flush(directory: &OwnedFd) -> nix::Result<()> {
    match fsync(directory) {
        // A handle that may only be passed through cannot be flushed; the file itself was.
        Err(Errno::EBADF) => Ok(()),
        answer => answer,
    }
}

/// For the site and for nginx, which is in the group of its directories.
const READABLE: Mode = SECRET.union(Mode::S_IRGRP);
/// For the site alone.
const SECRET: Mode = Mode::S_IRUSR.union(Mode::S_IWUSR);

fn put_file(base: BorrowedFd<'_>, path: &SitePath, text: &str, mode: Mode) -> Done {
    let (directory, name) = place(base, path).map_err(refusal)?;
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW;
    let handle = match beneath(directory.as_fd(), name, flags, mode) {
        Err(Errno::EEXIST) => return Ok((0, false)),
        answer => answer.map_err(refusal)?,
    };
    let filled = fchmod(&handle, mode).and_then(|()| fill(handle, text));
    if let Err(errno) = filled.and_then(|()| flush(&directory)) {
        let _ = unlinkat(&directory, name, UnlinkatFlags::NoRemoveDir);
        return Err(refusal(errno));
    }
    Ok((1, true))
}

fn fill(handle: OwnedFd, text: &str) -> nix::Result<()> {
    let mut file = File::from(handle);
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))
}

/// Why a file is not one of the site's own, plain files.
pub(super) fn unfit(status: &FileStat, uid: u32) -> Option<&'static str> {
    if walk::kind(status) != SFlag::S_IFREG {
        Some(walk::kind_word(status))
    } else if status.st_uid != uid {
        Some("a file of another user")
    } else if status.st_nlink != 1 {
        Some("a file with a second name elsewhere")
    } else {
        None
    }
}

fn remove_file(base: BorrowedFd<'_>, uid: u32, path: &SitePath) -> Done {
    let (directory, name) = match place(base, path) {
        Err(Errno::ENOENT) => return Ok((0, false)),
        answer => answer.map_err(refusal)?,
    };
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW;
    let handle = match beneath(directory.as_fd(), name, flags, Mode::empty()) {
        Err(Errno::ENOENT) => return Ok((0, false)),
        answer => answer.map_err(refusal)?,
    };
    if let Some(why) = unfit(&fstat(&handle).map_err(refusal)?, uid) {
        return Err((why.to_owned(), false));
    }
    unlinkat(&directory, name, UnlinkatFlags::NoRemoveDir)
        .and_then(|()| flush(&directory))
        .map_err(refusal)?;
    Ok((1, false))
}

fn make_directory(base: BorrowedFd<'_>, path: &SitePath) -> Done {
    let (directory, name) = place(base, path).map_err(refusal)?;
    match mkdirat(&directory, name, Mode::S_IRWXU) {
        Ok(()) => {
            flush(&directory).map_err(refusal)?;
            Ok((1, true))
        }
        Err(Errno::EEXIST) => {
            let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
            beneath(directory.as_fd(), name, flags, Mode::empty()).map_err(refusal)?;
            Ok((0, false))
        }
        Err(errno) => Err(refusal(errno)),
    }
}
