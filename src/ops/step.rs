//! The closed list of things a plan can do to a host. A step is data: it can be printed, hashed, stored and read back.
//!
//! Invariant: a step says exactly what it does; the executor has no choices left.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::domain::database::{DatabaseHash, DatabaseName, DatabaseUser};
use crate::domain::database_access::Terms;
use crate::domain::database_job::ImportId;
use crate::domain::facts::ServiceManager;
use crate::domain::id::SiteId;
use crate::domain::name::{Hostname, UnixName};
use crate::domain::path::HostPath;
use crate::domain::php::PhpVersion;
use crate::domain::wordpress::ArchiveDigest;
use crate::host::job::{Job, SiteTree};
use crate::host::{Mode, Owner};
use crate::ops::panel_step::PanelStep;
use crate::ops::php_trial::Trial;
pub use crate::ops::step_detail::{
    Expectation, Granting, LoginEdit, LoginMove, ServiceAct, User, When, WordpressAddress,
    WordpressInstall,
};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Put a whole file in place.
    WriteFile {
        /// Where.
        path: HostPath,
        /// All of it.
        text: String,
        /// Who owns it.
        owner: Owner,
        /// Its permission bits.
        mode: Mode,
    },
    /// Give a file its owner and its mode; what is in it stays.
    GiveFile {
        /// Which.
        path: HostPath,
        /// Who owns it.
        owner: Owner,
        /// Its permission bits.
        mode: Mode,
    },
    /// Remove one file or link.
    RemoveFile {
        /// Which.
        path: HostPath,
    },
    /// Make a directory whose ancestors all belong to root.
    MakeDirectory {
        /// Where.
        path: HostPath,
        /// Who owns it.
        owner: Owner,
        /// Its permission bits.
        mode: Mode,
    },
    /// Make a directory that the site owns, directly in the site's root-owned base.
    MakeSiteDirectory {
        /// Whose.
        site: SiteId,
        /// The site's base.
        base: HostPath,
        /// One component.
        name: String,
        /// The group that may read it.
        gid: u32,
        /// Its permission bits.
        mode: Mode,
    },
    /// Make a symbolic link.
    Link {
        /// Where it points.
        target: String,
        /// Where it is.
        path: HostPath,
    },
    /// Answer for a file that something started later will make: it goes when the plan is undone, unless it was there before.
    Claim {
        /// Where it will be.
        path: HostPath,
    },
    /// Make the panel's key and a certificate signed by itself, where there are none.
    PanelCertificate {
        /// The panel's name.
        name: String,
        /// The addresses of this machine.
        addresses: Vec<IpAddr>,
    },
    /// Make a key and a certificate that signs itself, unless they are there.
    MakePlaceholder {
        /// The directory of the pair.
        pair: HostPath,
        /// For this name.
        hostname: Hostname,
    },
    /// Shake hands as a visitor does, and see that the certificate shown is this one.
    ConfirmCertificate {
        /// For this name.
        hostname: Hostname,
        /// The directory of the pair.
        pair: HostPath,
    },
    /// Do something about the panel's own settings or its address.
    Panel(PanelStep),
    /// Put this program where units expect it.
    PlaceProgram {
        /// Where it is now.
        from: HostPath,
    },
    /// Move something within one file system; a place that does not exist any more counts as moved.
    Move {
        /// From here.
        from: HostPath,
        /// To here.
        to: HostPath,
    },
    /// Make a user with a group of the same name and number.
    CreateUser(User),
    /// End what runs as a user and give it another home; one whose home somebody chose keeps it.
    MoveHome {
        /// Who.
        name: UnixName,
        /// From this home.
        from: HostPath,
        /// To this one; nothing is moved by this.
        to: HostPath,
    },
    /// End what runs as a user and remove it with its group.
    DeleteUser(User),
    /// Copy the files of one site into the empty tree of another, each read and written by its own site.
    CopyFiles {
        /// Whose files.
        from: SiteTree,
        /// Who gets a copy.
        to: SiteTree,
    },
    /// Have the site's worker do something in its tree.
    Job(Job),
    /// Act on a service.
    Service {
        /// Who starts and stops services here.
        services: ServiceManager,
        /// Its name: a unit without suffix where it is a `.service`.
        unit: String,
        /// What to do.
        act: ServiceAct,
    },
    /// Have systemd read its unit files again.
    ReloadUnits {
        /// When.
        when: When,
    },
    /// Write this operation's id where nginx will say it aloud once it has read it.
    StampNginx {},
    /// Let nginx test its whole configuration, together with a file that is not linked yet.
    CheckNginx {
        /// That file.
        with: Option<HostPath>,
    },
    /// Let nginx test its whole configuration, with a text in place of one of its files.
    TestNginx {
        /// The link through which nginx reads the file now.
        link: HostPath,
        /// What the file would be.
        text: String,
        /// The site's own directives as they would be, where they change.
        #[serde(default)]
        snippet: Option<String>,
    },
    /// Have nginx read its configuration and wait until it answers with the marker that is on disk.
    ReloadNginx {
        /// Who starts and stops services here.
        services: ServiceManager,
        /// When.
        when: When,
    },
    /// Wait until PHP-FPM answers a ping at this socket.
    PingPhp {
        /// Where.
        socket: HostPath,
    },
    /// Start a PHP-FPM under systemd.
    StartPhp {
        /// Its unit.
        unit: String,
        /// Its version.
        php: PhpVersion,
    },
    /// Wait until no request is in a pool any more.
    DrainPhp {
        /// Where it listens.
        socket: HostPath,
    },
    /// Ask two PHP versions for a site's home page; a worse answer of the new one ends the operation.
    TryPhp(Trial),
    /// See how a site's home page answers now.
    LookAtHome {
        /// Whose.
        hostname: Hostname,
    },
    /// See whether it answers worse than when it was looked at.
    CompareHome {
        /// Whose.
        hostname: Hostname,
    },
    /// Ask nginx for the site's first page, as a visitor would.
    ProbeSite {
        /// Whose.
        hostname: Hostname,
        /// What to expect.
        expect: Expectation,
    },
    /// Install packages and all they need.
    InstallPackages {
        /// Their names.
        names: Vec<String>,
    },
    /// Remove packages; their settings in `/etc` stay.
    RemovePackages {
        /// Their names.
        names: Vec<String>,
    },
    /// Wait until no other program installs packages.
    AwaitPackages {},
    /// Have apt fetch the lists of packages.
    RefreshPackageLists {},
    /// Have apt fetch the list of one source, and check who signed it.
    FetchSource {
        /// The file that names it.
        path: HostPath,
    },
    /// Finish packages that were left half-configured.
    FinishPackages {},
    /// Run statements as MariaDB's root; they must be safe to run twice.
    Sql {
        /// One by one.
        statements: Vec<String>,
    },
    /// Make a database.
    CreateDatabase {
        /// Which.
        name: DatabaseName,
    },
    /// Make a user that may use one database and do nothing elsewhere.
    CreateDatabaseUser {
        /// Who.
        user: DatabaseUser,
        /// The hash of its password.
        hash: DatabaseHash,
        /// The database.
        name: DatabaseName,
        /// On which terms.
        #[serde(default, skip_serializing_if = "Terms::are_usual")]
        terms: Terms,
    },
    /// Give a database user the rights it should have, and take all others.
    GrantDatabaseUser(Box<Granting>),
    /// Remove a database user with all its grants.
    DropDatabaseUser {
        /// Who.
        user: DatabaseUser,
    },
    /// Give a database user another password.
    SetDatabasePassword {
        /// Who.
        user: DatabaseUser,
        /// The hash of the password.
        hash: DatabaseHash,
    },
    /// Have the site's worker unpack WordPress into its files.
    UnpackWordpress {
        /// Whose.
        site: SiteId,
        /// The site's base.
        base: HostPath,
        /// Which archive.
        archive: ArchiveDigest,
    },
    /// Make a database user, its password and secret keys, and have the site's worker write them into `wp-config.php`.
    ConfigureWordpress {
        /// Whose.
        site: SiteId,
        /// The site's base.
        base: HostPath,
        /// Its name.
        hostname: Hostname,
        /// The database; the user has the same name.
        database: DatabaseName,
    },
    /// Run WordPress's installer.
    InstallWordpress(Box<WordpressInstall>),
    /// Put the tables that were loaded from a dump in the place of those of a database.
    SwapDatabase {
        /// Which.
        name: DatabaseName,
        /// The number of the import.
        import: ImportId,
    },
    /// Make a password for a database user, and have the site's worker write it into a file of the site's.
    EditLogin(Box<LoginEdit>),
    /// Copy what is in a database into an empty one.
    CopyDatabase {
        /// From here.
        from: DatabaseName,
        /// To here.
        to: DatabaseName,
    },
    /// Make a user for a database and a password, and have the site's worker write the way into it into files of the site's.
    MoveLogin(Box<LoginMove>),
    /// Tell a WordPress in a database which address it has.
    SetWordpressAddress(WordpressAddress),
    /// Keep a database user from signing in, or let it.
    LockDatabaseUser {
        /// Who.
        user: DatabaseUser,
        /// True to keep it out.
        locked: bool,
    },
}
