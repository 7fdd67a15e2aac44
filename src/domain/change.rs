//! The closed list of changes a person can ask for. Each becomes one plan and one operation.
//!
//! Invariant: a change holds parsed types only, so decoding it is validating it.

use serde::{Deserialize, Serialize};

use crate::domain::certificate::{Fingerprint, Source};
use crate::domain::database::{DatabaseHash, DatabaseName};
use crate::domain::database_access::DatabaseAccess;
use crate::domain::database_job::ImportId;
use crate::domain::id::SiteId;
use crate::domain::name::Hostname;
use crate::domain::nginx_text::Snippet;
use crate::domain::panel_setting::{PanelSetting, TrialVerb};
use crate::domain::php::PhpVersion;
use crate::domain::php_extension::PhpExtension;
use crate::domain::service::{Service, ServiceVerb};
use crate::domain::setting::Assignment;
use crate::domain::site::NewSite;
use crate::domain::visitor::{VisitorHash, VisitorName};

/// What becomes of owned files that somebody changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftChoice {
    /// What was added to the nginx file becomes the site's own directives.
    Keep,
    /// Lala's text is put back.
    Restore,
    /// They stay, and are not mentioned again until they change again.
    Leave,
}

/// What becomes of the name that a site had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OldName {
    /// Its visitors are sent to the new name, with the path they asked for.
    #[default]
    Redirect,
    /// The site answers to it as well.
    Alias,
    /// Nothing answers to it, and other sites may have it.
    Drop,
}

impl OldName {
    /// All, in the order people are shown.
    pub const ALL: [Self; 3] = [Self::Redirect, Self::Alias, Self::Drop];

    /// The word on the command line and in forms.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Redirect => "redirect",
            Self::Alias => "alias",
            Self::Drop => "drop",
        }
    }
}

/// A change to this server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// Make a site.
    SiteCreate(NewSite),
    /// Put a site back online.
    SiteEnable {
        /// Which.
        hostname: Hostname,
    },
    /// Take a site offline; nothing of it is deleted.
    SiteDisable {
        /// Which.
        hostname: Hostname,
    },
    /// Put back a site's log files that were deleted or given away, and have nginx write to them.
    SiteLogs {
        /// Which.
        hostname: Hostname,
    },
    /// Delete a site: to the trash, or with its files, user and logs at once.
    SiteDelete {
        /// Which.
        hostname: Hostname,
        /// True for good, past the trash.
        #[serde(default)]
        now: bool,
    },
    /// Put a site back from the trash.
    SiteRestore {
        /// Which.
        site: SiteId,
        /// The name it gets; its old one, where that is still free.
        hostname: Hostname,
    },
    /// Delete a site in the trash for good.
    SiteDiscard {
        /// Which.
        site: SiteId,
        /// The name it had.
        hostname: Hostname,
    },
    /// Give a site another hostname: its directories, its logs and its nginx file move with it.
    SiteRename {
        /// Which.
        hostname: Hostname,
        /// The name it gets.
        name: Hostname,
        /// What becomes of the one it had.
        #[serde(default)]
        old: OldName,
    },
    /// Make a site with the settings and a copy of the files of another.
    SiteClone {
        /// Which.
        hostname: Hostname,
        /// The name of the new site.
        name: Hostname,
        /// True where it gets copies of the databases as well.
        #[serde(default)]
        databases: bool,
    },
    /// Change settings of a site.
    SiteSet {
        /// Which.
        hostname: Hostname,
        /// The new values.
        values: Vec<Assignment>,
    },
    /// Let somebody pass the protected paths of a site, or nobody of that name any more.
    SiteVisitor {
        /// Which.
        hostname: Hostname,
        /// Who.
        name: VisitorName,
        /// The hash of the password; none removes the name.
        hash: Option<VisitorHash>,
    },
    /// Replace the site's own nginx directives.
    SiteSnippet {
        /// Which.
        hostname: Hostname,
        /// The directives; empty for none.
        text: Snippet,
    },
    /// Decide about owned files that somebody changed.
    SiteDrift {
        /// Which.
        hostname: Hostname,
        /// What becomes of them.
        choice: DriftChoice,
    },
    /// Forget the finished pages that nginx keeps of a site.
    SitePurge {
        /// Which.
        hostname: Hostname,
    },
    /// Have nginx show a certificate that was put down for a site.
    CertificateInstall {
        /// Whose.
        hostname: Hostname,
        /// Which: by this it was put down.
        fingerprint: Fingerprint,
        /// Where it came from.
        source: Source,
    },
    /// Take a site's certificate away.
    CertificateRemove {
        /// Whose.
        hostname: Hostname,
    },
    /// Have a site run by another PHP version.
    SitePhp {
        /// Which.
        hostname: Hostname,
        /// The new version.
        php: PhpVersion,
    },
    /// Install a PHP version.
    PhpInstall {
        /// Which.
        php: PhpVersion,
    },
    /// Remove a PHP version that no site uses.
    PhpRemove {
        /// Which.
        php: PhpVersion,
    },
    /// Install an extension of a PHP version.
    PhpExtensionInstall {
        /// Of which.
        php: PhpVersion,
        /// Which.
        extension: PhpExtension,
    },
    /// Remove an extension of a PHP version.
    PhpExtensionRemove {
        /// Of which.
        php: PhpVersion,
        /// Which.
        extension: PhpExtension,
    },
    /// Take PHP packages from the extra repository as well, or from the distribution alone.
    PhpRepository {
        /// Whether it shall be on.
        enabled: bool,
    },
    /// Change settings of the panel; a new address is tried first.
    PanelSet {
        /// The new values.
        values: Vec<PanelSetting>,
    },
    /// Decide about the panel's address that is being tried.
    PanelTrial {
        /// What becomes of it.
        verb: TrialVerb,
    },
    /// Start, stop or restart a service of this server.
    Service {
        /// Which.
        service: Service,
        /// What is done with it.
        verb: ServiceVerb,
    },
    /// Make a database with a user of its own.
    DatabaseCreate {
        /// Its name, and its user's.
        name: DatabaseName,
        /// The site it belongs to.
        #[serde(default)]
        hostname: Option<Hostname>,
        /// The hash of the user's password.
        hash: DatabaseHash,
    },
    /// Delete a database: to the trash, or with its users for good.
    DatabaseDelete {
        /// Which.
        name: DatabaseName,
        /// True for good, past the trash or out of it.
        #[serde(default)]
        now: bool,
    },
    /// Put a database back from the trash.
    DatabaseRestore {
        /// Which.
        name: DatabaseName,
    },
    /// Replace what is in a database by a dump that was loaded.
    DatabaseImport {
        /// Which.
        name: DatabaseName,
        /// The number that loading it answered.
        import: ImportId,
    },
    /// Give the user of a database a new password.
    DatabasePassword {
        /// Which.
        name: DatabaseName,
        /// The hash of the new password.
        hash: DatabaseHash,
    },
    /// Change who may do what in a database.
    DatabaseAccess(DatabaseAccess),
    /// Make a new password for a database, and write it into the file of its site.
    DatabaseSitePassword {
        /// Which.
        name: DatabaseName,
    },
}

impl Change {
    /// The site this change is about; none where it is about the server.
    #[must_use]
    pub fn hostname(&self) -> Option<&Hostname> {
        match self {
            Self::SiteCreate(site) => Some(&site.hostname),
            Self::SiteClone { name, .. } => Some(name),
            Self::SiteEnable { hostname }
            | Self::SiteDisable { hostname }
            | Self::SiteLogs { hostname }
            | Self::SiteDelete { hostname, .. }
            | Self::SiteRestore { hostname, .. }
            | Self::SiteDiscard { hostname, .. }
            | Self::SiteRename { hostname, .. }
            | Self::SiteSet { hostname, .. }
            | Self::SitePurge { hostname }
            | Self::SiteVisitor { hostname, .. }
            | Self::SiteSnippet { hostname, .. }
            | Self::SiteDrift { hostname, .. }
            | Self::CertificateInstall { hostname, .. }
            | Self::CertificateRemove { hostname }
            | Self::SitePhp { hostname, .. } => Some(hostname),
            Self::DatabaseCreate { hostname, .. } => hostname.as_ref(),
            Self::PhpInstall { .. }
            | Self::PhpRemove { .. }
            | Self::PhpExtensionInstall { .. }
            | Self::PhpExtensionRemove { .. }
            | Self::PhpRepository { .. }
            | Self::Service { .. }
            | Self::DatabaseDelete { .. }
            | Self::DatabaseRestore { .. }
            | Self::DatabaseImport { .. }
            | Self::DatabasePassword { .. }
            | Self::DatabaseAccess(_)
            | Self::DatabaseSitePassword { .. }
            | Self::PanelSet { .. }
            | Self::PanelTrial { .. } => None,
        }
    }

    /// True where it hands text of a person's own to a program that runs as root.
    #[must_use]
    pub fn brings_directives(&self) -> bool {
        matches!(
            self,
            Self::SiteSnippet { .. }
                | Self::SiteDrift {
                    choice: DriftChoice::Keep,
                    ..
                }
        )
    }

    /// True for the settings of the panel itself.
    #[must_use]
    pub fn is_of_the_panel(&self) -> bool {
        matches!(self, Self::PanelSet { .. } | Self::PanelTrial { .. })
    }

    /// What it is about, in words: a hostname, `PHP 8.4`.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::PhpInstall { php } | Self::PhpRemove { php } => format!("PHP {php}"),
            Self::PhpExtensionInstall { php, extension }
            | Self::PhpExtensionRemove { php, extension } => {
                format!("the extension {extension} of PHP {php}")
            }
            Self::PhpRepository { .. } => "the extra PHP repository".to_owned(),
            Self::Service { service, .. } => service.unit().to_owned(),
            Self::DatabaseCreate { name, .. }
            | Self::DatabaseDelete { name, .. }
            | Self::DatabaseRestore { name }
            | Self::DatabaseImport { name, .. }
            | Self::DatabasePassword { name, .. }
            | Self::DatabaseAccess(DatabaseAccess { name, .. })
            | Self::DatabaseSitePassword { name } => format!("the database {name}"),
            Self::PanelSet { .. } => "the panel".to_owned(),
            Self::PanelTrial { .. } => "the panel's address".to_owned(),
            _ => self
                .hostname()
                .map_or_else(|| "this server".to_owned(), ToString::to_string),
        }
    }
}
