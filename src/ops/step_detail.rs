//! What steps are made of beside their own fields: a user, an act on a service, what a probe accepts.
//!
//! Invariant: data alone; it is journaled as it stands here, so a field that is renamed needs a migration.

use serde::{Deserialize, Serialize};

use crate::domain::database::{DatabaseName, DatabaseUser};
use crate::domain::database_access::Terms;
use crate::domain::id::SiteId;
use crate::domain::name::{Hostname, UnixName};
use crate::domain::path::{HostPath, SitePath};
use crate::domain::site_login::SiteLogin;
use crate::domain::wordpress::{NewWordpress, TablePrefix};

/// A WordPress that is unpacked and configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordpressInstall {
    /// The site.
    pub hostname: Hostname,
    /// Where its PHP listens.
    pub socket: HostPath,
    /// Where its files are.
    pub document_root: HostPath,
    /// Its database.
    pub database: DatabaseName,
    /// What was asked for.
    pub new: NewWordpress,
}

/// A file of a site that gets another password; the password is made when this is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginEdit {
    /// Whose.
    pub site: SiteId,
    /// The site's base.
    pub base: HostPath,
    /// Which file, below the base.
    pub path: SitePath,
    /// The database it has to name.
    pub database: DatabaseName,
    /// The user whose password it is.
    pub user: DatabaseUser,
}

/// Files of a site that get the way into another database; its user and the password are made when this is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginMove {
    /// Whose.
    pub site: SiteId,
    /// The site's base.
    pub base: HostPath,
    /// Which files, below the base.
    pub paths: Vec<SitePath>,
    /// What they say now.
    pub from: SiteLogin,
    /// The database; its user has the same name.
    pub to: DatabaseName,
}

/// The address that a WordPress in a database gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordpressAddress {
    /// Where it is.
    pub database: DatabaseName,
    /// What the names of its tables begin with.
    pub prefix: TablePrefix,
    /// The address.
    pub hostname: Hostname,
}

/// What a database user shall be allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granting {
    /// Who.
    pub user: DatabaseUser,
    /// In which database.
    pub name: DatabaseName,
    /// On which terms.
    pub terms: Terms,
    /// What that comes to, as it is shown.
    pub statements: Vec<String>,
}

/// A user to make or to remove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Its name.
    pub name: UnixName,
    /// Its user and group number; none lets the system choose one of the system range.
    pub id: Option<u32>,
    /// Its home; never created by this.
    pub home: HostPath,
}

/// What can be done to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceAct {
    /// Start now and at every boot.
    EnableNow,
    /// Stop now and not at boot.
    DisableNow,
    /// Stop and forbid to start, also for package upgrades.
    Mask,
    /// Forbid to start what is not there yet.
    Forbid,
    /// Allow to start again.
    Unmask,
    /// Stop now what this plan itself started. Undoing the start is enough: this one is not undone.
    Retire,
    /// Start now.
    Start,
    /// Stop now.
    Stop,
    /// Stop and start.
    Restart,
    /// Stop and start. Taken back by the steps before it, which say how it was and that it is restarted.
    Renew,
    /// Read the configuration again.
    Reload,
    /// Nothing now; when the plan is undone, read the configuration again.
    ReloadOnUndo,
    /// Nothing now; when the plan is undone, stop and start it where it runs.
    RestartOnUndo,
}

/// On which way a step acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// On the way forward.
    Forward,
    /// Only when the plan is undone: stands before the files it will read again.
    Undoing,
}

/// What a probe accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// Status 200: a new site's own first page.
    Welcome,
    /// Any answer of the site, even an error of its own; not 502, 503 or 504, and not silence.
    Answer,
    /// Any answer at all: a closed site says 503, and the application behind a proxy may be off.
    Anything,
}
