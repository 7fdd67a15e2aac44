//! What planners are told about the state: every site, and the next number.
//!
//! Invariant: a copy taken while the engine is held, so it cannot change under a planner.

use crate::domain::fault::{Code, Fault};
use crate::domain::id::SiteId;
use crate::domain::name::Hostname;
use crate::domain::php::PhpVersion;
use crate::domain::site::Site;
use crate::domain::site_name::SiteName;
use crate::store::Store;

/// The part of the state that plans depend on.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Every site.
    pub sites: Vec<Site>,
    /// The number the next site gets.
    pub next_site: SiteId,
}

impl State {
    /// Reads it.
    pub fn read(store: &Store) -> Result<Self, Fault> {
        Ok(Self {
            sites: store.sites()?,
            next_site: store.next_site_id()?,
        })
    }

    /// The site that answers to a name.
    #[must_use]
    pub fn serving(&self, name: &Hostname) -> Option<&Site> {
        self.sites
            .iter()
            .find(|site| site.names().any(|own| own == SiteName::Exact(name.clone())))
    }

    /// The names of the sites that a PHP version runs, online or not.
    #[must_use]
    pub fn run_by(&self, php: PhpVersion) -> Vec<&Hostname> {
        let sites = self.sites.iter();
        sites
            .filter(|site| site.kind.php() == Some(php))
            .map(|site| &site.hostname)
            .collect()
    }

    /// The site a person means.
    pub fn site(&self, name: &Hostname) -> Result<&Site, Fault> {
        self.serving(name).ok_or_else(|| not_found(name))
    }
}

/// No site has this name.
#[must_use]
pub fn not_found(name: &Hostname) -> Fault {
    Fault::new(
        Code::SiteNotFound,
        format!("there is no site {name}"),
        "see `lalapanel site list` for the sites of this server",
    )
}
