//! Connections on which a file arrives: what reads the file says how long it waits, not the limits of a form.
//!
//! Invariant: a connection is among them only while a request of somebody signed in holds its place here.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Few at a time. By its two ends a connection is known, and of ours one end is the same for all.
static PATIENT: Mutex<Vec<SocketAddr>> = Mutex::new(Vec::new());

/// A place among them.
pub(super) struct Patient(SocketAddr);

impl Patient {
    /// For the connection from this peer, until it is dropped.
    pub(super) fn with(peer: SocketAddr) -> Self {
        all().push(peer);
        Self(peer)
    }
}

impl Drop for Patient {
    fn drop(&mut self) {
        let mut all = all();
        if let Some(place) = all.iter().position(|one| *one == self.0) {
            all.swap_remove(place);
        }
    }
}

/// True where something is read that takes as long as it takes.
pub(super) fn is_patient(peer: Option<SocketAddr>) -> bool {
    peer.is_some_and(|peer| all().contains(&peer))
}

fn all() -> MutexGuard<'static, Vec<SocketAddr>> {
    PATIENT.lock().unwrap_or_else(PoisonError::into_inner)
}
