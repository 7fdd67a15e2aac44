//! The two ends of a copy: one worker reads a tree as the old site, another makes it anew as the new one.
//!
//! Invariant: each end has one handle and its own site's rights; neither follows a link, and whoever reads trusts nothing
//! that arrives but its shape.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, readlinkat};
use nix::sys::stat::{Mode, SFlag, fstat, fstatat, mkdirat};
use nix::unistd::{symlinkat, syncfs};

use crate::domain::path::SitePath;
use crate::domain::text::shown;
use crate::domain::tree_size::TreeSize;
use crate::host::linux::acts::{Refusal, refusal};
use crate::host::linux::parcel::{CHUNK, Parcel};
use crate::host::walk::{self, beneath, stays_within};

/// A deeper tree is not copied: each level holds a handle on both sides.
const DEPTH: usize = 100;
/// Names in one directory.
const NAMES: usize = 1_000_000;

/// What a copy may take at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// Bytes of files.
    pub(super) bytes: u64,
    /// Files, directories and links.
    pub(super) things: u64,
}

/// Names of what is left out that are told.
const EXAMPLES: usize = 3;

type Done = std::result::Result<TreeSize, Refusal>;

/// Counts what is below a directory of a site's.
pub(super) fn measure(base: BorrowedFd<'_>, path: &SitePath) -> Done {
    let top = open(base, path)?;
    let mut packing = Packing::new(std::io::sink());
    packing.counts_only = true;
    packing
        .directory(top.as_fd(), 0)
        .map_err(|error| said_so(&error))?;
    Ok(packing.size)
}

/// Sends everything below a directory of a site's.
pub(super) fn send(base: BorrowedFd<'_>, path: &SitePath, to: &mut impl Write) -> Done {
    pack(open(base, path)?.as_fd(), to).map_err(|error| said_so(&error))
}

/// Makes what arrives below a directory of a site's, and has it on the disk.
pub(super) fn receive(
    base: BorrowedFd<'_>,
    path: &SitePath,
    from: &mut impl Read,
    room: Room,
) -> Done {
    let top = open(base, path)?;
    let size = unpack(top.as_fd(), from, room).map_err(|error| said_so(&error))?;
    // Why once and not for each file: a crash before the end undoes all of them.
    syncfs(top.as_fd()).map_err(refusal)?;
    Ok(size)
}

fn open(base: BorrowedFd<'_>, path: &SitePath) -> std::result::Result<OwnedFd, Refusal> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
    beneath(base, path.as_str(), flags, Mode::empty()).map_err(refusal)
}

fn said_so(error: &Error) -> Refusal {
    match error.raw_os_error() {
        Some(number) => refusal(Errno::from_raw(number)),
        None => (shown(&error.to_string(), 200), false),
    }
}

/// Sends everything below a directory.
fn pack(top: BorrowedFd<'_>, to: &mut impl Write) -> Result<TreeSize> {
    let mut packing = Packing::new(to);
    packing.directory(top, 0)?;
    let left_out = packing.size.left_out;
    Parcel::End { left_out }.send(&mut packing.to)?;
    packing.to.flush()?;
    Ok(packing.size)
}

struct Packing<W> {
    to: W,
    counts_only: bool,
    inside: Vec<Vec<u8>>,
    size: TreeSize,
}

impl<W: Write> Packing<W> {
    fn new(to: W) -> Self {
        Self {
            to,
            counts_only: false,
            inside: Vec::new(),
            size: TreeSize::default(),
        }
    }

    fn directory(&mut self, directory: BorrowedFd<'_>, depth: usize) -> Result<()> {
        if depth > DEPTH {
            return Err(said("the tree is more than 100 directories deep"));
        }
        let mut names = walk::names(walk::reopen(directory)?, NAMES)?;
        if names.len() == NAMES {
            return Err(said("a directory holds a million names"));
        }
        names.sort();
        for name in names {
            if self.thing(directory, &name, depth)? {
                self.size.things += 1;
            } else {
                self.leave_out(&name);
            }
        }
        Ok(())
    }

    fn leave_out(&mut self, name: &[u8]) {
        self.size.left_out += 1;
        if self.size.examples.len() < EXAMPLES {
            let parts: Vec<&[u8]> = self.inside.iter().map(Vec::as_slice).collect();
            let path = [parts.as_slice(), &[name]].concat().join(&b'/');
            let path = String::from_utf8_lossy(&path);
            self.size.examples.push(shown(&path, 100));
        }
    }

    /// False where it is left out.
    fn thing(&mut self, directory: BorrowedFd<'_>, name: &[u8], depth: usize) -> Result<bool> {
        let flags = nix::fcntl::AtFlags::AT_SYMLINK_NOFOLLOW;
        let status = match fstatat(directory, name, flags) {
            // Gone since the names were read.
            Err(Errno::ENOENT) => return Ok(false),
            answer => answer?,
        };
        match walk::kind(&status) {
            SFlag::S_IFDIR => self.enter(directory, name, status.st_mode, depth),
            SFlag::S_IFREG => self.file(directory, name),
            SFlag::S_IFLNK => self.link(directory, name, depth),
            _ => Ok(false),
        }
    }

    fn enter(
        &mut self,
        directory: BorrowedFd<'_>,
        name: &[u8],
        mode: u32,
        depth: usize,
    ) -> Result<bool> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
        let Some(inner) = readable(walk::beneath_bytes(directory, name, flags))? else {
            return Ok(false);
        };
        self.inside.push(name.to_vec());
        let name = name.to_vec();
        Parcel::Enter { name, mode }.send(&mut self.to)?;
        self.directory(inner.as_fd(), depth + 1)?;
        Parcel::Leave.send(&mut self.to)?;
        self.inside.pop();
        Ok(true)
    }

    fn file(&mut self, directory: BorrowedFd<'_>, name: &[u8]) -> Result<bool> {
        // Not to wait at a pipe that has taken its place meanwhile.
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
        let Some(handle) = readable(walk::beneath_bytes(directory, name, flags))? else {
            return Ok(false);
        };
        let status = fstat(&handle)?;
        if walk::kind(&status) != SFlag::S_IFREG {
            return Ok(false);
        }
        if self.counts_only {
            self.size.bytes += u64::try_from(status.st_size).unwrap_or_default();
            return Ok(true);
        }
        let (name, mode) = (name.to_vec(), status.st_mode);
        Parcel::File { name, mode }.send(&mut self.to)?;
        let mut file = File::from(handle);
        loop {
            let mut bytes = Vec::with_capacity(CHUNK);
            let limit = u64::try_from(CHUNK).unwrap_or(u64::MAX);
            (&mut file).take(limit).read_to_end(&mut bytes)?;
            let is_over = bytes.is_empty();
            self.size.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            Parcel::Bytes(bytes).send(&mut self.to)?;
            if is_over {
                return Ok(true);
            }
        }
    }

    fn link(&mut self, directory: BorrowedFd<'_>, name: &[u8], depth: usize) -> Result<bool> {
        use std::os::unix::ffi::OsStringExt;
        let target = match readlinkat(directory, name) {
            Err(Errno::ENOENT | Errno::EINVAL) => return Ok(false),
            answer => answer?.into_vec(),
        };
        if !stays_within(&target, depth) {
            return Ok(false);
        }
        let name = name.to_vec();
        Parcel::Link { name, target }.send(&mut self.to)?;
        Ok(true)
    }
}

/// What may not be read, or has become something else, is left out.
fn readable(opened: nix::Result<OwnedFd>) -> Result<Option<OwnedFd>> {
    match opened {
        Ok(handle) => Ok(Some(handle)),
        Err(
            Errno::EACCES
            | Errno::EPERM
            | Errno::ENOENT
            | Errno::ELOOP
            | Errno::ENOTDIR
            | Errno::ENXIO
            | Errno::EXDEV,
        ) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// Makes what arrives below an empty directory. The umask says what of the modes is kept; nothing that is there is replaced.
///
/// Why no `fchmod`: it would take away the group that new directories inherit for nginx.
fn unpack(top: BorrowedFd<'_>, from: &mut impl Read, room: Room) -> Result<TreeSize> {
    let mut inside = vec![walk::reopen(top)?];
    let mut copied = TreeSize::default();
    loop {
        let parcel = Parcel::receive(from)?;
        if let Parcel::End { left_out } = parcel {
            copied.left_out = left_out;
            return if inside.len() == 1 {
                Ok(copied)
            } else {
                Err(said("the copy ended in the middle"))
            };
        }
        let depth = inside.len() - 1;
        let here = inside.last().ok_or_else(|| said("left the top"))?;
        match parcel {
            Parcel::Enter { name, mode } if depth < DEPTH => {
                let name = name.as_slice();
                mkdirat(here, name, Mode::from_bits_truncate(mode | 0o700))?;
                let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
                let inner = walk::beneath_bytes(here.as_fd(), name, flags)?;
                inside.push(inner);
            }
            Parcel::Leave if depth > 0 => {
                inside.pop();
                continue;
            }
            Parcel::File { name, mode } => {
                let left = room.bytes.saturating_sub(copied.bytes);
                copied.bytes += fill(here.as_fd(), &name, mode, from, left)?;
            }
            Parcel::Link { name, target } if stays_within(&target, depth) => {
                symlinkat(target.as_slice(), here, name.as_slice())?;
            }
            _ => return Err(said("something out of place arrived")),
        }
        copied.things += 1;
        if copied.things > room.things {
            return Err(full());
        }
    }
}

fn fill(
    directory: BorrowedFd<'_>,
    name: &[u8],
    mode: u32,
    from: &mut impl Read,
    left: u64,
) -> Result<u64> {
    let flags =
        OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let handle = openat(
        directory,
        name,
        flags,
        Mode::from_bits_truncate(mode | 0o600),
    )?;
    let mut file = File::from(handle);
    let mut written = 0_u64;
    loop {
        let Parcel::Bytes(bytes) = Parcel::receive(from)? else {
            return Err(said("a file without an end arrived"));
        };
        if bytes.is_empty() {
            return Ok(written);
        }
        written += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if written > left {
            return Err(full());
        }
        file.write_all(&bytes)?;
    }
}

fn full() -> Error {
    Errno::ENOSPC.into()
}

fn said(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests;
