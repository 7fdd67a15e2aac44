//! Use-cases: each operation is one file that states, top to bottom, what will change on the server and in which order.
//!
//! Invariant: planners only look; the engine alone acts, and only after the journal says so.

pub mod act;
mod apt_lock;
pub mod change;
pub mod context;
pub mod database;
pub mod drift;
pub mod engine;
pub mod event;
pub mod fault;
pub mod gate;
pub mod graveyard;
pub mod home;
pub mod log_sizes;
pub mod names;
pub mod nginx;
pub mod packages;
pub mod panel;
pub mod php_facts;
pub mod php_install;
pub mod php_remove;
pub mod php_repository;
pub mod php_trial;
pub mod plan;
pub mod progress;
pub mod refuse;
pub mod service;
pub mod site_create;
pub mod site_delete;
pub mod site_drift;
pub mod site_logs;
mod site_parts;
pub mod site_php;
pub mod site_rename;
pub mod site_restore;
pub mod site_snippet;
pub mod site_switch;
pub mod site_update;
pub mod state;
pub mod step;
pub mod trash;
pub mod undo;
mod unwritten;
mod user;
pub mod view;
