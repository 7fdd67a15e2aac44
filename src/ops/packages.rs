//! Packages as steps see them.
//!
//! Invariant: names come from the table of distributions, never from a person; a web server other than nginx is never pulled in.

use crate::domain::fault::{Code, Fault};
use crate::domain::path::HostPath;
use crate::domain::text::shown;
use crate::host::exec::{Command, Output, Program};
use crate::host::{Host, HostResult};
use crate::ops::apt_lock::{holder_in, locked};
use crate::system::apt;

/// apt may wait for another apt, and mirrors may be slow.
const APT_SECONDS: u32 = 1800;
/// So long dpkg's lock is waited for, as apt is told to.
const LOCK_SECONDS: u32 = 300;

/// What apt says it would do, before anything is done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rehearsal {
    /// Packages that would come.
    pub added: Vec<String>,
    /// Packages that would go.
    pub removed: Vec<String>,
    /// A web server among those that would come.
    pub second_server: Option<String>,
    /// Apt's own words, where it would not do it at all.
    pub complaint: Option<String>,
}

/// Installing these, only rehearsed.
pub fn rehearse_install(host: &dyn Host, names: &[String]) -> HostResult<Rehearsal> {
    rehearse(host, install_arguments(names))
}

/// Removing these, only rehearsed.
pub fn rehearse_removal(host: &dyn Host, names: &[String]) -> HostResult<Rehearsal> {
    rehearse(host, removal_arguments(names))
}

fn rehearse(host: &dyn Host, arguments: Vec<String>) -> HostResult<Rehearsal> {
    let simulated = std::iter::once("-s".to_owned()).chain(arguments);
    let output = host.run(&Command::new(Program::AptGet, simulated).within(APT_SECONDS))?;
    let added = additions(&output.stdout);
    let errors = || {
        let lines = output.stdout.lines().chain(output.stderr.lines());
        let telling = lines.filter(|line| line.contains(" : ") || line.starts_with("E: "));
        telling
            .take(3)
            .map(str::trim)
            .collect::<Vec<_>>()
            .join("; ")
    };
    Ok(Rehearsal {
        second_server: added.iter().find(|name| is_web_server(name)).cloned(),
        removed: removals(&output.stdout).map(str::to_owned).collect(),
        complaint: (!output.is_success()).then(errors),
        added,
    })
}

/// Nothing that nginx would have to share port 80 with.
fn is_web_server(name: &str) -> bool {
    matches!(name, "apache2" | "lighttpd") || name.starts_with("libapache2-mod-")
}

/// The packages that installing these would add; none where apt cannot tell.
pub fn added_by(host: &dyn Host, names: &[String]) -> HostResult<Vec<String>> {
    Ok(rehearse_install(host, names)?.added)
}

/// Those of the packages that are here.
pub fn present(host: &dyn Host, names: &[String]) -> HostResult<Vec<String>> {
    let here = apt::installed(host, names)?;
    Ok(names
        .iter()
        .filter(|name| here.contains(*name))
        .cloned()
        .collect())
}

/// `Inst nginx (1.22.1-9 …)` adds a package; `Inst libc6 [2.36-9] (2.36-10 …)` is a newer version of one.
fn additions(simulation: &str) -> Vec<String> {
    let name = |line: &str| {
        let (name, rest) = line.strip_prefix("Inst ")?.split_once(' ')?;
        rest.starts_with('(').then(|| name.to_owned())
    };
    simulation.lines().filter_map(name).collect()
}

/// Installs packages and all they need; what is there already is left as it is.
pub fn install(host: &dyn Host, names: &[String]) -> Result<(), Fault> {
    if apt::is_half_configured(host)? {
        finish(host)?;
    }
    let mut simulated = vec!["-s".to_owned()];
    simulated.extend(install_arguments(names));
    let preview = run(host, Program::AptGet, simulated)?;
    let comes = additions(&preview.stdout);
    if let Some(server) = comes.iter().find(|name| is_web_server(name)) {
        return Err(Fault::new(
            Code::AptFailed,
            format!("apt would install `{server}`, a second web server, which would take port 80"),
            "report this with the output of `apt-get -s install` for the same packages",
        ));
    }
    run(host, Program::AptGet, install_arguments(names)).map(drop)
}

fn install_arguments(names: &[String]) -> Vec<String> {
    let mut arguments: Vec<String> = ["-y", "-q", "--no-install-recommends", "--no-remove"]
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
    let arguments = ["-q", "-o", "DPkg::Lock::Timeout=300", "update"].map(str::to_owned);
    run(host, Program::AptGet, arguments.into())
        .map(drop)
        .map_err(|fault| match fault.code {
            Code::NameResolution | Code::AptLocked => fault,
            _ => Fault {
                code: Code::AptLists,
                title: "apt could not fetch the lists of packages".to_owned(),
                hint: "check the network and `/etc/apt/sources.list.d`, run `apt-get update` until it succeeds, then try again".to_owned(),
                ..fault
            },
        })
}

/// Fetches the list of one source alone; others may be broken for reasons of their own.
pub fn fetch(host: &dyn Host, source: &HostPath) -> Result<(), Fault> {
    let arguments = [
        "-q",
        "-o",
        "DPkg::Lock::Timeout=300",
        "-o",
        &format!("Dir::Etc::SourceList={source}"),
        "-o",
        "Dir::Etc::SourceParts=/dev/null",
        "-o",
        "Acquire::Retries=0",
        "-o",
        "APT::Get::List-Cleanup=0",
        // Without it, apt says 0 where nothing could be fetched.
        "-o",
        "APT::Update::Error-Mode=any",
        "update",
    ];
    run(host, Program::AptGet, arguments.map(str::to_owned).into())
        .map(drop)
        .map_err(|fault| match fault.code {
            Code::NameResolution | Code::AptLocked => fault,
            _ => Fault {
                code: Code::AptLists,
                title: format!("apt could not fetch or could not believe `{source}`"),
                hint: "see that this server reaches the address in it over HTTPS, then try again"
                    .to_owned(),
                ..fault
            },
        })
}

/// Finishes packages that were left half-configured.
pub fn finish(host: &dyn Host) -> Result<(), Fault> {
    let configured = configure(host)?;
    if configured.is_success() && !is_broken(host)? {
        return Ok(());
    }
    let arguments = [
        "-y",
        "-q",
        "-f",
        "--no-remove",
        "-o",
        "DPkg::Lock::Timeout=300",
        "install",
    ];
    let _ = run(host, Program::AptGet, arguments.map(str::to_owned).into());
    if !is_broken(host)? {
        return Ok(());
    }
    let names = apt::half_configured(host)?;
    let line = configured
        .stderr
        .lines()
        .rev()
        .find(|line| line.contains("error"));
    Err(Fault::new(
        Code::AptBroken,
        format!("dpkg cannot finish what it began: `{}`", names.join("`, `")),
        "run `dpkg --configure -a`, mend or remove (`dpkg --purge`) what it complains about, then try again",
    )
    .detail(shown(line.unwrap_or_default(), 400)))
}

fn is_broken(host: &dyn Host) -> Result<bool, Fault> {
    apt::is_half_configured(host).map_err(Fault::from)
}

/// Why a loop: unlike apt, dpkg does not wait for another one that still runs (such as our own, after a crash).
fn configure(host: &dyn Host) -> Result<Output, Fault> {
    let command = Command::new(Program::Dpkg, ["--configure", "-a"]).within(APT_SECONDS);
    let mut waited = 0;
    loop {
        let output = host.run(&command)?;
        let is_locked = output.stderr.contains("lock");
        if output.is_success() || !is_locked || waited >= LOCK_SECONDS {
            return Ok(output);
        }
        host.pause(1000);
        waited += 1;
    }
}

/// Removes packages with their configuration. Where a package that somebody else installed since needs one of them, all stay.
pub fn remove(host: &dyn Host, names: &[String]) -> Result<(), Fault> {
    if is_broken(host)? {
        // What cannot be configured may still be removed.
        let _ = finish(host);
    }
    let here = installed(host)?;
    let ours: Vec<String> = here
        .into_iter()
        .filter(|name| names.contains(name))
        .collect();
    if ours.is_empty() {
        return Ok(());
    }
    let mut simulated = vec!["-s".to_owned()];
    simulated.extend(purge_arguments(&ours));
    let preview = run(host, Program::AptGet, simulated)?;
    if needed_by_others(&preview.stdout, &ours) {
        return Ok(());
    }
    run(host, Program::AptGet, purge_arguments(&ours)).map(drop)
}

/// Removes packages and leaves their configuration.
pub fn uninstall(host: &dyn Host, names: &[String]) -> Result<(), Fault> {
    let here = present(host, names)?;
    if here.is_empty() {
        return Ok(());
    }
    let rehearsal = rehearse_removal(host, &here)?;
    if let Some(other) = rehearsal.removed.iter().find(|name| !names.contains(name)) {
        return Err(Fault::new(
            Code::AptFailed,
            format!("apt would remove `{other}` as well"),
            "see `apt-get -s remove` for the same packages, then try again",
        ));
    }
    run(host, Program::AptGet, removal_arguments(&here)).map(drop)
}

/// Installs those again that are not here any more.
pub fn bring_back(host: &dyn Host, names: &[String]) -> Result<(), Fault> {
    if is_broken(host)? {
        finish(host)?;
    }
    let here = present(host, names)?;
    let gone: Vec<String> = names
        .iter()
        .filter(|name| !here.contains(name))
        .cloned()
        .collect();
    if gone.is_empty() {
        return Ok(());
    }
    run(host, Program::AptGet, install_arguments(&gone)).map(drop)
}

fn removal_arguments(names: &[String]) -> Vec<String> {
    let mut arguments: Vec<String> = ["-y", "-q", "-o", "DPkg::Lock::Timeout=300", "remove", "--"]
        .map(str::to_owned)
        .into();
    arguments.extend(names.iter().cloned());
    arguments
}

fn purge_arguments(names: &[String]) -> Vec<String> {
    let mut arguments: Vec<String> = ["-y", "-q", "-o", "DPkg::Lock::Timeout=300", "purge", "--"]
        .map(str::to_owned)
        .into();
    arguments.extend(names.iter().cloned());
    arguments
}

fn needed_by_others(simulation: &str, ours: &[String]) -> bool {
    removals(simulation).any(|name| !ours.iter().any(|own| own == name))
}

/// `Purg nginx [1.22.1-9]`, or `Remv` where the configuration stays.
fn removals(simulation: &str) -> impl Iterator<Item = &str> {
    let removed = simulation.lines().filter_map(|line| {
        let rest = line
            .strip_prefix("Purg ")
            .or_else(|| line.strip_prefix("Remv "))?;
        rest.split_whitespace().next()
    });
    removed.map(|name| name.split_once(':').map_or(name, |(name, _)| name))
}

/// Every package that is there, be it half-configured.
fn installed(host: &dyn Host) -> HostResult<Vec<String>> {
    let output = host.run(&Command::new(
        Program::DpkgQuery,
        ["-W", "-f", "${db:Status-Abbrev} ${Package}\n"],
    ))?;
    let is_there = |line: &&str| {
        matches!(
            line.as_bytes().get(1),
            Some(b'i' | b'U' | b'F' | b'H' | b'W' | b't')
        )
    };
    let names = output.stdout.lines().filter(is_there);
    Ok(names
        .filter_map(|line| line.split_whitespace().nth(1))
        .map(str::to_owned)
        .collect())
}

fn run(host: &dyn Host, program: Program, arguments: Vec<String>) -> Result<Output, Fault> {
    let command = Command::new(program, arguments).within(APT_SECONDS);
    let output = host.run(&command)?;
    if output.is_success() {
        return Ok(output);
    }
    let words = &output.stderr;
    if ["Temporary failure resolving", "Could not resolve"]
        .iter()
        .any(|text| words.contains(text))
    {
        return Err(unresolved(words));
    }
    if let Some(holder) = holder_in(words) {
        return Err(locked(&holder));
    }
    let line = words
        .lines()
        .find(|line| line.starts_with("E: ") || line.contains("error"));
    Err(Fault::new(
        Code::AptFailed,
        format!("`{}` ended with code {}", program.path(), output.code),
        "run `apt-get install -f` and `dpkg --configure -a` to see what apt needs, then try again",
    )
    .detail(shown(line.unwrap_or_default(), 400)))
}

fn unresolved(words: &str) -> Fault {
    let line = words.lines().find(|line| line.contains("resolv"));
    Fault::new(
        Code::NameResolution,
        "apt could not look up the name of its package server",
        "see that `/etc/resolv.conf` names a server that answers (`getent hosts deb.debian.org`), then try again",
    )
    .detail(shown(line.unwrap_or_default(), 400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upgrade_of_what_is_there_adds_nothing() {
        let text = "NOTE: This is only a simulation!\nInst libc6 [2.36-9] (2.36-10 Debian:12 [amd64])\nInst nginx (1.22.1-9 Debian:12 [amd64])\nConf nginx (1.22.1-9 Debian:12 [amd64])\n";
        assert_eq!(additions(text), ["nginx"]);
    }

    #[test]
    fn what_others_need_is_noticed() {
        let ours = ["nginx".to_owned(), "libgd3".to_owned()];
        assert!(!needed_by_others(
            "Purg nginx [1]\nPurg libgd3:amd64 [2]\n",
            &ours
        ));
        assert!(needed_by_others("Purg nginx [1]\nRemv theirs [3]\n", &ours));
    }
}
