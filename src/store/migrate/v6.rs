//! Schema 6 to 7: how sites look from outside. Its table is made with all others once the steps are taken.
//!
//! Invariant: no value of schema 6 changes.

use redb::WriteTransaction;

use crate::store::database::Reading;
use crate::store::error::StoreResult;
use crate::store::tables;

pub(super) fn step(transaction: &WriteTransaction) -> StoreResult<()> {
    transaction.open_table(tables::UPTIME).changing()?;
    Ok(())
}
