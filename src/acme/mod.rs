//! Certificates from an authority by the ACME protocol (RFC 8555): the order's course, its proofs, when to try again.
//!
//! Invariant: only `client` knows the protocol crate; the key of a certificate never comes here, only a request signed with it.

mod answer;
pub mod challenge;
pub mod client;
mod diary;
pub mod dns;
mod jitter;
pub mod order;
mod protocol;
pub mod records;
pub mod retry;
pub mod transport;
pub mod words;

pub use jitter::Jitter;
