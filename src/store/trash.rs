//! The sites in the trash.
//!
//! Invariant: a number is a site's or in the trash, never both; a name in the trash is nobody's.

use redb::{ReadableTable, WriteTransaction};

use crate::domain::id::SiteId;
use crate::domain::time::Timestamp;
use crate::domain::trash::TrashedSite;
use crate::store::database::{Reading, from_json, to_json};
use crate::store::error::StoreResult;
use crate::store::operation::Effect;
use crate::store::tables;
use crate::store::{Store, databases, site};

const CLOCK: &str = "clock_seen";

impl Store {
    /// When the agent last looked at the trash.
    pub fn clock_seen(&self) -> StoreResult<Option<Timestamp>> {
        self.read(|transaction| {
            let counters = transaction.open_table(tables::COUNTERS).reading()?;
            let seen = counters.get(CLOCK).reading()?;
            Ok(seen.map(|millis| Timestamp::from_millis(millis.value())))
        })
    }

    /// Writes down that it looks now.
    pub fn see_clock(&self, now: Timestamp) -> StoreResult<()> {
        self.write(|transaction| {
            let mut counters = transaction.open_table(tables::COUNTERS).changing()?;
            counters.insert(CLOCK, now.millis()).changing()?;
            Ok(())
        })
    }

    /// All of them, by number.
    pub fn trash(&self) -> StoreResult<Vec<TrashedSite>> {
        self.read(|transaction| {
            let trash = transaction.open_table(tables::TRASH).reading()?;
            let mut found = Vec::new();
            for entry in trash.iter().reading()? {
                found.push(from_json("trash", entry.reading()?.1.value())?);
            }
            Ok(found)
        })
    }

    /// True where a number is a site's, or in the trash.
    pub fn is_known(&self, id: SiteId) -> StoreResult<bool> {
        self.read(|transaction| {
            let sites = transaction.open_table(tables::SITES).reading()?;
            let trash = transaction.open_table(tables::TRASH).reading()?;
            let is_site = sites.get(id.number()).reading()?.is_some();
            Ok(is_site || trash.get(id.number()).reading()?.is_some())
        })
    }
}

/// What the end of an operation says about a site: it is one, it is in the trash, or it is neither.
pub(super) fn take_effect(transaction: &WriteTransaction, effect: &Effect) -> StoreResult<()> {
    match effect {
        Effect::None => Ok(()),
        Effect::PutSite(site) => {
            remove(transaction, site.id)?;
            site::put(transaction, site)
        }
        Effect::TrashSite(trashed) => {
            site::remove(transaction, trashed.site.id)?;
            put(transaction, trashed)
        }
        Effect::RemoveSite(id) => {
            remove(transaction, *id)?;
            site::remove(transaction, *id)?;
            databases::doom_all_of(transaction, *id)
        }
        Effect::PutDatabase(database) => databases::put(transaction, database),
        Effect::DropDatabase(name) => databases::doom(transaction, name),
        Effect::All(effects) => effects
            .iter()
            .try_for_each(|effect| take_effect(transaction, effect)),
    }
}

fn put(transaction: &WriteTransaction, trashed: &TrashedSite) -> StoreResult<()> {
    let bytes = to_json("trash", trashed)?;
    let mut trash = transaction.open_table(tables::TRASH).changing()?;
    trash
        .insert(trashed.site.id.number(), bytes.as_slice())
        .changing()?;
    Ok(())
}

fn remove(transaction: &WriteTransaction, id: SiteId) -> StoreResult<()> {
    let mut trash = transaction.open_table(tables::TRASH).changing()?;
    trash.remove(id.number()).changing()?;
    Ok(())
}
