//! Spreads times, so that servers that were set up alike do not ask an authority in the same second.
//!
//! Invariant: the same seed gives the same times, so that tests need no luck; nothing secret is made from it.

/// Pseudo-random numbers from a seed (the generator called `SplitMix64`).
#[derive(Debug, Clone, Copy)]
pub struct Jitter(u64);

impl Jitter {
    /// From a random number.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 where that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.draw().checked_rem(end).unwrap_or(0)
    }

    /// A number up to a tenth above or below.
    pub fn around(&mut self, number: u64) -> u64 {
        let tenth = number / 10;
        let spread = tenth.saturating_mul(2).saturating_add(1);
        (number - tenth).saturating_add(self.below(spread))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_spread_by_a_tenth_and_no_more() {
        let mut jitter = Jitter::new(7);
        let drawn: Vec<u64> = (0..1000).map(|_| jitter.around(600)).collect();
        assert!(drawn.iter().all(|time| (540..=660).contains(time)));
        assert!(drawn.iter().min() < Some(&550) && drawn.iter().max() > Some(&650));
        assert_eq!(jitter.below(0), 0);
    }
}
