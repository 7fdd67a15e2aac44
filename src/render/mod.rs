//! Domain types in, text of configuration files out. Nothing here sees the machine.
//!
//! Invariant: same values, same bytes; no text typed by a person reaches a file except as a parsed type.

pub mod block;
#[cfg(test)]
pub(crate) mod golden;
pub mod handbook;
pub mod logrotate;
pub mod mariadb;
pub mod nginx;
mod nginx_access;
pub mod nginx_kinds;
pub mod nginx_shared;
mod nginx_site;
mod nginx_snippet;
pub mod nginx_tls;
pub mod panel;
pub mod php_fpm;
pub mod php_repository;
pub mod systemd;
#[cfg(test)]
mod trees;
pub mod welcome;
pub mod wordpress;

/// The first line of every file the panel owns.
pub const OWNED: &str =
    "Written by Lala Panel, which replaces it whole: change the site in the panel, not here.";
