//! Runs a program of the owner's, for the courier: the only one that is no entry of the closed list.
//!
//! Invariant: as every other, it gets an argument vector, our environment, no input and a time limit, and no shell is between.

use std::time::Duration;

use crate::domain::dns_way::HookProgram;
use crate::host::exec::Output;
use crate::host::linux::run::{ENVIRONMENT, Spec};
use crate::host::{HostError, HostResult};

/// Of what it says no more is kept.
const ROOM: usize = 4096;

/// Runs it to its end; a late one is ended with everything it started.
pub fn run(program: &HookProgram, arguments: &[String], limit: Duration) -> HostResult<Output> {
    const NAME: &str = "the program";
    let spec = Spec {
        name: NAME,
        program: program.as_str(),
        arguments,
        environment: &ENVIRONMENT,
        limit,
        room: ROOM,
    };
    spec.run()?.ok_or_else(|| HostError::Program {
        program: NAME,
        what: format!("did not finish within {} s", limit.as_secs()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(path: &str, arguments: &[&str], millis: u64) -> HostResult<Output> {
        let program = HookProgram::parse(path).unwrap();
        let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
        run(&program, &arguments, Duration::from_millis(millis))
    }

    #[test]
    fn it_gets_its_arguments_as_they_are_and_nothing_of_our_environment() {
        let output = ran("/usr/bin/printf", &["%s|", "add", "a; id", "$HOME"], 5_000).unwrap();
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (0, "add|a; id|$HOME|")
        );
        let output = ran("/usr/bin/env", &[], 5_000).unwrap();
        let names: Vec<&str> = output
            .stdout
            .lines()
            .filter_map(|line| Some(line.split_once('=')?.0))
            .collect();
        assert_eq!(names, ["LC_ALL", "PATH"]);
    }

    #[test]
    fn a_late_one_is_ended_and_a_long_one_cut() {
        assert!(
            ran("/usr/bin/sleep", &["60"], 200)
                .unwrap_err()
                .to_string()
                .contains("did not finish")
        );
        let output = ran("/usr/bin/seq", &["100000"], 10_000).unwrap();
        assert_eq!(output.stdout.len(), ROOM);
        assert!(ran("/opt/nothing/here", &[], 1_000).is_err());
    }
}
