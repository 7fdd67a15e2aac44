//! What apt and dpkg know: which packages there are, which are installed, whether an earlier run broke off.
//!
//! Invariant: looking only; installing is a step of a plan.

use std::collections::BTreeSet;

use crate::domain::path::HostPath;
use crate::host::exec::{Command, Program};
use crate::host::{Host, HostResult};

/// The packages among `names` that are fully installed.
pub fn installed(host: &dyn Host, names: &[String]) -> HostResult<BTreeSet<String>> {
    let mut arguments = vec![
        "-W".to_owned(),
        "-f".to_owned(),
        "${db:Status-Status} ${Package}\n".to_owned(),
        "--".to_owned(),
    ];
    arguments.extend(names.iter().cloned());
    // It ends with code 1 where one of the names is unknown, and prints the others all the same.
    let output = host.run(&Command::new(Program::DpkgQuery, arguments))?;
    let found = output
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("installed "));
    Ok(found.map(str::to_owned).collect())
}

/// The packages among `names` that apt could install.
pub fn available(host: &dyn Host, names: &[String]) -> HostResult<BTreeSet<String>> {
    let mut arguments = vec!["policy".to_owned(), "--".to_owned()];
    arguments.extend(names.iter().cloned());
    let output = host.run(&Command::new(Program::AptCache, arguments))?;
    Ok(candidates(&output.stdout))
}

/// `nginx:`, then `  Candidate: 1.22.1-9`.
fn candidates(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut package = None;
    for line in text.lines() {
        if let Some(name) = line.strip_suffix(':').filter(|name| !name.starts_with(' ')) {
            package = Some(name.to_owned());
        } else if let Some(candidate) = line.trim().strip_prefix("Candidate: ") {
            found.extend(package.take().filter(|_| candidate != "(none)"));
        }
    }
    found
}

/// True where dpkg was interrupted or left a package half-configured.
pub fn is_half_configured(host: &dyn Host) -> HostResult<bool> {
    let pending = host.list(&HostPath::fixed("/var/lib/dpkg/updates"))?;
    if !pending.is_empty() {
        return Ok(true);
    }
    let audit = host.run(&Command::new(Program::Dpkg, ["--audit"]))?;
    Ok(!audit.stdout.trim().is_empty())
}

/// The packages that are unpacked and not configured.
pub fn half_configured(host: &dyn Host) -> HostResult<Vec<String>> {
    let output = host.run(&Command::new(
        Program::DpkgQuery,
        ["-W", "-f", "${db:Status-Status} ${Package}\n"],
    ))?;
    let whole = ["installed", "not-installed", "config-files"];
    let lines = output
        .stdout
        .lines()
        .filter_map(|line| line.split_once(' '));
    Ok(lines
        .filter(|(status, _)| !whole.contains(status))
        .map(|(_, name)| name.to_owned())
        .collect())
}

/// True where apt has a list of packages at all.
pub fn has_lists(host: &dyn Host) -> HostResult<bool> {
    let names = host.list(&HostPath::fixed("/var/lib/apt/lists"))?;
    // `…_main_binary-amd64_Packages`, compressed or not.
    Ok(names.iter().any(|name| name.contains("_Packages")))
}

/// True where apt is told of any place to fetch packages from.
pub fn has_sources(host: &dyn Host) -> HostResult<bool> {
    let output = host.run(&Command::new(
        Program::AptGet,
        // Why not `indextargets`: it names nothing before the first `update`.
        ["-q", "--print-uris", "update"],
    ))?;
    Ok(!output.stdout.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_packages_with_a_candidate_are_available() {
        let text = "nginx:\n  Installed: (none)\n  Candidate: 1.22.1-9\n  Version table:\n     1.22.1-9 500\nphp9.9-fpm:\n  Installed: (none)\n  Candidate: (none)\n";
        assert_eq!(candidates(text).into_iter().collect::<Vec<_>>(), ["nginx"]);
    }
}
