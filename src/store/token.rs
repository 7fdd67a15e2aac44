//! The tokens of programs: hashes of them, never tokens.
//!
//! Invariant: a token without its account, or of one that may not sign in, is no token; both are looked up in one snapshot.

use redb::{ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};

use crate::domain::id::AccountId;
use crate::domain::secret::TokenHash;
use crate::domain::time::Timestamp;
use crate::domain::token::{Scope, TokenName, TokenView};
use crate::store::Store;
use crate::store::account::{self, AccountRecord};
use crate::store::database::{Reading, from_json, to_json};
use crate::store::error::{StoreError, StoreResult};
use crate::store::tables;

/// One token as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRecord {
    /// Its name, which no other has.
    pub name: TokenName,
    /// In whose name it asks.
    pub account: AccountId,
    /// What it may.
    pub scope: Scope,
    /// When it was made.
    pub created: Timestamp,
    /// When it stops working.
    pub expires: Option<Timestamp>,
    /// When it was used last, to the minute.
    pub used: Option<Timestamp>,
}

impl Store {
    /// Keeps a new token.
    pub fn create_token(&self, hash: &TokenHash, token: &TokenRecord) -> StoreResult<()> {
        self.write(|transaction| {
            account::load(transaction, token.account)?;
            if all(transaction)?
                .iter()
                .any(|(_, other)| other.name == token.name)
            {
                return Err(StoreError::TokenTaken);
            }
            put(transaction, hash, token)
        })
    }

    /// A token and its account, where that may sign in.
    pub fn token(&self, hash: &TokenHash) -> StoreResult<Option<(TokenRecord, AccountRecord)>> {
        self.read(|transaction| {
            let tokens = transaction.open_table(tables::TOKENS).reading()?;
            let Some(bytes) = tokens.get(*hash.bytes()).reading()? else {
                return Ok(None);
            };
            let token: TokenRecord = from_json("token", bytes.value())?;
            let accounts = transaction.open_table(tables::ACCOUNTS).reading()?;
            let Some(bytes) = accounts.get(token.account.0).reading()? else {
                return Ok(None);
            };
            let account: AccountRecord = from_json("account", bytes.value())?;
            Ok((!account.disabled).then_some((token, account)))
        })
    }

    /// All of them, by name.
    pub fn tokens(&self) -> StoreResult<Vec<TokenView>> {
        self.read(|transaction| {
            let tokens = transaction.open_table(tables::TOKENS).reading()?;
            let accounts = transaction.open_table(tables::ACCOUNTS).reading()?;
            let mut found = Vec::new();
            for entry in tokens.iter().reading()? {
                let token: TokenRecord = from_json("token", entry.reading()?.1.value())?;
                if let Some(bytes) = accounts.get(token.account.0).reading()? {
                    let account: AccountRecord = from_json("account", bytes.value())?;
                    found.push(TokenView {
                        name: token.name,
                        account: account.name,
                        scope: token.scope,
                        created: token.created,
                        expires: token.expires,
                        used: token.used,
                    });
                }
            }
            found.sort_by(|one, other| one.name.cmp(&other.name));
            Ok(found)
        })
    }

    /// Notes when a token was used last; one that was revoked meanwhile stays so. A power cut may lose it.
    pub fn touch_token(&self, hash: &TokenHash, used: Timestamp) -> StoreResult<()> {
        self.write_soon(|transaction| {
            let found = all(transaction)?
                .into_iter()
                .find(|(key, _)| key == hash.bytes());
            let Some((_, token)) = found else {
                return Ok(());
            };
            let used = Some(used);
            put(transaction, hash, &TokenRecord { used, ..token })
        })
    }

    /// Forgets a token.
    pub fn revoke_token(&self, name: &TokenName) -> StoreResult<()> {
        self.write(|transaction| {
            let of_this_name: Vec<_> = keys(transaction, |token| token.name == *name)?;
            if of_this_name.is_empty() {
                return Err(StoreError::TokenMissing);
            }
            remove(transaction, &of_this_name)
        })
    }
}

pub(super) fn remove_of(transaction: &WriteTransaction, id: AccountId) -> StoreResult<()> {
    let theirs = keys(transaction, |token| token.account == id)?;
    remove(transaction, &theirs)
}

fn keys(
    transaction: &WriteTransaction,
    wanted: impl Fn(&TokenRecord) -> bool,
) -> StoreResult<Vec<[u8; 32]>> {
    let wanted = |(key, token): ([u8; 32], TokenRecord)| wanted(&token).then_some(key);
    Ok(all(transaction)?.into_iter().filter_map(wanted).collect())
}

fn all(transaction: &WriteTransaction) -> StoreResult<Vec<([u8; 32], TokenRecord)>> {
    let tokens = transaction.open_table(tables::TOKENS).changing()?;
    let mut found = Vec::new();
    for entry in tokens.iter().changing()? {
        let (key, bytes) = entry.changing()?;
        found.push((key.value(), from_json("token", bytes.value())?));
    }
    Ok(found)
}

fn put(transaction: &WriteTransaction, hash: &TokenHash, token: &TokenRecord) -> StoreResult<()> {
    let bytes = to_json("token", token)?;
    let mut tokens = transaction.open_table(tables::TOKENS).changing()?;
    tokens.insert(*hash.bytes(), bytes.as_slice()).changing()?;
    Ok(())
}

fn remove(transaction: &WriteTransaction, keys: &[[u8; 32]]) -> StoreResult<()> {
    let mut tokens = transaction.open_table(tables::TOKENS).changing()?;
    for key in keys {
        tokens.remove(*key).changing()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::{AccountName, Role};
    use crate::domain::secret::Token;
    use crate::store::account::NewAccount;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn account(store: &Store, name: &str) -> AccountId {
        let name = AccountName::parse(name).unwrap();
        let new = NewAccount {
            name,
            role: Role::Owner,
            password: String::new(),
            created: NOW,
        };
        store.create_account(&new).unwrap().id
    }

    fn kept(store: &Store, account: AccountId, name: &str, random: u8) -> StoreResult<TokenHash> {
        let hash = Token::from_random([random; 32]).hash();
        let record = TokenRecord {
            name: TokenName::parse(name).unwrap(),
            account,
            scope: Scope::Read,
            created: NOW,
            expires: None,
            used: None,
        };
        store.create_token(&hash, &record).map(|()| hash)
    }

    #[test]
    fn a_token_ends_with_its_account_and_rests_while_that_is_disabled() {
        let store = Store::in_memory().unwrap();
        let (mara, noor) = (account(&store, "mara"), account(&store, "noor"));
        let (one, other) = (
            kept(&store, mara, "a", 1).unwrap(),
            kept(&store, noor, "b", 2).unwrap(),
        );
        store.disable_account(mara, true).unwrap();
        assert!(store.token(&one).unwrap().is_none() && store.token(&other).unwrap().is_some());
        store.disable_account(mara, false).unwrap();
        assert!(store.token(&one).unwrap().is_some());
        store.remove_account(mara).unwrap();
        assert!(store.token(&one).unwrap().is_none());
        assert_eq!(store.tokens().unwrap().len(), 1);
    }

    #[test]
    fn a_name_is_given_once_and_a_late_use_brings_nothing_back() {
        let store = Store::in_memory().unwrap();
        let mara = account(&store, "mara");
        let hash = kept(&store, mara, "a", 1).unwrap();
        assert!(matches!(
            kept(&store, mara, "a", 2),
            Err(StoreError::TokenTaken)
        ));
        store.touch_token(&hash, NOW).unwrap();
        assert_eq!(store.tokens().unwrap()[0].used, Some(NOW));
        let name = TokenName::parse("a").unwrap();
        store.revoke_token(&name).unwrap();
        store.touch_token(&hash, NOW).unwrap();
        assert!(store.token(&hash).unwrap().is_none());
        assert!(matches!(
            store.revoke_token(&name),
            Err(StoreError::TokenMissing)
        ));
    }
}
