//! When to try again, and when to renew.
//!
//! Invariant: time and luck are arguments; after a refusal for too many tries, nothing is asked before the authority allows it.

use crate::acme::Jitter;
use crate::domain::order::{Problem, ProblemKind};
use crate::domain::time::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// Certificates that live shorter are renewed at half of their life.
const SHORT: u64 = 10 * DAY;

/// The next try after so many failures in a row: 1, 10 and 100 minutes, then daily (Let's Encrypt's integration guide).
#[must_use]
pub fn next(now: Timestamp, failures: u32, problem: &Problem, jitter: &mut Jitter) -> Timestamp {
    let pause = match failures {
        0 | 1 => MINUTE,
        2 => 10 * MINUTE,
        3 => 100 * MINUTE,
        _ => DAY,
    };
    let usual = now.plus_seconds(jitter.around(pause));
    let least = match problem.kind {
        ProblemKind::Limited => match allowed_from(&problem.detail) {
            // A little later, and not all at once.
            Some(time) => time.plus_seconds(jitter.below(5 * MINUTE)),
            None => now.plus_seconds(jitter.around(HOUR)),
        },
        _ => now,
    };
    usual.max(least)
}

/// What stands in words such as `too many … : retry after 2026-11-23 09:14:00 UTC: see …`.
#[must_use]
pub fn allowed_from(words: &str) -> Option<Timestamp> {
    let (_, rest) = words.split_once("retry after ")?;
    let text = rest.get(..19)?.replace(' ', "T");
    Timestamp::parse(&format!("{text}Z")).ok()
}

/// When to renew a certificate: with a third of its life left, a short one with half of it; up to a fiftieth earlier,
/// so that certificates of one day are not renewed in one second.
#[must_use]
pub fn renewal(not_before: Timestamp, not_after: Timestamp, jitter: &mut Jitter) -> Timestamp {
    let life = not_after.millis_since(not_before) / 1000;
    let left = if life < SHORT { life / 2 } else { life / 3 };
    let early = jitter.below(life / 50);
    let end = not_after.millis() / 1000;
    let at = end.saturating_sub(left).saturating_sub(early);
    Timestamp::from_millis(at.saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_700_000_000_000;

    fn problem(kind: ProblemKind, words: &str) -> Problem {
        Problem::new(kind, words)
    }

    #[test]
    fn forty_days_of_failures_are_at_most_forty_five_tries() {
        let refused = problem(ProblemKind::Dns, "no such name");
        let start = Timestamp::from_millis(START);
        let (mut now, mut tries, mut jitter) = (start, 0_u32, Jitter::new(1));
        let mut first_hour = 0;
        while now.millis_since(start) < 40 * DAY * 1000 {
            tries += 1;
            if now.millis_since(start) < HOUR * 1000 {
                first_hour += 1;
            }
            now = next(now, tries, &refused, &mut jitter);
        }
        assert!((40..=45).contains(&tries), "{tries}");
        assert!(first_hour <= 4, "{first_hour}");
    }

    #[test]
    fn a_limit_is_waited_for_as_the_authority_says() {
        let now = Timestamp::parse("2026-11-22T10:00:00Z").unwrap();
        let words = "too many certificates already issued: retry after 2026-11-23 09:14:00 UTC: see https://ca.example";
        let at = next(
            now,
            1,
            &problem(ProblemKind::Limited, words),
            &mut Jitter::new(3),
        );
        let allowed = Timestamp::parse("2026-11-23T09:14:00Z").unwrap();
        assert!(at >= allowed && at < allowed.plus_seconds(301));
        let silent = problem(ProblemKind::Limited, "later");
        let at = next(now, 1, &silent, &mut Jitter::new(3));
        assert!(at.millis_since(now) >= 54 * MINUTE * 1000);
    }

    #[test]
    fn long_lives_are_renewed_at_a_third_and_short_ones_at_half() {
        let from = Timestamp::from_millis(START);
        for (days, earliest, latest) in [(90, 58, 60), (64, 41, 43), (45, 29, 30), (6, 2, 3)] {
            let until = from.plus_seconds(days * DAY);
            for seed in 0..50 {
                let at = renewal(from, until, &mut Jitter::new(seed));
                let day = at.millis_since(from) / 1000 / DAY;
                assert!((earliest..=latest).contains(&day), "{days}: {day}");
            }
        }
    }
}
