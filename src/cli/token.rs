//! `lalapanel token …`
//!
//! Invariant: a token is printed once, to whoever made it.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use crate::cli::Outcome;
use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::{Exit, Output, moment, table};
use crate::domain::account::AccountName;
use crate::domain::fault::{Code, Fault};
use crate::domain::token::{Scope, TokenName, TokenView, written};
use crate::rpc::protocol::{Reply, Request};

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make a token for a program; it is printed once
    Create(Create),
    /// All tokens
    List,
    /// Forget a token; who has it is nobody from now on
    Revoke {
        /// Its name
        name: String,
    },
}

/// A new token.
#[derive(Debug, Args)]
pub struct Create {
    /// Its name, to tell it from others
    pub name: String,
    /// In whose name it asks; the only account where there is one
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// What it may
    #[arg(long, value_enum, default_value = "read")]
    pub scope: Typed,
    /// After so many days it stops working
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650), conflicts_with = "forever")]
    pub days: u32,
    /// It works until it is revoked
    #[arg(long)]
    pub forever: bool,
}

/// The scopes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Typed {
    /// Look at everything, change nothing
    Read,
    /// What its account may
    Write,
}

/// Runs one.
pub fn run(verb: &Verb, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    match verb {
        Verb::Create(typed) => create(typed, agent, output),
        Verb::List => list(agent, output),
        Verb::Revoke { name } => {
            let name = parse(name)?;
            match agent.ask(Request::TokenRevoke { name: name.clone() })? {
                Reply::Done {} => {
                    output.document(&json!({"name": name}));
                    output.note(format!("the token {name} is revoked"));
                    Ok(Exit::Done)
                }
                other => Err(unexpected(other)),
            }
        }
    }
}

fn parse(text: &str) -> Result<TokenName, Fault> {
    TokenName::parse(text).map_err(|bad| {
        Fault::new(
            Code::TokenInvalid,
            bad.to_string(),
            "write it like deploy-ci",
        )
    })
}

fn create(typed: &Create, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let name = parse(&typed.name)?;
    let account = match &typed.account {
        Some(text) => AccountName::parse(text).map_err(|bad| {
            Fault::new(
                Code::NameInvalid,
                bad.to_string(),
                "write it like mara or mara.k",
            )
        })?,
        None => only_account(agent)?,
    };
    let request = Request::TokenCreate {
        name,
        account,
        scope: match typed.scope {
            Typed::Read => Scope::Read,
            Typed::Write => Scope::Write,
        },
        days: (!typed.forever).then_some(typed.days),
    };
    match agent.ask(request)? {
        Reply::TokenMade { token, view } => {
            let text = written(&token);
            output.document(&json!({
                "token": text, "name": view.name, "account": view.account, "scope": view.scope,
                "created": view.created, "expires": view.expires,
            }));
            output.line(&text);
            output.note(format!(
                "this is the only time it is shown; it {} in the name of {}, {}",
                match view.scope {
                    Scope::Read => "may look at everything",
                    Scope::Write => "may change everything",
                },
                view.account,
                until(&view)
            ));
            Ok(Exit::Done)
        }
        other => Err(unexpected(other)),
    }
}

fn until(view: &TokenView) -> String {
    view.expires.map_or_else(
        || "until it is revoked".to_owned(),
        |expires| format!("until {}", moment(expires)),
    )
}

fn only_account(agent: &mut dyn Ask) -> Result<AccountName, Fault> {
    let Reply::Accounts(accounts) = agent.ask(Request::AccountList {})? else {
        return Err(unexpected(Reply::Done {}));
    };
    match accounts.as_slice() {
        [only] => Ok(only.name.clone()),
        [] => Err(Fault::new(
            Code::AccountNotFound,
            "there is no account a token could ask in the name of",
            "make one with `lalapanel admin link` or `lalapanel account create NAME`",
        )),
        _ => Err(Fault::new(
            Code::TokenInvalid,
            "there are several accounts",
            "say in whose name it asks: `--account NAME`",
        )),
    }
}

fn list(agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let tokens = match agent.ask(Request::TokenList {})? {
        Reply::Tokens(tokens) => tokens,
        other => return Err(unexpected(other)),
    };
    output.document(&json!({"tokens": tokens}));
    let used = |view: &TokenView| view.used.map_or_else(|| "never used".to_owned(), moment);
    let mut rows = vec![
        ["NAME", "ACCOUNT", "SCOPE", "WORKS", "LAST USED"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(tokens.iter().map(|view| {
        vec![
            view.name.to_string(),
            view.account.to_string(),
            view.scope.word().to_owned(),
            until(view),
            used(view),
        ]
    }));
    for row in table(&rows) {
        output.line(row);
    }
    Ok(Exit::Done)
}
