//! The sessions of signed-in people: hashes of tokens, never tokens.
//!
//! Invariant: a session without its account is no session; both are looked up in one snapshot.

use std::net::IpAddr;

use redb::{ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};

use crate::domain::id::AccountId;
use crate::domain::secret::TokenHash;
use crate::domain::time::Timestamp;
use crate::store::Store;
use crate::store::account::{self, AccountRecord};
use crate::store::database::{Reading, from_json, to_json};
use crate::store::error::{StoreError, StoreResult};
use crate::store::tables;

/// One session as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionRecord {
    /// Whose.
    pub account: AccountId,
    /// When it began.
    pub began: Timestamp,
    /// When it was last used, to the minute.
    pub seen: Timestamp,
    /// From where it was begun.
    pub from: Option<IpAddr>,
}

impl Store {
    /// Begins a session and notes the sign-in. Above `most` sessions of the account the ones seen longest ago end.
    pub fn begin_session(
        &self,
        hash: &TokenHash,
        session: &SessionRecord,
        most: usize,
    ) -> StoreResult<AccountRecord> {
        self.write(|transaction| begin(transaction, hash, session, most))
    }

    /// A session and its account.
    pub fn session(&self, hash: &TokenHash) -> StoreResult<Option<(SessionRecord, AccountRecord)>> {
        self.read(|transaction| {
            let sessions = transaction.open_table(tables::SESSIONS).reading()?;
            let Some(bytes) = sessions.get(*hash.bytes()).reading()? else {
                return Ok(None);
            };
            let session: SessionRecord = from_json("session", bytes.value())?;
            let accounts = transaction.open_table(tables::ACCOUNTS).reading()?;
            let Some(bytes) = accounts.get(session.account.0).reading()? else {
                return Ok(None);
            };
            Ok(Some((session, from_json("account", bytes.value())?)))
        })
    }

    /// Notes when a session was last used; one that has ended meanwhile stays ended.
    pub fn touch_session(&self, hash: &TokenHash, seen: Timestamp) -> StoreResult<()> {
        self.write(|transaction| {
            let mut sessions = transaction.open_table(tables::SESSIONS).changing()?;
            let found = sessions
                .get(*hash.bytes())
                .changing()?
                .map(|bytes| from_json::<SessionRecord>("session", bytes.value()))
                .transpose()?;
            if let Some(mut session) = found {
                session.seen = seen;
                let bytes = to_json("session", &session)?;
                sessions
                    .insert(*hash.bytes(), bytes.as_slice())
                    .changing()?;
            }
            Ok(())
        })
    }

    /// Ends a session; returns whether there was one.
    pub fn end_session(&self, hash: &TokenHash) -> StoreResult<bool> {
        self.write(|transaction| {
            let mut sessions = transaction.open_table(tables::SESSIONS).changing()?;
            let ended = sessions.remove(*hash.bytes()).changing()?.is_some();
            Ok(ended)
        })
    }

    /// Ends every session for which `is_over` is true; returns how many.
    pub fn end_sessions(&self, is_over: impl Fn(&SessionRecord) -> bool) -> StoreResult<usize> {
        self.write(|transaction| {
            let over: Vec<[u8; 32]> = all(transaction)?
                .into_iter()
                .filter(|(_, session)| is_over(session))
                .map(|(key, _)| key)
                .collect();
            remove(transaction, &over)?;
            Ok(over.len())
        })
    }
}

pub(super) fn begin(
    transaction: &WriteTransaction,
    hash: &TokenHash,
    session: &SessionRecord,
    most: usize,
) -> StoreResult<AccountRecord> {
    let mut account = account::load(transaction, session.account)?;
    if account.disabled {
        return Err(StoreError::AccountDisabled);
    }
    account.last_login = Some(session.began);
    account::put(transaction, &account)?;
    let mut others: Vec<_> = all(transaction)?
        .into_iter()
        .filter(|(_, other)| other.account == session.account)
        .collect();
    others.sort_by_key(|(_, other)| std::cmp::Reverse(other.seen));
    let evicted: Vec<[u8; 32]> = others
        .iter()
        .skip(most.saturating_sub(1))
        .map(|(key, _)| *key)
        .collect();
    remove(transaction, &evicted)?;
    let bytes = to_json("session", session)?;
    let mut sessions = transaction.open_table(tables::SESSIONS).changing()?;
    sessions
        .insert(*hash.bytes(), bytes.as_slice())
        .changing()?;
    Ok(account)
}

pub(super) fn remove_of(transaction: &WriteTransaction, id: AccountId) -> StoreResult<()> {
    let theirs: Vec<[u8; 32]> = all(transaction)?
        .into_iter()
        .filter(|(_, session)| session.account == id)
        .map(|(key, _)| key)
        .collect();
    remove(transaction, &theirs)
}

fn all(transaction: &WriteTransaction) -> StoreResult<Vec<([u8; 32], SessionRecord)>> {
    let sessions = transaction.open_table(tables::SESSIONS).changing()?;
    let mut found = Vec::new();
    for entry in sessions.iter().changing()? {
        let (key, bytes) = entry.changing()?;
        found.push((key.value(), from_json("session", bytes.value())?));
    }
    Ok(found)
}

fn remove(transaction: &WriteTransaction, keys: &[[u8; 32]]) -> StoreResult<()> {
    let mut sessions = transaction.open_table(tables::SESSIONS).changing()?;
    for key in keys {
        sessions.remove(*key).changing()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::{AccountName, Role};
    use crate::domain::secret::Token;
    use crate::store::account::NewAccount;

    fn begun(store: &Store, seconds: u64) -> Token {
        let name = AccountName::parse("mara").unwrap();
        let time = Timestamp::from_millis(0).plus_seconds(seconds);
        let account = match store.account_named(&name).unwrap() {
            Some(account) => account,
            None => store
                .create_account(&NewAccount {
                    name,
                    role: Role::Owner,
                    password: String::new(),
                    created: time,
                })
                .unwrap(),
        };
        let session = SessionRecord {
            account: account.id,
            began: time,
            seen: time,
            from: None,
        };
        let token = Token::from_random([u8::try_from(seconds).unwrap(); 32]);
        store.begin_session(&token.hash(), &session, 10).unwrap();
        token
    }

    #[test]
    fn a_session_that_has_ended_is_not_brought_back_by_a_late_touch() {
        let store = Store::in_memory().unwrap();
        let token = begun(&store, 1);
        assert!(store.end_session(&token.hash()).unwrap());
        assert!(!store.end_session(&token.hash()).unwrap());
        store
            .touch_session(&token.hash(), Timestamp::from_millis(9))
            .unwrap();
        assert!(store.session(&token.hash()).unwrap().is_none());
    }

    #[test]
    fn only_sessions_that_are_over_are_swept() {
        let store = Store::in_memory().unwrap();
        let (old, new) = (begun(&store, 1), begun(&store, 100));
        let limit = Timestamp::from_millis(50_000);
        assert_eq!(
            store.end_sessions(|session| session.seen < limit).unwrap(),
            1
        );
        assert!(store.session(&old.hash()).unwrap().is_none());
        assert!(store.session(&new.hash()).unwrap().is_some());
    }
}
