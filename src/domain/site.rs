//! A site: what the panel serves for one hostname.
//!
//! Invariant: every path, unit and user of a site follows from its number and its hostname, in this file and nowhere else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::database::DatabaseHash;
use crate::domain::id::SiteId;
use crate::domain::log::LogFile;
use crate::domain::name::{Hostname, UnixName};
use crate::domain::nginx_text::Snippet;
use crate::domain::path::{HostPath, SitePath};
use crate::domain::php::PhpVersion;
use crate::domain::proxy_target::ProxyTarget;
use crate::domain::setting::Settings;
use crate::domain::site_name::SiteName;
use crate::domain::time::Timestamp;
use crate::domain::tls::{Tls, TlsMode};
use crate::domain::web_target::{RedirectCode, WebAddress};
use crate::domain::wordpress::NewWordpress;

pub use crate::domain::site_kind::SiteKind;

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
    pub aliases: Vec<SiteName>,
    /// Names whose visitors are sent to the canonical one.
    #[serde(default)]
    pub redirected: Vec<SiteName>,
    /// What runs there.
    pub kind: SiteKind,
    /// False while it is taken offline.
    pub enabled: bool,
    /// Everything else people can set.
    #[serde(default)]
    pub settings: Settings,
    /// How it speaks HTTPS.
    #[serde(default, skip_serializing_if = "Tls::is_unset")]
    pub tls: Tls,
    /// Its owner's own nginx directives.
    #[serde(default, skip_serializing_if = "Snippet::is_empty")]
    pub snippet: Snippet,
    /// Owned files that somebody changed and that shall stay as they are: each with the mark of what it held.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left: BTreeMap<HostPath, String>,
    /// Owned files as they were written last, each with the mark of what it holds: a later version may write them differently.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub written: BTreeMap<HostPath, String>,
    /// When it was made.
    pub created: Timestamp,
}

impl Site {
    /// A site with nothing but the defaults.
    #[must_use]
    pub fn new(id: SiteId, hostname: Hostname, kind: SiteKind, created: Timestamp) -> Self {
        Self {
            id,
            hostname,
            aliases: Vec::new(),
            redirected: Vec::new(),
            kind,
            enabled: true,
            settings: Settings::default(),
            tls: Tls::default(),
            snippet: Snippet::default(),
            left: BTreeMap::new(),
            written: BTreeMap::new(),
            created,
        }
    }

    /// Every name that belongs to the site: the canonical one, the aliases, the redirected ones.
    pub fn names(&self) -> impl Iterator<Item = SiteName> + '_ {
        std::iter::once(SiteName::Exact(self.hostname.clone()))
            .chain(self.aliases.iter().chain(&self.redirected).cloned())
    }

    /// The names it serves pages under.
    pub fn served_names(&self) -> impl Iterator<Item = SiteName> + '_ {
        std::iter::once(SiteName::Exact(self.hostname.clone())).chain(self.aliases.iter().cloned())
    }

    /// True where it sends its visitors to one of its own names, from where they would be sent again.
    #[must_use]
    pub fn leads_to_itself(&self) -> bool {
        let SiteKind::Redirect { target, .. } = &self.kind else {
            return false;
        };
        Hostname::parse(target.hostname())
            .is_ok_and(|name| self.names().any(|own| own.covers(&name)))
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

    /// The site's own files.
    #[must_use]
    pub fn files(&self) -> HostPath {
        self.root().join("htdocs")
    }

    /// What nginx serves: the files, or a directory in them.
    #[must_use]
    pub fn document_root(&self) -> HostPath {
        let inner = self.settings.web.directory.iter();
        inner
            .flat_map(SitePath::components)
            .fold(self.files(), |path, part| path.join(part))
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

    /// The logs that the site's PHP writes. Root's as well: the site writes into the files and can put nothing beside them.
    #[must_use]
    pub fn php_log_directory(&self) -> HostPath {
        self.log_directory().join("php")
    }

    /// One of its logs.
    #[must_use]
    pub fn log_file(&self, file: LogFile) -> HostPath {
        match file {
            LogFile::Access => self.log_directory().join("access.log"),
            LogFile::Error => self.log_directory().join("error.log"),
            LogFile::Php => self.php_log_directory().join("error.log"),
            LogFile::Slow => self.php_log_directory().join("slow.log"),
        }
    }

    /// The logs that something writes for it.
    pub fn logs(&self) -> impl Iterator<Item = LogFile> + use<> {
        let has_php = self.kind.php().is_some();
        let kept = move |file: &LogFile| has_php || !file.is_of_php();
        LogFile::ALL.into_iter().filter(kept)
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

    /// Where a pool in a shared master listens: no two masters can open one socket, so each version has its own.
    #[must_use]
    pub fn shared_php_socket(&self) -> HostPath {
        match self.kind.php() {
            Some(php) => {
                HostPath::fixed("/run/lalapanel/php").join(&format!("{}-{php}.sock", self.id))
            }
            None => self.php_socket(),
        }
    }

    /// Where another PHP version is tried before any visitor meets it.
    #[must_use]
    pub fn php_trial_socket(&self) -> HostPath {
        HostPath::fixed("/run/lalapanel/php").join(&format!("{}-trial.sock", self.id))
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
    pub aliases: Vec<SiteName>,
    /// Names whose visitors are sent to the canonical one.
    #[serde(default)]
    pub redirected: Vec<SiteName>,
    /// What shall run there.
    pub kind: NewSiteKind,
    /// The hash of the password of its database's user; none for a site without a database.
    #[serde(default)]
    pub database: Option<DatabaseHash>,
    /// WordPress, installed to its end; it brings a database of its own.
    #[serde(default)]
    pub wordpress: Option<Box<NewWordpress>>,
    /// Whether the panel sees to a certificate.
    #[serde(default)]
    pub tls: TlsMode,
}

/// The kind asked for; PHP without a version means the newest installed one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum NewSiteKind {
    /// A PHP site.
    Php {
        /// A version, or the newest installed.
        #[serde(default)]
        php: Option<PhpVersion>,
    },
    /// WordPress.
    Wordpress {
        /// A version, or the newest installed.
        #[serde(default)]
        php: Option<PhpVersion>,
    },
    /// Laravel and others with one front controller.
    Laravel {
        /// A version, or the newest installed.
        #[serde(default)]
        php: Option<PhpVersion>,
    },
    /// A static site.
    Static {
        /// Whether it is a single-page application.
        #[serde(default)]
        spa: bool,
    },
    /// An application of one's own.
    Proxy {
        /// Where it listens.
        target: ProxyTarget,
    },
    /// Everything is sent elsewhere.
    Redirect {
        /// To here.
        target: WebAddress,
        /// With this status.
        #[serde(default)]
        code: RedirectCode,
    },
}
