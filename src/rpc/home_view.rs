//! The first page: what needs a person, what runs, how full the machine is.
//!
//! Invariant: numbers are as measured; words for them are made where they are shown.

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;
use crate::rpc::view::OperationSummary;

/// Something that needs a person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Need {
    /// One sentence.
    pub title: String,
    /// What to do.
    pub hint: String,
    /// A path in the panel, where there is a page for it.
    pub link: Option<String>,
}

/// Used and total bytes.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Usage {
    /// In use.
    pub used: u64,
    /// In all.
    pub total: u64,
}

/// The first page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HomeView {
    /// The server's name.
    pub server: String,
    /// What needs a person.
    pub needs: Vec<Need>,
    /// Operations that run now.
    pub running: Vec<OperationSummary>,
    /// The last operations.
    pub recent: Vec<OperationSummary>,
    /// How many sites.
    pub sites: u32,
    /// How many of them offline.
    pub sites_offline: u32,
    /// Of the file system of /var/www.
    pub disk: Option<Usage>,
    /// Of the machine.
    pub memory: Option<Usage>,
    /// Load of the last minute, in hundredths.
    pub load_hundredths: Option<u32>,
    /// Processors, to put the load in words.
    pub processors: u32,
    /// When this was looked up.
    pub as_of: Timestamp,
}
