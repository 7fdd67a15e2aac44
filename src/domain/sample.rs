//! Figures of the machine, by the minute for a day and by the hour for a year.
//!
//! Invariant: a figure that could not be read is absent, never zero; a sample is kept in 64 bytes, and each slot in one place.

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;

/// What one sample is kept in.
pub const BYTES: usize = 64;
/// How an absent figure is kept.
const ABSENT: u64 = u64::MAX;

/// The machine at one moment, or the mean of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// When; of an hour its beginning.
    pub at: Timestamp,
    /// How busy the processors were since the sample before, all together: 10000 is wholly.
    pub cpu: Option<u64>,
    /// The load of the last minute in hundredths.
    pub load: Option<u64>,
    /// Bytes of memory in use.
    pub memory: Option<u64>,
    /// Bytes in use where the sites are.
    pub disk: Option<u64>,
    /// Inodes left there.
    pub inodes: Option<u64>,
    /// Bytes a second that came in since the sample before.
    pub received: Option<u64>,
    /// Bytes a second that went out.
    pub sent: Option<u64>,
}

impl Sample {
    /// Nothing known of a moment.
    #[must_use]
    pub fn empty(at: Timestamp) -> Self {
        Self {
            at,
            cpu: None,
            load: None,
            memory: None,
            disk: None,
            inodes: None,
            received: None,
            sent: None,
        }
    }

    fn figures(&self) -> [Option<u64>; 7] {
        [
            self.cpu,
            self.load,
            self.memory,
            self.disk,
            self.inodes,
            self.received,
            self.sent,
        ]
    }

    fn of(at: Timestamp, figures: [Option<u64>; 7]) -> Self {
        let [cpu, load, memory, disk, inodes, received, sent] = figures;
        Self {
            at,
            cpu,
            load,
            memory,
            disk,
            inodes,
            received,
            sent,
        }
    }

    /// As it is kept: the time and seven figures, each eight bytes, the highest first.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; BYTES] {
        let mut numbers = vec![self.at.millis()];
        numbers.extend(self.figures().map(|figure| figure.unwrap_or(ABSENT)));
        let mut bytes = [0; BYTES];
        let all = numbers.iter().flat_map(|number| number.to_be_bytes());
        bytes.iter_mut().zip(all).for_each(|(to, from)| *to = from);
        bytes
    }

    /// As it was kept.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; BYTES]) -> Self {
        let mut numbers = bytes.chunks_exact(8).map(|chunk| {
            let mut number = [0; 8];
            number.copy_from_slice(chunk);
            u64::from_be_bytes(number)
        });
        let at = Timestamp::from_millis(numbers.next().unwrap_or_default());
        let mut figures = [None; 7];
        for (figure, number) in figures.iter_mut().zip(numbers) {
            *figure = (number != ABSENT).then_some(number);
        }
        Self::of(at, figures)
    }

    /// The mean of some, each figure over those that have it.
    #[must_use]
    pub fn mean(at: Timestamp, samples: &[Self]) -> Self {
        let mut figures = [None; 7];
        for (index, figure) in figures.iter_mut().enumerate() {
            let known = samples
                .iter()
                .filter_map(|sample| *sample.figures().get(index)?);
            let (sum, count) = known.fold((0_u128, 0_u128), |(sum, count), number| {
                (sum + u128::from(number), count + 1)
            });
            *figure = (count > 0).then(|| u64::try_from(sum / count).unwrap_or(ABSENT - 1));
        }
        Self::of(at, figures)
    }
}

/// How far samples lie apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A minute, for a day.
    Minute,
    /// An hour, for a year.
    Hour,
}

impl Step {
    /// Seconds from one to the next.
    #[must_use]
    pub fn seconds(self) -> u64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 3_600,
        }
    }

    /// How many are kept.
    #[must_use]
    pub fn slots(self) -> u64 {
        match self {
            Self::Minute => 24 * 60,
            Self::Hour => 366 * 24,
        }
    }

    /// Where the sample of a moment is kept: in place of the one a day, or a year, before.
    #[must_use]
    pub fn slot(self, at: Timestamp) -> u32 {
        let number = at.millis() / 1000 / self.seconds() % self.slots();
        u32::try_from(number).unwrap_or_default()
    }

    /// The beginning of the step a moment is in.
    #[must_use]
    pub fn beginning(self, at: Timestamp) -> Timestamp {
        let millis = self.seconds() * 1000;
        Timestamp::from_millis(at.millis() / millis * millis)
    }

    /// The number in the state's keys.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Minute => 1,
            Self::Hour => 2,
        }
    }
}

/// How far back somebody looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Range {
    /// The last hour.
    Hour,
    /// The last 24 hours.
    #[default]
    Day,
    /// The last seven days.
    Week,
    /// The last 30 days.
    Month,
    /// The last 365 days.
    Year,
}

impl Range {
    /// All, from short to long.
    pub const ALL: [Self; 5] = [Self::Hour, Self::Day, Self::Week, Self::Month, Self::Year];

    /// The word on the command line and in addresses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// Reads it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|range| range.word() == text)
    }

    /// How long it is.
    #[must_use]
    pub fn seconds(self) -> u64 {
        const DAY: u64 = 24 * 3_600;
        match self {
            Self::Hour => 3_600,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
            Self::Month => 30 * DAY,
            Self::Year => 365 * DAY,
        }
    }

    /// By which samples it is told.
    #[must_use]
    pub fn step(self) -> Step {
        match self {
            Self::Hour | Self::Day => Step::Minute,
            Self::Week | Self::Month | Self::Year => Step::Hour,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample(at: u64, cpu: Option<u64>) -> Sample {
        Sample {
            cpu,
            ..Sample::empty(Timestamp::from_millis(at))
        }
    }

    #[test]
    fn a_mean_is_of_those_that_are_known() {
        let at = Timestamp::from_millis(7);
        let all = [sample(1, Some(100)), sample(2, None), sample(3, Some(301))];
        assert_eq!(Sample::mean(at, &all), sample(7, Some(200)));
        assert_eq!(Sample::mean(at, &[]), sample(7, None));
    }

    #[test]
    fn each_moment_has_its_slot_and_takes_that_of_the_day_before() {
        let at = Timestamp::from_millis(1_700_000_000_000);
        for step in [Step::Minute, Step::Hour] {
            let next = at.plus_seconds(step.seconds());
            assert_ne!(step.slot(at), step.slot(next));
            let around = at.plus_seconds(step.seconds() * step.slots());
            assert_eq!(step.slot(at), step.slot(around));
            assert_eq!(step.slot(at), step.slot(step.beginning(at)));
        }
        for range in Range::ALL {
            assert!(range.seconds() / range.step().seconds() <= range.step().slots());
            assert_eq!(Range::parse(range.word()), Some(range));
        }
    }

    proptest! {
        #[test]
        fn what_is_kept_comes_back(at in 0..u64::MAX / 2, figures in proptest::array::uniform7(proptest::option::of(0..u64::MAX - 1))) {
            let sample = Sample::of(Timestamp::from_millis(at), figures);
            prop_assert_eq!(Sample::from_bytes(&sample.to_bytes()), sample);
        }
    }
}
