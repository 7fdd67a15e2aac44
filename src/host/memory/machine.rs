//! The state of a machine in memory: files, what runs, what nginx has loaded, packages, room on the disk.
//!
//! Invariant: everything two machines can differ in is a field here, so `==` says whether an operation left a trace.

use std::collections::BTreeMap;

use crate::domain::path::HostPath;
use crate::host::memory::mariadb::Mariadb;
use crate::host::memory::nginx::Loaded;
use crate::host::memory::packages::Package;
use crate::host::memory::systemd::Running;
use crate::host::memory::tree::{Kind, Tree};
use crate::host::{HostError, HostResult, Owner, Space};

/// A whole machine. Compare two with `==`, or see [`Machine::differences`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Machine {
    /// The file system. Users, groups, unit files and what is enabled are in it, as on a real host.
    pub tree: Tree,
    /// Units that run, with what they read when they started.
    pub running: BTreeMap<String, Running>,
    /// The configuration nginx serves by, while it runs.
    pub nginx: Option<Loaded>,
    /// Packages apt knows.
    pub packages: BTreeMap<String, Package>,
    /// What MariaDB holds, whether it runs or not.
    pub mariadb: Mariadb,
    /// Bytes the disk holds in all.
    pub capacity: u64,
    /// A package that brings another one along.
    pub drags: Option<(String, String)>,
    /// A program that ends as soon as it is started.
    pub broken_program: Option<String>,
    /// What the courier brings back from its next errands, as JSON.
    pub courier_returns: String,
    /// What it sends before that, where it was asked to bring something.
    pub courier_brings: String,
}

impl Machine {
    /// A freshly installed Debian 12 booted by systemd: base files, nothing of a web server yet, apt lists present.
    #[must_use]
    pub fn debian() -> Self {
        let mut machine = Self {
            capacity: 20 << 30,
            courier_returns: r#"{"Ok":{"pong":{"version":"0"}}}"#.to_owned(),
            ..Self::default()
        };
        for (path, text) in BASE_FILES {
            machine.tree.put_text(&HostPath::fixed(path), text);
        }
        for path in BASE_DIRECTORIES {
            let path = HostPath::fixed(path);
            machine.tree.put(&path, Kind::Directory, Owner::ROOT, 0o755);
        }
        let os_release = Kind::Link("../usr/lib/os-release".to_owned());
        let at = HostPath::fixed("/etc/os-release");
        machine.tree.put(&at, os_release, Owner::ROOT, 0o777);
        machine.packages = crate::host::memory::catalog::known();
        machine
    }

    /// The same with nginx, PHP 8.2, and MariaDB installed and running.
    #[must_use]
    pub fn debian_with_web() -> Self {
        let mut machine = Self::debian();
        for name in ["nginx", "php8.2-fpm", "php8.2-cli", "mariadb-server"] {
            machine.install(name);
        }
        machine
    }

    /// Bytes the files take.
    #[must_use]
    pub fn used(&self) -> u64 {
        let size = |kind: &Kind| match kind {
            Kind::File(bytes) => u64::try_from(bytes.0.len()).unwrap_or(u64::MAX),
            _ => 0,
        };
        self.tree.iter().map(|(_, entry)| size(&entry.kind)).sum()
    }

    /// Leaves room for so many more bytes.
    pub fn leave_free(&mut self, bytes: u64) {
        self.capacity = self.used().saturating_add(bytes);
    }

    /// Room on the disk.
    #[must_use]
    pub fn space(&self) -> Space {
        Space {
            free: self.capacity.saturating_sub(self.used()),
            total: self.capacity,
            inodes: u64::MAX,
        }
    }

    /// Refuses a file of so many bytes where they do not fit; the old file stays until the new one is whole.
    pub(super) fn check_room(&self, path: &HostPath, bytes: usize) -> HostResult<()> {
        if u64::try_from(bytes).is_ok_and(|bytes| bytes <= self.space().free) {
            Ok(())
        } else {
            Err(HostError::DiskFull { path: path.clone() })
        }
    }

    /// The same machine after it was left alone: services that a listening socket would wake again are stopped.
    #[must_use]
    pub fn settled(mut self) -> Self {
        let woken: Vec<String> = self
            .running
            .keys()
            .filter(|unit| self.is_woken(unit))
            .cloned()
            .collect();
        for unit in woken {
            self.running.remove(&unit);
        }
        self
    }

    fn is_woken(&self, unit: &str) -> bool {
        unit.strip_suffix(".service")
            .is_some_and(|stem| self.running.contains_key(&format!("{stem}.socket")))
    }

    /// What is not the same on two machines, a line each; empty where `==` holds.
    #[must_use]
    pub fn differences<'a>(&'a self, other: &'a Self) -> Vec<String> {
        let mut found = Vec::new();
        let ours: BTreeMap<_, _> = self.tree.iter().collect();
        let theirs: BTreeMap<_, _> = other.tree.iter().collect();
        compare("", &ours, &theirs, &mut found);
        compare(
            "unit ",
            &pairs(&self.running),
            &pairs(&other.running),
            &mut found,
        );
        compare(
            "package ",
            &pairs(&self.packages),
            &pairs(&other.packages),
            &mut found,
        );
        let databases = |machine: &'a Self| -> BTreeMap<&'a String, &'a ()> {
            machine
                .mariadb
                .databases
                .iter()
                .chain(&machine.mariadb.tables)
                .map(|name| (name, &()))
                .collect()
        };
        compare("database ", &databases(self), &databases(other), &mut found);
        compare(
            "database user ",
            &pairs(&self.mariadb.users),
            &pairs(&other.mariadb.users),
            &mut found,
        );
        let (ours, theirs) = (
            Loaded::files_of(self.nginx.as_ref()),
            Loaded::files_of(other.nginx.as_ref()),
        );
        compare("nginx has loaded ", &ours, &theirs, &mut found);
        if self.nginx.is_some() != other.nginx.is_some() {
            found.push("nginx runs on one of the two only".to_owned());
        }
        if self.capacity != other.capacity {
            found.push("the disks are of different size".to_owned());
        }
        found
    }
}

fn pairs<K: Ord, V>(map: &BTreeMap<K, V>) -> BTreeMap<&K, &V> {
    map.iter().collect()
}

fn compare<K: Ord + std::fmt::Display, V: PartialEq + std::fmt::Debug>(
    what: &str,
    ours: &BTreeMap<&K, &V>,
    theirs: &BTreeMap<&K, &V>,
    found: &mut Vec<String>,
) {
    for (key, value) in ours {
        match theirs.get(*key) {
            None => found.push(format!("- {what}{key}")),
            Some(other) if other != value => {
                found.push(format!("~ {what}{key}: {value:?} / {other:?}"));
            }
            Some(_) => {}
        }
    }
    let new = theirs.keys().filter(|key| !ours.contains_key(**key));
    found.extend(new.map(|key| format!("+ {what}{key}")));
}

const BASE_DIRECTORIES: [&str; 12] = [
    "/etc/apt",
    "/etc/apt/keyrings",
    "/etc/apt/sources.list.d",
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/lib/systemd/system",
    "/usr/local/bin",
    "/usr/sbin",
    "/var/lib",
    "/var/log",
    "/var/www",
    "/root",
];

const BASE_FILES: [(&str, &str); 5] = [
    (
        "/etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    ),
    (
        "/etc/group",
        "root:x:0:\nadm:x:4:\nwww-data:x:33:\nnogroup:x:65534:\n",
    ),
    (
        "/usr/lib/os-release",
        "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nID=debian\n",
    ),
    ("/etc/hostname", "host\n"),
    ("/etc/hosts", "127.0.0.1 localhost\n"),
];
