//! How long a PHP version gets security fixes: from the distribution, and apart from that from php.net.
//!
//! Invariant: dates only, each with its source; a version without a row is said to be unknown, never guessed.

use time::Date;
use time::OffsetDateTime;
use time::macros::{date, format_description};

use crate::domain::php::PhpVersion;
use crate::domain::time::Timestamp;
use crate::system::distro::Distribution;

/// When php.net ends the security fixes of a branch (php.net/supported-versions and php.net/eol, read in November 2026).
const UPSTREAM: &[(PhpVersion, Date)] = &[
    (PhpVersion::new(5, 6), date!(2018 - 12 - 31)),
    (PhpVersion::new(7, 0), date!(2019 - 01 - 10)),
    (PhpVersion::new(7, 1), date!(2019 - 12 - 01)),
    (PhpVersion::new(7, 2), date!(2020 - 11 - 30)),
    (PhpVersion::new(7, 3), date!(2021 - 12 - 06)),
    (PhpVersion::new(7, 4), date!(2022 - 11 - 28)),
    (PhpVersion::new(8, 0), date!(2023 - 11 - 26)),
    (PhpVersion::new(8, 1), date!(2025 - 12 - 31)),
    (PhpVersion::new(8, 2), date!(2026 - 12 - 31)),
    (PhpVersion::new(8, 3), date!(2027 - 12 - 31)),
    (PhpVersion::new(8, 4), date!(2028 - 12 - 31)),
    (PhpVersion::new(8, 5), date!(2029 - 12 - 31)),
];

/// A date and what it means today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Support {
    /// The last day with fixes.
    pub until: Date,
    /// True once that day is over.
    pub is_over: bool,
    /// `supported by Debian until 9 August 2028`.
    pub words: String,
}

/// What the distribution promises for its own version; none for any other.
#[must_use]
pub fn distribution(row: &Distribution, php: PhpVersion, now: Timestamp) -> Option<Support> {
    if row.php != php {
        return None;
    }
    let today = today(now)?;
    let maker = row.name.split(' ').next().unwrap_or(row.name);
    let (regular, long) = (row.supported_until, row.long_term_until);
    let until = long.unwrap_or(regular);
    let words = match long {
        Some(long) if regular < today && today <= long => {
            format!("supported by {maker} LTS until {}", shown(long))
        }
        Some(long) if today <= regular => format!(
            "supported by {maker} until {}, then by {maker} LTS until {}",
            shown(regular),
            shown(long)
        ),
        _ if today <= until => format!("supported by {maker} until {}", shown(until)),
        _ => format!("support by {maker} ended on {}", shown(until)),
    };
    Some(Support {
        until,
        is_over: until < today,
        words,
    })
}

/// What php.net promises.
#[must_use]
pub fn upstream(php: PhpVersion, now: Timestamp) -> Option<Support> {
    let until = UPSTREAM.iter().find(|(version, _)| *version == php)?.1;
    let is_over = until < today(now)?;
    let words = if is_over {
        format!("security fixes of php.net ended on {}", shown(until))
    } else {
        format!("security fixes of php.net until {}", shown(until))
    };
    Some(Support {
        until,
        is_over,
        words,
    })
}

fn today(now: Timestamp) -> Option<Date> {
    let seconds = i64::try_from(now.millis() / 1000).ok()?;
    Some(OffsetDateTime::from_unix_timestamp(seconds).ok()?.date())
}

fn shown(date: Date) -> String {
    date.format(format_description!(
        "[day padding:none] [month repr:long] [year]"
    ))
    .unwrap_or_else(|_| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::distro;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn row(name: &str) -> &'static Distribution {
        distro::KNOWN.iter().find(|row| row.name == name).unwrap()
    }

    #[test]
    fn the_distributions_own_version_is_supported_by_it_and_no_other_is() {
        let now = at("2026-11-22T00:00:00Z");
        let of = |name, php| distribution(row(name), php, now).map(|support| support.words);
        assert_eq!(
            of("Debian 12", PhpVersion::new(8, 2)).unwrap(),
            "supported by Debian LTS until 30 June 2028"
        );
        assert_eq!(
            of("Debian 13", PhpVersion::new(8, 4)).unwrap(),
            "supported by Debian until 9 August 2028, then by Debian LTS until 30 June 2030"
        );
        assert_eq!(
            of("Ubuntu 24.04", PhpVersion::new(8, 3)).unwrap(),
            "supported by Ubuntu until 31 May 2029"
        );
        assert_eq!(of("Debian 13", PhpVersion::new(8, 2)), None);
        let later = distribution(
            row("Debian 12"),
            PhpVersion::new(8, 2),
            at("2028-07-01T00:00:00Z"),
        );
        let later = later.unwrap();
        assert!(later.is_over && later.words.contains("ended on 30 June 2028"));
    }

    #[test]
    fn php_nets_own_dates_stand_apart_and_an_unknown_branch_has_none() {
        let now = at("2026-11-22T00:00:00Z");
        let ended = upstream(PhpVersion::new(8, 1), now).unwrap();
        assert_eq!(
            (ended.is_over, ended.words.as_str()),
            (true, "security fixes of php.net ended on 31 December 2025")
        );
        assert!(!upstream(PhpVersion::new(8, 4), now).unwrap().is_over);
        assert_eq!(upstream(PhpVersion::new(9, 9), now), None);
    }
}
