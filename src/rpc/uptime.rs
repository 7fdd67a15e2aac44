//! How sites look from outside, on its way to people.
//!
//! Invariant: a site that never answered is not called failing: it may not be meant to be reached yet.

use serde::{Deserialize, Serialize};

use crate::domain::name::Hostname;
use crate::domain::time::Timestamp;
use crate::domain::uptime::{Look, Shares};

/// How a site stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nobody looks: it is offline, does not serve pages now, or people want it so.
    Off,
    /// Nobody looked yet.
    Unseen,
    /// It never answered so far.
    Waiting,
    /// It answers.
    Up,
    /// It answered before, and does not now.
    Down,
}

impl Standing {
    /// In a word or two.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Off => "Not looked at",
            Self::Unseen => "Not seen yet",
            Self::Waiting => "Not reached yet",
            Self::Up => "Answers",
            Self::Down => "Does not answer",
        }
    }
}

/// One site as it looks from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UptimeView {
    /// Which.
    pub hostname: Hostname,
    /// Its name as people read it.
    pub hostname_unicode: String,
    /// What is looked at; none where nobody looks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// How it stands.
    pub standing: Standing,
    /// Since when it answers, or does not.
    pub since: Option<Timestamp>,
    /// The last look.
    pub last: Option<Look>,
    /// Which part of the looks met an answer, in hundredths of a percent.
    pub uptime: Shares,
    /// How long an answer of today took, in the mean.
    pub mean_millis: Option<u32>,
    /// The looks of the last 24 hours, where one site is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looks: Vec<Look>,
}

/// Sites as they look from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UptimesView {
    /// So often each is looked at; 0 is never.
    pub every_seconds: u32,
    /// Each of them.
    pub sites: Vec<UptimeView>,
}
