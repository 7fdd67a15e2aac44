//! The figures of the machine, in as many slots as there will ever be.
//!
//! Invariant: a sample takes the place of the one a day, or a year, before; so the table does not grow.

use crate::domain::sample::{BYTES, Sample, Step};
use crate::domain::time::Timestamp;
use crate::store::Store;
use crate::store::database::Reading;
use crate::store::error::StoreResult;
use crate::store::tables;

impl Store {
    /// Keeps some, in one transaction.
    pub fn put_samples(&self, samples: &[(Step, Sample)]) -> StoreResult<()> {
        self.write(|transaction| {
            let mut table = transaction.open_table(tables::SAMPLES).changing()?;
            for (step, sample) in samples {
                let key = (step.number(), step.slot(sample.at));
                table.insert(key, sample.to_bytes()).changing()?;
            }
            Ok(())
        })
    }

    /// Those since a moment, the oldest first.
    pub fn samples(&self, step: Step, since: Timestamp) -> StoreResult<Vec<Sample>> {
        self.read(|transaction| {
            let table = transaction.open_table(tables::SAMPLES).reading()?;
            let number = step.number();
            let mut found = Vec::new();
            for entry in table.range((number, 0)..=(number, u32::MAX)).reading()? {
                let bytes: [u8; BYTES] = entry.reading()?.1.value();
                found.push(Sample::from_bytes(&bytes));
            }
            found.retain(|sample| sample.at >= since);
            found.sort_by_key(|sample| sample.at);
            Ok(found)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_minutes_is_kept_and_never_more() {
        let store = Store::in_memory().unwrap();
        let start = Timestamp::from_millis(1_700_000_040_000);
        let at = |minute: u64| start.plus_seconds(minute * 60);
        for first in (0..2 * 1440).step_by(480) {
            let some = (first..first + 480).map(|minute| (Step::Minute, Sample::empty(at(minute))));
            store.put_samples(&some.collect::<Vec<_>>()).unwrap();
        }
        let all = store
            .samples(Step::Minute, Timestamp::from_millis(0))
            .unwrap();
        assert_eq!(all.len(), 1440);
        assert_eq!((all[0].at, all[1439].at), (at(1440), at(2879)));
        assert_eq!(store.samples(Step::Minute, at(2870)).unwrap().len(), 10);
        assert_eq!(store.samples(Step::Hour, start).unwrap(), []);
    }
}
