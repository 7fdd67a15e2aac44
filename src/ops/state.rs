//! What planners are told about the state: every site, and the next number.
//!
//! Invariant: a copy taken while the engine is held, so it cannot change under a planner.

use std::sync::Arc;

use crate::domain::database::{Database, DatabaseName};
use crate::domain::fault::{Code, Fault};
use crate::domain::id::SiteId;
use crate::domain::name::Hostname;
use crate::domain::php::PhpVersion;
use crate::domain::site::Site;
use crate::domain::site_name::SiteName;
use crate::domain::trash::TrashedSite;
use crate::store::Store;

/// The part of the state that plans depend on.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Every site.
    pub sites: Arc<Vec<Site>>,
    /// The sites in the trash.
    pub trash: Vec<TrashedSite>,
    /// Every database.
    pub databases: Vec<Database>,
    /// The databases in the trash.
    pub trashed_databases: Vec<Database>,
    /// The databases that are deleted and still wait to be dropped.
    pub doomed: Vec<Database>,
    /// The number the next site gets.
    pub next_site: SiteId,
}

impl State {
    /// Reads it.
    pub fn read(store: &Store) -> Result<Self, Fault> {
        let (databases, trashed_databases) = store
            .databases()?
            .into_iter()
            .partition(|database| database.deleted.is_none());
        Ok(Self {
            sites: store.sites()?,
            trash: store.trash()?,
            databases,
            trashed_databases,
            doomed: store.doomed_databases()?,
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
        self.serving(name).ok_or_else(|| {
            let in_trash = self
                .trash
                .iter()
                .find(|trashed| trashed.site.hostname == *name);
            in_trash.map_or_else(|| not_found(name), is_in_trash)
        })
    }

    /// The databases of a site.
    pub fn databases_of(&self, site: SiteId) -> impl Iterator<Item = &Database> {
        let own = move |database: &&Database| database.site == Some(site);
        self.databases.iter().filter(own)
    }

    /// The databases that the files of a site may name: also those in the trash, which can be put back.
    pub fn databases_named_by(&self, site: SiteId) -> impl Iterator<Item = &Database> {
        let own = move |database: &&Database| database.site == Some(site);
        self.databases_of(site)
            .chain(self.trashed_databases.iter().filter(own))
    }

    /// One database.
    pub fn database(&self, name: &DatabaseName) -> Result<&Database, Fault> {
        let found = self.databases.iter().find(|one| one.name == *name);
        found.ok_or_else(|| {
            let in_trash = self.trashed_databases.iter().any(|one| one.name == *name);
            if in_trash {
                return Fault::new(
                    Code::DatabaseNotFound,
                    format!("the database {name} is in the trash"),
                    format!("put it back with `lalapanel db restore {name}`"),
                );
            }
            Fault::new(
                Code::DatabaseNotFound,
                format!("there is no database {name} of this panel"),
                "see `lalapanel db list`",
            )
        })
    }

    /// A database in the trash.
    pub fn trashed_database(&self, name: &DatabaseName) -> Result<&Database, Fault> {
        let found = self.trashed_databases.iter().find(|one| one.name == *name);
        found.ok_or_else(|| {
            Fault::new(
                Code::DatabaseNotFound,
                format!("there is no database {name} in the trash"),
                "see `lalapanel db list --trash` for what is in it",
            )
        })
    }

    /// A site in the trash.
    pub fn trashed(&self, id: SiteId) -> Result<&TrashedSite, Fault> {
        let found = self.trash.iter().find(|trashed| trashed.site.id == id);
        found.ok_or_else(|| {
            Fault::new(
                Code::SiteNotFound,
                format!("there is no site {id} in the trash"),
                "see `lalapanel site list --trash` for what is in it",
            )
        })
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

fn is_in_trash(trashed: &TrashedSite) -> Fault {
    let (id, name) = (trashed.site.id, &trashed.site.hostname);
    Fault::new(
        Code::SiteNotFound,
        format!("{name} is in the trash"),
        format!(
            "put it back with `lalapanel site restore {id}`, or delete it for good with `lalapanel site delete {id} --now`"
        ),
    )
}
