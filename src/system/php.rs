//! PHP versions as packages: which there are, who makes them, and what belongs to one.
//!
//! Invariant: looking only. Versions come from apt's own lists, and only packages named `phpX.Y-…` are ever named: the
//! packages `php` and `phpX.Y` would bring Apache along.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::php::PhpVersion;
use crate::domain::php_extension::PhpExtension;
use crate::host::exec::{Command, Program};
use crate::host::{Host, HostResult};
use crate::system::distro::PHP_EXTENSIONS;
use crate::system::{apt, facts};

/// A version that is installed or could be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Which.
    pub php: PhpVersion,
    /// Whether its FPM is here.
    pub installed: bool,
    /// Whether apt could install it.
    pub available: bool,
    /// The package's version: the installed one, else the one that would be installed.
    pub package: String,
    /// Who makes that package, as its repository calls itself; empty where no repository offers it any more.
    pub origin: String,
}

/// Every version that is installed or available, newest first.
pub fn offers(host: &dyn Host) -> HostResult<Vec<Offer>> {
    let installed = facts::installed_php(host)?;
    let mut versions = named(host)?;
    versions.extend(&installed);
    let names: Vec<String> = versions.iter().map(|php| format!("php{php}-fpm")).collect();
    let table = policy(host, &names)?;
    let origins = origins(&policy(host, &[])?);
    let mut offers = Vec::new();
    for php in versions.into_iter().rev() {
        let found = of_package(&table, &format!("php{php}-fpm"), &origins);
        let is_here = installed.contains(&php);
        if is_here || !found.candidate.is_empty() {
            offers.push(Offer {
                php,
                installed: is_here,
                available: !found.candidate.is_empty(),
                package: if is_here {
                    found.installed
                } else {
                    found.candidate
                },
                origin: found.origin,
            });
        }
    }
    Ok(offers)
}

/// The versions that apt has a package name for.
fn named(host: &dyn Host) -> HostResult<BTreeSet<PhpVersion>> {
    let output = host.run(&Command::new(Program::AptCache, ["pkgnames", "php"]))?;
    let version = |name: &str| {
        let middle = name.strip_prefix("php")?.strip_suffix("-fpm")?;
        PhpVersion::parse(middle).ok()
    };
    Ok(output.stdout.lines().filter_map(version).collect())
}

fn policy(host: &dyn Host, names: &[String]) -> HostResult<String> {
    let mut arguments = vec!["policy".to_owned()];
    if !names.is_empty() {
        arguments.push("--".to_owned());
        arguments.extend(names.iter().cloned());
    }
    let output = host.run(&Command::new(Program::AptCache, arguments))?;
    Ok(output.stdout)
}

/// ` 500 http://deb.example bookworm/main amd64 Packages`, then `     release v=12,o=Debian,…`.
fn origins(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut source = "";
    for line in text.lines() {
        if let Some(release) = line.trim().strip_prefix("release ") {
            let origin = release.split(',').find_map(|part| part.strip_prefix("o="));
            found.insert(source.to_owned(), origin.unwrap_or_default().to_owned());
        } else if let Some((_, rest)) = line.trim().split_once(' ') {
            source = rest.trim();
        }
    }
    found
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    installed: String,
    candidate: String,
    origin: String,
}

/// Reads one package of `apt-cache policy`: the origin is that of the installed version, else of the candidate.
fn of_package(text: &str, name: &str, origins: &BTreeMap<String, String>) -> Found {
    let mut found = Found::default();
    let (mut inside, mut version) = (false, String::new());
    for line in text.lines() {
        if let Some(header) = line.strip_suffix(':').filter(|name| !name.starts_with(' ')) {
            inside = header == name;
            continue;
        }
        if !inside {
            continue;
        }
        let words = line.trim();
        if let Some(value) = words.strip_prefix("Installed: ") {
            found.installed = present(value);
        } else if let Some(value) = words.strip_prefix("Candidate: ") {
            found.candidate = present(value);
        } else if line.starts_with("        ") {
            let wanted = if found.installed.is_empty() {
                &found.candidate
            } else {
                &found.installed
            };
            let origin = words
                .split_once(' ')
                .and_then(|(_, key)| origins.get(key.trim()));
            if let Some(origin) = origin.filter(|origin| !origin.is_empty())
                && version == *wanted
                && found.origin.is_empty()
            {
                found.origin.clone_from(origin);
            }
        } else if let Some(first) = words.trim_start_matches("*** ").split(' ').next() {
            first.clone_into(&mut version);
        }
    }
    found
}

fn present(value: &str) -> String {
    if value == "(none)" {
        String::new()
    } else {
        value.to_owned()
    }
}

/// What a version cannot do without, then the extensions that applications expect.
#[must_use]
pub fn packages(php: PhpVersion) -> (Vec<String>, Vec<String>) {
    let required = ["fpm", "cli"].map(|part| format!("php{php}-{part}"));
    let extensions = PHP_EXTENSIONS.iter().map(|part| format!("php{php}-{part}"));
    (required.into(), extensions.collect())
}

/// Those of [`packages`] that apt could install and that are not here; none where the version itself cannot be had.
pub fn installable(host: &dyn Host, php: PhpVersion) -> HostResult<Vec<String>> {
    let (required, extensions) = packages(php);
    let all: Vec<String> = required.iter().chain(&extensions).cloned().collect();
    let available = apt::available(host, &all)?;
    if !required.iter().all(|name| available.contains(name)) {
        return Ok(Vec::new());
    }
    let here = apt::installed(host, &all)?;
    let wanted = |name: &String| available.contains(name) && !here.contains(name);
    Ok(all.into_iter().filter(wanted).collect())
}

/// Every installed package of a version, whoever installed it.
pub fn installed_packages(host: &dyn Host, php: PhpVersion) -> HostResult<Vec<String>> {
    let pattern = format!("php{php}-*");
    let output = host.run(&Command::new(
        Program::DpkgQuery,
        [
            "-W",
            "-f",
            "${db:Status-Status} ${Package}\n",
            "--",
            &pattern,
        ],
    ))?;
    let installed = output
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("installed "));
    Ok(installed.map(str::to_owned).collect())
}

/// Extensions that applications ask for, as their packages are called after `phpV-`. apt is asked for no others.
const COMMON: &[&str] = &[
    "apcu",
    "bcmath",
    "curl",
    "gd",
    "gmp",
    "imagick",
    "imap",
    "intl",
    "ldap",
    "mbstring",
    "memcached",
    "mysql",
    "opcache",
    "pgsql",
    "redis",
    "soap",
    "sqlite3",
    "xdebug",
    "xml",
    "zip",
];

/// The extensions of one version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extensions {
    /// Those whose package is here, common or not.
    pub installed: Vec<String>,
    /// The common ones that apt could install.
    pub available: Vec<String>,
}

/// The extensions of each of these versions.
pub fn extensions(
    host: &dyn Host,
    versions: &[PhpVersion],
) -> HostResult<BTreeMap<PhpVersion, Extensions>> {
    let package = |php: &PhpVersion, part: &str| format!("php{php}-{part}");
    let of = |php| COMMON.iter().map(move |part| package(php, part));
    let names: Vec<String> = versions.iter().flat_map(of).collect();
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let there = apt::available(host, &names)?;
    let mut found = BTreeMap::new();
    for php in versions {
        let here = installed_packages(host, *php)?;
        let prefix = format!("php{php}-");
        let parts = here.iter().filter_map(|name| name.strip_prefix(&prefix));
        let mut installed: Vec<String> = parts
            .filter(|part| PhpExtension::parse(part).is_ok())
            .map(str::to_owned)
            .collect();
        installed.sort();
        let could_come = |part: &&&str| {
            let name = package(php, part);
            there.contains(&name) && !here.contains(&name)
        };
        let available = COMMON.iter().filter(could_come);
        let available = available.map(|part| (*part).to_owned()).collect();
        found.insert(
            *php,
            Extensions {
                installed,
                available,
            },
        );
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELEASES: &str = "Package files:\n 100 /var/lib/dpkg/status\n     release a=now\n 500 https://packages.sury.org/php trixie/main amd64 Packages\n     release o=deb.sury.org,n=trixie,c=main,b=amd64\n     origin packages.sury.org\n 500 http://deb.example/debian trixie/main amd64 Packages\n     release v=13.2,o=Debian,a=stable,n=trixie,l=Debian,c=main,b=amd64\n     origin deb.example\nPinned packages:\n";
    const TABLE: &str = "php8.4-fpm:\n  Installed: 8.4.11-1\n  Candidate: 8.4.28-1\n  Version table:\n     8.4.28-1 500\n        500 https://packages.sury.org/php trixie/main amd64 Packages\n *** 8.4.11-1 500\n        500 http://deb.example/debian trixie/main amd64 Packages\n        100 /var/lib/dpkg/status\nphp8.2-fpm:\n  Installed: (none)\n  Candidate: 8.2.31-1\n  Version table:\n     8.2.31-1 500\n        500 https://packages.sury.org/php trixie/main amd64 Packages\nphp7.4-fpm:\n  Installed: (none)\n  Candidate: (none)\n  Version table:\n     7.4.33-1 -1\n        100 /var/lib/dpkg/status\n";

    #[test]
    fn who_makes_a_package_is_read_for_the_version_that_counts() {
        let origins = origins(RELEASES);
        let own = of_package(TABLE, "php8.4-fpm", &origins);
        assert_eq!(
            (own.installed.as_str(), own.origin.as_str()),
            ("8.4.11-1", "Debian")
        );
        let extra = of_package(TABLE, "php8.2-fpm", &origins);
        assert_eq!(
            (extra.candidate.as_str(), extra.origin.as_str()),
            ("8.2.31-1", "deb.sury.org")
        );
        assert_eq!(of_package(TABLE, "php7.4-fpm", &origins), Found::default());
    }

    #[test]
    fn common_extensions_are_here_or_could_be_and_what_apt_does_not_know_is_neither() {
        use crate::host::memory::MemoryHost;
        use crate::host::memory::machine::Machine;
        let host = MemoryHost::new(Machine::debian_with_web());
        let (old, new) = (PhpVersion::new(8, 2), PhpVersion::new(8, 4));
        let found = extensions(&host, &[old, new]).unwrap();
        let mut all = found[&old].installed.clone();
        all.extend(found[&old].available.clone());
        all.sort();
        assert_eq!(
            all,
            [
                "curl", "gd", "intl", "mbstring", "mysql", "redis", "xml", "zip"
            ]
        );
        assert_eq!(found[&new].available, ["mysql"]);
        assert!(found[&new].installed.is_empty());
        assert!(extensions(&host, &[]).unwrap().is_empty());
    }

    #[test]
    fn versions_come_from_apt_and_the_metapackages_are_not_among_their_packages() {
        use crate::host::memory::MemoryHost;
        use crate::host::memory::machine::Machine;
        let host = MemoryHost::new(Machine::debian_with_web());
        let offers = offers(&host).unwrap();
        let shown: Vec<_> = offers
            .iter()
            .map(|offer| (offer.php.to_string(), offer.installed, offer.available))
            .collect();
        assert_eq!(
            shown,
            [
                ("8.4".to_owned(), false, true),
                ("8.2".to_owned(), true, true)
            ]
        );
        assert_eq!(offers[1].origin, "Debian");
        let names = installable(&host, PhpVersion::new(8, 4)).unwrap();
        assert!(names.contains(&"php8.4-fpm".to_owned()));
        assert!(names.iter().all(|name| name.starts_with("php8.4-")));
        assert_eq!(
            installable(&host, PhpVersion::new(7, 4)).unwrap(),
            Vec::<String>::new()
        );
        assert!(
            installed_packages(&host, PhpVersion::new(8, 2))
                .unwrap()
                .contains(&"php8.2-cli".to_owned())
        );
    }
}
