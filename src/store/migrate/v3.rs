//! Schema 3 to 4: tokens for programs. Their table is made with all others once the steps are taken.
//!
//! Invariant: no value of schema 3 changes.

use redb::WriteTransaction;

use crate::store::database::Reading;
use crate::store::error::StoreResult;
use crate::store::tables;

pub(super) fn step(transaction: &WriteTransaction) -> StoreResult<()> {
    transaction.open_table(tables::TOKENS).changing()?;
    Ok(())
}
