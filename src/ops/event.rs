//! What the journal says, one committed entry each, before and after every act.
//!
//! Invariant: `Started` with its undo is durable before the act begins, so whatever was begun can be undone after a crash.

use serde::{Deserialize, Serialize};

use crate::domain::fault::Fault;
use crate::domain::time::Timestamp;
use crate::ops::undo::Undo;

/// One entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The step is about to act; this is how to take it back.
    Started {
        /// Index into the plan.
        step: usize,
        /// Captured by looking.
        undo: Undo,
    },
    /// The step has acted.
    Done {
        /// Index into the plan.
        step: usize,
        /// What it found, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// The step did not work; undoing begins.
    Failed {
        /// Index into the plan.
        step: usize,
        /// Why.
        fault: Fault,
    },
    /// The step is taken back.
    Undone {
        /// Index into the plan.
        step: usize,
    },
    /// Taking the step back did not work.
    UndoFailed {
        /// Index into the plan.
        step: usize,
        /// Why.
        fault: Fault,
    },
    /// After a crash or a power cut the operation was taken up again.
    Recovering {},
    /// All steps are done, and the state says so.
    Finished {},
    /// All steps are undone.
    RolledBack {},
}
