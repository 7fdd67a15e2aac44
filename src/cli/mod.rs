//! The command line: reads what was typed, asks the agent, prints the answer.
//!
//! Invariant: data goes to standard output and everything else to standard error; with `--json` there is exactly one document.

use clap::{Parser, Subcommand};

use crate::cli::agent::Ask;
use crate::cli::output::{Exit, Output};
use crate::domain::fault::Fault;

pub mod account;
pub mod admin;
pub mod agent;
pub mod audit;
pub mod cert;
mod cert_dns;
mod cert_order;
pub mod change;
pub mod database;
mod database_export;
mod database_import;
mod database_show;
mod database_trash;
mod database_users;
pub mod doctor;
pub mod follow;
pub mod handbook;
pub mod install;
pub mod log;
pub mod monitor;
pub mod notify;
pub mod notify_set;
pub mod op;
pub mod output;
pub mod php;
pub mod plan;
pub mod process;
mod progress;
pub mod prompt;
pub mod service;
pub mod settings;
pub mod site;
mod site_clone;
mod site_new;
mod site_nginx;
mod site_rename;
mod site_set;
mod site_trash;
mod site_visitor;
pub mod status;
pub mod token;
pub mod uptime;
#[cfg(test)]
mod usage;
mod wordpress;

/// Turns a fresh Debian or Ubuntu server into a web host and keeps it one.
#[derive(Debug, Parser)]
#[command(name = "lalapanel", version, disable_help_subcommand = true)]
pub struct Cli {
    /// Print one JSON document
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Everything that can be typed.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make this server a web host
    Install(install::Install),
    /// Remove the panel; sites keep being served
    Uninstall(install::Uninstall),
    /// Say how the server is: versions, services, counts, memory
    Status,
    /// Look for what is not as it should be, and say what to do
    Doctor(doctor::Doctor),
    /// Sites: make, change, copy, rename, delete, put back
    #[command(subcommand)]
    Site(site::Verb),
    /// Certificates of sites and of the panel: get, upload, renew, remove
    #[command(subcommand)]
    Cert(cert::Verb),
    /// Show what a site logs
    Log(log::Log),
    /// PHP versions and their extensions: install, remove
    #[command(subcommand)]
    Php(php::Verb),
    /// Databases: make, export, import, delete, put back
    #[command(subcommand)]
    Db(database::Verb),
    /// Services the panel needs: start, stop, restart
    #[command(subcommand)]
    Service(service::Verb),
    /// Settings of the panel itself: its address, who gets certificates for it
    #[command(subcommand)]
    Settings(settings::Verb),
    /// Processors, memory, disk and network: now, on average, at most
    Monitor(monitor::Monitor),
    /// Sites as they look from outside: who answers, since when, how fast
    Uptime(uptime::Uptime),
    /// Warnings by mail and webhook
    #[command(subcommand)]
    Notify(notify::Verb),
    /// Operations: what was changed, step by step
    #[command(subcommand)]
    Op(op::Verb),
    /// The audit trail: who did what, and whether an entry was changed
    #[command(subcommand)]
    Audit(audit::Verb),
    /// Accounts of people who sign in to the panel
    #[command(subcommand)]
    Account(account::Verb),
    /// Tokens of programs, for the interface at /api/v1
    #[command(subcommand)]
    Token(token::Verb),
    /// Where nobody can sign in: one-time links, forgotten failures
    #[command(subcommand)]
    Admin(admin::Verb),
    /// Print what completes these commands in a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: handbook::Shell,
    },
    /// Print the manual page; `lalapanel man | man -l -` shows it
    Man,
    /// The process with root's rights; started by its unit
    #[command(hide = true)]
    Agent,
    /// The panel in the browser; started by its unit
    #[command(hide = true)]
    Web,
    /// Errands to the internet; started by its socket
    #[command(hide = true)]
    Courier,
    /// Acts inside a site's directory; started by the agent
    #[command(hide = true)]
    Worker,
    /// Says which certificate is shown for a name; started by the agent
    #[command(hide = true)]
    Handshake {
        /// The name
        hostname: String,
        /// Where
        #[arg(default_value_t = 443)]
        port: u16,
    },
}

/// Runs a verb that the agent answers. The processes and `install` are not among them.
pub fn run(verb: Verb, agent: &mut dyn Ask, output: &mut Output) -> Exit {
    let result = match verb {
        Verb::Status => status::run(agent, output),
        Verb::Doctor(typed) => doctor::run(typed, &mut doctor::install_again, agent, output),
        Verb::Site(verb) => site::run(verb, agent, output),
        Verb::Cert(verb) => cert::run(&verb, agent, output),
        Verb::Log(typed) => log::run(typed, agent, output),
        Verb::Php(verb) => php::run(&verb, agent, output),
        Verb::Db(verb) => database::run(&verb, agent, output),
        Verb::Service(verb) => service::run(&verb, agent, output),
        Verb::Settings(verb) => settings::run(&verb, agent, output),
        Verb::Monitor(typed) => monitor::run(&typed, agent, output),
        Verb::Uptime(typed) => uptime::run(typed, agent, output),
        Verb::Notify(verb) => notify::run(&verb, agent, output),
        Verb::Op(verb) => op::run(&verb, agent, output),
        Verb::Audit(verb) => audit::run(&verb, agent, output),
        Verb::Account(verb) => account::run(verb, agent, output),
        Verb::Token(verb) => token::run(&verb, agent, output),
        Verb::Admin(verb) => admin::run(&verb, agent, output),
        Verb::Completions { shell } => Ok(handbook::print(&handbook::completions(shell), output)),
        Verb::Man => Ok(handbook::print(&handbook::manual(), output)),
        Verb::Install(_)
        | Verb::Uninstall(_)
        | Verb::Agent
        | Verb::Web
        | Verb::Courier
        | Verb::Worker
        | Verb::Handshake { .. } => Ok(Exit::Usage),
    };
    result.unwrap_or_else(|fault| output.failure(&fault))
}

/// What a verb comes to.
pub type Outcome = Result<Exit, Fault>;
