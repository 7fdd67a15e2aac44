//! What runs behind a hostname.
//!
//! Invariant: a kind holds all that its nginx file needs, so changing the type of a site is replacing one value.

use serde::{Deserialize, Serialize};

use crate::domain::path::SitePath;
use crate::domain::php::PhpVersion;
use crate::domain::proxy_target::ProxyTarget;
use crate::domain::web_target::{RedirectCode, WebAddress};

/// What runs behind a hostname.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum SiteKind {
    /// PHP files run by PHP-FPM as the site's own user.
    Php {
        /// Which PHP runs them.
        php: PhpVersion,
    },
    /// WordPress: one front controller, hardened rules.
    Wordpress {
        /// Which PHP runs it.
        php: PhpVersion,
    },
    /// Laravel, Symfony and others with one front controller: only `index.php` runs.
    Laravel {
        /// Which PHP runs it.
        php: PhpVersion,
    },
    /// Files served as they are.
    Static {
        /// Single-page application: what is not a file is answered with `/index.html`.
        #[serde(default)]
        spa: bool,
    },
    /// An application of one's own, by HTTP and websockets.
    Proxy {
        /// Where it listens.
        target: ProxyTarget,
    },
    /// Every request is sent elsewhere.
    Redirect {
        /// To here.
        target: WebAddress,
        /// With this status.
        #[serde(default)]
        code: RedirectCode,
    },
}

impl SiteKind {
    /// The words of all kinds.
    pub const WORDS: [&'static str; 6] =
        ["php", "wordpress", "laravel", "static", "proxy", "redirect"];

    /// The word of the contract for this kind.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Php { .. } => "php",
            Self::Wordpress { .. } => "wordpress",
            Self::Laravel { .. } => "laravel",
            Self::Static { .. } => "static",
            Self::Proxy { .. } => "proxy",
            Self::Redirect { .. } => "redirect",
        }
    }

    /// The PHP version, where there is one.
    #[must_use]
    pub fn php(&self) -> Option<PhpVersion> {
        match self {
            Self::Php { php } | Self::Wordpress { php } | Self::Laravel { php } => Some(*php),
            Self::Static { .. } | Self::Proxy { .. } | Self::Redirect { .. } => None,
        }
    }

    /// The same kind with another PHP version; a kind without PHP stays as it is.
    #[must_use]
    pub fn with_php(self, php: PhpVersion) -> Self {
        match self {
            Self::Php { .. } => Self::Php { php },
            Self::Wordpress { .. } => Self::Wordpress { php },
            Self::Laravel { .. } => Self::Laravel { php },
            other => other,
        }
    }

    /// Where it keeps what it serves, below htdocs, unless its owner says otherwise.
    #[must_use]
    pub fn usual_directory(&self) -> Option<SitePath> {
        match self {
            Self::Laravel { .. } => SitePath::parse("public").ok(),
            _ => None,
        }
    }

    /// True where nginx itself serves files of the site.
    #[must_use]
    pub fn has_files(&self) -> bool {
        !matches!(self, Self::Proxy { .. } | Self::Redirect { .. })
    }
}
