//! Schema 2 to 3: databases, whose tables are made with all others once the steps are taken; and certificates, which stand in the sites.
//!
//! Invariant: no value of schema 2 changes.

use redb::WriteTransaction;

use crate::store::database::Reading;
use crate::store::error::StoreResult;
use crate::store::tables;

pub(super) fn step(transaction: &WriteTransaction) -> StoreResult<()> {
    transaction.open_table(tables::DATABASES).changing()?;
    transaction
        .open_table(tables::DOOMED_DATABASES)
        .changing()?;
    Ok(())
}
