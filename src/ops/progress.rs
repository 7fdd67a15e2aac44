//! How far an operation got, read from its journal.
//!
//! Invariant: a step that was started and not undone is in the list of what to undo, newest first.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::fault::Fault;
use crate::ops::event::{Event, What};
use crate::ops::undo::Undo;

/// Started, done and undone steps of one operation.
#[derive(Debug, Default, Clone)]
pub struct Progress {
    undos: BTreeMap<usize, Undo>,
    done: BTreeSet<usize>,
    fault: Option<Fault>,
    undoing: bool,
    recovered: bool,
}

impl Progress {
    /// Reads the journal.
    #[must_use]
    pub fn read(events: &[(u64, Event)]) -> Self {
        let mut progress = Self::default();
        for (_, event) in events {
            match &event.what {
                What::Started { step, undo } => progress.started(*step, undo.clone()),
                What::Done { step, .. } => progress.done(*step),
                What::Failed { fault, .. } => {
                    progress.fault = Some(fault.clone());
                    progress.undoing = true;
                }
                What::Undone { step } => progress.undone(*step),
                What::UndoFailed { .. } => progress.undoing = true,
                What::Recovering {} => progress.recovering(),
                What::Finished {} | What::RolledBack {} => {}
            }
        }
        progress
    }

    /// It was taken up again after a crash or by a person.
    pub fn recovering(&mut self) {
        self.recovered = true;
    }

    /// True where it was taken up again.
    #[must_use]
    pub fn is_recovered(&self) -> bool {
        self.recovered
    }

    /// A step's way back is durable.
    pub fn started(&mut self, step: usize, undo: Undo) {
        self.undos.insert(step, undo);
    }

    /// A step has acted.
    pub fn done(&mut self, step: usize) {
        self.done.insert(step);
    }

    /// A step is taken back.
    pub fn undone(&mut self, step: usize) {
        self.undos.remove(&step);
        self.done.remove(&step);
        self.undoing = true;
    }

    /// True where the step has acted.
    #[must_use]
    pub fn is_done(&self, step: usize) -> bool {
        self.done.contains(&step)
    }

    /// True once the way back was taken; there is no way forward from there.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.undoing
    }

    /// Why it went back.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.fault.clone()
    }

    /// What was captured for a step.
    #[must_use]
    pub fn undo_of(&self, step: usize) -> Option<&Undo> {
        self.undos.get(&step)
    }

    /// What is to be undone, newest first.
    #[must_use]
    pub fn to_undo(&self) -> Vec<(usize, Undo)> {
        self.undos
            .iter()
            .rev()
            .map(|(step, undo)| (*step, undo.clone()))
            .collect()
    }
}
