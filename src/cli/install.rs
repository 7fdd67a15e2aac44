//! What can be typed after `lalapanel install` and `lalapanel uninstall`.
//!
//! Invariant: a password is read from a file, never from an argument.

use std::path::PathBuf;

use clap::Args;

use crate::cli::handbook;
use crate::cli::output::{Exit, Output};
use crate::domain::account::AccountName;
use crate::domain::fault::Fault;
use crate::domain::name::Hostname;
use crate::domain::php::PhpVersion;
use crate::install::{self, InstallOptions, RemoveOptions, Report, Terminal};

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
    pub answers: Option<PathBuf>,
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
    pub admin: Option<AccountName>,
    /// The first account's password: the first line of this file
    #[arg(long, value_name = "FILE", requires = "admin")]
    pub admin_password_file: Option<PathBuf>,
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

impl Install {
    /// Installs, and tells how it ended.
    pub fn run(self, output: &mut Output) -> Exit {
        let options = InstallOptions {
            plan: self.plan,
            yes: self.yes,
            json: output.is_json(),
            answers: self.answers,
            hostname: self.hostname,
            email: self.email,
            php: self.php,
            admin: self.admin,
            admin_password_file: self.admin_password_file,
            port: self.port,
            handbook: handbook::files(),
        };
        told(&install::run(&options, &mut Terminal::new()), output)
    }
}

impl Uninstall {
    /// Removes, and tells how it ended.
    pub fn run(self, output: &mut Output) -> Exit {
        let options = RemoveOptions {
            plan: self.plan,
            yes: self.yes,
            json: output.is_json(),
            purge: self.purge,
        };
        told(&install::remove(options, &mut Terminal::new()), output)
    }
}

fn told(result: &Result<Report, Fault>, output: &mut Output) -> Exit {
    match result {
        Ok(report) => {
            for line in report.text().lines() {
                output.line(line);
            }
            output.document(report);
            Exit::Done
        }
        Err(fault) => output.failure(fault),
    }
}
