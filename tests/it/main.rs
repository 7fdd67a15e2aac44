//! Operations against a machine in memory: no root, no network, no installed server.
//!
//! Invariant: every test looks at the whole machine, not at a return value alone.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by failing"
)]

mod archive;
mod certificates;
mod clone;
mod clone_databases;
mod database_site;
mod database_trash;
mod database_users;
mod databases;
mod faults;
mod http3;
mod imports;
mod install;
mod journey;
mod logs;
mod nginx;
mod panel_settings;
mod php;
mod php_extensions;
mod recovery;
mod rename;
mod services;
mod settings;
mod sites;
mod trash;
mod wordpress;
mod worker;
mod world;
