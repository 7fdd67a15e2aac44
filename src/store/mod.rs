//! The panel's state: one redb file that the agent alone holds open.
//!
//! Invariant: every change is one committed, fsynced transaction, so whoever opens the file after a power cut sees a state that was true.

pub mod account;
pub mod audit;
mod database;
pub mod databases;
pub mod error;
#[cfg(test)]
mod fixtures;
mod issuance;
pub mod journal;
mod migrate;
mod notices;
pub mod operation;
pub mod samples;
pub mod session;
pub mod setup;
pub mod site;
#[cfg(test)]
pub(crate) mod small_disk;
pub mod tables;
pub mod token;
pub mod trash;
mod uptime;

pub use database::Store;
pub use error::StoreError;
pub use operation::{Effect, Ending, OperationRecord, Status, Unread};
