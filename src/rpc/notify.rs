//! Who is told of what needs somebody, and how that goes.
//!
//! Invariant: no password and no secret; of a webhook its host alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::fault::Fault;
use crate::domain::notice::Way;
use crate::domain::time::Timestamp;

/// All of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NotifyView {
    /// The ways that are set.
    pub ways: Vec<WayView>,
    /// What people are told of now.
    pub matters: Vec<MatterView>,
    /// What is set, as it is typed; of secrets nothing.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// The secrets that are set.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// What lasts for so many seconds is told.
    pub after_seconds: u32,
    /// More of a disk in use needs somebody.
    pub disk_percent: u8,
    /// More of the memory in use needs somebody.
    pub memory_percent: u8,
}

/// One way of telling.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WayView {
    /// Which.
    pub way: Way,
    /// Whom it tells.
    pub target: String,
    /// When it told something last, within a day.
    pub last: Option<Timestamp>,
    /// Messages within the last day.
    pub sent: u32,
    /// What it has still to tell.
    pub waiting: u32,
    /// Why it failed; none where it did not.
    pub failure: Option<String>,
    /// When it is tried again.
    pub again: Option<Timestamp>,
}

/// Something that people are told of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MatterView {
    /// What it is about.
    pub key: String,
    /// One sentence.
    pub title: String,
    /// Since when.
    pub began: Timestamp,
    /// Whether it is over, and not everybody knows yet.
    pub over: bool,
}

/// How telling somebody for a try went.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrialView {
    /// Which way.
    pub way: Way,
    /// Whom it tells.
    pub target: String,
    /// What the other side answered.
    pub answer: Option<String>,
    /// Why it was not taken.
    pub failure: Option<Fault>,
}
