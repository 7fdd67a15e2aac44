//! A plan: the ordered steps of one change, as data.
//!
//! Invariant: planning changes nothing, and two plans are the same exactly when their hashes are.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::name::Hostname;
use crate::domain::secret::hex;
use crate::ops::step::Step;
use crate::store::Effect;

/// A step with the words people read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// `Create the Unix user s1001`.
    pub title: String,
    /// What is done.
    pub step: Step,
}

/// The steps of one change and what the state will say once they are done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// `Create shop.example`.
    pub title: String,
    /// `site create`.
    pub change: String,
    /// The site concerned.
    pub hostname: Option<Hostname>,
    /// In order.
    pub steps: Vec<PlannedStep>,
    /// What people should know beforehand.
    pub notes: Vec<String>,
    /// The change to the state, committed together with the end of the journal.
    pub effect: Effect,
}

impl Plan {
    /// A plan without steps.
    #[must_use]
    pub fn new(title: impl Into<String>, change: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            change: change.into(),
            hostname: None,
            steps: Vec::new(),
            notes: Vec::new(),
            effect: Effect::None,
        }
    }

    /// The site it concerns.
    #[must_use]
    pub fn about(mut self, hostname: &Hostname) -> Self {
        self.hostname = Some(hostname.clone());
        self
    }

    /// Adds a step.
    #[must_use]
    pub fn step(mut self, title: impl Into<String>, step: Step) -> Self {
        self.steps.push(PlannedStep {
            title: title.into(),
            step,
        });
        self
    }

    /// Adds the steps of a part.
    #[must_use]
    pub fn steps(mut self, steps: impl IntoIterator<Item = PlannedStep>) -> Self {
        self.steps.extend(steps);
        self
    }

    /// Adds a note.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds notes.
    #[must_use]
    pub fn notes(mut self, notes: impl IntoIterator<Item = String>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// What the state will say once everything is done.
    #[must_use]
    pub fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// SHA-256 over title and steps: what a person saw is what runs. The effect is left out, since it carries the time.
    #[must_use]
    pub fn hash(&self) -> String {
        let text = serde_json::to_vec(&(&self.title, &self.steps, &self.notes)).unwrap_or_default();
        hex(&Sha256::digest(text))
    }
}
