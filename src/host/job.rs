//! The closed list of acts inside a site's tree. Each is done by `worker` with the site's uid, never by root.
//!
//! Invariant: a job names a site by its number and a base directory owned by root; below it only relative, plain paths.

use serde::{Deserialize, Serialize};

use crate::domain::database::DatabaseName;
use crate::domain::id::SiteId;
use crate::domain::path::{HostPath, SitePath};
use crate::domain::secret::Password;
use crate::domain::site_login::{LoginFile, SiteLogin};
use crate::domain::tree_size::TreeSize;

/// One act in a site's tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Whose uid and gid it runs with.
    pub site: SiteId,
    /// The site's directory: `/var/www/H`, or its place in the graveyard.
    pub base: HostPath,
    /// What to do.
    pub act: Act,
}

impl Job {
    /// An act in a site's tree.
    #[must_use]
    pub fn new(site: SiteId, base: &HostPath, act: Act) -> Self {
        let base = base.clone();
        Self { site, base, act }
    }
}

/// What a worker can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// Make a file that must not exist yet, mode 0640. One that exists is left as it is (`created: false`).
    PutFile {
        /// Where, below the base.
        path: SitePath,
        /// Its text.
        text: String,
    },
    /// Make a file that must not exist yet and that the site alone can read, mode 0600.
    PutSecret {
        /// Where, below the base.
        path: SitePath,
        /// Its text.
        text: String,
    },
    /// Unpack an archive into a directory of the site's; nothing in there is written over.
    Unpack {
        /// The archive: a file of root's, which the worker is handed open.
        archive: HostPath,
        /// Where to, below the base.
        path: SitePath,
    },
    /// Remove one regular file of the site's. Nothing there is fine.
    RemoveFile {
        /// Where, below the base.
        path: SitePath,
    },
    /// Make a directory of the site's, mode 0700. One that exists is fine.
    MakeDirectory {
        /// Where, below the base.
        path: SitePath,
    },
    /// Empty a directory of the site's: everything below it, links as links, no other file system entered.
    Empty {
        /// Where, below the base.
        path: SitePath,
    },
    /// Count what a copy of a directory would bring along. Nothing is changed.
    Measure {
        /// Where, below the base.
        path: SitePath,
    },
    /// Say which of these files of the site's hold a way into a database. Nothing is changed.
    FindLogin {
        /// Where to look, below the base.
        paths: Vec<SitePath>,
        /// What for.
        login: SiteLogin,
    },
    /// Put another password into such a file, and keep the file as it was in a directory of the site's.
    EditLogin {
        /// Which, below the base.
        path: SitePath,
        /// Where the former one is kept; one that is there already stays.
        kept: SitePath,
        /// What it has to say still.
        login: SiteLogin,
        /// The new password.
        password: Password,
    },
    /// Put the way into another database into such a file.
    MoveLogin {
        /// Which, below the base.
        path: SitePath,
        /// What it says now.
        login: SiteLogin,
        /// The other database; its user has the same name.
        to: DatabaseName,
        /// That user's password.
        password: Password,
    },
    /// Put back a file that was kept. Where none is, nothing was changed.
    PutBack {
        /// Where it goes.
        path: SitePath,
        /// Where it is.
        kept: SitePath,
    },
    /// One end of a `TreeCopy`: send what is below a directory into the pipe that the worker is handed open.
    Send {
        /// Where, below the base.
        path: SitePath,
    },
    /// The other end: make what comes out of the pipe, below a directory, where nothing of it is yet.
    Receive {
        /// Where to, below the base.
        path: SitePath,
        /// No more bytes of files than these.
        bytes: u64,
        /// No more files, directories and links than these.
        things: u64,
    },
}

/// A site's number and the directory above its tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteTree {
    /// Whose uid and gid act in it.
    pub site: SiteId,
    /// Owned by root.
    pub base: HostPath,
}

/// A copy of what is below a directory of one site into the same directory of another: two workers, each with the rights of its own
/// site alone, and a pipe between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeCopy {
    /// Who reads.
    pub from: SiteTree,
    /// Who writes.
    pub to: SiteTree,
    /// Where, below both bases.
    pub path: SitePath,
    /// No more bytes of files than these.
    pub bytes: u64,
    /// No more files, directories and links than these.
    pub things: u64,
}

impl TreeCopy {
    /// What the worker of the one site does.
    #[must_use]
    pub fn sending(&self) -> Job {
        let path = self.path.clone();
        Job::new(self.from.site, &self.from.base, Act::Send { path })
    }

    /// What the worker of the other site does.
    #[must_use]
    pub fn receiving(&self) -> Job {
        let act = Act::Receive {
            path: self.path.clone(),
            bytes: self.bytes,
            things: self.things,
        };
        Job::new(self.to.site, &self.to.base, act)
    }
}

/// What a worker reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum JobResult {
    /// Done.
    Done {
        /// Files made or removed.
        files: u64,
        /// Whether the file was made by this job.
        created: bool,
    },
    /// Counted, or copied.
    Counted(TreeSize),
    /// What was found in files.
    Logins(Vec<LoginFile>),
    /// Refused or failed; nothing more was done after this.
    Failed {
        /// What was met: `a symbolic link`, `no space is left`.
        reason: String,
        /// True where the disk was full.
        disk_full: bool,
    },
}
