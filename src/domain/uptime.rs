//! How a site looked from outside: single looks for a day, and what became of each day for a year.
//!
//! Invariant: a look that tells nothing about the site (our own DNS in trouble) counts neither for nor against it.

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;

/// What a look, and a day, is kept in.
pub const BYTES: usize = 16;
const DAY_MILLIS: u64 = 24 * 3_600 * 1_000;
/// A look takes the place of the one a day before.
const LOOK_SLOTS: u64 = 24 * 60;
/// A day takes the place of the one a year before.
const DAY_SLOTS: u64 = 366;

/// How often a site is looked at, in seconds; 0 is never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Every(u32);

/// The number is no such interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sites are looked at every 10 to 3600 seconds, or never: 0")]
pub struct BadEvery;

impl Every {
    /// The number.
    #[must_use]
    pub fn seconds(self) -> u32 {
        self.0
    }
}

impl Default for Every {
    fn default() -> Self {
        Self(300)
    }
}

impl TryFrom<u32> for Every {
    type Error = BadEvery;
    fn try_from(number: u32) -> Result<Self, Self::Error> {
        let fits = number == 0 || (10..=3_600).contains(&number);
        fits.then_some(Self(number)).ok_or(BadEvery)
    }
}

impl From<Every> for u32 {
    fn from(every: Every) -> Self {
        every.0
    }
}

/// What a visitor would have met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Met {
    /// An answer.
    Answer,
    /// An answer that says that the server failed (5xx).
    ServerError,
    /// There is no such name, or it has no address.
    NoName,
    /// Nobody takes the connection.
    Unreachable,
    /// Nothing came in time.
    Slow,
    /// A certificate that browsers do not trust.
    Untrusted,
    /// Something else than HTTP.
    Garbled,
    /// It could not be found out.
    Unknown,
}

impl Met {
    const ALL: [Self; 8] = [
        Self::Answer,
        Self::ServerError,
        Self::NoName,
        Self::Unreachable,
        Self::Slow,
        Self::Untrusted,
        Self::Garbled,
        Self::Unknown,
    ];

    fn number(self) -> u16 {
        let place = Self::ALL.iter().position(|one| *one == self);
        u16::try_from(place.unwrap_or_default()).unwrap_or_default()
    }

    fn of_number(number: u16) -> Self {
        let found = Self::ALL.get(usize::from(number));
        found.copied().unwrap_or(Self::Unknown)
    }

    /// In words: what happened to whoever came.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Answer => "it answered",
            Self::ServerError => "it answered with an error of the server",
            Self::NoName => "DNS knows no address of that name",
            Self::Unreachable => "nobody takes the connection",
            Self::Slow => "no answer came within 10 seconds",
            Self::Untrusted => "browsers do not trust its certificate",
            Self::Garbled => "what answered is no web server",
            Self::Unknown => "it could not be found out",
        }
    }
}

/// One look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// When.
    pub at: Timestamp,
    /// What was met.
    pub met: Met,
    /// The status of the answer; 0 where there was none.
    pub status: u16,
    /// How long it took: name, connection, encryption and the head of the answer.
    pub millis: u32,
}

impl Look {
    /// Whether visitors got an answer; none where that is not known.
    #[must_use]
    pub fn is_up(&self) -> Option<bool> {
        (self.met != Met::Unknown).then_some(self.met == Met::Answer)
    }

    /// In words, with the status where there is one.
    #[must_use]
    pub fn words(&self) -> String {
        match self.status {
            0 => self.met.words().to_owned(),
            status => format!("{} ({status})", self.met.words()),
        }
    }

    /// Where it is kept.
    #[must_use]
    pub fn slot(&self) -> u32 {
        slot(self.at, 60_000, LOOK_SLOTS)
    }

    /// As it is kept.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; BYTES] {
        packed(self.at, self.millis, self.met.number(), self.status)
    }

    /// As it was kept.
    #[must_use]
    pub fn from_bytes(bytes: [u8; BYTES]) -> Self {
        let (at, millis, met, status) = unpacked(bytes);
        Self {
            at,
            met: Met::of_number(met),
            status,
            millis,
        }
    }
}

/// The looks of one day together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// Its beginning, in UTC.
    pub at: Timestamp,
    /// Looks that told something.
    pub looks: u16,
    /// Those that met an answer.
    pub up: u16,
    /// How long these took, in the mean.
    pub millis: u32,
}

impl Day {
    /// The day of a moment, with nothing in it yet.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        Self {
            at: Timestamp::from_millis(at.millis() / DAY_MILLIS * DAY_MILLIS),
            looks: 0,
            up: 0,
            millis: 0,
        }
    }

    /// Adds a look of that day.
    pub fn add(&mut self, look: &Look) {
        let Some(is_up) = look.is_up() else {
            return;
        };
        self.looks = self.looks.saturating_add(1);
        if is_up {
            let before = u64::from(self.up);
            let sum = u64::from(self.millis) * before + u64::from(look.millis);
            self.up = self.up.saturating_add(1);
            self.millis = u32::try_from(sum / (before + 1)).unwrap_or(u32::MAX);
        }
    }

    /// Where it is kept.
    #[must_use]
    pub fn slot(&self) -> u32 {
        slot(self.at, DAY_MILLIS, DAY_SLOTS)
    }

    /// As it is kept.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; BYTES] {
        packed(self.at, self.millis, self.looks, self.up)
    }

    /// As it was kept.
    #[must_use]
    pub fn from_bytes(bytes: [u8; BYTES]) -> Self {
        let (at, millis, looks, up) = unpacked(bytes);
        Self {
            at,
            looks,
            up,
            millis,
        }
    }
}

fn slot(at: Timestamp, step: u64, slots: u64) -> u32 {
    u32::try_from(at.millis() / step % slots).unwrap_or_default()
}

fn packed(at: Timestamp, millis: u32, first: u16, second: u16) -> [u8; BYTES] {
    let number = (u128::from(at.millis()) << 64)
        | (u128::from(millis) << 32)
        | (u128::from(first) << 16)
        | u128::from(second);
    number.to_be_bytes()
}

fn unpacked(bytes: [u8; BYTES]) -> (Timestamp, u32, u16, u16) {
    let number = u128::from_be_bytes(bytes);
    let low = |shift: u32| u16::try_from((number >> shift) & 0xffff).unwrap_or_default();
    (
        Timestamp::from_millis(u64::try_from(number >> 64).unwrap_or_default()),
        u32::try_from((number >> 32) & 0xffff_ffff).unwrap_or_default(),
        low(16),
        low(0),
    )
}

/// The part of the looks that met an answer, in hundredths of a percent; none where nothing is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shares {
    /// The last 24 hours.
    pub day: Option<u32>,
    /// The last seven days.
    pub week: Option<u32>,
    /// The last 30 days.
    pub month: Option<u32>,
    /// The last 365 days.
    pub year: Option<u32>,
}

impl Shares {
    /// From the looks of a day and the days before it; `now` ends them all.
    #[must_use]
    pub fn of(looks: &[Look], days: &[Day], now: Timestamp) -> Self {
        let known = looks
            .iter()
            .filter(|look| now.millis_since(look.at) <= DAY_MILLIS)
            .filter_map(Look::is_up);
        let (all, up) = known.fold((0, 0), |(all, up), is_up| (all + 1, up + u64::from(is_up)));
        let over = |number: u64| {
            let within = days
                .iter()
                .filter(|day| now.millis_since(day.at) <= number * DAY_MILLIS);
            let (all, up) = within.fold((0, 0), |(all, up), day| {
                (all + u64::from(day.looks), up + u64::from(day.up))
            });
            share(up, all)
        };
        Self {
            day: share(up, all),
            week: over(7),
            month: over(30),
            year: over(365),
        }
    }
}

fn share(part: u64, whole: u64) -> Option<u32> {
    u32::try_from((part * 10_000).checked_div(whole)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn look(at: u64, met: Met, millis: u32) -> Look {
        let at = Timestamp::from_millis(at);
        Look {
            at,
            met,
            status: 200,
            millis,
        }
    }

    #[test]
    fn what_tells_nothing_counts_for_nothing() {
        let mut day = Day::of(Timestamp::from_millis(DAY_MILLIS + 5));
        assert_eq!(day.at.millis(), DAY_MILLIS);
        day.add(&look(1, Met::Unknown, 9));
        assert_eq!((day.looks, day.up), (0, 0));
        day.add(&look(2, Met::Answer, 100));
        day.add(&look(3, Met::Slow, 10_000));
        day.add(&look(4, Met::Answer, 300));
        assert_eq!((day.looks, day.up, day.millis), (3, 2, 200));
    }

    #[test]
    fn shares_are_of_what_is_known_within_their_time() {
        let now = Timestamp::from_millis(40 * DAY_MILLIS);
        let at = |days: u64| now.millis() - days * DAY_MILLIS;
        let looks = [
            look(at(0), Met::Answer, 1),
            look(at(0), Met::Untrusted, 1),
            look(at(0), Met::Unknown, 1),
            look(at(2), Met::Slow, 1),
        ];
        let day = |days: u64, up: u16| Day {
            looks: 100,
            up,
            ..Day::of(Timestamp::from_millis(at(days)))
        };
        let shares = Shares::of(&looks, &[day(1, 100), day(20, 99)], now);
        assert_eq!(shares.day, Some(5_000));
        assert_eq!(shares.week, Some(10_000));
        assert_eq!((shares.month, shares.year), (Some(9_950), Some(9_950)));
        assert_eq!(Shares::of(&[], &[], now), Shares::default());
    }

    proptest! {
        #[test]
        fn what_is_kept_comes_back(at in 0..u64::MAX, millis: u32, status: u16, number in 0..Met::ALL.len(), up: u16) {
            let at = Timestamp::from_millis(at);
            let look = Look { at, met: Met::ALL[number], status, millis };
            prop_assert_eq!(Look::from_bytes(look.to_bytes()), look);
            prop_assert!(u64::from(look.slot()) < LOOK_SLOTS);
            let day = Day { at, looks: status, up, millis };
            prop_assert_eq!(Day::from_bytes(day.to_bytes()), day);
            prop_assert!(u64::from(day.slot()) < DAY_SLOTS);
        }
    }
}
