//! A site: what the panel serves for one hostname.
//!
//! Invariant: every path, unit and user of a site follows from its number and its hostname, in this file and nowhere else.

use serde::{Deserialize, Serialize};

use crate::domain::id::SiteId;
use crate::domain::name::{Hostname, UnixName};
use crate::domain::path::HostPath;
use crate::domain::php::PhpVersion;
use crate::domain::time::Timestamp;

/// What runs behind a hostname.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum SiteKind {
    /// PHP files run by PHP-FPM as the site's own user.
    Php {
        /// Which PHP runs them.
        php: PhpVersion,
    },
    /// Files served as they are.
    Static,
}

impl SiteKind {
    /// The word of the contract for this kind.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Php { .. } => "php",
            Self::Static => "static",
        }
    }

    /// The PHP version, where there is one.
    #[must_use]
    pub fn php(self) -> Option<PhpVersion> {
        match self {
            Self::Php { php } => Some(php),
            Self::Static => None,
        }
    }
}

/// A site as it is kept in the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Its number; never reused.
    pub id: SiteId,
    /// Its canonical name.
    pub hostname: Hostname,
    /// Further names it answers to.
    #[serde(default)]
    pub aliases: Vec<Hostname>,
    /// What runs there.
    pub kind: SiteKind,
    /// False while it is taken offline.
    pub enabled: bool,
    /// When it was made.
    pub created: Timestamp,
}

impl Site {
    /// The canonical name and the aliases.
    pub fn names(&self) -> impl Iterator<Item = &Hostname> {
        std::iter::once(&self.hostname).chain(&self.aliases)
    }

    /// The Unix user everything of this site runs as.
    #[must_use]
    pub fn user(&self) -> UnixName {
        UnixName::of_site(self.id)
    }

    /// `/var/www/H`: owned by root, so the site cannot replace what is in it.
    #[must_use]
    pub fn root(&self) -> HostPath {
        HostPath::fixed("/var/www").join(self.hostname.as_str())
    }

    /// What nginx serves.
    #[must_use]
    pub fn document_root(&self) -> HostPath {
        self.root().join("htdocs")
    }

    /// Uploads, sessions and temporary files.
    #[must_use]
    pub fn tmp(&self) -> HostPath {
        self.root().join("tmp")
    }

    /// Root-owned: a site that could write here could make nginx's master follow a link (CVE-2016-1247).
    #[must_use]
    pub fn log_directory(&self) -> HostPath {
        HostPath::fixed("/var/log/lalapanel").join(self.hostname.as_str())
    }

    /// The nginx file.
    #[must_use]
    pub fn nginx_file(&self) -> HostPath {
        HostPath::fixed("/etc/nginx/sites-available").join(self.hostname.as_str())
    }

    /// The link that makes nginx read it.
    #[must_use]
    pub fn nginx_link(&self) -> HostPath {
        HostPath::fixed("/etc/nginx/sites-enabled").join(self.hostname.as_str())
    }

    /// Where PHP-FPM listens for nginx alone; the directory is root's.
    #[must_use]
    pub fn php_socket(&self) -> HostPath {
        HostPath::fixed("/run/lalapanel/php").join(&format!("{}.sock", self.id))
    }
}

/// What a person asks for when making a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSite {
    /// The name visitors type.
    pub hostname: Hostname,
    /// Further names.
    #[serde(default)]
    pub aliases: Vec<Hostname>,
    /// What shall run there.
    pub kind: NewSiteKind,
}

/// The kind asked for; PHP without a version means the newest installed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum NewSiteKind {
    /// A PHP site.
    Php {
        /// A version, or the newest installed.
        #[serde(default)]
        php: Option<PhpVersion>,
    },
    /// A static site.
    Static {},
}
