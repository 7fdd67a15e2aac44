//! Lala Panel: one binary that turns a server into a web host and keeps it one.
//!
//! The floors, imports go down only (held by `tests/tidy.rs`):
//!
//! | floor | modules | for |
//! |---|---|---|
//! | 6 | `cli` | words for people |
//! | 5 | `install` | making a host, and unmaking it |
//! | 4 | `web`, `agent`, `worker`, `courier` | processes: each a door, no business rules |
//! | 3 | `ops`, `schedule` | use-cases and the engine; what the panel begins by itself |
//! | 2 | `system`, `acme` | nginx, PHP-FPM, services, apt, users, MariaDB, facts; orders at an authority |
//! | 1 | `host`, `render`, `store`, `rpc` | the port to the machine; pure text; redb; wire types and client |
//! | 0 | `domain` | values that cannot be wrong; faults |

pub mod acme;
pub mod agent;
pub mod cli;
pub mod courier;
pub mod domain;
pub mod host;
pub mod install;
pub mod ops;
pub mod render;
pub mod rpc;
pub mod schedule;
pub mod store;
pub mod system;
pub mod web;
pub mod worker;
