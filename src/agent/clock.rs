//! Notices a clock that jumped ahead, so that what ends by date does not end early.
//!
//! Invariant: after a jump nothing is trusted to be over before the agent itself has seen a whole day pass; a clock that is
//! mended meanwhile has ended nothing.

use crate::domain::time::Timestamp;

/// What nobody notices: a server that was off over night.
const JUMP_SECONDS: u64 = 24 * 60 * 60;
/// Looks in a day, one a minute.
const DAY: u32 = 24 * 60;

/// The wall clock, looked at once a minute of the agent's own time.
#[derive(Debug, Default)]
pub struct Clock {
    last: Option<Timestamp>,
    wait: u32,
}

impl Clock {
    /// After a restart: when the agent before saw it last.
    #[must_use]
    pub fn last_seen(last: Option<Timestamp>) -> Self {
        Self { last, wait: 0 }
    }

    /// One look. True where the clock has gone on as clocks do.
    pub fn look(&mut self, now: Timestamp) -> bool {
        let jumped = self
            .last
            .is_some_and(|last| now > last.plus_seconds(JUMP_SECONDS));
        self.last = Some(now);
        self.wait = if jumped {
            DAY
        } else {
            self.wait.saturating_sub(1)
        };
        self.wait == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_ahead_is_waited_out_for_a_day_and_nothing_else_is() {
        let day = |number: u64| Timestamp::from_millis(number * 86_400_000);
        let mut clock = Clock::default();
        assert!(clock.look(day(100)), "a new server");
        assert!(clock.look(day(101)) && clock.look(day(99)), "off, set back");
        assert!(!clock.look(day(130)));
        for minute in 1..DAY {
            assert!(!clock.look(day(130).plus_seconds(60)), "{minute}");
        }
        assert!(clock.look(day(130).plus_seconds(120)));
        assert!(!Clock::last_seen(Some(day(1))).look(day(9)), "at a start");
    }
}
