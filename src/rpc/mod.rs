//! How processes talk to the agent: the closed list of requests, the frames they travel in, the client.
//!
//! Invariant: there is no request to run a command, read or write a path, or list secrets.

pub mod blocking;
pub mod certificate_view;
pub mod client;
pub mod codec;
pub mod courier;
pub mod database;
pub mod document;
pub mod filling;
mod home_view;
pub mod issuance;
pub mod log;
pub mod monitor;
pub mod nginx_view;
pub mod notify;
pub mod packer;
pub mod php;
pub mod protocol;
mod reply;
pub mod settings;
pub mod stream;
pub mod trash;
pub mod unpacker;
pub mod uptime;
pub mod view;
