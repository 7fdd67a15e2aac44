//! The sites and the names they answer to.
//!
//! Invariant: a name belongs to at most one site; the index is changed in the same transaction as the site.

use std::sync::Arc;

use redb::{ReadTransaction, ReadableTable, WriteTransaction};

use crate::domain::id::SiteId;
use crate::domain::name::Hostname;
use crate::domain::site::Site;
use crate::store::Store;
use crate::store::database::{Reading, count_up, from_json, to_json};
use crate::store::error::{StoreError, StoreResult};
use crate::store::tables;

const NEXT_SITE: &str = "next_site";
/// Counts the changes of sites, in the transactions that make them.
const SITE_CHANGES: &str = "site_changes";

/// All sites as they were after so many changes.
pub(super) struct KnownSites {
    changes: u64,
    sites: Arc<Vec<Site>>,
}

impl Store {
    /// All sites, by number. Remembered until one changes: every page asks for them, and reading 500 takes milliseconds.
    pub fn sites(&self) -> StoreResult<Arc<Vec<Site>>> {
        self.read(|transaction| {
            let changes = changes(transaction)?;
            let mut known = self.known_sites();
            if let Some(known) = known.as_ref().filter(|known| known.changes == changes) {
                return Ok(Arc::clone(&known.sites));
            }
            let sites = Arc::new(all(transaction)?);
            *known = Some(KnownSites {
                changes,
                sites: Arc::clone(&sites),
            });
            Ok(sites)
        })
    }

    /// One site by number.
    pub fn site(&self, id: SiteId) -> StoreResult<Option<Site>> {
        self.read(|transaction| {
            let sites = transaction.open_table(tables::SITES).reading()?;
            let found = sites.get(id.number()).reading()?;
            found
                .map(|bytes| from_json("site", bytes.value()))
                .transpose()
        })
    }

    /// One site by its hostname or an alias.
    pub fn site_named(&self, hostname: &Hostname) -> StoreResult<Option<Site>> {
        self.read(|transaction| {
            let names = transaction.open_table(tables::HOSTNAMES).reading()?;
            let Some(id) = names.get(hostname.as_str()).reading()? else {
                return Ok(None);
            };
            let sites = transaction.open_table(tables::SITES).reading()?;
            let found = sites.get(id.value()).reading()?;
            found
                .map(|bytes| from_json("site", bytes.value()))
                .transpose()
        })
    }

    /// The number a new site would get: above every number that was ever put.
    pub fn next_site_id(&self) -> StoreResult<SiteId> {
        self.read(|transaction| {
            let counters = transaction.open_table(tables::COUNTERS).reading()?;
            let next = counters
                .get(NEXT_SITE)
                .reading()?
                .map(|value| value.value());
            Ok(next
                .and_then(|number| u32::try_from(number).ok())
                .map_or(SiteId::FIRST, SiteId::new))
        })
    }
}

impl Store {
    /// Takes a number out of use for ever. Done when an operation that would use it begins, so that what the operation
    /// may leave behind can never be taken for a later site's.
    pub fn retire_site_id(&self, id: SiteId) -> StoreResult<()> {
        self.write(|transaction| retire_number(transaction, id))
    }
}

fn changes(transaction: &ReadTransaction) -> StoreResult<u64> {
    let counters = transaction.open_table(tables::COUNTERS).reading()?;
    let changes = counters.get(SITE_CHANGES).reading()?;
    Ok(changes.map_or(0, |value| value.value()))
}

#[cfg(test)]
impl Store {
    /// Puts a site down without an operation.
    pub(crate) fn put_site(&self, site: &Site) -> StoreResult<()> {
        self.write(|transaction| put(transaction, site))
    }
}

fn all(transaction: &ReadTransaction) -> StoreResult<Vec<Site>> {
    let sites = transaction.open_table(tables::SITES).reading()?;
    let mut found = Vec::new();
    for entry in sites.iter().reading()? {
        found.push(from_json("site", entry.reading()?.1.value())?);
    }
    Ok(found)
}

pub(super) fn put(transaction: &WriteTransaction, site: &Site) -> StoreResult<()> {
    forget_names(transaction, site.id)?;
    let mut names = transaction.open_table(tables::HOSTNAMES).changing()?;
    for name in site.names() {
        let before = names
            .insert(name.to_string().as_str(), site.id.number())
            .changing()?
            .map(|value| value.value());
        if let Some(other) = before.filter(|other| *other != site.id.number()) {
            return Err(StoreError::HostnameTaken {
                hostname: name.hostname().clone(),
                site: SiteId::new(other),
            });
        }
    }
    let bytes = to_json("site", site)?;
    let mut sites = transaction.open_table(tables::SITES).changing()?;
    sites
        .insert(site.id.number(), bytes.as_slice())
        .changing()?;
    count_up(transaction, SITE_CHANGES)?;
    retire_number(transaction, site.id)
}

pub(super) fn remove(transaction: &WriteTransaction, id: SiteId) -> StoreResult<()> {
    forget_names(transaction, id)?;
    let mut sites = transaction.open_table(tables::SITES).changing()?;
    sites.remove(id.number()).changing()?;
    count_up(transaction, SITE_CHANGES)?;
    Ok(())
}

fn forget_names(transaction: &WriteTransaction, id: SiteId) -> StoreResult<()> {
    let mut names = transaction.open_table(tables::HOSTNAMES).changing()?;
    names.retain(|_, owner| owner != id.number()).changing()
}

fn retire_number(transaction: &WriteTransaction, id: SiteId) -> StoreResult<()> {
    let mut counters = transaction.open_table(tables::COUNTERS).changing()?;
    let before = counters
        .get(NEXT_SITE)
        .changing()?
        .map_or(0, |value| value.value());
    let next = before.max(u64::from(id.next().number()));
    counters.insert(NEXT_SITE, next).changing()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::site::SiteKind;
    use crate::domain::time::Timestamp;

    fn name(text: &str) -> Hostname {
        Hostname::parse(text).unwrap()
    }

    fn site(number: u32, hostname: &str, aliases: &[&str]) -> Site {
        let kind = SiteKind::Static { spa: false };
        let created = Timestamp::from_millis(1_000);
        Site {
            aliases: aliases.iter().map(|alias| name(alias).into()).collect(),
            ..Site::new(SiteId::new(number), name(hostname), kind, created)
        }
    }

    #[test]
    fn a_site_is_found_by_number_name_and_alias() {
        let store = Store::in_memory().unwrap();
        let shop = site(1001, "shop.example", &["www.shop.example"]);
        store.write(|t| put(t, &shop)).unwrap();
        assert_eq!(store.site(shop.id).unwrap(), Some(shop.clone()));
        for known in ["shop.example", "www.shop.example"] {
            assert_eq!(store.site_named(&name(known)).unwrap(), Some(shop.clone()));
        }
        assert_eq!(store.site_named(&name("other.example")).unwrap(), None);
        assert_eq!(*store.sites().unwrap(), [shop]);
    }

    #[test]
    fn a_name_of_another_site_is_refused_and_nothing_changes() {
        let store = Store::in_memory().unwrap();
        let shop = site(1001, "shop.example", &["www.shop.example"]);
        store.write(|t| put(t, &shop)).unwrap();
        let thief = site(1002, "thief.example", &["www.shop.example"]);
        let error = store.write(|t| put(t, &thief)).unwrap_err();
        assert!(matches!(error, StoreError::HostnameTaken { site, .. } if site == shop.id));
        assert_eq!(*store.sites().unwrap(), [shop]);
        assert_eq!(store.site_named(&name("thief.example")).unwrap(), None);
    }

    #[test]
    fn what_is_remembered_of_all_sites_follows_each_change() {
        let store = Store::in_memory().unwrap();
        let (first, other) = (site(1001, "a.example", &[]), site(1001, "b.example", &[]));
        for shown in [&first, &other, &first] {
            store.write(|t| put(t, shown)).unwrap();
            assert_eq!(
                store.sites().unwrap().as_slice(),
                std::slice::from_ref(shown)
            );
            assert!(Arc::ptr_eq(
                &store.sites().unwrap(),
                &store.sites().unwrap()
            ));
        }
        let refused: StoreResult<()> = store.write(|t| {
            remove(t, first.id)?;
            Err(StoreError::LastAccount)
        });
        assert!(refused.is_err());
        assert_eq!(*store.sites().unwrap(), [first]);
    }

    #[test]
    fn a_dropped_alias_is_free_for_another_site() {
        let store = Store::in_memory().unwrap();
        store
            .write(|t| put(t, &site(1001, "a.example", &["b.example"])))
            .unwrap();
        store
            .write(|t| put(t, &site(1001, "a.example", &[])))
            .unwrap();
        store
            .write(|t| put(t, &site(1002, "b.example", &[])))
            .unwrap();
        assert_eq!(store.sites().unwrap().len(), 2);
    }

    #[test]
    fn a_number_is_never_handed_out_twice() {
        let store = Store::in_memory().unwrap();
        assert_eq!(store.next_site_id().unwrap(), SiteId::FIRST);
        store
            .write(|t| put(t, &site(1005, "a.example", &[])))
            .unwrap();
        store.write(|t| remove(t, SiteId::new(1005))).unwrap();
        assert_eq!(*store.sites().unwrap(), []);
        assert_eq!(store.next_site_id().unwrap(), SiteId::new(1006));
        assert_eq!(store.site_named(&name("a.example")).unwrap(), None);
    }
}
