//! Counts failed tries per address or known browser: ten in ten minutes, and eighty for a whole IPv6 site.
//!
//! Invariant: memory is bounded, an IPv6 client gains nothing by changing the half of its address it owns, and waiting always helps.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use crate::domain::secret::TokenHash;
use crate::domain::time::Timestamp;

/// Tries within the window before the next is refused.
const TRIES: u64 = 10;
/// How long one try counts against its address.
const MILLIS_PER_TRY: u64 = 60_000;
/// A /48 is a whole site: eight times the tries.
const WIDE: u64 = 8;
/// Addresses remembered at most.
const MOST_KEYS: usize = 100_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Unknown,
    Four([u8; 4]),
    Six64([u8; 8]),
    Six48([u8; 6]),
    Device(TokenHash),
}

/// What a try counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Where it comes from; none where that is not known.
    Address(Option<IpAddr>),
    /// A browser that has signed in to this account before: it has tries of its own.
    Device(TokenHash),
}

impl From<Option<IpAddr>> for Source {
    fn from(address: Option<IpAddr>) -> Self {
        Self::Address(address)
    }
}

/// The counters. For each key the time when all its tries are forgotten (the generic cell rate algorithm).
#[derive(Debug, Default)]
pub struct Limits {
    until: Mutex<HashMap<Key, u64>>,
}

impl Limits {
    /// Counts a try before it is made; `Err` says after how many seconds to come back.
    pub fn take(&self, from: impl Into<Source>, now: Timestamp) -> Result<(), u64> {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now.millis();
        let keys = keys(from.into());
        let wait = keys
            .iter()
            .filter_map(|(key, cost)| wait(until.get(key).copied(), *cost, now))
            .max();
        if let Some(wait) = wait {
            return Err(wait.div_ceil(1000));
        }
        for (key, cost) in keys {
            let at = until.entry(key).or_insert(0);
            // A clock set back must not turn into a long ban.
            *at = (*at).clamp(now, now + cost * tries(cost)) + cost;
        }
        if until.len() > MOST_KEYS {
            shrink(&mut until, now);
        }
        Ok(())
    }

    /// Takes a counted try back: it succeeded.
    pub fn give_back(&self, from: impl Into<Source>) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, cost) in keys(from.into()) {
            if let Some(at) = until.get_mut(&key) {
                *at = at.saturating_sub(cost);
            }
        }
    }

    /// Forgets the tries of one address, or of all.
    pub fn forget(&self, address: Option<IpAddr>) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        match address {
            None => until.clear(),
            some => {
                for (key, _) in keys(some.into()) {
                    until.remove(&key);
                }
            }
        }
    }
}

fn tries(cost: u64) -> u64 {
    if cost == MILLIS_PER_TRY {
        TRIES
    } else {
        TRIES * WIDE
    }
}

fn wait(until: Option<u64>, cost: u64, now: u64) -> Option<u64> {
    let until = until?.clamp(now, now + cost * tries(cost));
    let free_at = (until + cost).saturating_sub(cost * tries(cost));
    (free_at > now).then(|| free_at - now)
}

/// The counters a source falls under, and what a try costs there.
fn keys(from: Source) -> Vec<(Key, u64)> {
    let address = match from {
        Source::Device(hash) => return vec![(Key::Device(hash), MILLIS_PER_TRY)],
        Source::Address(address) => address,
    };
    match address.map(|address| address.to_canonical()) {
        None => vec![(Key::Unknown, MILLIS_PER_TRY)],
        Some(IpAddr::V4(four)) => vec![(Key::Four(four.octets()), MILLIS_PER_TRY)],
        Some(IpAddr::V6(six)) => vec![
            (Key::Six64(first(six)), MILLIS_PER_TRY),
            (Key::Six48(first(six)), MILLIS_PER_TRY / WIDE),
        ],
    }
}

fn first<const N: usize>(address: Ipv6Addr) -> [u8; N] {
    let mut start = [0; N];
    for (to, from) in start.iter_mut().zip(address.octets()) {
        *to = from;
    }
    start
}

/// Drops what is forgotten anyway, and if that is not enough, the half that would be forgotten first.
fn shrink(until: &mut HashMap<Key, u64>, now: u64) {
    until.retain(|_, at| *at > now);
    if until.len() > MOST_KEYS {
        let mut ends: Vec<u64> = until.values().copied().collect();
        let middle = ends.len() / 2;
        let (_, median, _) = ends.select_nth_unstable(middle);
        let median = *median;
        until.retain(|_, at| *at > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    #[expect(clippy::unnecessary_wraps, reason = "as `take` wants it")]
    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    fn allowed(limits: &Limits, from: Option<IpAddr>, now: Timestamp) -> u64 {
        (0..1000)
            .take_while(|_| limits.take(from, now).is_ok())
            .count() as u64
    }

    #[test]
    fn the_eleventh_try_is_refused_and_a_minute_later_one_more_is_let_in() {
        let limits = Limits::default();
        let from = address("192.0.2.7");
        assert_eq!(allowed(&limits, from, START), 10);
        assert_eq!(limits.take(from, START), Err(60));
        assert_eq!(allowed(&limits, from, START.plus_seconds(60)), 1);
        assert_eq!(allowed(&limits, from, START.plus_seconds(3600)), 10);
        assert_eq!(allowed(&limits, address("192.0.2.8"), START), 10);
    }

    #[test]
    fn a_mapped_address_is_the_same_client() {
        let limits = Limits::default();
        assert_eq!(allowed(&limits, address("192.0.2.7"), START), 10);
        assert_eq!(allowed(&limits, address("::ffff:192.0.2.7"), START), 0);
    }

    #[test]
    fn an_ipv6_client_is_its_64_and_its_site_is_its_48() {
        let limits = Limits::default();
        assert_eq!(allowed(&limits, address("2001:db8:1:1::1"), START), 10);
        assert_eq!(allowed(&limits, address("2001:db8:1:1::ffff"), START), 0);
        let others: u64 = (2..20)
            .map(|n| allowed(&limits, address(&format!("2001:db8:1:{n}::1")), START))
            .sum();
        assert_eq!(others, 70);
        assert_eq!(allowed(&limits, address("2001:db8:2:1::1"), START), 10);
    }

    #[test]
    fn a_success_does_not_count_and_a_person_can_lift_a_ban() {
        let limits = Limits::default();
        let from = address("192.0.2.7");
        for _ in 0..50 {
            limits.take(from, START).unwrap();
            limits.give_back(from);
        }
        assert_eq!(allowed(&limits, from, START), 10);
        limits.forget(from);
        assert_eq!(allowed(&limits, from, START), 10);
        limits.forget(None);
        assert_eq!(allowed(&limits, from, START), 10);
    }

    #[test]
    fn a_clock_set_back_is_no_longer_ban() {
        let limits = Limits::default();
        let from = address("192.0.2.7");
        assert_eq!(allowed(&limits, from, START), 10);
        let back = Timestamp::from_millis(START.millis() - 86_400_000);
        assert!(limits.take(from, back).unwrap_err() <= 60);
    }

    #[test]
    fn a_million_addresses_need_bounded_memory() {
        let limits = Limits::default();
        for number in 0..1_000_000_u32 {
            let from = Some(IpAddr::from(number.to_be_bytes()));
            let _ = limits.take(from, START.plus_seconds(u64::from(number) / 10_000));
        }
        assert!(limits.until.lock().unwrap().len() <= MOST_KEYS);
    }
}
