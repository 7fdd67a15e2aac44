//! How it stands with getting a certificate, for people.
//!
//! Invariant: no secret: an order's moments and an authority's words hold none.

use serde::{Deserialize, Serialize};

use crate::domain::issuance::Attempt;
use crate::domain::time::Timestamp;

/// One site's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IssuanceView {
    /// True while an order runs.
    pub running: bool,
    /// When it goes on by itself: the next try, or the renewal.
    pub next: Option<Timestamp>,
    /// Failures in a row.
    pub failures: u32,
    /// The last try that came to an end.
    pub last: Option<Attempt>,
}
