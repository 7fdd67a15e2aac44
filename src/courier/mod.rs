//! The courier: the one process that talks to the internet. It has a user of its own, no file, and no rights but to connect.
//!
//! Invariant: it keeps nothing between two errands; whoever owns it sees the errands under way and can lie about them, no more.

mod challenge;
mod fetching;
mod hook;
mod idle;
mod json;
mod looking;
mod mailing;
mod preflight;
mod preflight_caa;
pub mod process;
mod proving;
mod renewal;
mod runner;
mod server;
mod version;
mod webhook;

pub use server::Doors;
