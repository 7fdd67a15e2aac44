//! What people are shown of PHP versions.
//!
//! Invariant: what the distribution promises and what php.net promises stand apart.

use serde::{Deserialize, Serialize};

use crate::domain::name::Hostname;
use crate::domain::php::PhpVersion;

/// Every version, and where packages come from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PhpView {
    /// Newest first.
    pub versions: Vec<PhpVersionView>,
    /// The extra repository.
    pub repository: RepositoryView,
}

/// One version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PhpVersionView {
    /// Which.
    pub version: PhpVersion,
    /// Whether its FPM is here.
    pub installed: bool,
    /// Whether apt could install it.
    pub available: bool,
    /// The version of its package.
    pub package: String,
    /// Who makes that package, as the repository calls itself; empty where none offers it any more.
    pub origin: String,
    /// What the distribution promises: `supported by Debian until …`; none for a version that is not its own.
    pub distribution: Option<SupportView>,
    /// What php.net promises; none where its dates are not known.
    pub upstream: Option<SupportView>,
    /// Sites that it runs.
    pub sites: Vec<Hostname>,
    /// Its extensions; none where it is not installed.
    pub extensions: ExtensionsView,
}

/// Extensions of a version.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ExtensionsView {
    /// Those whose package is here.
    pub installed: Vec<String>,
    /// The common ones that apt could install.
    pub available: Vec<String>,
}

impl PhpVersionView {
    /// Everything about its security fixes, in one line.
    #[must_use]
    pub fn support(&self) -> String {
        let mut parts: Vec<String> = self
            .distribution
            .iter()
            .map(|support| support.words.clone())
            .collect();
        if self.distribution.is_none() {
            parts.push(if self.origin.is_empty() {
                "no repository offers it any more".to_owned()
            } else {
                format!("packages by {}", self.origin)
            });
        }
        parts.push(self.upstream.as_ref().map_or_else(
            || "dates of php.net unknown to this Lala".to_owned(),
            |support| support.words.clone(),
        ));
        parts.join("; ")
    }

    /// True where nobody makes security fixes for it any more, as far as is known.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        let over = |support: &Option<SupportView>| support.as_ref().map(|one| one.is_over);
        match over(&self.distribution) {
            Some(is_over) => is_over,
            None => self.origin.is_empty() || over(&self.upstream) == Some(true),
        }
    }
}

/// A promise of security fixes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SupportView {
    /// The last day, as `2028-08-09`.
    pub until: String,
    /// True once that day is over.
    pub is_over: bool,
    /// In words.
    pub words: String,
}

/// The extra repository.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RepositoryView {
    /// Whether apt uses it.
    pub enabled: bool,
    /// Whether it can be turned on here.
    pub possible: bool,
    /// The fingerprint of its key.
    pub fingerprint: String,
    /// What a person should know before turning it on.
    pub explanation: Vec<String>,
}
