//! Makes strangers wait longer with every wrong password for one name (security.md A-6).
//!
//! Invariant: nobody waits longer than a minute, whatever others did, and a name nobody has is treated like any other.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::account::AccountName;
use crate::domain::time::Timestamp;

/// So many wrong passwords cost no waiting: people mistype.
const FREE: u32 = 3;
/// The longest wait.
const MOST_MILLIS: u64 = 60_000;
/// Without a further try, all is forgotten after so long.
const FORGOTTEN_MILLIS: u64 = 10 * 60_000;
/// Names remembered at most.
const MOST_NAMES: usize = 10_000;

#[derive(Debug, Clone, Copy)]
struct Slow {
    wrong: u32,
    last: u64,
}

impl Slow {
    /// When the next try is let in.
    fn until(self) -> u64 {
        let doubled = self.wrong.saturating_sub(FREE).min(10);
        let wait = if doubled == 0 { 0 } else { 1000 << doubled };
        self.last + wait.min(MOST_MILLIS)
    }
}

/// The names that were guessed at.
#[derive(Debug, Default)]
pub struct Delays {
    names: Mutex<HashMap<AccountName, Slow>>,
}

impl Delays {
    /// Counts a try as a wrong one before it is made; `Err` says after how many seconds to come back.
    pub fn take(&self, name: &AccountName, now: Timestamp) -> Result<(), u64> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now.millis();
        let mut slow = names.get(name).copied().unwrap_or(Slow {
            wrong: 0,
            last: now,
        });
        // A clock set back must not turn into a long wait.
        slow.last = slow.last.min(now);
        if now - slow.last >= FORGOTTEN_MILLIS {
            slow.wrong = 0;
        }
        let until = slow.until();
        if until > now {
            return Err((until - now).div_ceil(1000));
        }
        slow.wrong = slow.wrong.saturating_add(1);
        slow.last = now;
        names.insert(name.clone(), slow);
        if names.len() > MOST_NAMES {
            shrink(&mut names, now);
        }
        Ok(())
    }

    /// The try was right: the name's counting begins anew.
    pub fn forgive(&self, name: &AccountName) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.remove(name);
    }

    /// The try was not judged: it does not count.
    pub fn give_back(&self, name: &AccountName) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slow) = names.get_mut(name) {
            slow.wrong = slow.wrong.saturating_sub(1);
        }
    }

    /// Forgets all.
    pub fn clear(&self) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.clear();
    }
}

/// Drops what is forgotten anyway, and if that is not enough, the half that was guessed at least.
fn shrink(names: &mut HashMap<AccountName, Slow>, now: u64) {
    names.retain(|_, slow| now.saturating_sub(slow.last) < FORGOTTEN_MILLIS);
    if names.len() > MOST_NAMES {
        let mut ranks: Vec<(u32, u64)> =
            names.values().map(|slow| (slow.wrong, slow.last)).collect();
        let middle = ranks.len() / 2;
        let (_, median, _) = ranks.select_nth_unstable(middle);
        let median = *median;
        names.retain(|_, slow| (slow.wrong, slow.last) > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn name(text: &str) -> AccountName {
        AccountName::parse(text).unwrap()
    }

    #[test]
    fn every_wrong_password_doubles_the_wait_up_to_a_minute() {
        let (delays, mara) = (Delays::default(), name("mara"));
        let mut now = START;
        let mut waits = Vec::new();
        for _ in 0..12 {
            delays.take(&mara, now).unwrap();
            let wait = delays.take(&mara, now).err();
            waits.push(wait.unwrap_or(0));
            if wait.is_none() {
                delays.give_back(&mara);
            }
            now = now.plus_seconds(wait.unwrap_or(0));
        }
        assert_eq!(waits, [0, 0, 0, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
        delays.take(&name("otto"), now).unwrap();
    }

    #[test]
    fn a_success_an_hour_and_root_end_the_waiting() {
        let (delays, mara) = (Delays::default(), name("mara"));
        let slow = || {
            (0..4).for_each(|_| delays.take(&mara, START).unwrap());
            assert!(delays.take(&mara, START).is_err());
        };
        slow();
        delays.forgive(&mara);
        slow();
        delays.clear();
        slow();
        let later = START.plus_seconds(3600);
        (0..4).for_each(|_| delays.take(&mara, later).unwrap());
    }

    #[test]
    fn a_clock_set_back_is_no_longer_wait() {
        let (delays, mara) = (Delays::default(), name("mara"));
        (0..4).for_each(|_| delays.take(&mara, START).unwrap());
        let back = Timestamp::from_millis(START.millis() - 86_400_000);
        assert!(delays.take(&mara, back).unwrap_err() <= 60);
    }

    #[test]
    fn a_hundred_thousand_names_need_bounded_memory_and_the_most_guessed_stays() {
        let (delays, mara) = (Delays::default(), name("mara"));
        (0..4).for_each(|_| delays.take(&mara, START).unwrap());
        for number in 0..100_000 {
            let _ = delays.take(&name(&format!("n{number}")), START);
        }
        assert!(delays.names.lock().unwrap().len() <= MOST_NAMES);
        assert!(delays.take(&mara, START).is_err());
    }
}
