//! One file per page. A view asks the agent, fills a template, and decides nothing.
//!
//! Invariant: a view runs only after every gate in `panel`, and changes the server only through `plan::attempt`.

pub(super) mod account;
pub(super) mod activity;
pub(super) mod certificate;
pub(super) mod certificate_order;
pub(super) mod change;
mod chart;
pub(super) mod database_change;
pub(super) mod database_export;
pub(super) mod database_import;
pub(super) mod database_users;
pub(super) mod databases;
pub(super) mod dns;
pub(super) mod home;
pub(super) mod login;
pub(super) mod logs;
pub(super) mod new_database;
pub(super) mod new_site;
pub(super) mod nginx;
mod notification_fields;
pub(super) mod notifications;
pub(super) mod open;
pub(super) mod operation;
pub(super) mod own_certificate;
pub(super) mod panel_settings;
pub(super) mod php;
pub(super) mod php_extensions;
pub(super) mod server_change;
pub(super) mod services;
pub(super) mod settings;
pub(super) mod site;
pub(super) mod site_clone;
pub(super) mod site_php;
pub(super) mod site_rename;
pub(super) mod sites;
pub(super) mod start;
#[cfg(debug_assertions)]
mod styleguide;
pub(super) mod system;
pub(super) mod trash;
pub(super) mod trouble;
pub(super) mod uptime;
pub(super) mod users;
pub(super) mod visitors;
