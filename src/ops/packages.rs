//! Packages as steps see them.
//!
//! Invariant: names come from the table of distributions, never from a person; a web server other than nginx is never pulled in.

use crate::domain::fault::{Code, Fault};
use crate::domain::text::shown;
use crate::host::exec::{Command, Output, Program};
use crate::host::{Host, HostResult};
use crate::ops::fault::of_host;

/// apt may wait for another apt, and mirrors may be slow.
const APT_SECONDS: u32 = 1800;

/// Every installed package.
pub fn installed(host: &dyn Host) -> HostResult<Vec<String>> {
    let output = host.run(&Command::new(
        Program::DpkgQuery,
        ["-W", "-f", "${db:Status-Abbrev} ${binary:Package}\n"],
    ))?;
    let mut names: Vec<String> = output
        .stdout
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(status, _)| {
            status.starts_with('i')
                || status
                    .get(1..2)
                    .is_some_and(|now| matches!(now, "i" | "U" | "F" | "H" | "W" | "t"))
        })
        .map(|(_, name)| name.trim().to_owned())
        .collect();
    names.sort();
    Ok(names)
}

/// Installs packages and all they need; what is there already is left as it is.
pub fn install(host: &dyn Host, names: &[String]) -> Result<(), Fault> {
    let mut simulated = vec!["-s".to_owned()];
    simulated.extend(install_arguments(names));
    let preview = run(host, Program::AptGet, simulated)?;
    if let Some(line) = preview
        .stdout
        .lines()
        .find(|line| line.starts_with("Inst apache2 ") || line.starts_with("Inst lighttpd "))
    {
        return Err(Fault::new(
            Code::AptFailed,
            "apt would install a second web server, which would take port 80",
            "report this with the output of `apt-get -s install` for the same packages",
        )
        .detail(shown(line, 200)));
    }
    run(host, Program::AptGet, install_arguments(names)).map(drop)
}

fn install_arguments(names: &[String]) -> Vec<String> {
    let mut arguments: Vec<String> = ["-y", "-q", "--no-install-recommends"]
        .map(str::to_owned)
        .into();
    arguments.extend(
        [
            "-o",
            "DPkg::Lock::Timeout=300",
            "-o",
            "Dpkg::Options::=--force-confdef",
            "-o",
            "Dpkg::Options::=--force-confold",
        ]
        .map(str::to_owned),
    );
    arguments.extend(["install", "--"].map(str::to_owned));
    arguments.extend(names.iter().cloned());
    arguments
}

/// Fetches the lists of packages.
pub fn refresh(host: &dyn Host) -> Result<(), Fault> {
    let output = run(
        host,
        Program::AptGet,
        ["-q", "-o", "DPkg::Lock::Timeout=300", "update"]
            .map(str::to_owned)
            .into(),
    );
    output.map(drop).map_err(|fault| Fault {
        code: Code::AptLists,
        title: "apt could not fetch the lists of packages".to_owned(),
        hint: "check the network and `/etc/apt/sources.list.d`, run `apt-get update` until it succeeds, then try again".to_owned(),
        ..fault
    })
}

/// Finishes packages that were left half-configured.
pub fn finish(host: &dyn Host) -> Result<(), Fault> {
    run(
        host,
        Program::Dpkg,
        vec!["--configure".to_owned(), "-a".to_owned()],
    )
    .map(drop)
}

/// Removes, with their configuration, the packages that are there now and were not before.
pub fn remove_since(host: &dyn Host, before: &[String]) -> Result<(), Fault> {
    finish(host)?;
    let now = installed(host).map_err(|error| of_host(&error))?;
    let added: Vec<String> = now
        .into_iter()
        .filter(|name| before.binary_search(name).is_err())
        .collect();
    if added.is_empty() {
        return Ok(());
    }
    let mut arguments: Vec<String> = ["-y", "-q", "-o", "DPkg::Lock::Timeout=300", "purge", "--"]
        .map(str::to_owned)
        .into();
    arguments.extend(added);
    run(host, Program::AptGet, arguments).map(drop)
}

fn run(host: &dyn Host, program: Program, arguments: Vec<String>) -> Result<Output, Fault> {
    let command = Command::new(program, arguments).within(APT_SECONDS);
    let output = host.run(&command).map_err(|error| of_host(&error))?;
    if output.is_success() {
        return Ok(output);
    }
    let line = output
        .stderr
        .lines()
        .find(|line| line.starts_with("E: ") || line.contains("error"))
        .unwrap_or_default();
    Err(Fault::new(
        Code::AptFailed,
        format!(
            "`{}` ended with code {}",
            command
                .arguments
                .first()
                .map_or("apt-get", |_| command.program.path()),
            output.code
        ),
        "run `apt-get install -f` and `dpkg --configure -a` to see what apt needs, then try again",
    )
    .detail(shown(line, 400)))
}
