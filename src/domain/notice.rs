//! What people are told of by mail and webhook: what needs somebody, what was told of it, and what is still to be told.
//!
//! Invariant: something is told once when it begins, once for each further stage, and once when it is over; what could not be sent
//! is still to be told, and so is what could not be written down.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;

/// So many messages within an hour, and within a day; what comes beyond waits and is told together.
const MOST_AN_HOUR: usize = 5;
const MOST_A_DAY: usize = 20;
const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// After a failure it is tried again after so many seconds, twice as many each time, an hour at most.
const AGAIN: u64 = 15;
const LONGEST_PAUSE: u64 = 3_600;

/// Something that needs somebody, as the first page says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What it is about, the same for as long as it lasts: `service.mariadb`.
    pub key: String,
    /// One sentence.
    pub title: String,
    /// What to do.
    pub hint: String,
    /// How pressing; more than before is told again.
    pub stage: u8,
}

/// One such thing from its beginning until everybody knows that it is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matter {
    /// One sentence.
    pub title: String,
    /// What to do.
    pub hint: String,
    /// How pressing.
    pub stage: u8,
    /// Since when.
    pub began: Timestamp,
    /// Since when it has not been there; none while it is.
    pub gone: Option<Timestamp>,
    /// Whether it has lasted long enough to be told of.
    pub counts: bool,
}

/// What one way of telling has told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// Of which matters, up to which stage.
    pub stages: BTreeMap<String, u8>,
    /// Of which that they are over.
    pub over: Vec<String>,
    /// When, for a day.
    pub sent: Vec<Timestamp>,
    /// Failures in a row.
    pub failures: u32,
    /// Not before this is it tried again.
    pub again: Option<Timestamp>,
    /// Why it failed last.
    pub failure: Option<String>,
}

/// The ways of telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Mail.
    Mail,
    /// An address that programs listen at.
    Webhook,
}

/// All that is remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notices {
    /// By key.
    pub matters: BTreeMap<String, Matter>,
    /// By way.
    pub told: BTreeMap<Way, Told>,
}

/// What is to be told in one message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// What began, or is more pressing than before.
    pub begun: Vec<(String, Matter)>,
    /// What is over.
    pub over: Vec<(String, Matter)>,
}

impl Due {
    /// Nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.begun.is_empty() && self.over.is_empty()
    }
}

impl Notices {
    /// Takes in what was seen now. What lasts for `after` seconds counts, and is over once it was away for as long.
    pub fn see(&mut self, warnings: &[Warning], after: u64, now: Timestamp) {
        let long = |since: Timestamp| now.millis_since(since) >= after.saturating_mul(1000);
        for warning in warnings {
            let matter = self
                .matters
                .entry(warning.key.clone())
                .or_insert_with(|| Matter {
                    title: String::new(),
                    hint: String::new(),
                    stage: 0,
                    began: now,
                    gone: None,
                    counts: false,
                });
            matter.gone = None;
            matter.title.clone_from(&warning.title);
            matter.hint.clone_from(&warning.hint);
            matter.stage = warning.stage;
            matter.counts |= long(matter.began);
        }
        for (key, matter) in &mut self.matters {
            let is_there = warnings.iter().any(|warning| warning.key == *key);
            if !is_there {
                matter.gone.get_or_insert(now);
            }
        }
        // What went before it counted was nothing.
        self.matters
            .retain(|_, matter| matter.counts || matter.gone.is_none());
        for told in self.told.values_mut() {
            let matters = &self.matters;
            // Told as over, and there again.
            told.over
                .retain(|key| matters.get(key).is_some_and(|one| one.gone.is_some()));
            told.sent.retain(|sent| now.millis_since(*sent) < DAY);
            // Less pressing than it was: what gets worse from here is news again.
            for (key, stage) in &mut told.stages {
                *stage = matters.get(key).map_or(*stage, |one| one.stage.min(*stage));
            }
        }
    }

    /// What this way has still to tell.
    #[must_use]
    pub fn due(&self, way: Way, after: u64, now: Timestamp) -> Due {
        let nothing = Told::default();
        let told = self.told.get(&way).unwrap_or(&nothing);
        let mut due = Due::default();
        for (key, matter) in self.matters.iter().filter(|(_, matter)| matter.counts) {
            let stage = told.stages.get(key);
            let item = (key.clone(), matter.clone());
            if matter.is_over(after, now) {
                if !told.over.contains(key) {
                    due.over.push(item);
                }
            } else if matter.gone.is_none() && stage.is_none_or(|stage| *stage < matter.stage) {
                due.begun.push(item);
            }
        }
        due
    }

    /// Whether this way may send now; where not, what is due waits.
    #[must_use]
    pub fn may_send(&self, way: Way, now: Timestamp) -> bool {
        self.told.get(&way).is_none_or(|told| {
            let within = |span| {
                let sent = told.sent.iter();
                sent.filter(|sent| now.millis_since(**sent) < span).count()
            };
            within(HOUR) < MOST_AN_HOUR
                && within(DAY) < MOST_A_DAY
                && told.again.is_none_or(|again| again <= now)
        })
    }

    /// That was told.
    pub fn sent(&mut self, way: Way, due: &Due, now: Timestamp) {
        let told = self.told.entry(way).or_default();
        for (key, matter) in &due.begun {
            told.stages.insert(key.clone(), matter.stage);
        }
        for (key, _) in &due.over {
            told.stages.remove(key);
            told.over.push(key.clone());
        }
        told.sent.push(now);
        (told.failures, told.again, told.failure) = (0, None, None);
    }

    /// That could not be told.
    pub fn failed(&mut self, way: Way, why: &str, now: Timestamp) {
        let told = self.told.entry(way).or_default();
        let pause = AGAIN.saturating_mul(1 << told.failures.min(10));
        told.failures = told.failures.saturating_add(1);
        told.again = Some(now.plus_seconds(pause.min(LONGEST_PAUSE)));
        told.failure = Some(why.to_owned());
    }

    /// Forgets ways that are not there any more, and what all of the others have told to the end.
    pub fn forget(&mut self, ways: &[Way], after: u64, now: Timestamp) {
        self.told.retain(|way, _| ways.contains(way));
        let done: Vec<String> = self
            .matters
            .iter()
            .filter(|(key, matter)| {
                let knows = |way| {
                    self.told
                        .get(way)
                        .is_some_and(|told| told.over.contains(key))
                };
                matter.is_over(after, now) && ways.iter().all(knows)
            })
            .map(|(key, _)| key.clone())
            .collect();
        for key in &done {
            self.matters.remove(key);
        }
        for told in self.told.values_mut() {
            told.over.retain(|key| !done.contains(key));
            told.stages.retain(|key, _| self.matters.contains_key(key));
        }
    }
}

impl Matter {
    /// Away for so many seconds.
    #[must_use]
    pub fn is_over(&self, after: u64, now: Timestamp) -> bool {
        self.gone
            .is_some_and(|gone| now.millis_since(gone) >= after.saturating_mul(1000))
    }
}

#[cfg(test)]
mod tests;
