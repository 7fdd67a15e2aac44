//! What the host shall be like, from the flags and what is configured already.
//!
//! Invariant: what a flag does not name stays as it is configured.

use crate::domain::php::PhpVersion;
use crate::install::options::InstallOptions;
use crate::render::panel::PanelFile;
use crate::system::config::Config;
use crate::system::distro::{Distribution, PHP_EXTENSIONS};

/// The end of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// `/etc/lalapanel/config.toml`.
    pub config: Config,
    /// PHP versions.
    pub php: Vec<PhpVersion>,
    /// The manual page and the completion of commands.
    pub handbook: Vec<PanelFile>,
}

impl Wanted {
    /// Puts the flags over what is configured.
    #[must_use]
    pub fn new(
        options: &InstallOptions,
        configured: &Config,
        distribution: Option<&Distribution>,
    ) -> Self {
        let mut config = configured.clone();
        if let Some(hostname) = &options.hostname {
            config.panel.hostname = Some(hostname.clone());
        }
        if let Some(port) = options.port {
            config.panel.port = port;
        }
        if let Some(email) = &options.email {
            config.acme.email = Some(email.clone());
        }
        let own = || distribution.map(|row| row.php).into_iter().collect();
        let mut php: Vec<PhpVersion> = if options.php.is_empty() {
            own()
        } else {
            options.php.clone()
        };
        php.sort();
        php.dedup();
        Self {
            config,
            php,
            handbook: options.handbook.clone(),
        }
    }

    /// Packages without which there is no panel.
    #[must_use]
    pub fn required(&self, distribution: &Distribution) -> Vec<String> {
        let of_php = |php: &PhpVersion| [format!("php{php}-fpm"), format!("php{php}-cli")];
        let base = distribution.packages.iter().map(|name| (*name).to_owned());
        base.chain(self.php.iter().flat_map(of_php)).collect()
    }

    /// Packages that are taken where the archive has them.
    #[must_use]
    pub fn optional(&self) -> Vec<String> {
        let of_php = |php: &PhpVersion| {
            let php = *php;
            PHP_EXTENSIONS
                .iter()
                .map(move |name| format!("php{php}-{name}"))
        };
        self.php.iter().flat_map(of_php).collect()
    }
}
