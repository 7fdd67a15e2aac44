//! How to take a step back: what was found before it acted.
//!
//! Invariant: an undo is captured by looking, never assumed; what existed before is never deleted by it.

use serde::{Deserialize, Serialize};

use crate::domain::database::{DatabaseHash, DatabaseName, DatabaseUser};
use crate::domain::database_job::{ImportId, JobUser};
use crate::domain::facts::ServiceManager;
use crate::domain::id::SiteId;
use crate::domain::name::UnixName;
use crate::domain::panel_setting::PanelSetting;
use crate::domain::path::HostPath;
use crate::host::job::Job;
use crate::host::{Host, HostError, HostResult, Meta, Mode, Node, Owner};
use crate::ops::step::User;

/// Files larger than this are not configuration, and no plan replaces them.
const KEEP_LIMIT: usize = 4 * 1024 * 1024;

/// What was at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Before {
    /// Nothing.
    Absent,
    /// A file.
    File {
        /// Its bytes, as hexadecimal: they need not be text.
        #[serde(with = "hexadecimal")]
        bytes: Vec<u8>,
        /// Who owned it.
        owner: Owner,
        /// Its permission bits.
        mode: Mode,
    },
    /// A file whose content does not change.
    Meta {
        /// Who owned it.
        owner: Owner,
        /// Its permission bits.
        mode: Mode,
    },
    /// A link.
    Link {
        /// Where it pointed.
        target: String,
    },
    /// A directory.
    Directory {
        /// Who owned it.
        owner: Owner,
        /// Its permission bits.
        mode: Mode,
    },
}

/// How to take one step back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// The step changes nothing that stays.
    Nothing,
    /// Put back what was at a path.
    Restore {
        /// Where.
        path: HostPath,
        /// What was there.
        before: Before,
    },
    /// Empty a site's directory as the site, and remove it: it was not there before.
    RemoveSiteDirectory {
        /// Whose.
        site: SiteId,
        /// The site's base.
        base: HostPath,
        /// One component.
        name: String,
    },
    /// Move back.
    MoveBack {
        /// Where it is now.
        from: HostPath,
        /// Where it was.
        to: HostPath,
    },
    /// Remove a user that was not there before.
    DeleteUser(User),
    /// Make a user again that was there before.
    CreateUser(User),
    /// Give a user its home back.
    MoveHome {
        /// Who.
        name: UnixName,
        /// From this home.
        from: HostPath,
        /// To this one.
        to: HostPath,
    },
    /// Do another job in the site's tree.
    Job(Job),
    /// Bring a service back to how it was found.
    Service {
        /// Who starts and stops services here.
        services: ServiceManager,
        /// Which.
        unit: String,
        /// As it was.
        was: ServiceState,
    },
    /// Have a service read its configuration again.
    ReloadService {
        /// Who starts and stops services here.
        services: ServiceManager,
        /// Which.
        unit: String,
    },
    /// Have systemd read its units again.
    ReloadUnits,
    /// Have nginx read its configuration again, where it runs.
    ReloadNginx {
        /// Who starts and stops services here.
        services: ServiceManager,
    },
    /// Stop and start a service where it runs.
    RestartService {
        /// Who starts and stops services here.
        services: ServiceManager,
        /// Which.
        unit: String,
    },
    /// Remove packages that were not there before.
    RemovePackages {
        /// What apt said it would add.
        names: Vec<String>,
    },
    /// Install packages again that were there before.
    InstallPackages {
        /// Those that were there.
        names: Vec<String>,
    },
    /// Drop a database that was not there before.
    DropDatabase {
        /// Which.
        name: DatabaseName,
    },
    /// Remove a database user that was not there before.
    DropDatabaseUser {
        /// Who.
        user: DatabaseUser,
    },
    /// Remove users that lived for a step alone.
    DropJobUsers {
        /// Who; most are gone already.
        users: Vec<JobUser>,
    },
    /// Make a database user again that was there before.
    CreateDatabaseUser {
        /// Who.
        user: DatabaseUser,
        /// The hash of its password.
        hash: DatabaseHash,
        /// Whether it was kept out.
        locked: bool,
        /// What it was granted.
        grants: Vec<String>,
    },
    /// Give a database user the rights it had, and no others.
    GrantDatabaseUser {
        /// Who.
        user: DatabaseUser,
        /// What it was granted.
        grants: Vec<String>,
    },
    /// Give a database user its old password.
    SetDatabasePassword {
        /// Who.
        user: DatabaseUser,
        /// The hash of it.
        hash: DatabaseHash,
    },
    /// Keep a database user out, or let it in, as it was.
    LockDatabaseUser {
        /// Who.
        user: DatabaseUser,
        /// Whether it was kept out.
        locked: bool,
    },
    /// Put the former tables of a database back in their place.
    SwapDatabaseBack {
        /// Which.
        name: DatabaseName,
        /// The number of the import.
        import: ImportId,
        /// The tables that it brought.
        tables: Vec<String>,
    },
    /// Give settings of the panel their former values.
    SetConfig {
        /// Which, as they were.
        values: Vec<PanelSetting>,
    },
    /// Several, one after the other.
    All {
        /// In the order in which they are done.
        undos: Vec<Undo>,
    },
}

/// A service as it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceState {
    /// It ran.
    pub active: bool,
    /// It starts at boot.
    pub enabled: bool,
    /// It was forbidden to start.
    pub masked: bool,
}

impl Undo {
    /// Puts back who owns what is at a path, and leaves what is in it.
    pub fn of_meta(host: &dyn Host, path: &HostPath) -> HostResult<Self> {
        match host.stat(path)? {
            Some(Meta { owner, mode, .. }) => Ok(Self::Restore {
                path: path.clone(),
                before: Before::Meta { owner, mode },
            }),
            None => Err(HostError::Missing { path: path.clone() }),
        }
    }
}

impl Before {
    /// Looks what is at a path.
    pub fn look(host: &dyn Host, path: &HostPath) -> HostResult<Self> {
        let Some(Meta { node, owner, mode }) = host.stat(path)? else {
            return Ok(Self::Absent);
        };
        match node {
            Node::File { .. } => Ok(Self::File {
                bytes: host.read(path, KEEP_LIMIT)?,
                owner,
                mode,
            }),
            Node::Link { target } => Ok(Self::Link { target }),
            Node::Directory => Ok(Self::Directory { owner, mode }),
            Node::Other => Err(HostError::Kind {
                path: path.clone(),
                found: "a device or a socket",
                expected: "a file",
            }),
        }
    }

    /// Brings the path back to this. Safe to run twice.
    pub fn restore(&self, host: &dyn Host, path: &HostPath) -> HostResult<()> {
        match self {
            Self::Absent => host.remove(path),
            Self::File { bytes, owner, mode } => host.write(path, bytes, *owner, *mode),
            Self::Meta { owner, mode } => host.set_meta(path, *owner, *mode),
            Self::Link { target } => host.link(target, path),
            Self::Directory { owner, mode } => host.make_dir(path, *owner, *mode),
        }
    }
}

mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&crate::domain::secret::hex(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        let mut bytes = Vec::with_capacity(text.len() / 2);
        for start in (0..text.len()).step_by(2) {
            let pair = text
                .get(start..start + 2)
                .ok_or_else(|| serde::de::Error::custom("odd length"))?;
            bytes.push(u8::from_str_radix(pair, 16).map_err(serde::de::Error::custom)?);
        }
        Ok(bytes)
    }
}
