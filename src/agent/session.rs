//! Who is signed in: from an opaque token to an actor, and back to nobody.
//!
//! Invariant: a session that has ended is nobody at the next look, and whoever holds an open stream of it is told at once.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::domain::account::Actor;
use crate::domain::fault::Fault;
use crate::domain::secret::{Token, TokenHash};
use crate::domain::time::Timestamp;
use crate::rpc::view::SessionView;
use crate::store::Store;
use crate::store::account::AccountRecord;
use crate::store::session::SessionRecord;

/// Without a click, a session ends after half an hour.
const IDLE_SECONDS: u64 = 30 * 60;
/// With any number of clicks, it ends after twelve hours.
const ABSOLUTE_SECONDS: u64 = 12 * 3600;
/// Sessions of one account at the same time.
const MOST: usize = 10;
/// The last click is written down when the one written is older than this: no fsync for every page.
const WRITE_EVERY_MILLIS: u64 = 60_000;

/// A session that is alive now.
#[derive(Debug, Clone)]
pub struct Live {
    /// Its key in the state.
    pub hash: TokenHash,
    /// Whose it is.
    pub account: AccountRecord,
    /// What the person is shown of it.
    pub view: SessionView,
    /// When the password was typed last.
    pub confirmed: Timestamp,
}

impl Live {
    /// The person, as policy knows them.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::Account {
            id: self.account.id,
            name: self.account.name.clone(),
            role: self.account.role,
        }
    }
}

/// The sessions.
#[derive(Debug)]
pub struct Sessions {
    store: Store,
    seen: Mutex<HashMap<TokenHash, Timestamp>>,
    /// Not in the state: an agent that starts anew asks once more.
    confirmed: Mutex<HashMap<TokenHash, Timestamp>>,
    ended: watch::Sender<u64>,
}

impl Sessions {
    /// Over the state.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            seen: Mutex::new(HashMap::new()),
            confirmed: Mutex::new(HashMap::new()),
            ended: watch::Sender::new(0),
        }
    }

    /// Who holds this token now. `is_there` says that a person did something, which keeps the session alive.
    pub fn find(
        &self,
        token: &Token,
        now: Timestamp,
        is_there: bool,
    ) -> Result<Option<Live>, Fault> {
        let hash = token.hash();
        let Some((record, account)) = self.store.session(&hash)? else {
            self.forget(&hash);
            return Ok(None);
        };
        let seen = self.last_seen(&hash, &record);
        if is_over(&record, seen, now) {
            self.end(&hash)?;
            return Ok(None);
        }
        let seen = if is_there {
            self.note(&hash, &record, now)?;
            now.max(seen)
        } else {
            seen
        };
        let view = view(&record, &account, seen);
        Ok(Some(Live {
            hash,
            account,
            view,
            confirmed: self.last_confirmed(&hash, &record),
        }))
    }

    /// Whoever holds this session has typed the password just now.
    pub fn confirm(&self, hash: &TokenHash, now: Timestamp) {
        let mut confirmed = self
            .confirmed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        confirmed.insert(*hash, now);
    }

    fn last_confirmed(&self, hash: &TokenHash, record: &SessionRecord) -> Timestamp {
        let confirmed = self
            .confirmed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        confirmed.get(hash).copied().unwrap_or(record.began)
    }

    /// Begins a session of an account; the eleventh ends the one seen longest ago.
    pub fn begin(
        &self,
        account: &AccountRecord,
        token: &Token,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<SessionView, Fault> {
        let record = SessionRecord {
            account: account.id,
            began: now,
            seen: now,
            from,
        };
        let account = self.store.begin_session(&token.hash(), &record, MOST)?;
        self.tell();
        Ok(view(&record, &account, now))
    }

    /// What a session that began just now is shown as.
    #[must_use]
    pub fn fresh_view(&self, account: &AccountRecord, now: Timestamp) -> SessionView {
        let record = SessionRecord {
            account: account.id,
            began: now,
            seen: now,
            from: None,
        };
        view(&record, account, now)
    }

    /// Ends one session.
    pub fn end(&self, hash: &TokenHash) -> Result<(), Fault> {
        self.store.end_session(hash)?;
        self.forget(hash);
        self.tell();
        Ok(())
    }

    /// Removes sessions that are over.
    pub fn sweep(&self, now: Timestamp) -> Result<usize, Fault> {
        let swept = self
            .store
            .end_sessions(|record| is_over(record, record.seen, now) && is_cold(record, now))?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, at| now.millis_since(*at) < IDLE_SECONDS * 1000);
        let mut confirmed = self
            .confirmed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        confirmed.retain(|_, at| now.millis_since(*at) < ABSOLUTE_SECONDS * 1000);
        Ok(swept)
    }

    /// Wakes whoever must look again whether a session still lives.
    #[must_use]
    pub fn endings(&self) -> watch::Receiver<u64> {
        self.ended.subscribe()
    }

    /// To be called after sessions were ended in the state itself, as a new password does.
    pub fn tell(&self) {
        self.ended.send_modify(|number| *number += 1);
    }

    fn last_seen(&self, hash: &TokenHash, record: &SessionRecord) -> Timestamp {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(hash)
            .map_or(record.seen, |at| record.seen.max(*at))
    }

    fn note(&self, hash: &TokenHash, record: &SessionRecord, now: Timestamp) -> Result<(), Fault> {
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.insert(*hash, now);
        }
        if now.millis_since(record.seen) >= WRITE_EVERY_MILLIS {
            self.store.touch_session(hash, now)?;
        }
        Ok(())
    }

    fn forget(&self, hash: &TokenHash) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.remove(hash);
        let mut confirmed = self
            .confirmed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        confirmed.remove(hash);
    }
}

fn is_over(record: &SessionRecord, seen: Timestamp, now: Timestamp) -> bool {
    now.millis_since(record.began) >= ABSOLUTE_SECONDS * 1000
        || now.millis_since(seen) >= IDLE_SECONDS * 1000
}

/// Beyond what the minute between two writes could hide.
fn is_cold(record: &SessionRecord, now: Timestamp) -> bool {
    now.millis_since(record.seen) >= IDLE_SECONDS * 1000 + WRITE_EVERY_MILLIS
}

fn view(record: &SessionRecord, account: &AccountRecord, seen: Timestamp) -> SessionView {
    let absolute_end = record.began.plus_seconds(ABSOLUTE_SECONDS);
    SessionView {
        name: account.name.clone(),
        role: account.role,
        idle_end: seen.plus_seconds(IDLE_SECONDS).min(absolute_end),
        absolute_end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::{AccountName, Role};
    use crate::store::account::NewAccount;

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn at(minutes: u64) -> Timestamp {
        START.plus_seconds(minutes * 60)
    }

    fn begun(sessions: &Sessions, random: u8) -> Token {
        let name = AccountName::parse("mara").unwrap();
        let account = match sessions.store.account_named(&name).unwrap() {
            Some(account) => account,
            None => sessions
                .store
                .create_account(&NewAccount {
                    name,
                    role: Role::Owner,
                    password: String::new(),
                    created: START,
                })
                .unwrap(),
        };
        let token = Token::from_random([random; 32]);
        sessions.begin(&account, &token, None, START).unwrap();
        token
    }

    fn sessions() -> Sessions {
        Sessions::new(Store::in_memory().unwrap())
    }

    fn lives(sessions: &Sessions, token: &Token, minutes: u64, is_there: bool) -> bool {
        let found = sessions.find(token, at(minutes), is_there).unwrap();
        found.is_some()
    }

    #[test]
    fn a_session_ends_half_an_hour_after_the_last_click() {
        let sessions = sessions();
        let token = begun(&sessions, 1);
        assert!(lives(&sessions, &token, 29, true));
        assert!(lives(&sessions, &token, 58, false));
        assert!(!lives(&sessions, &token, 59, false));
        assert!(!lives(&sessions, &token, 29, false), "it came back");
    }

    #[test]
    fn a_session_ends_after_twelve_hours_whatever_is_clicked() {
        let sessions = sessions();
        let token = begun(&sessions, 1);
        for minutes in (0..12 * 60).step_by(20) {
            assert!(lives(&sessions, &token, minutes, true), "{minutes}");
        }
        assert!(!lives(&sessions, &token, 12 * 60, true));
    }

    #[test]
    fn the_last_click_survives_a_restart_of_the_agent() {
        let sessions = sessions();
        let token = begun(&sessions, 1);
        assert!(lives(&sessions, &token, 20, true));
        let restarted = Sessions::new(sessions.store.clone());
        assert!(lives(&restarted, &token, 45, false));
    }

    #[test]
    fn clicks_within_a_minute_are_not_written_each() {
        let sessions = sessions();
        let token = begun(&sessions, 1);
        let soon = START.plus_seconds(59);
        sessions.find(&token, soon, true).unwrap().unwrap();
        let (record, _) = sessions.store.session(&token.hash()).unwrap().unwrap();
        assert_eq!(record.seen, START);
    }

    #[test]
    fn an_ended_session_is_nobody_and_its_streams_are_told() {
        let sessions = sessions();
        let token = begun(&sessions, 1);
        let mut endings = sessions.endings();
        endings.borrow_and_update();
        sessions.end(&token.hash()).unwrap();
        assert!(endings.has_changed().unwrap());
        assert!(!lives(&sessions, &token, 0, true));
    }

    #[test]
    fn the_eleventh_session_ends_the_oldest() {
        let sessions = sessions();
        let tokens: Vec<Token> = (1..=11).map(|random| begun(&sessions, random)).collect();
        let alive = tokens
            .iter()
            .filter(|token| lives(&sessions, token, 1, false));
        assert_eq!(alive.count(), 10);
    }

    #[test]
    fn the_sweep_takes_what_is_over_and_nothing_else() {
        let sessions = sessions();
        let token = begun(&sessions, 1);
        assert_eq!(sessions.sweep(at(30)).unwrap(), 0);
        assert_eq!(sessions.sweep(at(31)).unwrap(), 1);
        assert!(!lives(&sessions, &token, 1, false));
    }
}
