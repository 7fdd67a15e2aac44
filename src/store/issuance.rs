//! How getting certificates went, by site.
//!
//! Invariant: no key is in here, neither a certificate's nor an account's.

use std::collections::BTreeMap;

use redb::ReadableTable;

use crate::domain::id::SiteId;
use crate::domain::issuance::Issuance;
use crate::store::Store;
use crate::store::database::{Reading, from_json, to_json};
use crate::store::error::StoreResult;
use crate::store::tables;

impl Store {
    /// A site's; none where nothing was ever tried.
    pub fn issuance(&self, site: SiteId) -> StoreResult<Option<Issuance>> {
        self.read(|transaction| {
            let all = transaction.open_table(tables::ISSUANCES).reading()?;
            let found = all.get(site.number()).reading()?;
            found
                .map(|bytes| from_json("issuance", bytes.value()))
                .transpose()
        })
    }

    /// All of them, as they were at one moment.
    pub fn issuances(&self) -> StoreResult<BTreeMap<SiteId, Issuance>> {
        self.read(|transaction| {
            let all = transaction.open_table(tables::ISSUANCES).reading()?;
            let mut found = BTreeMap::new();
            for entry in all.iter().reading()? {
                let (number, bytes) = entry.reading()?;
                let issuance = from_json("issuance", bytes.value())?;
                found.insert(SiteId::new(number.value()), issuance);
            }
            Ok(found)
        })
    }

    /// Keeps a site's.
    pub fn put_issuance(&self, site: SiteId, issuance: &Issuance) -> StoreResult<()> {
        let bytes = to_json("issuance", issuance)?;
        self.write(|transaction| {
            let mut all = transaction.open_table(tables::ISSUANCES).changing()?;
            all.insert(site.number(), bytes.as_slice()).changing()?;
            Ok(())
        })
    }

    /// Forgets those of sites that are not there any more.
    pub fn keep_issuances(&self, is_known: impl Fn(SiteId) -> bool) -> StoreResult<()> {
        let is_gone = self.read(|transaction| {
            let all = transaction.open_table(tables::ISSUANCES).reading()?;
            let mut gone = false;
            for entry in all.iter().reading()? {
                gone |= !is_known(SiteId::new(entry.reading()?.0.value()));
            }
            Ok(gone)
        })?;
        if !is_gone {
            return Ok(());
        }
        self.write(|transaction| {
            let mut all = transaction.open_table(tables::ISSUANCES).changing()?;
            all.retain(|number, _| is_known(SiteId::new(number)))
                .changing()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_tried_for_a_site_goes_with_it() {
        let store = Store::in_memory().unwrap();
        let (one, other) = (SiteId::new(1001), SiteId::new(1002));
        for site in [one, other] {
            store.put_issuance(site, &Issuance::default()).unwrap();
        }
        store.keep_issuances(|site| site == one).unwrap();
        assert!(store.issuance(one).unwrap().is_some());
        assert!(store.issuance(other).unwrap().is_none());
        assert_eq!(
            store.issuances().unwrap().into_keys().collect::<Vec<_>>(),
            [one]
        );
    }
}
