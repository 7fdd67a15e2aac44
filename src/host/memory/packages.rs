//! apt and dpkg in memory, for the few packages a web host of ours is made of.
//!
//! Invariant: installing a package puts its files in the tree and starts its services, as Debian's packages do.

use crate::domain::path::HostPath;
use crate::host::Owner;
use crate::host::exec::Output;
use crate::host::memory::machine::Machine;
use crate::host::memory::tree::Kind;
use crate::host::memory::{done, failed};

/// A test puts this file where another program installs packages.
const LOCK: &str = "/var/lib/dpkg/lock-held";
const SOURCE: &str = "http://deb.example/debian bookworm/main amd64 Packages";
const RELEASES: &str = "Package files:\n 100 /var/lib/dpkg/status\n     release a=now\n 500 http://deb.example/debian bookworm/main amd64 Packages\n     release v=12.9,o=Debian,a=stable,n=bookworm,l=Debian,c=main,b=amd64\n     origin deb.example\nPinned packages:\n";

/// How far a package is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// apt knows it.
    Available,
    /// Unpacked, its scripts did not run (a power cut, a broken script).
    HalfConfigured,
    /// Installed.
    Installed,
}

/// A package apt knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its version.
    pub version: &'static str,
    /// How far it is.
    pub stage: Stage,
    /// Its files.
    pub files: Vec<(&'static str, &'static str)>,
    /// Its links.
    pub links: Vec<(&'static str, &'static str)>,
    /// Its directories.
    pub directories: Vec<&'static str>,
    /// Services its scripts enable and start.
    pub services: Vec<&'static str>,
}

impl Machine {
    /// Installs one package as its scripts would; `false` for a name apt does not know.
    pub fn install(&mut self, name: &str) -> bool {
        let Some(package) = self.packages.get(name).cloned() else {
            return false;
        };
        if package.stage == Stage::Available {
            self.unpack(&package);
        }
        if package.stage != Stage::Installed {
            for service in &package.services {
                // Debian's scripts neither fail nor stop where a service does not start or is masked.
                let _ = self.enable(service).and_then(|()| self.start(service));
            }
        }
        self.set_stage(name, Stage::Installed);
        true
    }

    fn unpack(&mut self, package: &Package) {
        for path in &package.directories {
            let path = HostPath::fixed(path);
            if self.tree.entry(&path).is_none() {
                self.tree.put(&path, Kind::Directory, Owner::ROOT, 0o755);
            }
        }
        for (path, text) in &package.files {
            let path = HostPath::fixed(path);
            // What an admin changed in /etc stays, as with dpkg's conffiles.
            if self.tree.entry(&path).is_none() {
                self.tree.put_text(&path, text);
            }
        }
        for (path, target) in &package.links {
            let path = HostPath::fixed(path);
            self.tree
                .put(&path, Kind::Link((*target).to_owned()), Owner::ROOT, 0o777);
        }
    }

    fn set_stage(&mut self, name: &str, stage: Stage) {
        if let Some(package) = self.packages.get_mut(name) {
            package.stage = stage;
        }
    }

    fn uninstall(&mut self, name: &str, purge: bool) {
        let Some(package) = self.packages.get(name).cloned() else {
            return;
        };
        for service in &package.services {
            let _ = self.stop(service);
            if purge {
                let _ = self.disable(service);
            }
        }
        let paths = package
            .files
            .iter()
            .chain(&package.links)
            .map(|(path, _)| HostPath::fixed(path));
        for path in paths.filter(|path| purge || !HostPath::fixed("/etc").contains(path)) {
            self.tree.take(&path);
            self.take_empty(&path.parent());
        }
        for path in &package.directories {
            self.take_empty(&HostPath::fixed(path));
        }
        self.set_stage(name, Stage::Available);
    }

    /// dpkg takes a directory of PHP's with its last file.
    fn take_empty(&mut self, directory: &HostPath) {
        let mut at = directory.clone();
        let own = ["/etc/php", "/usr/lib/php"].map(HostPath::fixed);
        while own.iter().any(|top| top.contains(&at)) && self.tree.names(&at).is_empty() {
            self.tree.take(&at);
            at = at.parent();
        }
    }

    pub(super) fn apt_get(&mut self, arguments: &[String]) -> Output {
        let mut words = arguments
            .iter()
            .map(String::as_str)
            .filter(|argument| !argument.starts_with('-'));
        // `-o Name=Value` leaves its value among the words.
        let mut words = words.by_ref().filter(|word| !word.contains("::"));
        let verb = words.next().unwrap_or("");
        let names: Vec<&str> = words.collect();
        if let Some(unknown) = names
            .iter()
            .find(|name| !self.packages.contains_key(**name))
        {
            return failed(100, format!("E: Unable to locate package {unknown}"));
        }
        let only_shown = arguments
            .iter()
            .any(|a| matches!(a.as_str(), "-s" | "--simulate" | "--dry-run"));
        let broken = self
            .packages
            .values()
            .any(|package| package.stage == Stage::HalfConfigured);
        match verb {
            "check" if self.tree.text(&HostPath::fixed(LOCK)).is_some() => failed(
                100,
                "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 715 (unattended-upgr)",
            ),
            "update" | "clean" | "check" => done(""),
            "install"
                if broken
                    && !arguments
                        .iter()
                        .any(|a| matches!(a.as_str(), "-f" | "--fix-broken")) =>
            {
                failed(
                    100,
                    "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem.",
                )
            }
            "install" if only_shown => done(self.simulated(&names)),
            "install" => {
                for name in names {
                    self.install(name);
                }
                done("")
            }
            "remove" | "purge" if only_shown => {
                let lines = names.iter().flat_map(|name| ["Remv ", name, " [1]\n"]);
                let dragged = self.dragged(&names);
                let dragged = dragged.into_iter().flat_map(|one| ["Remv ", one, " [1]\n"]);
                done(lines.chain(dragged).collect::<String>())
            }
            "remove" | "purge" => {
                for name in names {
                    self.uninstall(name, verb == "purge");
                }
                done("")
            }
            other => failed(100, format!("E: Invalid operation {other}")),
        }
    }

    fn simulated(&self, names: &[&str]) -> String {
        let fresh = |name: &&&str| {
            self.packages
                .get(**name)
                .is_some_and(|package| package.stage != Stage::Installed)
        };
        let version = |name: &str| {
            self.packages
                .get(name)
                .map_or("", |package| package.version)
        };
        let line =
            |name: &&str| format!("Inst {name} ({} Debian:12/stable [amd64])\n", version(name));
        let dragged = self.dragged(names);
        let dragged =
            dragged.map(|package| format!("Inst {package} (1 Debian:12/stable [amd64])\n"));
        names
            .iter()
            .filter(fresh)
            .map(line)
            .chain(dragged)
            .collect()
    }

    /// What comes or goes with one of these.
    fn dragged(&self, names: &[&str]) -> Option<&str> {
        let (by, package) = self.drags.as_ref()?;
        names.contains(&by.as_str()).then_some(package.as_str())
    }

    pub(super) fn apt_cache(&self, arguments: &[String]) -> Output {
        let mut words = arguments
            .iter()
            .map(String::as_str)
            .filter(|argument| !argument.starts_with('-'));
        let verb = words.next().unwrap_or("");
        let words: Vec<&str> = words.collect();
        match (verb, words.as_slice()) {
            ("policy", []) => return done(RELEASES),
            ("pkgnames", [prefix]) => {
                let names = self.packages.keys().filter(|name| name.starts_with(prefix));
                let lines = names.flat_map(|name| [name.as_str(), "\n"]);
                return done(lines.collect::<String>());
            }
            _ => {}
        }
        let mut text = String::new();
        for name in words {
            let Some(package) = self.packages.get(name) else {
                continue;
            };
            let version = package.version;
            let installed = if package.stage == Stage::Available {
                "(none)"
            } else {
                version
            };
            let lines = match verb {
                "policy" => format!(
                    "{name}:\n  Installed: {installed}\n  Candidate: {version}\n  Version table:\n     {version} 500\n        500 {SOURCE}\n"
                ),
                _ => format!("Package: {name}\nVersion: {version}\n\n"),
            };
            text.push_str(&lines);
        }
        if verb == "show" && text.is_empty() {
            failed(100, "E: No packages found")
        } else {
            done(text)
        }
    }

    pub(super) fn dpkg(&mut self, arguments: &[String]) -> Output {
        let flags: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match flags.as_slice() {
            ["--audit" | "-C"] => {
                let half = self
                    .packages
                    .iter()
                    .filter(|(_, package)| package.stage == Stage::HalfConfigured);
                let names: Vec<&str> = half.map(|(name, _)| name.as_str()).collect();
                done(
                    names
                        .iter()
                        .flat_map(|name| [" ", name, "\n"])
                        .collect::<String>(),
                )
            }
            ["--print-architecture"] => done("amd64\n"),
            // Nothing here changes a packaged file behind dpkg's back.
            ["--verify", ..] => done(""),
            words if words.contains(&"--configure") => {
                let half = |(name, package): (&String, &Package)| {
                    (package.stage == Stage::HalfConfigured).then(|| name.clone())
                };
                let names: Vec<String> = self.packages.iter().filter_map(half).collect();
                for name in names {
                    self.install(&name);
                }
                done("")
            }
            _ => failed(2, "dpkg: error: unknown option"),
        }
    }

    /// `dpkg-query -W -f=FORMAT NAME…` with the fields our code asks for.
    pub(super) fn dpkg_query(&self, arguments: &[String]) -> Output {
        let mut format = "${Package}\t${Version}\n".to_owned();
        let mut names = Vec::new();
        let mut words = arguments.iter().map(String::as_str);
        while let Some(word) = words.next() {
            let given = word
                .strip_prefix("-f=")
                .or(word.strip_prefix("--showformat="));
            match given {
                Some(text) => text.clone_into(&mut format),
                None if word == "-f" => words.next().unwrap_or("").clone_into(&mut format),
                None if word.starts_with('-') => {}
                None => names.push(word),
            }
        }
        let wanted =
            |name: &str| names.is_empty() || names.iter().any(|pattern| fits(pattern, name));
        let mut output = done("");
        for (name, package) in self
            .packages
            .iter()
            .filter(|(name, package)| package.stage != Stage::Available && wanted(name))
        {
            output.stdout += &shown(&format, name, package);
        }
        for name in names.iter().filter(|name| !name.contains('*')) {
            if self
                .packages
                .get(*name)
                .is_none_or(|package| package.stage == Stage::Available)
            {
                let line = ["dpkg-query: no packages found matching ", name, "\n"];
                output.stderr.extend(line);
                output.code = 1;
            }
        }
        output
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => name.starts_with(start) && name.ends_with(end),
        None => pattern == name,
    }
}

fn shown(format: &str, name: &str, package: &Package) -> String {
    let (brief, long) = match package.stage {
        Stage::Installed => ("ii ", "install ok installed"),
        _ => ("iF ", "install ok half-configured"),
    };
    let status = long.rsplit(' ').next().unwrap_or("");
    format
        .replace("${Package}", name)
        .replace("${binary:Package}", name)
        .replace("${Version}", package.version)
        .replace("${db:Status-Abbrev}", brief)
        .replace("${db:Status-Status}", status)
        .replace("${Status}", long)
        .replace("\\n", "\n")
        .replace("\\t", "\t")
}
