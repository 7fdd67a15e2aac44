//! What people are told of, and what was told: one value, since it is looked at and changed as a whole.
//!
//! Invariant: no address and no secret of whoever is told is in here.

use crate::domain::notice::Notices;
use crate::store::Store;
use crate::store::database::{Reading, from_json, to_json};
use crate::store::error::StoreResult;
use crate::store::tables;

/// The one key.
const ALL: &str = "all";

impl Store {
    /// All of it; nothing where nobody was ever told.
    pub fn notices(&self) -> StoreResult<Notices> {
        self.read(|transaction| {
            let table = transaction.open_table(tables::NOTICES).reading()?;
            let found = table.get(ALL).reading()?;
            let found = found.map(|bytes| from_json("notices", bytes.value()));
            Ok(found.transpose()?.unwrap_or_default())
        })
    }

    /// Keeps it.
    pub fn put_notices(&self, notices: &Notices) -> StoreResult<()> {
        let bytes = to_json("notices", notices)?;
        self.write(|transaction| {
            let mut table = transaction.open_table(tables::NOTICES).changing()?;
            table.insert(ALL, bytes.as_slice()).changing()?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::notice::Way;
    use crate::domain::time::Timestamp;

    #[test]
    fn what_was_told_is_known_after_a_restart() {
        let store = Store::in_memory().unwrap();
        assert_eq!(store.notices().unwrap(), Notices::default());
        let mut notices = Notices::default();
        notices.failed(Way::Mail, "nobody answers", Timestamp::from_millis(1));
        store.put_notices(&notices).unwrap();
        assert_eq!(store.notices().unwrap(), notices);
    }
}
