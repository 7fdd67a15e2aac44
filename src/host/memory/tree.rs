//! A file system in memory, with owners and modes, held to the same conduct as `linux/files.rs`.
//!
//! Invariant: every entry's parent is a directory of the tree; the root directory always exists.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound::{Excluded, Unbounded};

use crate::domain::path::HostPath;
use crate::host::walk::{MOST_LINKS, UNTRUSTED, reversed};
use crate::host::{HostError, HostResult, Meta, Mode, Node, Owner};

/// File content that prints as text.
#[derive(Clone, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File(Bytes),
    /// A directory.
    Directory,
    /// A symbolic link.
    Link(String),
    /// A Unix socket.
    Socket,
}

impl Kind {
    /// The word of a person for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::File(_) => "a file",
            Self::Directory => "a directory",
            Self::Link(_) => "a symbolic link",
            Self::Socket => "a socket, a pipe or a device",
        }
    }
}

/// One thing in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Who owns it.
    pub owner: Owner,
    /// Its permission bits.
    pub mode: Mode,
}

/// The whole file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree(BTreeMap<HostPath, Entry>);

impl Default for Tree {
    fn default() -> Self {
        let root = Entry {
            kind: Kind::Directory,
            owner: Owner::ROOT,
            mode: Mode(0o755),
        };
        Self(BTreeMap::from([(HostPath::fixed("/"), root)]))
    }
}

impl Tree {
    /// What is at a path; links are not followed.
    #[must_use]
    pub fn entry(&self, path: &HostPath) -> Option<&Entry> {
        self.0.get(path)
    }

    /// The same, to be changed.
    pub fn entry_mut(&mut self, path: &HostPath) -> Option<&mut Entry> {
        self.0.get_mut(path)
    }

    /// Every path with its entry, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&HostPath, &Entry)> {
        self.0.iter()
    }

    /// Puts a thing in place, making missing directories above it as root's; for setting a scene and for programs.
    pub fn put(&mut self, path: &HostPath, kind: Kind, owner: Owner, mode: u32) {
        let parent = path.parent();
        if !self.0.contains_key(&parent) {
            self.put(&parent, Kind::Directory, Owner::ROOT, 0o755);
        }
        let mode = Mode(mode);
        self.0.insert(path.clone(), Entry { kind, owner, mode });
    }

    /// Puts root's text file in place, mode 0644.
    pub fn put_text(&mut self, path: &HostPath, text: &str) {
        let kind = Kind::File(Bytes(text.as_bytes().to_vec()));
        self.put(path, kind, Owner::ROOT, 0o644);
    }

    /// Takes a thing and everything below it away.
    pub fn take(&mut self, path: &HostPath) {
        self.0.retain(|at, _| !path.contains(at));
    }

    /// The names directly in a directory.
    #[must_use]
    pub fn names(&self, path: &HostPath) -> Vec<String> {
        let below = self.0.range::<HostPath, _>((Excluded(path), Unbounded));
        let below = below
            .map(|(at, _)| at)
            .take_while(|at| path.contains(at) || !past(path, at));
        let inside = below.filter(|at| at.parent() == *path);
        inside.map(|at| at.name().to_owned()).collect()
    }

    /// The text of a file, links followed as programs do; `None` where there is none.
    #[must_use]
    pub fn text(&self, path: &HostPath) -> Option<String> {
        match &self.entry(&self.followed(path)?)?.kind {
            Kind::File(bytes) => Some(String::from_utf8_lossy(&bytes.0).into_owned()),
            _ => None,
        }
    }

    /// Where a path leads when links are followed; `None` for a dangling or circular one.
    #[must_use]
    pub fn followed(&self, path: &HostPath) -> Option<HostPath> {
        let mut hops = 0;
        let mut at = HostPath::fixed("/");
        let mut rest = reversed(path.as_str());
        while let Some(part) = rest.pop() {
            if part == ".." {
                at = at.parent();
                continue;
            }
            let next = at.join(&part);
            match &self.entry(&next)?.kind {
                Kind::Link(target) => {
                    hops += 1;
                    if hops > MOST_LINKS {
                        return None;
                    }
                    rest.extend(reversed(target));
                    if target.starts_with('/') {
                        at = HostPath::fixed("/");
                    }
                }
                _ => at = next,
            }
        }
        Some(at)
    }

    /// Where a directory is when links that root made are gone along, as reading verbs do.
    fn directory(&self, path: &HostPath) -> HostResult<HostPath> {
        let refused = |at: &HostPath, found, expected| HostError::Kind {
            path: at.clone(),
            found,
            expected,
        };
        let mut links = 0;
        let mut at = HostPath::fixed("/");
        let mut rest = reversed(path.as_str());
        while let Some(part) = rest.pop() {
            if part == ".." {
                at = at.parent();
                continue;
            }
            let next = at.join(&part);
            let missing = || HostError::Missing { path: next.clone() };
            let entry = self.entry(&next).ok_or_else(missing)?;
            match &entry.kind {
                Kind::Directory => at = next,
                Kind::Link(target) if entry.owner.uid == 0 => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(refused(path, "a symbolic link", "a plain path"));
                    }
                    if target.starts_with('/') {
                        at = HostPath::fixed("/");
                    }
                    rest.extend(reversed(target));
                }
                other => return Err(refused(&next, other.word(), "a directory")),
            }
        }
        Ok(at)
    }

    /// The same path with its directory as reading verbs find it.
    fn found(&self, path: &HostPath) -> HostResult<HostPath> {
        let directory = self.directory(&path.parent())?;
        Ok(match path.as_str() {
            "/" => directory,
            _ => directory.join(path.name()),
        })
    }

    /// Checks that only root can change what is in every directory above a path, none of them being a link.
    pub fn check_above(&self, path: &HostPath) -> HostResult<()> {
        let mut at = HostPath::fixed("/");
        let above = path.parent();
        for part in above.as_str().split('/').filter(|part| !part.is_empty()) {
            at = at.join(part);
            self.check_directory(&at)?;
        }
        Ok(())
    }

    fn check_directory(&self, at: &HostPath) -> HostResult<()> {
        let Some(entry) = self.entry(at) else {
            return Err(HostError::Missing { path: at.clone() });
        };
        if entry.kind != Kind::Directory {
            return Err(not_a(at, &entry.kind, "a directory"));
        }
        if entry.owner.uid != 0 || entry.mode.0 & 0o002 != 0 {
            return Err(HostError::Kind {
                path: at.clone(),
                found: UNTRUSTED,
                expected: "one that only root can change",
            });
        }
        Ok(())
    }

    /// See [`crate::host::Host::stat`].
    pub fn stat(&self, path: &HostPath) -> HostResult<Option<Meta>> {
        let path = match self.found(path) {
            Err(HostError::Missing { .. }) => return Ok(None),
            answer => answer?,
        };
        Ok(self.entry(&path).map(|entry| Meta {
            node: node_of(&entry.kind),
            owner: entry.owner,
            mode: match entry.kind {
                Kind::Link(_) => Mode(0o777),
                _ => entry.mode,
            },
        }))
    }

    /// See [`crate::host::Host::read`].
    pub fn read(&self, path: &HostPath, limit: usize) -> HostResult<Vec<u8>> {
        let path = &self.found(path)?;
        let missing = || HostError::Missing { path: path.clone() };
        match &self.entry(path).ok_or_else(missing)?.kind {
            Kind::File(bytes) if bytes.0.len() <= limit => Ok(bytes.0.clone()),
            Kind::File(_) => Err(HostError::Io {
                doing: "reading",
                path: path.clone(),
                source: std::io::ErrorKind::FileTooLarge.into(),
            }),
            other => Err(not_a(path, other, "a file")),
        }
    }

    /// See [`crate::host::Host::list`].
    pub fn list(&self, path: &HostPath) -> HostResult<Vec<String>> {
        match self.directory(path) {
            Err(HostError::Missing { .. }) => Ok(Vec::new()),
            answer => Ok(self.names(&answer?)),
        }
    }

    /// Puts a file or link in place of a file or link.
    pub fn replace(
        &mut self,
        path: &HostPath,
        kind: Kind,
        owner: Owner,
        mode: Mode,
    ) -> HostResult<()> {
        self.check_above(path)?;
        if self.entry(path).map(|entry| &entry.kind) == Some(&Kind::Directory) {
            return Err(not_a(path, &Kind::Directory, "a file"));
        }
        self.0.insert(path.clone(), Entry { kind, owner, mode });
        Ok(())
    }

    /// See [`crate::host::Host::make_dir`].
    pub fn make_dir(&mut self, path: &HostPath, owner: Owner, mode: Mode) -> HostResult<()> {
        self.check_above(path)?;
        let kind = Kind::Directory;
        match self.entry(path).map(|entry| &entry.kind) {
            None | Some(Kind::Directory) => {
                self.0.insert(path.clone(), Entry { kind, owner, mode });
                Ok(())
            }
            Some(other) => Err(not_a(path, other, "a directory")),
        }
    }

    /// See [`crate::host::Host::rename`].
    pub fn rename(&mut self, from: &HostPath, to: &HostPath) -> HostResult<()> {
        self.check_above(from)?;
        self.check_above(to)?;
        if let Some(there) = self.entry(to) {
            return Err(not_a(to, &there.kind, "a free name"));
        }
        if self.entry(from).is_none() {
            return Err(HostError::Missing { path: from.clone() });
        }
        if from.contains(to) {
            return Err(HostError::Io {
                doing: "moving",
                path: from.clone(),
                source: std::io::ErrorKind::InvalidInput.into(),
            });
        }
        let moved: Vec<HostPath> = self
            .0
            .keys()
            .filter(|at| from.contains(at))
            .cloned()
            .collect();
        for at in moved {
            let suffix = at.as_str().strip_prefix(from.as_str()).unwrap_or_default();
            let target = HostPath::parse(&format!("{to}{suffix}"));
            if let (Some(entry), Ok(target)) = (self.0.remove(&at), target) {
                self.0.insert(target, entry);
            }
        }
        Ok(())
    }

    /// See [`crate::host::Host::remove`].
    pub fn remove(&mut self, path: &HostPath) -> HostResult<()> {
        match self.check_above(path) {
            Err(HostError::Missing { .. }) => return Ok(()),
            answer => answer?,
        }
        let full = self.entry(path).map(|entry| &entry.kind) == Some(&Kind::Directory)
            && !self.names(path).is_empty();
        if full {
            return Err(HostError::NotEmpty { path: path.clone() });
        }
        self.0.remove(path);
        Ok(())
    }

    /// See [`crate::host::Host::set_meta`].
    pub fn set_meta(&mut self, path: &HostPath, owner: Owner, mode: Mode) -> HostResult<()> {
        self.check_above(path)?;
        let missing = || HostError::Missing { path: path.clone() };
        let entry = self.0.get_mut(path).ok_or_else(missing)?;
        if matches!(entry.kind, Kind::Link(_)) {
            return Err(not_a(path, &entry.kind, "a file or a directory"));
        }
        entry.owner = owner;
        entry.mode = mode;
        Ok(())
    }
}

/// True where `at` sorts behind everything below `path`: `/a-b` sorts between `/a` and `/a/c`.
fn past(path: &HostPath, at: &HostPath) -> bool {
    !at.as_str().starts_with(path.as_str())
}

fn node_of(kind: &Kind) -> Node {
    match kind {
        Kind::File(bytes) => Node::File {
            size: u64::try_from(bytes.0.len()).unwrap_or(u64::MAX),
        },
        Kind::Directory => Node::Directory,
        Kind::Link(target) => Node::Link {
            target: target.clone(),
        },
        Kind::Socket => Node::Other,
    }
}

fn not_a(path: &HostPath, found: &Kind, expected: &'static str) -> HostError {
    HostError::Kind {
        path: path.clone(),
        found: found.word(),
        expected,
    }
}
