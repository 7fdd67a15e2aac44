//! Schema 4 to 5: figures of the machine. Their table is made with all others once the steps are taken.
//!
//! Invariant: no value of schema 4 changes.

use redb::WriteTransaction;

use crate::store::database::Reading;
use crate::store::error::StoreResult;
use crate::store::tables;

pub(super) fn step(transaction: &WriteTransaction) -> StoreResult<()> {
    transaction.open_table(tables::SAMPLES).changing()?;
    Ok(())
}
