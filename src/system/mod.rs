//! What this product knows of nginx, PHP-FPM, services, packages, users and MariaDB, as functions over the host.
//!
//! Invariant: every look and every act goes through `&dyn Host`; nothing here decides whether something should happen.

pub mod addresses;
pub mod apt;
pub mod config;
pub mod config_edit;
pub mod courier;
pub mod database;
pub mod database_facts;
pub mod database_grants;
pub mod database_job;
pub mod distro;
pub mod facts;
pub mod fastcgi;
pub mod files;
pub mod handshake;
pub mod log_record;
pub mod logs;
pub mod machine;
pub mod mariadb;
pub mod nginx;
pub mod nginx_files;
pub mod nginx_text;
pub mod notify;
pub mod notify_vault;
pub mod open_files;
pub mod panel_certificate;
pub mod panel_trial;
pub mod php;
pub mod php_support;
pub mod ports;
pub mod processes;
pub mod self_signed;
pub mod service;
pub mod users;
pub mod wordpress;
