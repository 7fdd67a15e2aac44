//! Keeps a flood of refused sign-ins from filling the audit trail: some are written down each, the rest as a number.
//!
//! Invariant: at most so many entries a minute, whoever asks and from wherever; no refusal is left out without being counted.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::domain::time::Timestamp;

/// Entries a minute.
const MOST: usize = 60;

#[derive(Debug, Default)]
struct Minute {
    number: u64,
    written: usize,
    limited: BTreeSet<Option<IpAddr>>,
    left_out: u64,
}

impl Minute {
    fn turn(&mut self, now: Timestamp) {
        let number = now.millis() / 60_000;
        if number != self.number {
            let left_out = self.left_out;
            *self = Self {
                number,
                left_out,
                ..Self::default()
            };
        }
    }
}

/// What was refused in this minute.
#[derive(Debug, Default)]
pub struct Refusals {
    minute: Mutex<Minute>,
}

impl Refusals {
    /// Shall this refusal be written down? Then with how many that were not. A source that is told to wait is written
    /// down once a minute.
    pub fn note(&self, from: Option<IpAddr>, is_limited: bool, now: Timestamp) -> Option<u64> {
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        minute.turn(now);
        if minute.written >= MOST || is_limited && !minute.limited.insert(from) {
            minute.left_out += 1;
            return None;
        }
        minute.written += 1;
        Some(std::mem::take(&mut minute.left_out))
    }

    /// How many were left out before this minute and never told of.
    pub fn overdue(&self, now: Timestamp) -> Option<u64> {
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        let before = minute.number;
        minute.turn(now);
        let is_over = minute.number != before && minute.left_out > 0;
        is_over.then(|| std::mem::take(&mut minute.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_700_000_040_000);

    #[test]
    fn a_source_that_must_wait_is_told_of_once_a_minute_with_the_number_of_the_rest() {
        let refusals = Refusals::default();
        let from = Some([192, 0, 2, 7].into());
        assert_eq!(refusals.note(from, true, START), Some(0));
        for _ in 0..500 {
            assert_eq!(refusals.note(from, true, START), None);
        }
        assert_eq!(refusals.overdue(START), None);
        let later = START.plus_seconds(60);
        assert_eq!(refusals.note(from, true, later), Some(500));
        assert_eq!(refusals.note(from, true, later), None);
        assert_eq!(refusals.overdue(later.plus_seconds(60)), Some(1));
        assert_eq!(refusals.overdue(later.plus_seconds(120)), None);
    }

    #[test]
    fn any_number_of_sources_makes_a_bounded_number_of_entries() {
        let refusals = Refusals::default();
        let written = (0..10_000_u32)
            .filter(|number| {
                let from = Some(IpAddr::from(number.to_be_bytes()));
                refusals.note(from, number % 2 == 0, START).is_some()
            })
            .count();
        assert_eq!(written, MOST);
        let told = refusals.overdue(START.plus_seconds(60));
        assert_eq!(told, Some(10_000 - MOST as u64));
    }
}
