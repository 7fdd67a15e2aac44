//! How sites looked from outside, in as many slots as there will ever be for each site.
//!
//! Invariant: a look takes the place of the one a day before, a day that of the one a year before; a site that is gone leaves nothing.

use crate::domain::id::SiteId;
use crate::domain::uptime::{BYTES, Day, Look};
use crate::store::Store;
use crate::store::database::Reading;
use crate::store::error::StoreResult;
use crate::store::tables;

const LOOKS: u8 = 1;
const DAYS: u8 = 2;

impl Store {
    /// Keeps some, in one transaction.
    pub fn put_looks(&self, looks: &[(SiteId, Look)], days: &[(SiteId, Day)]) -> StoreResult<()> {
        self.write(|transaction| {
            let mut table = transaction.open_table(tables::UPTIME).changing()?;
            for (site, look) in looks {
                let key = (site.number(), LOOKS, look.slot());
                table.insert(key, look.to_bytes()).changing()?;
            }
            for (site, day) in days {
                let key = (site.number(), DAYS, day.slot());
                table.insert(key, day.to_bytes()).changing()?;
            }
            Ok(())
        })
    }

    /// The looks at a site, the oldest first.
    pub fn looks(&self, site: SiteId) -> StoreResult<Vec<Look>> {
        let mut looks: Vec<Look> = self.uptime(site, LOOKS, Look::from_bytes)?;
        looks.sort_by_key(|look| look.at);
        Ok(looks)
    }

    /// The days of a site, the oldest first.
    pub fn days(&self, site: SiteId) -> StoreResult<Vec<Day>> {
        let mut days = self.uptime(site, DAYS, Day::from_bytes)?;
        days.sort_by_key(|day| day.at);
        Ok(days)
    }

    fn uptime<T>(&self, site: SiteId, kind: u8, read: fn([u8; BYTES]) -> T) -> StoreResult<Vec<T>> {
        self.read(|transaction| {
            let table = transaction.open_table(tables::UPTIME).reading()?;
            let (first, last) = ((site.number(), kind, 0), (site.number(), kind, u32::MAX));
            let mut found = Vec::new();
            for entry in table.range(first..=last).reading()? {
                found.push(read(entry.reading()?.1.value()));
            }
            Ok(found)
        })
    }

    /// Forgets all sites but these; how many were forgotten.
    pub fn keep_looks_of(&self, sites: &[SiteId]) -> StoreResult<usize> {
        let known = self.read(|transaction| {
            let table = transaction.open_table(tables::UPTIME).reading()?;
            let (mut known, mut next) = (Vec::new(), (0_u32, 0_u8, 0_u32));
            while let Some(entry) = table.range(next..).reading()?.next() {
                let (number, _, _) = entry.reading()?.0.value();
                known.push(number);
                next = (number.saturating_add(1), 0, 0);
            }
            Ok(known)
        })?;
        let gone: Vec<u32> = known
            .into_iter()
            .filter(|number| !sites.iter().any(|site| site.number() == *number))
            .collect();
        if gone.is_empty() {
            return Ok(0);
        }
        self.write(|transaction| {
            let mut table = transaction.open_table(tables::UPTIME).changing()?;
            for number in &gone {
                let all = (*number, 0, 0)..=(*number, u8::MAX, u32::MAX);
                table.retain_in(all, |_, _| false).changing()?;
            }
            Ok(())
        })?;
        Ok(gone.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;
    use crate::domain::uptime::Met;

    fn look(minute: u64) -> Look {
        Look {
            at: Timestamp::from_millis(1_700_000_040_000 + minute * 60_000),
            met: Met::Answer,
            status: 200,
            millis: 7,
        }
    }

    #[test]
    fn a_day_of_looks_is_kept_for_each_site_until_it_is_gone() {
        let store = Store::in_memory().unwrap();
        let (one, other) = (SiteId::FIRST, SiteId::FIRST.next());
        for part in [0..1000, 1000..2000] {
            let looks: Vec<(SiteId, Look)> = part.map(|minute| (one, look(minute))).collect();
            store.put_looks(&looks, &[]).unwrap();
        }
        let day = Day::of(look(0).at);
        store
            .put_looks(&[(other, look(5))], &[(one, day), (other, day)])
            .unwrap();
        let kept = store.looks(one).unwrap();
        assert_eq!(kept.len(), 1440);
        assert_eq!((kept[0], kept[1439]), (look(560), look(1999)));
        assert_eq!(store.days(one).unwrap(), [day]);
        assert_eq!(store.keep_looks_of(&[one, other]).unwrap(), 0);
        assert_eq!(store.keep_looks_of(&[other]).unwrap(), 1);
        assert!(store.looks(one).unwrap().is_empty() && store.days(one).unwrap().is_empty());
        assert_eq!(store.looks(other).unwrap(), [look(5)]);
    }
}
