//! The accounts of people.
//!
//! Invariant: a name belongs to at most one account, and the last account that may sign in is neither deleted nor disabled.

use redb::{ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};

use crate::domain::account::{AccountName, Role};
use crate::domain::id::AccountId;
use crate::domain::time::Timestamp;
use crate::store::Store;
use crate::store::database::{Reading, count_up, from_json, to_json};
use crate::store::error::{StoreError, StoreResult};
use crate::store::{session, tables, token};

/// One account as it is kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountRecord {
    /// Its number; never reused.
    pub id: AccountId,
    /// Its name.
    pub name: AccountName,
    /// What it may do.
    pub role: Role,
    /// The hash of its password, as a PHC text.
    pub password: String,
    /// When it was made.
    pub created: Timestamp,
    /// Its last sign-in.
    pub last_login: Option<Timestamp>,
    /// It may not sign in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
}

/// What a new account is made of.
#[derive(Clone)]
pub struct NewAccount {
    /// Its name.
    pub name: AccountName,
    /// What it may do.
    pub role: Role,
    /// The hash of its password, as a PHC text.
    pub password: String,
    /// When it is made.
    pub created: Timestamp,
}

impl std::fmt::Debug for AccountRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AccountRecord({}, password hidden)", self.name)
    }
}

impl Store {
    /// All accounts, by number.
    pub fn accounts(&self) -> StoreResult<Vec<AccountRecord>> {
        self.read(|transaction| {
            let accounts = transaction.open_table(tables::ACCOUNTS).reading()?;
            let mut found = Vec::new();
            for entry in accounts.iter().reading()? {
                found.push(from_json("account", entry.reading()?.1.value())?);
            }
            Ok(found)
        })
    }

    /// One account by number.
    pub fn account(&self, id: AccountId) -> StoreResult<Option<AccountRecord>> {
        self.read(|transaction| {
            let accounts = transaction.open_table(tables::ACCOUNTS).reading()?;
            let found = accounts.get(id.0).reading()?;
            found
                .map(|bytes| from_json("account", bytes.value()))
                .transpose()
        })
    }

    /// One account by name.
    pub fn account_named(&self, name: &AccountName) -> StoreResult<Option<AccountRecord>> {
        self.read(|transaction| {
            let names = transaction.open_table(tables::ACCOUNT_NAMES).reading()?;
            let Some(id) = names.get(name.as_str()).reading()? else {
                return Ok(None);
            };
            let accounts = transaction.open_table(tables::ACCOUNTS).reading()?;
            let found = accounts.get(id.value()).reading()?;
            found
                .map(|bytes| from_json("account", bytes.value()))
                .transpose()
        })
    }

    /// Makes an account.
    pub fn create_account(&self, new: &NewAccount) -> StoreResult<AccountRecord> {
        self.write(|transaction| create(transaction, new))
    }

    /// Gives an account another password hash and ends its sessions.
    pub fn set_password(&self, id: AccountId, password: String) -> StoreResult<()> {
        self.write(|transaction| set_password(transaction, id, password))
    }

    /// Replaces a password hash by a stronger one of the same password; sessions go on.
    pub fn rehash_password(&self, id: AccountId, before: &str, after: String) -> StoreResult<()> {
        self.write(|transaction| {
            let mut account = load(transaction, id)?;
            if account.password == before {
                account.password = after;
                put(transaction, &account)?;
            }
            Ok(())
        })
    }

    /// Keeps an account from signing in and ends its sessions, or lets it sign in again.
    pub fn disable_account(&self, id: AccountId, disabled: bool) -> StoreResult<()> {
        self.write(|transaction| {
            let mut account = load(transaction, id)?;
            if disabled {
                refuse_last(transaction, &account)?;
                session::remove_of(transaction, id)?;
            }
            account.disabled = disabled;
            put(transaction, &account)
        })
    }

    /// Deletes an account and its sessions; the last one that may sign in stays.
    pub fn remove_account(&self, id: AccountId) -> StoreResult<()> {
        self.write(|transaction| {
            let account = load(transaction, id)?;
            refuse_last(transaction, &account)?;
            let mut accounts = transaction.open_table(tables::ACCOUNTS).changing()?;
            accounts.remove(id.0).changing()?;
            let mut names = transaction.open_table(tables::ACCOUNT_NAMES).changing()?;
            names.remove(account.name.as_str()).changing()?;
            token::remove_of(transaction, id)?;
            session::remove_of(transaction, id)
        })
    }
}

/// Somebody must be able to sign in afterwards.
fn refuse_last(transaction: &WriteTransaction, account: &AccountRecord) -> StoreResult<()> {
    let accounts = transaction.open_table(tables::ACCOUNTS).changing()?;
    let mut others = 0_u32;
    for entry in accounts.iter().changing()? {
        let other: AccountRecord = from_json("account", entry.changing()?.1.value())?;
        others += u32::from(other.id != account.id && (account.disabled || !other.disabled));
    }
    if others == 0 {
        return Err(StoreError::LastAccount);
    }
    Ok(())
}

pub(super) fn create(
    transaction: &WriteTransaction,
    new: &NewAccount,
) -> StoreResult<AccountRecord> {
    if named(transaction, &new.name)?.is_some() {
        return Err(StoreError::AccountTaken {
            name: new.name.clone(),
        });
    }
    let number = count_up(transaction, "account")?;
    let account = AccountRecord {
        id: AccountId(u32::try_from(number).unwrap_or(u32::MAX)),
        name: new.name.clone(),
        role: new.role,
        password: new.password.clone(),
        created: new.created,
        last_login: None,
        disabled: false,
    };
    put(transaction, &account)?;
    Ok(account)
}

pub(super) fn named(
    transaction: &WriteTransaction,
    name: &AccountName,
) -> StoreResult<Option<AccountId>> {
    let names = transaction.open_table(tables::ACCOUNT_NAMES).changing()?;
    let found = names.get(name.as_str()).changing()?;
    Ok(found.map(|id| AccountId(id.value())))
}

pub(super) fn set_password(
    transaction: &WriteTransaction,
    id: AccountId,
    password: String,
) -> StoreResult<()> {
    let mut account = load(transaction, id)?;
    account.password = password;
    put(transaction, &account)?;
    session::remove_of(transaction, id)
}

/// The same for whoever root on this server gave a link: it may sign in again.
pub(super) fn recover(
    transaction: &WriteTransaction,
    id: AccountId,
    password: String,
) -> StoreResult<()> {
    let mut account = load(transaction, id)?;
    account.disabled = false;
    put(transaction, &account)?;
    set_password(transaction, id, password)
}

pub(super) fn load(transaction: &WriteTransaction, id: AccountId) -> StoreResult<AccountRecord> {
    let accounts = transaction.open_table(tables::ACCOUNTS).changing()?;
    let found = accounts.get(id.0).changing()?;
    let bytes = found.ok_or(StoreError::AccountMissing { id })?;
    from_json("account", bytes.value())
}

pub(super) fn put(transaction: &WriteTransaction, account: &AccountRecord) -> StoreResult<()> {
    let bytes = to_json("account", account)?;
    let mut accounts = transaction.open_table(tables::ACCOUNTS).changing()?;
    accounts.insert(account.id.0, bytes.as_slice()).changing()?;
    let mut names = transaction.open_table(tables::ACCOUNT_NAMES).changing()?;
    names
        .insert(account.name.as_str(), account.id.0)
        .changing()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::Token;
    use crate::store::session::SessionRecord;

    fn new(name: &str) -> NewAccount {
        NewAccount {
            name: AccountName::parse(name).unwrap(),
            role: Role::Owner,
            password: "hash one".to_owned(),
            created: Timestamp::from_millis(1_000),
        }
    }

    fn signed_in(store: &Store, account: AccountId, random: u8) -> Token {
        let token = Token::from_random([random; 32]);
        let seen = Timestamp::from_millis(u64::from(random));
        let session = SessionRecord {
            account,
            began: seen,
            seen,
            from: None,
        };
        store.begin_session(&token.hash(), &session, 3).unwrap();
        token
    }

    #[test]
    fn a_name_is_taken_once() {
        let store = Store::in_memory().unwrap();
        let mara = store.create_account(&new("mara")).unwrap();
        let twice = store.create_account(&new("mara")).unwrap_err();
        assert!(matches!(twice, StoreError::AccountTaken { .. }));
        assert_eq!(store.account_named(&mara.name).unwrap(), Some(mara));
    }

    #[test]
    fn the_last_account_stays_and_numbers_are_not_reused() {
        let store = Store::in_memory().unwrap();
        let mara = store.create_account(&new("mara")).unwrap();
        let last = store.remove_account(mara.id).unwrap_err();
        assert!(matches!(last, StoreError::LastAccount));
        let ivo = store.create_account(&new("ivo")).unwrap();
        store.remove_account(ivo.id).unwrap();
        assert_eq!(store.account_named(&ivo.name).unwrap(), None);
        let again = store.create_account(&new("ivo")).unwrap();
        assert_ne!(again.id, ivo.id);
    }

    #[test]
    fn a_disabled_account_has_no_session_and_somebody_can_always_sign_in() {
        let store = Store::in_memory().unwrap();
        let mara = store.create_account(&new("mara")).unwrap();
        let last = store.disable_account(mara.id, true).unwrap_err();
        assert!(matches!(last, StoreError::LastAccount));
        let ivo = store.create_account(&new("ivo")).unwrap();
        let his = signed_in(&store, ivo.id, 2);
        store.disable_account(ivo.id, true).unwrap();
        assert!(store.session(&his.hash()).unwrap().is_none());
        let session = SessionRecord {
            account: ivo.id,
            began: Timestamp::from_millis(3),
            seen: Timestamp::from_millis(3),
            from: None,
        };
        let refused = store.begin_session(&his.hash(), &session, 3).unwrap_err();
        assert!(matches!(refused, StoreError::AccountDisabled));
        for last in [
            store.remove_account(mara.id),
            store.disable_account(mara.id, true),
        ] {
            assert!(matches!(last.unwrap_err(), StoreError::LastAccount));
        }
        store.disable_account(ivo.id, false).unwrap();
        store.begin_session(&his.hash(), &session, 3).unwrap();
        store.disable_account(ivo.id, true).unwrap();
        store.remove_account(ivo.id).unwrap();
    }

    #[test]
    fn a_new_password_or_a_deletion_ends_the_sessions_of_that_account_only() {
        let store = Store::in_memory().unwrap();
        let mara = store.create_account(&new("mara")).unwrap();
        let ivo = store.create_account(&new("ivo")).unwrap();
        let (hers, his) = (signed_in(&store, mara.id, 1), signed_in(&store, ivo.id, 2));
        store.set_password(mara.id, "hash two".to_owned()).unwrap();
        assert!(store.session(&hers.hash()).unwrap().is_none());
        assert!(store.session(&his.hash()).unwrap().is_some());
        store.remove_account(ivo.id).unwrap();
        assert!(store.session(&his.hash()).unwrap().is_none());
    }

    #[test]
    fn a_stronger_hash_of_the_same_password_keeps_sessions_and_never_undoes_a_new_password() {
        let store = Store::in_memory().unwrap();
        let mara = store.create_account(&new("mara")).unwrap();
        let token = signed_in(&store, mara.id, 1);
        store
            .rehash_password(mara.id, "hash one", "hash strong".to_owned())
            .unwrap();
        assert!(store.session(&token.hash()).unwrap().is_some());
        store
            .rehash_password(mara.id, "hash one", "hash late".to_owned())
            .unwrap();
        assert_eq!(
            store.account(mara.id).unwrap().unwrap().password,
            "hash strong"
        );
    }

    #[test]
    fn one_session_too_many_ends_the_one_seen_longest_ago() {
        let store = Store::in_memory().unwrap();
        let mara = store.create_account(&new("mara")).unwrap();
        let tokens: Vec<_> = (1..=4).map(|n| signed_in(&store, mara.id, n)).collect();
        let alive: Vec<bool> = tokens
            .iter()
            .map(|token| store.session(&token.hash()).unwrap().is_some())
            .collect();
        assert_eq!(alive, [false, true, true, true]);
        let account = store.account(mara.id).unwrap().unwrap();
        assert_eq!(account.last_login, Some(Timestamp::from_millis(4)));
    }
}
