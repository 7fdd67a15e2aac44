//! Figures of the machine on their way to people.
//!
//! Invariant: what was not seen is not there; gaps are for those who draw to show.

use serde::{Deserialize, Serialize};

use crate::domain::name::Hostname;
use crate::domain::sample::{Range, Sample};
use crate::domain::time::Timestamp;
use crate::rpc::home_view::Usage;

/// What was seen of the machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MonitorView {
    /// How far back.
    pub range: Range,
    /// How far samples lie apart, where none is missing.
    pub step_seconds: u64,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// How many processors there are.
    pub processors: u32,
    /// Memory now.
    pub memory: Option<Usage>,
    /// The file system of the sites now.
    pub disk: Option<Usage>,
    /// What was seen, the oldest first.
    pub samples: Vec<Sample>,
    /// The PHP processes of sites now, those with most memory first; sites without any are left out.
    #[serde(default)]
    pub php: Vec<PhpProcesses>,
}

/// The PHP processes of one site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhpProcesses {
    /// Whose.
    pub hostname: Hostname,
    /// How many.
    pub processes: u32,
    /// At most so many there will be.
    pub most: u32,
    /// Their resident bytes; what they share counts for each.
    pub memory: u64,
}
