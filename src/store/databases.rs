//! The databases of sites and of the server, and those that are to be dropped.
//!
//! Invariant: a name is a database's or one to be dropped, never both; it is free again only once MariaDB holds nothing of it.

use redb::{ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};

use crate::domain::database::{Database, DatabaseName};
use crate::domain::id::SiteId;
use crate::store::Store;
use crate::store::database::{Reading, from_json, to_json};
use crate::store::error::StoreResult;
use crate::store::tables;

type Table = TableDefinition<'static, &'static str, &'static [u8]>;

impl Store {
    /// All databases, by name.
    pub fn databases(&self) -> StoreResult<Vec<Database>> {
        self.read(|transaction| all(transaction, tables::DATABASES))
    }

    /// The databases that are deleted and still wait to be dropped.
    pub fn doomed_databases(&self) -> StoreResult<Vec<Database>> {
        self.read(|transaction| all(transaction, tables::DOOMED_DATABASES))
    }

    /// Forgets a database that was dropped.
    pub fn forget_database(&self, name: &DatabaseName) -> StoreResult<()> {
        self.write(|transaction| take(transaction, tables::DOOMED_DATABASES, name).map(drop))
    }
}

fn all(transaction: &ReadTransaction, table: Table) -> StoreResult<Vec<Database>> {
    let databases = transaction.open_table(table).reading()?;
    let mut found = Vec::new();
    for entry in databases.iter().reading()? {
        found.push(from_json("database", entry.reading()?.1.value())?);
    }
    Ok(found)
}

pub(super) fn put(transaction: &WriteTransaction, database: &Database) -> StoreResult<()> {
    insert(transaction, tables::DATABASES, database)
}

/// From here on it belongs to nobody and is dropped as soon as MariaDB answers.
pub(super) fn doom(transaction: &WriteTransaction, name: &DatabaseName) -> StoreResult<()> {
    match take(transaction, tables::DATABASES, name)? {
        Some(database) => insert(transaction, tables::DOOMED_DATABASES, &database),
        None => Ok(()),
    }
}

/// The same for all databases of a site.
pub(super) fn doom_all_of(transaction: &WriteTransaction, site: SiteId) -> StoreResult<()> {
    let mut own = Vec::new();
    {
        let databases = transaction.open_table(tables::DATABASES).changing()?;
        for entry in databases.iter().changing()? {
            let database: Database = from_json("database", entry.changing()?.1.value())?;
            if database.site == Some(site) {
                own.push(database.name);
            }
        }
    }
    own.iter().try_for_each(|name| doom(transaction, name))
}

fn insert(transaction: &WriteTransaction, table: Table, database: &Database) -> StoreResult<()> {
    let bytes = to_json("database", database)?;
    let mut databases = transaction.open_table(table).changing()?;
    databases
        .insert(database.name.as_str(), bytes.as_slice())
        .changing()?;
    Ok(())
}

fn take(
    transaction: &WriteTransaction,
    table: Table,
    name: &DatabaseName,
) -> StoreResult<Option<Database>> {
    let mut databases = transaction.open_table(table).changing()?;
    let taken = databases.remove(name.as_str()).changing()?;
    taken
        .map(|bytes| from_json("database", bytes.value()))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;
    use crate::store::Effect;
    use crate::store::trash::take_effect;

    fn database(name: &str, site: Option<u32>) -> Database {
        let name = DatabaseName::parse(name).unwrap();
        Database {
            users: vec![name.user()],
            terms: std::collections::BTreeMap::new(),
            name,
            site: site.map(SiteId::new),
            created: Timestamp::from_millis(1),
            deleted: None,
        }
    }

    fn happen(store: &Store, effect: &Effect) {
        store.write(|t| take_effect(t, effect)).unwrap();
    }

    #[test]
    fn a_site_takes_its_databases_along_and_no_others() {
        let store = Store::in_memory().unwrap();
        let (own, other) = (database("shop", Some(1001)), database("blog", Some(1002)));
        let all = [own.clone(), other.clone()].map(|one| Effect::PutDatabase(Box::new(one)));
        happen(&store, &Effect::All(all.to_vec()));
        assert_eq!(store.databases().unwrap(), [other.clone(), own.clone()]);
        happen(&store, &Effect::RemoveSite(SiteId::new(1001)));
        assert_eq!(store.databases().unwrap(), [other]);
        assert_eq!(
            store.doomed_databases().unwrap(),
            std::slice::from_ref(&own)
        );
        store.forget_database(&own.name).unwrap();
        assert_eq!(store.doomed_databases().unwrap(), []);
    }

    #[test]
    fn what_is_not_there_cannot_be_doomed() {
        let store = Store::in_memory().unwrap();
        let name = DatabaseName::parse("shop").unwrap();
        happen(&store, &Effect::DropDatabase(name));
        assert_eq!(store.doomed_databases().unwrap(), []);
    }
}
