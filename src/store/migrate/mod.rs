//! Brings an older state file to the schema this binary writes, one step after the other, in one transaction.
//!
//! Invariant: a file of a newer schema is never touched, and a step that fails leaves the file as it was.
//! A step lives in `vN.rs`, takes schema N to N + 1, and comes with a file of schema N under `tests/fixtures/state/`.

mod v1;
mod v2;
mod v3;
mod v4;
mod v5;
mod v6;

use redb::{Database, ReadableDatabase, ReadableTable, WriteTransaction};

use crate::store::database::Reading;
use crate::store::error::{StoreError, StoreResult};
use crate::store::tables;

/// Takes one schema to the next.
pub(super) type Step = fn(&WriteTransaction) -> StoreResult<()>;

/// The steps: the first takes schema 1 to 2. Schema 1 is the first there is.
pub(super) const STEPS: &[Step] = &[v1::step, v2::step, v3::step, v4::step, v5::step, v6::step];

/// Makes a new file's tables, migrates an older file, refuses a newer one.
pub(super) fn run(database: &Database, steps: &[Step], known: u64) -> StoreResult<()> {
    let transaction = database.begin_write().changing()?;
    let found = {
        let meta = transaction.open_table(tables::META).changing()?;
        meta.get("schema").changing()?.map(|value| value.value())
    };
    match found {
        Some(found) if found > known => return Err(StoreError::Newer { found, known }),
        Some(found) if found == known => return Ok(()),
        Some(found) => {
            let skip = usize::try_from(found.saturating_sub(1)).unwrap_or(usize::MAX);
            for step in steps.iter().skip(skip) {
                step(&transaction)?;
            }
        }
        None => {}
    }
    tables::create(&transaction).changing()?;
    {
        let mut meta = transaction.open_table(tables::META).changing()?;
        meta.insert("schema", known).changing()?;
    }
    transaction.commit().changing()
}

/// Refuses a newer file by looking alone.
pub(super) fn refuse_newer(database: &impl ReadableDatabase, known: u64) -> StoreResult<()> {
    let transaction = database.begin_read().reading()?;
    let Ok(meta) = transaction.open_table(tables::META) else {
        return Ok(());
    };
    match meta.get("schema").reading()?.map(|value| value.value()) {
        Some(found) if found > known => Err(StoreError::Newer { found, known }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redb::ReadableTableMetadata;

    fn database() -> Database {
        Database::builder()
            .create_with_backend(redb::backends::InMemoryBackend::new())
            .unwrap()
    }

    fn schema(database: &Database) -> u64 {
        let transaction = database.begin_read().unwrap();
        let meta = transaction.open_table(tables::META).unwrap();
        meta.get("schema").unwrap().unwrap().value()
    }

    fn add_counter(transaction: &WriteTransaction) -> StoreResult<()> {
        crate::store::database::count_up(transaction, "steps").map(|_| ())
    }

    fn fail(transaction: &WriteTransaction) -> StoreResult<()> {
        add_counter(transaction)?;
        Err(StoreError::LinkInvalid)
    }

    fn steps_taken(database: &Database) -> u64 {
        let transaction = database.begin_read().unwrap();
        let counters = transaction.open_table(tables::COUNTERS).unwrap();
        counters.get("steps").unwrap().map_or(0, |v| v.value())
    }

    #[test]
    fn there_is_a_step_for_every_schema_before_this_one() {
        assert_eq!(STEPS.len() as u64 + 1, tables::SCHEMA);
    }

    #[test]
    fn a_new_file_has_every_table_and_this_schema() {
        let database = database();
        run(&database, STEPS, tables::SCHEMA).unwrap();
        assert_eq!(schema(&database), tables::SCHEMA);
        let transaction = database.begin_read().unwrap();
        assert!(
            transaction
                .open_table(tables::AUDIT)
                .unwrap()
                .is_empty()
                .unwrap()
        );
    }

    #[test]
    fn an_older_file_takes_only_the_steps_it_lacks() {
        let database = database();
        run(&database, &[], 1).unwrap();
        run(&database, &[add_counter], 2).unwrap();
        assert_eq!((schema(&database), steps_taken(&database)), (2, 1));
        run(&database, &[fail, add_counter, add_counter], 4).unwrap();
        assert_eq!((schema(&database), steps_taken(&database)), (4, 3));
        run(&database, &[fail, fail, fail], 4).unwrap();
    }

    #[test]
    fn a_failed_step_leaves_the_file_at_its_old_schema() {
        let database = database();
        run(&database, &[], 1).unwrap();
        assert!(run(&database, &[add_counter, fail], 3).is_err());
        assert_eq!((schema(&database), steps_taken(&database)), (1, 0));
    }

    #[test]
    fn a_newer_file_is_refused_and_not_touched() {
        let database = database();
        run(&database, &[], 7).unwrap();
        let error = run(&database, &[], 1).unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 7, known: 1 }));
        assert_eq!(schema(&database), 7);
    }
}
