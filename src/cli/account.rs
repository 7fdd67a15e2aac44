//! `lalapanel account …`
//!
//! Invariant: a password is never an argument, where every user of the server could read it.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::{Exit, Output, moment, table};
use crate::cli::{Outcome, prompt};
use crate::domain::account::AccountName;
use crate::domain::fault::{Code, Fault};
use crate::rpc::protocol::{Reply, Request};

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make an account; its password is asked for, or read from a file
    Create(Named),
    /// All accounts
    List,
    /// Give an account a new password; its sessions end
    Password(Named),
    /// Keep an account from signing in; its sessions end, and the last one that may sign in stays
    Disable {
        /// Its name
        name: String,
    },
    /// Let an account sign in again, with the password it had
    Enable {
        /// Its name
        name: String,
    },
    /// Delete an account; the last one stays
    Delete {
        /// Its name
        name: String,
    },
}

/// An account and where its password comes from.
#[derive(Debug, Args)]
pub struct Named {
    /// Its name
    pub name: String,
    /// Read the password from the first line of this file; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<String>,
}

/// Runs one.
pub fn run(verb: Verb, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    match verb {
        Verb::List => list(agent, output),
        Verb::Create(named) => {
            let name = parse(&named.name)?;
            let password = prompt::password(named.password_file.as_deref())?;
            let request = Request::AccountCreate {
                name: name.clone(),
                password,
            };
            settle(request, &name, "was made", agent, output)
        }
        Verb::Password(named) => {
            let name = parse(&named.name)?;
            let password = prompt::password(named.password_file.as_deref())?;
            let request = Request::AccountPassword {
                name: name.clone(),
                password,
                current: None,
            };
            let what = "has a new password; its sessions have ended";
            settle(request, &name, what, agent, output)
        }
        Verb::Disable { name } => {
            let what = "may not sign in any more; its sessions have ended";
            disable(&parse(&name)?, true, what, agent, output)
        }
        Verb::Enable { name } => disable(&parse(&name)?, false, "may sign in again", agent, output),
        Verb::Delete { name } => {
            let name = parse(&name)?;
            let request = Request::AccountDelete { name: name.clone() };
            settle(request, &name, "is deleted", agent, output)
        }
    }
}

fn disable(
    name: &AccountName,
    disabled: bool,
    what: &str,
    agent: &mut dyn Ask,
    output: &mut Output,
) -> Outcome {
    let request = Request::AccountDisable {
        name: name.clone(),
        disabled,
    };
    settle(request, name, what, agent, output)
}

fn parse(text: &str) -> Result<AccountName, Fault> {
    AccountName::parse(text).map_err(|reason| {
        Fault::new(
            Code::NameInvalid,
            reason.to_string(),
            "write it like mara or mara.k",
        )
    })
}

fn settle(
    request: Request,
    name: &AccountName,
    what: &str,
    agent: &mut dyn Ask,
    output: &mut Output,
) -> Outcome {
    match agent.ask(request)? {
        Reply::Done {} => {
            output.document(&json!({ "name": name }));
            output.line(format!("The account {name} {what}"));
            Ok(Exit::Done)
        }
        other => Err(unexpected(other)),
    }
}

fn list(agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let accounts = match agent.ask(Request::AccountList {})? {
        Reply::Accounts(accounts) => accounts,
        other => return Err(unexpected(other)),
    };
    output.document(&json!({ "accounts": accounts }));
    let mut rows = vec![
        ["NAME", "CREATED", "LAST SIGN-IN", "MAY SIGN IN"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(accounts.iter().map(|account| {
        vec![
            account.name.to_string(),
            moment(account.created),
            account
                .last_login
                .map_or_else(|| "never".to_owned(), moment),
            if account.disabled { "no" } else { "yes" }.to_owned(),
        ]
    }));
    for row in table(&rows) {
        output.line(row);
    }
    Ok(Exit::Done)
}
