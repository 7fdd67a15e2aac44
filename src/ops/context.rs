//! What a step has beside itself while its operation runs: the machine, and what earlier steps saw.
//!
//! Invariant: nothing kept here is needed after a crash; what has to be undone is in the journal alone.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::domain::id::OperationId;
use crate::domain::name::Hostname;
use crate::host::Host;
use crate::ops::home::Home;

/// What a step needs beside itself.
pub struct Context<'a> {
    /// The machine.
    pub host: &'a dyn Host,
    /// The operation it belongs to.
    pub operation: OperationId,
    note: RefCell<Option<String>>,
    homes: RefCell<BTreeMap<Hostname, Home>>,
}

impl<'a> Context<'a> {
    /// At the start of an operation, or of its undoing.
    #[must_use]
    pub fn new(host: &'a dyn Host, operation: OperationId) -> Self {
        Self {
            host,
            operation,
            note: RefCell::default(),
            homes: RefCell::default(),
        }
    }

    /// What the step that acts now found, for people.
    pub(super) fn say(&self, note: String) {
        self.note.replace(Some(note));
    }

    /// What the last step found; asked once after each.
    pub(super) fn said(&self) -> Option<String> {
        self.note.take()
    }

    /// How a site's home page answered before a change.
    pub(super) fn remember(&self, hostname: &Hostname, home: Home) {
        self.homes.borrow_mut().insert(hostname.clone(), home);
    }

    /// The same, asked for after it.
    pub(super) fn remembered(&self, hostname: &Hostname) -> Option<Home> {
        self.homes.borrow().get(hostname).cloned()
    }
}
