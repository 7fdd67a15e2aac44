//! Ways into directories that a hostile neighbour cannot bend: root's way (every ancestor checked) and a site's way (openat2).
//!
//! Invariant: no link that root did not make is followed, none at all for writing, and a directory is acted on only through the handle that was checked.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat, openat2, readlinkat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat};
use nix::unistd::geteuid;

use crate::domain::path::HostPath;
use crate::host::{HostError, HostResult};

/// What is asked of the directories above a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Directories, and links that root made.
    Plain,
    /// Besides: nobody but root (or, in a test, the caller) can change what is in them.
    OnlyRoot,
}

/// The kind of a file, from its status.
pub(super) fn kind(status: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT
}

/// The word of a person for what was found.
pub(super) fn kind_word(status: &FileStat) -> &'static str {
    match kind(status) {
        SFlag::S_IFREG => "a file",
        SFlag::S_IFDIR => "a directory",
        SFlag::S_IFLNK => "a symbolic link",
        _ => "a socket, a pipe or a device",
    }
}

/// What stands at `name` in `directory`; a link is not followed.
pub(super) fn look(directory: BorrowedFd<'_>, name: &str) -> nix::Result<FileStat> {
    fstatat(directory, name, AtFlags::AT_SYMLINK_NOFOLLOW)
}

/// A handle (`O_PATH`) of the directory that holds `path`, reached from `root` component by component, and the last component.
pub(super) fn parent<'p>(
    root: BorrowedFd<'_>,
    path: &'p HostPath,
    trust: Trust,
) -> HostResult<(OwnedFd, &'p str)> {
    let name = if path.name().is_empty() {
        "."
    } else {
        path.name()
    };
    Ok((directory(root, &path.parent(), trust)?, name))
}

/// A handle (`O_PATH`) of the directory at `path`, reached from `root` component by component.
///
/// For reading, a link that root made is gone along (`/lib`, `/proc/net`); nobody else's is, and for writing none.
pub(super) fn directory(
    root: BorrowedFd<'_>,
    path: &HostPath,
    trust: Trust,
) -> HostResult<OwnedFd> {
    let mut walk = Walk {
        root,
        entered: Vec::new(),
        trust,
    };
    let mut rest = reversed(path.as_str());
    let mut links = 0;
    while let Some(part) = rest.pop() {
        let Some(target) = walk.step(&part)? else {
            continue;
        };
        links += 1;
        if links > MOST_LINKS {
            return Err(refusal("opening", path, Errno::ELOOP));
        }
        if target.starts_with('/') {
            walk.entered.clear();
        }
        rest.extend(reversed(&target));
    }
    walk.end()
}

/// As many links as Linux itself goes along in one path.
pub(super) const MOST_LINKS: u32 = 40;

/// The components of a path, last first.
pub(super) fn reversed(path: &str) -> Vec<String> {
    let parts = path.split('/').rev();
    let parts = parts.filter(|part| !part.is_empty() && *part != ".");
    parts.map(str::to_owned).collect()
}

struct Walk<'r> {
    root: BorrowedFd<'r>,
    entered: Vec<(HostPath, OwnedFd)>,
    trust: Trust,
}

impl Walk<'_> {
    fn here(&self) -> BorrowedFd<'_> {
        self.entered
            .last()
            .map_or(self.root, |(_, handle)| handle.as_fd())
    }

    fn path(&self) -> HostPath {
        let last = self.entered.last();
        last.map_or_else(|| HostPath::fixed("/"), |(path, _)| path.clone())
    }

    /// Enters one directory, or says where the link at that name points.
    fn step(&mut self, part: &str) -> HostResult<Option<String>> {
        if part == ".." {
            self.entered.pop();
            return Ok(None);
        }
        let at = self.path().join(part);
        let failed = |errno| refusal("opening", &at, errno);
        let status = look(self.here(), part).map_err(failed)?;
        match kind(&status) {
            SFlag::S_IFDIR => {}
            SFlag::S_IFLNK if self.trust == Trust::Plain && is_ours(&status) => {
                let target = readlinkat(self.here(), part).map_err(failed)?;
                return Ok(Some(target.to_string_lossy().into_owned()));
            }
            _ => return Err(not_a(&at, kind_word(&status), "a directory")),
        }
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let handle = openat(self.here(), part, flags, Mode::empty()).map_err(failed)?;
        if self.trust == Trust::OnlyRoot {
            check_trusted(&handle, &at)?;
        }
        self.entered.push((at, handle));
        Ok(None)
    }

    fn end(mut self) -> HostResult<OwnedFd> {
        match self.entered.pop() {
            Some((_, handle)) => Ok(handle),
            None => self
                .root
                .try_clone_to_owned()
                .map_err(|source| HostError::Io {
                    doing: "opening",
                    path: HostPath::fixed("/"),
                    source,
                }),
        }
    }
}

/// True for what root, or in a test the caller, owns.
fn is_ours(status: &FileStat) -> bool {
    status.st_uid == 0 || status.st_uid == geteuid().as_raw()
}

/// The error for something of another kind.
pub(super) fn not_a(path: &HostPath, found: &'static str, expected: &'static str) -> HostError {
    HostError::Kind {
        path: path.clone(),
        found,
        expected,
    }
}

// Why a group may write: Ubuntu's own `/var/log` is root:syslog 0775.
fn check_trusted(directory: &OwnedFd, at: &HostPath) -> HostResult<()> {
    let status = fstat(directory).map_err(|errno| refusal("opening", at, errno))?;
    if is_ours(&status) && status.st_mode & 0o002 == 0 {
        Ok(())
    } else {
        Err(not_a(at, UNTRUSTED, "one that only root can change"))
    }
}

/// How a directory is named that a tenant could swap under root's hands.
pub(super) const UNTRUSTED: &str = "a directory that others can change";

/// Turns a system error into what the port says.
pub(super) fn refusal(doing: &'static str, path: &HostPath, errno: Errno) -> HostError {
    let path = path.clone();
    match errno {
        Errno::ENOSPC | Errno::EDQUOT => HostError::DiskFull { path },
        Errno::ENOENT => HostError::Missing { path },
        Errno::ENOTEMPTY => HostError::NotEmpty { path },
        Errno::ELOOP => not_a(&path, "a symbolic link", "a plain path"),
        errno => HostError::Io {
            doing,
            path,
            source: errno.into(),
        },
    }
}

/// Opens `relative` below `base` as the kernel allows it: no way up, no link, no other file system (openat2, Linux 5.6).
///
/// Why not a fallback to plain `openat`: a kernel without openat2 cannot keep a tenant inside, so the job is refused.
pub(super) fn beneath(
    base: BorrowedFd<'_>,
    relative: &str,
    flags: OFlag,
    mode: Mode,
) -> nix::Result<OwnedFd> {
    open_beneath(base, relative.as_bytes(), flags, mode)
}

/// The same for an existing thing whose name need not be text.
pub(super) fn beneath_bytes(
    base: BorrowedFd<'_>,
    name: &[u8],
    flags: OFlag,
) -> nix::Result<OwnedFd> {
    open_beneath(base, name, flags, Mode::empty())
}

fn open_beneath(
    base: BorrowedFd<'_>,
    relative: &[u8],
    flags: OFlag,
    mode: Mode,
) -> nix::Result<OwnedFd> {
    // openat2 refuses flags that would have no effect, as these have none with O_PATH.
    let careful = if flags.contains(OFlag::O_PATH) {
        OFlag::empty()
    } else {
        OFlag::O_NOCTTY | OFlag::O_NONBLOCK
    };
    let how = OpenHow::new()
        .flags(flags | careful | OFlag::O_CLOEXEC)
        .mode(mode)
        .resolve(
            ResolveFlag::RESOLVE_BENEATH
                | ResolveFlag::RESOLVE_NO_SYMLINKS
                | ResolveFlag::RESOLVE_NO_MAGICLINKS
                | ResolveFlag::RESOLVE_NO_XDEV,
        );
    // EAGAIN: a rename elsewhere on the machine made the kernel unsure; it asks to be asked again (openat2(2)).
    let mut tries = 0;
    loop {
        match openat2(base, relative, how) {
            Err(Errno::EAGAIN | Errno::EINTR) if tries < 64 => tries += 1,
            answer => return answer,
        }
    }
}

/// At most `limit` names in a directory, `.` and `..` left out, as bytes.
pub(super) fn names(directory: OwnedFd, limit: usize) -> nix::Result<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    for entry in Dir::from_fd(directory)?.iter() {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            found.push(name);
        }
        if found.len() == limit {
            break;
        }
    }
    Ok(found)
}

/// Opens a directory handle again so that it can be listed and flushed, which `O_PATH` handles cannot.
pub(super) fn reopen(directory: BorrowedFd<'_>) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    openat(directory, ".", flags, Mode::empty())
}

/// True for a link that leads to something below the top of the tree, `depth` directories above where it stands.
///
/// Why by text: what it leads to may come later in the stream.
pub(super) fn stays_within(target: &[u8], depth: usize) -> bool {
    let mut level = depth;
    if target.is_empty() || target.starts_with(b"/") || target.contains(&0) {
        return false;
    }
    for part in target.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => match level.checked_sub(1) {
                Some(up) => level = up,
                None => return false,
            },
            _ => level += 1,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::fcntl::open;
    use nix::sys::stat::mkdirat;
    use nix::unistd::symlinkat;

    fn handle(path: &std::path::Path) -> OwnedFd {
        open(path, OFlag::O_PATH | OFlag::O_DIRECTORY, Mode::empty()).unwrap()
    }

    #[test]
    fn a_link_above_a_path_that_changes_is_named_and_refused() {
        let scratch = tempfile::tempdir().unwrap();
        let root = handle(scratch.path());
        mkdirat(&root, "real", Mode::S_IRWXU).unwrap();
        symlinkat("real", &root, "linked").unwrap();
        let path = HostPath::parse("/linked/file").unwrap();
        let error = parent(root.as_fd(), &path, Trust::OnlyRoot).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`/linked` is a symbolic link, not a directory"
        );
    }

    #[test]
    fn reading_goes_along_roots_own_links_and_never_out_of_the_root_handle() {
        let scratch = tempfile::tempdir().unwrap();
        let root = handle(scratch.path());
        mkdirat(&root, "real", Mode::S_IRWXU).unwrap();
        mkdirat(&root, "real/inner", Mode::S_IRWXU).unwrap();
        symlinkat("../../../real/./inner", &root, "relative").unwrap();
        symlinkat("/relative", &root, "absolute").unwrap();
        symlinkat("loop", &root, "loop").unwrap();
        let inode = |text| {
            let path = HostPath::parse(text).unwrap();
            let opened = directory(root.as_fd(), &path, Trust::Plain)?;
            Ok::<_, HostError>(fstat(opened).unwrap().st_ino)
        };
        assert_eq!(inode("/absolute").unwrap(), inode("/real/inner").unwrap());
        assert!(matches!(inode("/loop"), Err(HostError::Kind { .. })));
        assert!(matches!(inode("/etc"), Err(HostError::Missing { .. })));
    }

    #[test]
    fn a_directory_that_everybody_may_write_is_no_place_for_root() {
        let scratch = tempfile::tempdir().unwrap();
        let root = handle(scratch.path());
        mkdirat(&root, "open", Mode::S_IRWXU).unwrap();
        let open = reopen(
            directory(
                root.as_fd(),
                &HostPath::parse("/open").unwrap(),
                Trust::OnlyRoot,
            )
            .unwrap()
            .as_fd(),
        )
        .unwrap();
        nix::sys::stat::fchmod(&open, Mode::from_bits_truncate(0o777)).unwrap();
        let path = HostPath::parse("/open/file").unwrap();
        assert!(parent(root.as_fd(), &path, Trust::OnlyRoot).is_err());
        assert!(parent(root.as_fd(), &path, Trust::Plain).is_ok());
    }

    #[test]
    fn the_kernel_keeps_a_walk_beneath_its_base() {
        let scratch = tempfile::tempdir().unwrap();
        let root = handle(scratch.path());
        symlinkat("/etc", &root, "out").unwrap();
        let open = |path| beneath(root.as_fd(), path, OFlag::O_RDONLY, Mode::empty());
        assert_eq!(open("out/passwd").unwrap_err(), Errno::ELOOP);
        assert_eq!(open("../x").unwrap_err(), Errno::EXDEV);
        assert_eq!(open("/etc/passwd").unwrap_err(), Errno::EXDEV);
    }

    #[test]
    fn a_link_leads_to_something_in_the_tree_or_is_left_out() {
        for (target, depth, within) in [
            (&b"a.bin"[..], 0, true),
            (b"./a/../b", 0, true),
            (b"../a", 1, true),
            (b"../a", 0, false),
            (b"a/../../b", 0, false),
            (b"../../etc/passwd", 1, false),
            (b"/etc/passwd", 5, false),
            (b"", 5, false),
        ] {
            assert_eq!(stays_within(target, depth), within, "{target:?} {depth}");
        }
    }
}
