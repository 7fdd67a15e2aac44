//! From a bare server to a running panel, and back: install is just the biggest plan.
//!
//! Invariant: nothing is changed before every refusal was looked for, and before the journal of the installation, a file
//! of its own beside the state, says so.

mod account;
pub mod console;
pub mod facts;
mod follow;
mod journal;
mod missing;
pub mod nginx_facts;
pub mod options;
pub mod plan;
pub mod preflight;
mod purge;
mod removal;
mod remove;
pub mod report;
mod run;
mod stack;
pub mod wanted;

pub use console::{Console, Terminal};
pub use options::{InstallOptions, RemoveOptions};
pub use remove::remove;
pub use report::Report;
pub use run::{plan_for, run};
