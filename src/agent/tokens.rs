//! The tokens by which programs ask: making one, and whom it stands for.
//!
//! Invariant: a token is told once, to root; what is kept of it is its hash, and one that has expired stands for nobody.

use crate::domain::account::{AccountName, Actor};
use crate::domain::fault::{Code, Fault};
use crate::domain::secret::Token;
use crate::domain::time::Timestamp;
use crate::domain::token::{Scope, TokenName, TokenView};
use crate::host::Host;
use crate::rpc::protocol::{Answer, Reply, Request};
use crate::store::Store;
use crate::store::token::TokenRecord;

/// Its last use is written down when the one written is older than this.
const WRITE_EVERY_MILLIS: u64 = 60_000;
const DAY_SECONDS: u64 = 24 * 60 * 60;

/// Whom a token stands for now.
pub(super) fn holder(store: &Store, token: &Token, now: Timestamp) -> Result<Option<Actor>, Fault> {
    let hash = token.hash();
    let Some((record, account)) = store.token(&hash)? else {
        return Ok(None);
    };
    if record.expires.is_some_and(|expires| now >= expires) {
        return Ok(None);
    }
    let is_noted = |used| now.millis_since(used) < WRITE_EVERY_MILLIS;
    if !record.used.is_some_and(is_noted) {
        store.touch_token(&hash, now)?;
    }
    Ok(Some(Actor::Token {
        id: account.id,
        account: account.name,
        role: account.role,
        name: record.name,
        scope: record.scope,
    }))
}

/// Lists, makes and forgets them.
pub(super) fn answer(store: &Store, host: &dyn Host, request: Request) -> Answer {
    match request {
        Request::TokenCreate {
            name,
            account,
            scope,
            days,
        } => create(store, host, (name, account), scope, days),
        Request::TokenRevoke { name } => {
            store.revoke_token(&name)?;
            Ok(Reply::Done {})
        }
        _ => Ok(Reply::Tokens(store.tokens()?)),
    }
}

/// Makes one; it is answered, and kept nowhere.
fn create(
    store: &Store,
    host: &dyn Host,
    (name, account): (TokenName, AccountName),
    scope: Scope,
    days: Option<u32>,
) -> Answer {
    let owner = store.account_named(&account)?.ok_or_else(|| {
        Fault::new(
            Code::AccountNotFound,
            format!("there is no account `{account}`"),
            "see `lalapanel account list` for the accounts there are",
        )
    })?;
    let mut random = [0; 32];
    host.random(&mut random).map_err(|_| {
        Fault::new(
            Code::HostFailed,
            "The system gave no random numbers",
            "see `dmesg`, then try again",
        )
    })?;
    let (token, created) = (Token::from_random(random), host.now());
    let expires = days.map(|days| created.plus_seconds(u64::from(days) * DAY_SECONDS));
    let record = TokenRecord {
        name: name.clone(),
        account: owner.id,
        scope,
        created,
        expires,
        used: None,
    };
    store.create_token(&token.hash(), &record)?;
    let view = TokenView {
        name,
        account,
        scope,
        created,
        expires,
        used: None,
    };
    Ok(Reply::TokenMade { token, view })
}
