//! Work that the panel begins by itself: named jobs, never two of one name at once, and when certificates are due.
//!
//! Invariant: time is an argument; whoever starts a job decides what it does.

mod jobs;
pub mod renewals;

pub use jobs::Jobs;
