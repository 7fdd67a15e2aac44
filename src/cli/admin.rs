//! `lalapanel admin …`
//!
//! Invariant: a one-time link is printed once, to whoever runs this as root, and is kept nowhere.

use std::net::IpAddr;

use clap::Subcommand;
use serde_json::json;

use crate::cli::Outcome;
use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::{Exit, Output, moment};
use crate::rpc::protocol::{Reply, Request};

/// What the administrator of the server can do when nobody can sign in.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make a one-time link: for the first account, or for a lost password
    Link,
    /// Forget failed sign-ins
    Unban {
        /// Of this address; of all where none is given
        address: Option<IpAddr>,
    },
}

/// Runs one.
pub fn run(verb: &Verb, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    match verb {
        Verb::Link => link(agent, output),
        Verb::Unban { address } => unban(*address, agent, output),
    }
}

fn link(agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    match agent.ask(Request::AdminLink {})? {
        Reply::Link {
            url,
            expires,
            fingerprint,
        } => {
            output.document(&json!({ "url": url, "expires": expires, "fingerprint": fingerprint }));
            output.line(&url);
            output.note(format!("works once, until {}", moment(expires)));
            output.note(format!("certificate SHA-256: {fingerprint}"));
            Ok(Exit::Done)
        }
        other => Err(unexpected(other)),
    }
}

fn unban(address: Option<IpAddr>, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    match agent.ask(Request::AdminUnban { address })? {
        Reply::Done {} => {
            output.document(&json!({ "address": address }));
            let whose = address.map_or_else(|| "every address".to_owned(), |one| one.to_string());
            output.line(format!("Failed sign-ins from {whose} are forgotten"));
            Ok(Exit::Done)
        }
        other => Err(unexpected(other)),
    }
}
