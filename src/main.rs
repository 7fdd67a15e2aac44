//! Reads what was typed, runs the process or the verb, and ends with its code.
//!
//! Invariant: no rule of the business is in here.

use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use lalapanel::cli::agent::Agent;
use lalapanel::cli::output::{Exit, Output};
use lalapanel::cli::{self, Cli, Verb, process};
use lalapanel::domain::fault::Fault;
use lalapanel::rpc::client::SOCKET;
use lalapanel::worker;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut output = Output::standard(cli.json);
    let exit = match cli.verb {
        Verb::Worker => return worker::main(),
        Verb::Agent => ended(process::agent(), &mut output),
        Verb::Web => ended(process::web(), &mut output),
        Verb::Courier => ended(process::courier(), &mut output),
        Verb::Handshake { hostname, port } => ended(
            process::handshake(&hostname, port, &mut output),
            &mut output,
        ),
        Verb::Install(typed) => typed.run(&mut output),
        Verb::Uninstall(typed) => typed.run(&mut output),
        verb => cli::run(verb, &mut Agent::at(Path::new(SOCKET)), &mut output),
    };
    ExitCode::from(exit.code())
}

fn ended(result: Result<(), Fault>, output: &mut Output) -> Exit {
    match result {
        Ok(()) => Exit::Done,
        Err(fault) => output.failure(&fault),
    }
}
