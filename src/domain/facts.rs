//! What planners are told about the machine, looked up once before planning.
//!
//! Invariant: a plan is a pure function of (change, state, facts); same facts, same plan.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::domain::archive::FetchedArchive;
use crate::domain::database::{DatabaseFacts, DatabaseName, DatabaseUser};
use crate::domain::id::SiteId;
use crate::domain::name::Hostname;
use crate::domain::path::{HostPath, SitePath};
use crate::domain::php::PhpVersion;
use crate::domain::tree_size::TreeSize;
use crate::domain::wordpress::TablePrefix;

/// Who starts and stops services here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceManager {
    /// systemd is PID 1.
    Systemd,
    /// The distribution's init scripts.
    Sysv,
}

/// What nginx on this machine can do, found by looking and never by version numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abilities {
    /// The kernel has IPv6.
    pub ipv6: bool,
    /// The module for brotli is loaded.
    pub brotli: bool,
    /// The sites of one PHP version share its PHP-FPM: systemd is absent.
    pub shared_php: bool,
}

/// How nginx speaks HTTP/2 here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Http2 {
    /// Not at all, as far as can be seen.
    #[default]
    No,
    /// By a word behind `listen`, for a whole port (before 1.25.1).
    Listen,
    /// By a directive, for each server.
    Directive,
}

/// What a first site with TLS needs to know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFacts {
    /// How nginx speaks HTTP/2.
    pub http2: Http2,
    /// nginx was built with its module for HTTP/3.
    #[serde(default)]
    pub http3: bool,
    /// Our sites that speak HTTP/3.
    #[serde(default)]
    pub http3_sites: Vec<SiteId>,
    /// The file of somebody else's server that listens on UDP port 443.
    #[serde(default)]
    pub http3_others: Option<HostPath>,
    /// What the file for port 443 says now.
    pub globals: Option<String>,
    /// What the file that every server with TLS includes says now.
    pub include: Option<String>,
    /// A server of somebody else listens on port 443 of IPv4, and so answers unknown names there.
    pub others: bool,
    /// The same for IPv6.
    pub others_v6: bool,
    /// Another program than nginx that has the port; looked for only while nothing of ours listens there.
    pub held_by: Option<String>,
}

/// The facts a change to a site is planned on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Who starts and stops services.
    pub services: ServiceManager,
    /// The names and addresses of the panel itself: never a site.
    pub panel_names: Vec<Hostname>,
    /// The addresses of this machine.
    pub addresses: Vec<IpAddr>,
    /// PHP versions whose FPM is installed, oldest first.
    pub php: Vec<PhpVersion>,
    /// Names that nginx files of others serve, and which file.
    pub foreign_names: BTreeMap<Hostname, HostPath>,
    /// The first line of what nginx finds wrong with its configuration now.
    pub nginx_complaint: Option<String>,
    /// What nginx can do here.
    pub nginx: Abilities,
    /// What nginx serves on port 443.
    pub tls: TlsFacts,
    /// Bytes of memory of this machine; 0 where it does not tell.
    pub memory: u64,
    /// Whether nginx runs.
    pub nginx_running: bool,
    /// Group of nginx's workers (`www-data`).
    pub web_gid: u32,
    /// Group that may read logs (`adm`).
    pub log_gid: u32,
    /// The lowest site number whose Unix id is free on this host and above all used ones.
    pub free_site: SiteId,
    /// Who has the numbers that are kept for users of sites: users and groups.
    pub numbers: BTreeMap<u32, String>,
    /// Paths the change would make and that something else already occupies.
    pub occupied: Vec<HostPath>,
    /// Bytes free where sites live and where the journal is, whichever is less.
    pub disk_free: u64,
    /// What MariaDB holds; none where the change has nothing to do with it.
    pub databases: Option<DatabaseFacts>,
    /// The archive of WordPress that was fetched; none where the change has nothing to do with it.
    #[serde(default)]
    pub archive: Option<FetchedArchive>,
}

/// What is known of files before they are copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyFacts {
    /// How much it is.
    pub size: TreeSize,
    /// Bytes that are free where it goes.
    pub free: u64,
    /// Inodes that are free there.
    pub inodes: u64,
    /// The databases that are copied as well; none where nobody asked for it.
    #[serde(default)]
    pub databases: Vec<DatabaseCopy>,
    /// Bytes that are free where MariaDB keeps its data; looked up where a database is copied.
    #[serde(default)]
    pub database_room: u64,
}

/// What is known of a database before it is copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseCopy {
    /// Which.
    pub name: DatabaseName,
    /// Who may use it.
    pub users: Vec<DatabaseUser>,
    /// How many tables it has.
    pub tables: usize,
    /// Bytes on the disk.
    pub bytes: u64,
    /// What a copy cannot bring along: `view sold`.
    pub besides: Vec<String>,
    /// Tables that know no transactions.
    pub unsafe_tables: Vec<String>,
    /// The files of the site that name it.
    pub files: Vec<SitePath>,
    /// The beginning of WordPress's tables, where a file says so and they are there.
    pub wordpress: Option<TablePrefix>,
}
