//! What can be typed after `lalapanel install` and `lalapanel uninstall`.
//!
//! Invariant: a password is read from a file, never from an argument.

use clap::Args;

use crate::domain::name::Hostname;
use crate::domain::php::PhpVersion;

/// `lalapanel install`
#[derive(Debug, Clone, Args)]
pub struct Install {
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Take answers from this TOML file
    #[arg(long, value_name = "FILE")]
    pub answers: Option<String>,
    /// The name people open the panel by
    #[arg(long, value_name = "H")]
    pub hostname: Option<Hostname>,
    /// Where certificate authorities may write to
    #[arg(long, value_name = "E")]
    pub email: Option<String>,
    /// PHP versions to install
    #[arg(long, value_name = "V", value_delimiter = ',')]
    pub php: Vec<PhpVersion>,
    /// Make the first account with this name instead of printing a one-time link
    #[arg(long, value_name = "NAME", requires = "admin_password_file")]
    pub admin: Option<String>,
    /// The first account's password: the first line of this file
    #[arg(long, value_name = "FILE", requires = "admin")]
    pub admin_password_file: Option<String>,
    /// The panel's port; 8443 where none is given
    #[arg(long)]
    pub port: Option<u16>,
}

/// `lalapanel uninstall`
#[derive(Debug, Clone, Args)]
pub struct Uninstall {
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Remove the sites and everything the panel installed, too
    #[arg(long)]
    pub purge: bool,
}
