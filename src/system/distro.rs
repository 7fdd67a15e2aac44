//! The distributions this panel knows, as data: one row each.
//!
//! Invariant: a distribution without a row is refused; nothing is guessed from a likeness.

use time::Date;
use time::macros::date;

use crate::domain::php::PhpVersion;
use crate::host::Host;
use crate::system::files;

/// A row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Distribution {
    /// `ID` of os-release(5).
    pub id: &'static str,
    /// `VERSION_ID`.
    pub version: &'static str,
    /// As people call it.
    pub name: &'static str,
    /// The PHP it brings.
    pub php: PhpVersion,
    /// The last day of its regular security support.
    pub supported_until: Date,
    /// The last day of its long-term support, where there is one for everybody.
    pub long_term_until: Option<Date>,
    /// nginx, MariaDB and what rotates logs.
    pub packages: &'static [&'static str],
}

const PACKAGES: &[&str] = &["nginx", "mariadb-server", "logrotate"];

/// Every distribution the panel installs on.
pub const KNOWN: &[Distribution] = &[
    Distribution {
        id: "debian",
        version: "12",
        name: "Debian 12",
        php: PhpVersion::new(8, 2),
        supported_until: date!(2026 - 07 - 11),
        long_term_until: Some(date!(2028 - 06 - 30)),
        packages: PACKAGES,
    },
    Distribution {
        id: "debian",
        version: "13",
        name: "Debian 13",
        php: PhpVersion::new(8, 4),
        supported_until: date!(2028 - 08 - 09),
        long_term_until: Some(date!(2030 - 06 - 30)),
        packages: PACKAGES,
    },
    Distribution {
        id: "ubuntu",
        version: "24.04",
        name: "Ubuntu 24.04",
        php: PhpVersion::new(8, 3),
        supported_until: date!(2029 - 05 - 31),
        long_term_until: None,
        packages: PACKAGES,
    },
];

/// Extensions that PHP applications expect; each is installed where the archive has it. Names follow `phpV-`.
///
/// Why no `opcache`: it is part of `-fpm`'s own dependencies up to 8.4 and built in from 8.5 on.
pub const PHP_EXTENSIONS: &[&str] = &[
    "mysql", "xml", "mbstring", "curl", "gd", "intl", "zip", "bcmath", "soap", "readline",
];

/// What os-release(5) says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Release {
    /// `debian`.
    pub id: String,
    /// `12`.
    pub version: String,
    /// `bookworm`.
    pub codename: String,
    /// `Debian GNU/Linux 12 (bookworm)`.
    pub pretty: String,
}

/// Reads os-release(5).
#[must_use]
pub fn release(host: &dyn Host) -> Release {
    // /etc/os-release is a link to this file, and an administrator may have replaced it.
    let own = files::text_or_empty(host, "/etc/os-release");
    let text = if own.is_empty() {
        files::text_or_empty(host, "/usr/lib/os-release")
    } else {
        own
    };
    parse(&text)
}

fn parse(text: &str) -> Release {
    let value = |key: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        let plain = line.unwrap_or_default().trim().trim_matches(['"', '\'']);
        crate::domain::text::shown(plain, 80)
    };
    Release {
        id: value("ID"),
        version: value("VERSION_ID"),
        codename: value("VERSION_CODENAME"),
        pretty: value("PRETTY_NAME"),
    }
}

/// The row of a release.
#[must_use]
pub fn known(release: &Release) -> Option<&'static Distribution> {
    KNOWN
        .iter()
        .find(|row| row.id == release.id && row.version == release.version)
}

/// The distribution as people call it.
#[must_use]
pub fn pretty_name(host: &dyn Host) -> String {
    let pretty = release(host).pretty;
    if pretty.is_empty() {
        "an unknown distribution".to_owned()
    } else {
        pretty
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_recognised_by_id_and_version_only() {
        let fixture = |name| include_os_release(name);
        for (name, php) in [
            ("debian-12", Some((8, 2))),
            ("debian-13", Some((8, 4))),
            ("ubuntu-24.04", Some((8, 3))),
            ("ubuntu-22.04", None),
            ("fedora-41", None),
        ] {
            let release = parse(fixture(name));
            assert!(!release.pretty.is_empty(), "{name}");
            let found = known(&release).map(|row| row.php);
            assert_eq!(
                found,
                php.map(|(major, minor)| PhpVersion::new(major, minor)),
                "{name}"
            );
        }
    }

    fn include_os_release(name: &str) -> &'static str {
        match name {
            "debian-12" => include_str!("../../tests/fixtures/hosts/debian-12.os-release"),
            "debian-13" => include_str!("../../tests/fixtures/hosts/debian-13.os-release"),
            "ubuntu-24.04" => include_str!("../../tests/fixtures/hosts/ubuntu-24.04.os-release"),
            "ubuntu-22.04" => include_str!("../../tests/fixtures/hosts/ubuntu-22.04.os-release"),
            _ => include_str!("../../tests/fixtures/hosts/fedora-41.os-release"),
        }
    }
}
