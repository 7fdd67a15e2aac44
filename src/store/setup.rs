//! One-time links: the first account is made with one, and a lost password is replaced with one.
//!
//! Invariant: a link works once and until it expires; using one takes every other link with it, in the same transaction.

use redb::{ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};

use crate::domain::secret::TokenHash;
use crate::domain::time::Timestamp;
use crate::store::Store;
use crate::store::account::{self, AccountRecord, NewAccount};
use crate::store::database::{Reading, from_json, to_json};
use crate::store::error::{StoreError, StoreResult};
use crate::store::session::{self, SessionRecord};
use crate::store::tables;

/// One link as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkRecord {
    /// When it was made.
    pub created: Timestamp,
    /// When it stops working.
    pub expires: Timestamp,
}

impl LinkRecord {
    /// True between its making and its end. A clock set back before its making makes it invalid too.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.created <= now && now < self.expires
    }
}

impl Store {
    /// Keeps a new link; earlier ones stop working.
    pub fn put_link(&self, hash: &TokenHash, link: &LinkRecord) -> StoreResult<()> {
        let bytes = to_json("setup_link", link)?;
        self.write(|transaction| {
            let mut links = transaction.open_table(tables::LINKS).changing()?;
            links.retain(|_, _| false).changing()?;
            links.insert(*hash.bytes(), bytes.as_slice()).changing()?;
            Ok(())
        })
    }

    /// Is this link good now?
    pub fn is_link_valid(&self, hash: &TokenHash, now: Timestamp) -> StoreResult<bool> {
        self.read(|transaction| {
            let links = transaction.open_table(tables::LINKS).reading()?;
            let found = links.get(*hash.bytes()).reading()?;
            let link: Option<LinkRecord> = found
                .map(|bytes| from_json("setup_link", bytes.value()))
                .transpose()?;
            Ok(link.is_some_and(|link| link.is_valid(now)))
        })
    }

    /// Uses a link: makes the account or gives the existing one this password and lets it sign in again, and begins a session, all or nothing.
    pub fn use_link(
        &self,
        link: &TokenHash,
        account: &NewAccount,
        session: &TokenHash,
        from: Option<std::net::IpAddr>,
    ) -> StoreResult<AccountRecord> {
        let now = account.created;
        self.write(|transaction| {
            take_link(transaction, link, now)?;
            let id = match account::named(transaction, &account.name)? {
                Some(id) => {
                    account::recover(transaction, id, account.password.clone())?;
                    id
                }
                None => account::create(transaction, account)?.id,
            };
            let record = SessionRecord {
                account: id,
                began: now,
                seen: now,
                from,
            };
            session::begin(transaction, session, &record, 1)
        })
    }
}

fn take_link(transaction: &WriteTransaction, hash: &TokenHash, now: Timestamp) -> StoreResult<()> {
    let mut links = transaction.open_table(tables::LINKS).changing()?;
    let link: Option<LinkRecord> = links
        .get(*hash.bytes())
        .changing()?
        .map(|bytes| from_json("setup_link", bytes.value()))
        .transpose()?;
    if !link.is_some_and(|link| link.is_valid(now)) {
        return Err(StoreError::LinkInvalid);
    }
    links.retain(|_, _| false).changing()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::{AccountName, Role};
    use crate::domain::secret::Token;

    fn token(random: u8) -> TokenHash {
        Token::from_random([random; 32]).hash()
    }

    fn link() -> LinkRecord {
        LinkRecord {
            created: Timestamp::from_millis(1_000),
            expires: Timestamp::from_millis(61_000),
        }
    }

    fn owner(millis: u64) -> NewAccount {
        NewAccount {
            name: AccountName::parse("mara").unwrap(),
            role: Role::Owner,
            password: format!("hash at {millis}"),
            created: Timestamp::from_millis(millis),
        }
    }

    #[test]
    fn a_link_works_once() {
        let store = Store::in_memory().unwrap();
        store.put_link(&token(1), &link()).unwrap();
        store
            .use_link(&token(1), &owner(2_000), &token(8), None)
            .unwrap();
        assert!(store.session(&token(8)).unwrap().is_some());
        let again = store.use_link(&token(1), &owner(3_000), &token(9), None);
        assert!(matches!(again, Err(StoreError::LinkInvalid)));
        assert_eq!(store.accounts().unwrap()[0].password, "hash at 2000");
    }

    #[test]
    fn wrong_late_and_early_links_make_no_account() {
        let store = Store::in_memory().unwrap();
        store.put_link(&token(1), &link()).unwrap();
        for (hash, millis) in [(token(2), 2_000), (token(1), 61_000), (token(1), 999)] {
            let refused = store.use_link(&hash, &owner(millis), &token(8), None);
            assert!(matches!(refused, Err(StoreError::LinkInvalid)));
            assert!(
                !store
                    .is_link_valid(&hash, Timestamp::from_millis(millis))
                    .unwrap()
            );
        }
        assert_eq!(store.accounts().unwrap(), []);
        assert!(
            store
                .is_link_valid(&token(1), Timestamp::from_millis(60_999))
                .unwrap()
        );
    }

    #[test]
    fn a_new_link_ends_the_one_before() {
        let store = Store::in_memory().unwrap();
        store.put_link(&token(1), &link()).unwrap();
        store.put_link(&token(2), &link()).unwrap();
        let now = Timestamp::from_millis(2_000);
        assert!(!store.is_link_valid(&token(1), now).unwrap());
        assert!(store.is_link_valid(&token(2), now).unwrap());
    }

    #[test]
    fn a_link_for_an_existing_account_replaces_its_password_and_ends_its_sessions() {
        let store = Store::in_memory().unwrap();
        store.put_link(&token(1), &link()).unwrap();
        let first = store
            .use_link(&token(1), &owner(2_000), &token(8), None)
            .unwrap();
        store.put_link(&token(2), &link()).unwrap();
        let second = store
            .use_link(&token(2), &owner(3_000), &token(9), None)
            .unwrap();
        assert_eq!(
            (first.id, second.password.as_str()),
            (second.id, "hash at 3000")
        );
        assert!(store.session(&token(8)).unwrap().is_none());
        assert!(store.session(&token(9)).unwrap().is_some());
    }
}
