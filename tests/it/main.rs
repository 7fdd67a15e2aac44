//! Operations against a machine in memory: no root, no network, no installed server.
//!
//! Invariant: every test looks at the whole machine, not at a return value alone.

mod faults;
mod sites;
mod world;
