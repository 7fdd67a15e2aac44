//! Files of the real machine: whole, by handle, flushed.
//!
//! Invariant: a path is walked once, from the root handle, and no writing verb enters a directory that others can change.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat, readlinkat, renameat};
use nix::sys::stat::{
    FchmodatFlags, FileStat, Mode as Bits, SFlag, fchmod, fchmodat, fstat, mkdirat,
};
use nix::sys::statvfs::fstatvfs;
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, fchownat, fsync, symlinkat, unlinkat};
use sha2::{Digest, Sha256};

use crate::domain::path::HostPath;
use crate::host::walk::{self, Trust, look, not_a, refusal};
use crate::host::{HostError, HostResult, Meta, Mode, Node, Owner, Part, Space};

const WRITING: &str = "writing";
const READING: &str = "reading";

/// See [`crate::host::Host::stat`].
pub(super) fn stat(root: BorrowedFd<'_>, path: &HostPath) -> HostResult<Option<Meta>> {
    let status = match look_at(root, path) {
        Ok((directory, name, status)) => (directory, name, status),
        Err(HostError::Missing { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let (directory, name, status) = status;
    let node = match walk::kind(&status) {
        SFlag::S_IFREG => Node::File {
            size: size_of(&status),
        },
        SFlag::S_IFDIR => Node::Directory,
        SFlag::S_IFLNK => Node::Link {
            target: readlinkat(&directory, name)
                .map_err(|errno| refusal(READING, path, errno))?
                .to_string_lossy()
                .into_owned(),
        },
        _ => Node::Other,
    };
    Ok(Some(Meta {
        node,
        owner: Owner {
            uid: status.st_uid,
            gid: status.st_gid,
        },
        mode: Mode(status.st_mode & 0o7777),
    }))
}

fn look_at<'p>(
    root: BorrowedFd<'_>,
    path: &'p HostPath,
) -> HostResult<(OwnedFd, &'p str, FileStat)> {
    let (directory, name) = walk::parent(root, path, Trust::Plain)?;
    let status = look(directory.as_fd(), name).map_err(|errno| refusal(READING, path, errno))?;
    Ok((directory, name, status))
}

fn size_of(status: &FileStat) -> u64 {
    u64::try_from(status.st_size).unwrap_or(0)
}

/// Opens a regular file for reading, and looks at what was opened.
pub(super) fn open_regular(
    root: BorrowedFd<'_>,
    path: &HostPath,
) -> HostResult<(OwnedFd, FileStat)> {
    let (directory, name, status) = look_at(root, path)?;
    let regular = |status: &FileStat| match walk::kind(status) {
        SFlag::S_IFREG => Ok(()),
        _ => Err(not_a(path, walk::kind_word(status), "a file")),
    };
    // Why look before opening: opening a device or a pipe can already do something.
    regular(&status)?;
    let flags = OFlag::O_RDONLY
        | OFlag::O_NOFOLLOW
        | OFlag::O_NONBLOCK
        | OFlag::O_NOCTTY
        | OFlag::O_CLOEXEC;
    let handle = openat(&directory, name, flags, Bits::empty())
        .map_err(|errno| refusal(READING, path, errno))?;
    let status = fstat(&handle).map_err(|errno| refusal(READING, path, errno))?;
    regular(&status)?;
    Ok((handle, status))
}

/// See [`crate::host::Host::read_part`].
pub(super) fn read_part(
    root: BorrowedFd<'_>,
    path: &HostPath,
    from: u64,
    limit: usize,
) -> HostResult<Part> {
    let (handle, status) = open_regular(root, path)?;
    let mut file = File::from(handle);
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(from))
        .and_then(|_| file.take(limit as u64).read_to_end(&mut bytes))
        .map_err(|source| io(READING, path, source))?;
    Ok(Part {
        bytes,
        size: size_of(&status),
        inode: status.st_ino,
        uid: status.st_uid,
    })
}

/// See [`crate::host::Host::read`].
pub(super) fn read(root: BorrowedFd<'_>, path: &HostPath, limit: usize) -> HostResult<Vec<u8>> {
    let (handle, _) = open_regular(root, path)?;
    let most = u64::try_from(limit).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    File::from(handle)
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|source| io(READING, path, source))?;
    if bytes.len() > limit {
        return Err(io(READING, path, std::io::ErrorKind::FileTooLarge.into()));
    }
    Ok(bytes)
}

pub(super) fn io(doing: &'static str, path: &HostPath, source: std::io::Error) -> HostError {
    match source.raw_os_error().map(Errno::from_raw) {
        Some(errno @ (Errno::ENOSPC | Errno::EDQUOT)) => refusal(doing, path, errno),
        _ => HostError::Io {
            doing,
            path: path.clone(),
            source,
        },
    }
}

/// See [`crate::host::Host::list`].
pub(super) fn list(root: BorrowedFd<'_>, path: &HostPath) -> HostResult<Vec<String>> {
    let directory = match walk::directory(root, path, Trust::Plain) {
        Ok(directory) => directory,
        Err(HostError::Missing { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let names = walk::reopen(directory.as_fd())
        .and_then(|handle| walk::names(handle, usize::MAX))
        .map_err(|errno| refusal(READING, path, errno))?;
    let mut names: Vec<String> = names
        .iter()
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    names.sort_unstable();
    Ok(names)
}

/// The directory of a path that is about to change, open for flushing, and the last component.
fn place<'p>(root: BorrowedFd<'_>, path: &'p HostPath) -> HostResult<(OwnedFd, &'p str)> {
    let (directory, name) = walk::parent(root, path, Trust::OnlyRoot)?;
    let directory = walk::reopen(directory.as_fd()).map_err(|e| refusal("opening", path, e))?;
    Ok((directory, name))
}

/// The one name a half-made file or link for `name` can have, so that the next act on the same path clears what a power cut left.
///
/// It begins with a dot: neither nginx's `include *` nor systemd reads such a file.
fn temporary(name: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::from(".lalapanel-");
    for byte in Sha256::digest(name.as_bytes()).iter().take(8) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn clear(directory: &OwnedFd, name: &str) -> nix::Result<()> {
    match unlinkat(directory, name, UnlinkatFlags::NoRemoveDir) {
        Err(Errno::ENOENT) => Ok(()),
        answer => answer,
    }
}

/// Makes something under the temporary name, then renames it into place; on an error nothing is left behind.
pub(super) fn replace(
    root: BorrowedFd<'_>,
    path: &HostPath,
    make: impl FnOnce(&OwnedFd, &str) -> nix::Result<()>,
) -> HostResult<()> {
    let (directory, name) = place(root, path)?;
    if let Ok(status) = look(directory.as_fd(), name)
        && walk::kind(&status) == SFlag::S_IFDIR
    {
        return Err(not_a(path, "a directory", "a file"));
    }
    let temporary = temporary(name);
    let outcome = clear(&directory, &temporary)
        .and_then(|()| make(&directory, &temporary))
        .and_then(|()| renameat(&directory, temporary.as_str(), &directory, name));
    if let Err(errno) = outcome {
        let _ = clear(&directory, &temporary);
        return Err(refusal(WRITING, path, errno));
    }
    flush(&directory, path)
}

fn flush(directory: &OwnedFd, path: &HostPath) -> HostResult<()> {
    fsync(directory).map_err(|errno| refusal("flushing", path, errno))
}

/// See [`crate::host::Host::write`].
pub(super) fn write(
    root: BorrowedFd<'_>,
    path: &HostPath,
    bytes: &[u8],
    owner: Owner,
    mode: Mode,
) -> HostResult<()> {
    replace(root, path, |directory, temporary| {
        let mut file = fresh(directory, temporary)?;
        give(&file, owner, mode)?;
        file.write_all(bytes)
            .and_then(|()| file.sync_all())
            .map_err(|error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))
    })
}

/// A new file that its owner alone may read and write.
pub(super) fn fresh(directory: &OwnedFd, name: &str) -> nix::Result<File> {
    let flags =
        OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    openat(directory, name, flags, Bits::S_IRUSR | Bits::S_IWUSR).map(File::from)
}

// Why in this order: a change of owner clears the set-id bits.
fn give(handle: &impl AsFd, owner: Owner, mode: Mode) -> nix::Result<()> {
    fchown(
        handle,
        Some(Uid::from_raw(owner.uid)),
        Some(Gid::from_raw(owner.gid)),
    )?;
    fchmod(handle, Bits::from_bits_truncate(mode.0))
}

/// See [`crate::host::Host::link`].
pub(super) fn link(root: BorrowedFd<'_>, target: &str, path: &HostPath) -> HostResult<()> {
    replace(root, path, |directory, temporary| {
        symlinkat(target, directory, temporary)
    })
}

/// See [`crate::host::Host::make_dir`].
pub(super) fn make_dir(
    root: BorrowedFd<'_>,
    path: &HostPath,
    owner: Owner,
    mode: Mode,
) -> HostResult<()> {
    let (directory, name) = place(root, path)?;
    match mkdirat(&directory, name, Bits::S_IRWXU) {
        Ok(()) | Err(Errno::EEXIST) => {}
        Err(errno) => return Err(refusal("making", path, errno)),
    }
    let failed = |errno| refusal("making", path, errno);
    let status = look(directory.as_fd(), name).map_err(failed)?;
    if walk::kind(&status) != SFlag::S_IFDIR {
        return Err(not_a(path, walk::kind_word(&status), "a directory"));
    }
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let handle = openat(&directory, name, flags, Bits::empty()).map_err(failed)?;
    give(&handle, owner, mode).map_err(failed)?;
    fsync(&handle).map_err(failed)?;
    flush(&directory, path)
}

/// See [`crate::host::Host::rename`].
///
/// Why not `renameat2`: nix has it for glibc only. Both directories are root's alone and the caller holds this process's
/// lock on writing, so looking first is as good; a directory could at worst replace an empty one.
pub(super) fn rename(root: BorrowedFd<'_>, from: &HostPath, to: &HostPath) -> HostResult<()> {
    let (old, old_name) = place(root, from)?;
    let (new, new_name) = place(root, to)?;
    match look(new.as_fd(), new_name) {
        Err(Errno::ENOENT) => {}
        Ok(status) => return Err(not_a(to, walk::kind_word(&status), "a free name")),
        Err(errno) => return Err(refusal("moving to", to, errno)),
    }
    renameat(&old, old_name, &new, new_name).map_err(|errno| refusal("moving", from, errno))?;
    flush(&new, to)?;
    flush(&old, from)
}

/// See [`crate::host::Host::remove`].
pub(super) fn remove(root: BorrowedFd<'_>, path: &HostPath) -> HostResult<()> {
    let (directory, name) = match place(root, path) {
        Err(HostError::Missing { .. }) => return Ok(()),
        answer => answer?,
    };
    let failed = |errno| refusal("removing", path, errno);
    clear(&directory, &temporary(name)).map_err(failed)?;
    let kind = match look(directory.as_fd(), name) {
        Err(Errno::ENOENT) => return flush(&directory, path),
        answer => walk::kind(&answer.map_err(failed)?),
    };
    let how = match kind {
        SFlag::S_IFDIR => UnlinkatFlags::RemoveDir,
        _ => UnlinkatFlags::NoRemoveDir,
    };
    match unlinkat(&directory, name, how) {
        // POSIX lets a file system say EEXIST for a directory that is not empty.
        Err(Errno::EEXIST) => Err(failed(Errno::ENOTEMPTY)),
        answer => answer.map_err(failed),
    }?;
    flush(&directory, path)
}

/// See [`crate::host::Host::set_meta`].
pub(super) fn set_meta(
    root: BorrowedFd<'_>,
    path: &HostPath,
    owner: Owner,
    mode: Mode,
) -> HostResult<()> {
    let (directory, name) = place(root, path)?;
    let failed = |errno| refusal("changing", path, errno);
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let handle = openat(&directory, name, flags, Bits::empty()).map_err(failed)?;
    let status = fstat(&handle).map_err(failed)?;
    if walk::kind(&status) == SFlag::S_IFLNK {
        return Err(not_a(path, "a symbolic link", "a file or a directory"));
    }
    let (uid, gid) = (Uid::from_raw(owner.uid), Gid::from_raw(owner.gid));
    fchownat(&handle, "", Some(uid), Some(gid), AtFlags::AT_EMPTY_PATH).map_err(failed)?;
    change_mode(&handle, mode).map_err(failed)?;
    // A handle for changing alone cannot be flushed; the journals of ext4 and XFS keep the order of the two.
    flush(&directory, path)
}

/// Changes the mode of what an `O_PATH` handle names; `fchmod` refuses such handles, their `/proc` name does not.
pub(super) fn change_mode(handle: &OwnedFd, mode: Mode) -> nix::Result<()> {
    let name = format!("/proc/self/fd/{}", handle.as_raw_fd());
    let bits = Bits::from_bits_truncate(mode.0);
    fchmodat(AT_FDCWD, name.as_str(), bits, FchmodatFlags::FollowSymlink)
}

/// Flushes a directory and the directories in it: programs make links and new files there and do not flush them.
/// One that does not exist has nothing to lose.
pub(super) fn settle(root: BorrowedFd<'_>, path: &HostPath) -> HostResult<()> {
    let directory = match walk::directory(root, path, Trust::Plain) {
        Err(HostError::Missing { .. }) => return Ok(()),
        answer => answer?,
    };
    let failed = |errno| refusal("flushing", path, errno);
    let listed = walk::reopen(directory.as_fd()).map_err(failed)?;
    for name in walk::names(listed, usize::MAX).map_err(failed)? {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        if let Ok(inner) = openat(&directory, name.as_slice(), flags, Bits::empty()) {
            fsync(&inner).map_err(failed)?;
        }
    }
    let directory = walk::reopen(directory.as_fd()).map_err(failed)?;
    flush(&directory, path)
}

/// See [`crate::host::Host::space`]. A path that does not exist yet is asked about at its nearest ancestor.
pub(super) fn space(root: BorrowedFd<'_>, path: &HostPath) -> HostResult<Space> {
    let mut path = path.clone();
    let directory = loop {
        match walk::directory(root, &path, Trust::Plain) {
            Err(HostError::Missing { .. } | HostError::Kind { .. }) if path.as_str() != "/" => {
                path = path.parent();
            }
            answer => break answer?,
        }
    };
    let sizes = fstatvfs(&directory).map_err(|errno| refusal("measuring", &path, errno))?;
    let block = wide(sizes.fragment_size());
    Ok(Space {
        free: wide(sizes.blocks_available()).saturating_mul(block),
        total: wide(sizes.blocks()).saturating_mul(block),
        inodes: match wide(sizes.files()) {
            0 => u64::MAX,
            _ => wide(sizes.files_available()),
        },
    })
}

// The C types differ between targets; all of them fit.
fn wide(number: impl TryInto<u64>) -> u64 {
    number.try_into().unwrap_or(u64::MAX)
}
