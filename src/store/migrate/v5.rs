//! Schema 5 to 6: what people were told of. Its table is made with all others once the steps are taken.
//!
//! Invariant: no value of schema 5 changes.

use redb::WriteTransaction;

use crate::store::database::Reading;
use crate::store::error::StoreResult;
use crate::store::tables;

pub(super) fn step(transaction: &WriteTransaction) -> StoreResult<()> {
    transaction.open_table(tables::NOTICES).changing()?;
    Ok(())
}
