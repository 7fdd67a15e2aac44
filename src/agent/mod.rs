//! The agent: the one process with root's rights. It owns the state, decides who may do what, and does it.
//!
//! Invariant: it listens on a Unix socket only, and nothing in here opens a file, starts a program or reads the clock but through `Host`.

pub mod accounts;
mod advising;
pub mod audit;
mod authorities;
mod certificates;
pub mod clock;
#[cfg(test)]
mod conduct;
pub mod database_sizes;
mod databases;
pub mod delays;
mod desk;
mod device;
pub mod dispatch;
mod dns;
pub mod doctor;
mod doctor_databases;
mod doctor_room;
pub mod door;
mod fetching;
mod guesses;
mod holder;
mod issuance;
mod issuing;
mod issuing_plan;
mod letter;
pub mod limits;
pub mod live;
pub mod logs;
mod notifier;
pub mod operations;
mod ordering;
pub mod overview;
mod own_certificate;
pub mod panel;
pub mod password;
mod php;
pub mod policy;
pub mod process;
pub mod pulse;
pub mod refusals;
pub mod sampler;
pub mod server;
pub mod session;
mod tokens;
mod trial;
pub mod uptime;
mod warnings;
mod watched;
