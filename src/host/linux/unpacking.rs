//! Unpacks an archive into a directory of a site's, with the site's own rights: a loop of our own, entry by entry.
//!
//! Invariant: plain files and directories only, each name plain and new, everything below the one directory, and no more of it
//! than the limits; the first entry that is anything else ends it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use flate2::read::GzDecoder;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, mkdirat};
use nix::unistd::syncfs;
use tar::{Archive, EntryType};

use crate::domain::path::SitePath;
use crate::host::linux::acts::{Refusal, refusal};
use crate::host::walk::beneath;

/// WordPress has 3 500 files in 80 MB.
const ENTRIES: u64 = 20_000;
const BYTES: u64 = 512 << 20;
const DEPTH: usize = 32;
/// The one directory at the top of WordPress's archive.
const TOP: &str = "wordpress";

fn refused(why: impl Into<String>) -> Refusal {
    (why.into(), false)
}

/// Unpacks what is below `wordpress/` into the directory at `path`. Returns how many files were made.
pub(super) fn unpack(
    base: BorrowedFd<'_>,
    path: &SitePath,
    archive: impl Read,
) -> Result<u64, Refusal> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
    let into = beneath(base, path.as_str(), flags, Mode::empty()).map_err(refusal)?;
    let unpacked = GzDecoder::new(archive).take(BYTES + 1);
    let mut archive = Archive::new(unpacked);
    let entries = archive
        .entries()
        .map_err(|error| refused(format!("no archive of the kind .tar.gz: {error}")))?;
    let (mut seen, mut files, mut bytes, mut is_wordpress) = (0_u64, 0, 0_u64, false);
    for entry in entries {
        let broken = |error: std::io::Error| refused(format!("a damaged archive: {error}"));
        let mut entry = entry.map_err(broken)?;
        seen += 1;
        bytes = bytes.saturating_add(entry.size());
        if seen > ENTRIES || bytes > BYTES {
            return Err(refused("an archive that is larger than WordPress can be"));
        }
        let kind = entry.header().entry_type();
        let name = entry.path_bytes().into_owned();
        let Some(name) = below_top(&name)? else {
            continue;
        };
        match kind {
            EntryType::Directory => make_directories(into.as_fd(), &name, true)?,
            EntryType::Regular => {
                is_wordpress |= name.as_str() == "wp-admin/install.php";
                put(into.as_fd(), &name, &mut entry)?;
                files += 1;
            }
            _ => {
                let what = "something that is neither a file nor a directory";
                return Err(refused(format!("{what} in the archive: {name}")));
            }
        }
    }
    if !is_wordpress {
        return Err(refused("an archive that holds no WordPress"));
    }
    // Why once and not for each file: there are thousands, and a crash before the end undoes all of them.
    syncfs(into.as_fd()).map_err(refusal)?;
    Ok(files)
}

/// The name below the top directory; none for that directory itself.
fn below_top(name: &[u8]) -> Result<Option<SitePath>, Refusal> {
    let bad = || refused("a name in the archive that is no plain path");
    let text = std::str::from_utf8(name).map_err(|_| bad())?;
    let text = text.strip_suffix('/').unwrap_or(text);
    if text == TOP {
        return Ok(None);
    }
    let inside = text
        .strip_prefix(TOP)
        .and_then(|rest| rest.strip_prefix('/'));
    let inside = inside.ok_or_else(|| refused("an archive that holds no WordPress"))?;
    let path = SitePath::parse(inside).map_err(|_| bad())?;
    if path.components().count() > DEPTH {
        return Err(bad());
    }
    Ok(Some(path))
}

/// Makes the directories above a path, and with `itself` the path as well; those that are there are fine.
fn make_directories(into: BorrowedFd<'_>, path: &SitePath, itself: bool) -> Result<(), Refusal> {
    let text = path.as_str();
    let above = text.match_indices('/').map(|(at, _)| &text[..at]);
    for directory in above.chain(itself.then_some(text)) {
        let (parent, name) = directory.rsplit_once('/').unwrap_or((".", directory));
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
        let parent = beneath(into, parent, flags, Mode::empty()).map_err(refusal)?;
        match mkdirat(&parent, name, Mode::S_IRWXU | Mode::S_IRGRP | Mode::S_IXGRP) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(errno) => return Err(refusal(errno)),
        }
    }
    Ok(())
}

fn put(into: BorrowedFd<'_>, path: &SitePath, from: &mut impl Read) -> Result<(), Refusal> {
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW;
    let mode = Mode::S_IRUSR | Mode::S_IWUSR | Mode::S_IRGRP;
    let handle = match beneath(into, path.as_str(), flags, mode) {
        Err(Errno::ENOENT) => {
            make_directories(into, path, false)?;
            beneath(into, path.as_str(), flags, mode)
        }
        answer => answer,
    };
    let handle = handle.map_err(|errno| match errno {
        Errno::EEXIST => refused(format!("two files of one name: {path}")),
        other => refusal(other),
    })?;
    let mut file = File::from(handle);
    let written = std::io::copy(from, &mut file).and_then(|_| file.flush());
    written.map_err(|error| match error.raw_os_error() {
        Some(number) => refusal(Errno::from_raw(number)),
        None => refused(format!("a damaged archive: {error}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use nix::fcntl::open;
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::PermissionsExt;

    /// An archive of such entries: a name as it is written, a kind, and what is in it (or where a link leads).
    fn archive(entries: &[(&str, EntryType, &str)]) -> Vec<u8> {
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, kind, text) in entries {
            let mut header = tar::Header::new_ustar();
            // Why by hand: the library refuses to write the names that are tried here.
            header.as_ustar_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_mode(0o777);
            let is_link = matches!(kind, EntryType::Symlink | EntryType::Link);
            if is_link {
                header.set_link_name_literal(text).unwrap();
            }
            let data = if is_link { "" } else { text };
            header.set_size(data.len() as u64);
            header.set_cksum();
            tar.append(&header, data.as_bytes()).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    const WORDPRESS: [(&str, EntryType, &str); 3] = [
        ("wordpress/", EntryType::Directory, ""),
        ("wordpress/index.php", EntryType::Regular, "<?php"),
        (
            "wordpress/wp-admin/install.php",
            EntryType::Regular,
            "<?php",
        ),
    ];

    fn tried(entries: &[(&str, EntryType, &str)]) -> (Result<u64, Refusal>, tempfile::TempDir) {
        let scratch = tempfile::tempdir().unwrap();
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
        let base: OwnedFd = open(scratch.path(), flags, Mode::empty()).unwrap();
        mkdirat(&base, "htdocs", Mode::S_IRWXU).unwrap();
        let path = SitePath::parse("htdocs").unwrap();
        let bytes = archive(entries);
        (unpack(base.as_fd(), &path, bytes.as_slice()), scratch)
    }

    #[test]
    fn wordpress_is_unpacked_without_its_top_directory() {
        let (made, scratch) = tried(&WORDPRESS);
        assert_eq!(made, Ok(2));
        let at = |name: &str| scratch.path().join("htdocs").join(name);
        assert!(at("wp-admin/install.php").is_file() && at("index.php").is_file());
        let mode = at("index.php").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o640);
    }

    #[test]
    fn nothing_leaves_the_directory_and_no_link_is_made() {
        use EntryType::{Block, Fifo, Link, Regular, Symlink};
        for bad in [
            ("/etc/x", Regular, "x"),
            ("../x", Regular, "x"),
            ("wordpress/../x", Regular, "x"),
            ("wordpress/a/../../x", Regular, "x"),
            ("wordpress//etc/x", Regular, "x"),
            ("elsewhere/x", Regular, "x"),
            ("wordpress/x", Symlink, "/etc/passwd"),
            ("wordpress/x", Link, "/etc/passwd"),
            ("wordpress/x", Fifo, ""),
            ("wordpress/x", Block, ""),
            ("wordpress/index.php", Regular, "again"),
        ] {
            let entries = [&WORDPRESS[..], &[bad]].concat();
            let (made, scratch) = tried(&entries);
            assert!(made.is_err(), "{bad:?}");
            assert!(!scratch.path().join("x").exists(), "{bad:?}");
            assert!(!scratch.path().join("htdocs/x").exists(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_no_wordpress_or_no_archive_is_said_so() {
        let (made, _scratch) = tried(&WORDPRESS[..2]);
        assert_eq!(made.unwrap_err().0, "an archive that holds no WordPress");
        let scratch = tempfile::tempdir().unwrap();
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
        let base: OwnedFd = open(scratch.path(), flags, Mode::empty()).unwrap();
        mkdirat(&base, "htdocs", Mode::S_IRWXU).unwrap();
        let path = SitePath::parse("htdocs").unwrap();
        assert!(unpack(base.as_fd(), &path, &b"PK\x03\x04"[..]).is_err());
        let mut cut = archive(&WORDPRESS);
        cut.truncate(60);
        assert!(unpack(base.as_fd(), &path, cut.as_slice()).is_err());
    }
}
