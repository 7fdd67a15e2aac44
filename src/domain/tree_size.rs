//! How much is below a directory, and what of it a copy leaves out.
//!
//! Invariant: names in here are a site's own text, made fit to be shown by whoever counted.

use serde::{Deserialize, Serialize};

/// What was counted below a directory, or copied from it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TreeSize {
    /// Bytes of files.
    pub bytes: u64,
    /// Files, directories and links.
    pub things: u64,
    /// Sockets, pipes, what may not be read, links that lead out of the tree.
    pub left_out: u64,
    /// Some of those by name.
    pub examples: Vec<String>,
}

impl TreeSize {
    /// `1.2 GB in 3500 files and directories`, rounded so that a busy site reads the same a moment later.
    #[must_use]
    pub fn words(&self) -> String {
        let things = match rounded(self.things) {
            1 => "one file or directory".to_owned(),
            more => format!("{more} files and directories"),
        };
        format!("{} in {things}", bytes(self.bytes))
    }
}

/// `412 kB`, to two digits, in units of 1000 as disks are sold.
#[must_use]
pub fn bytes(count: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (1_000_000_000_000, "TB"),
        (1_000_000_000, "GB"),
        (1_000_000, "MB"),
        (1_000, "kB"),
    ];
    let count = rounded(count);
    match UNITS.into_iter().find(|(size, _)| count >= *size) {
        Some((size, unit)) if count / size < 10 => {
            format!("{}.{} {unit}", count / size, count % size * 10 / size)
        }
        Some((size, unit)) => format!("{} {unit}", count / size),
        None => format!("{count} bytes"),
    }
}

/// Two digits of it, rounded up.
fn rounded(count: u64) -> u64 {
    let mut unit: u64 = 1;
    while count / unit >= 100 {
        unit = unit.saturating_mul(10);
    }
    count.div_ceil(unit).saturating_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_with_two_digits_and_rounded_up() {
        for (count, told) in [
            (0, "0 bytes"),
            (99, "99 bytes"),
            (101, "110 bytes"),
            (1_000, "1.0 kB"),
            (1_234_567, "1.3 MB"),
            (123_456_789, "130 MB"),
            (9_999_999_999, "10 GB"),
        ] {
            assert_eq!(bytes(count), told);
        }
    }

    #[test]
    fn a_tree_is_told_in_a_few_words() {
        let size = |things, bytes| TreeSize {
            bytes,
            things,
            ..TreeSize::default()
        };
        assert_eq!(size(1, 12).words(), "12 bytes in one file or directory");
        assert_eq!(
            size(3512, 80_000_000).words(),
            "80 MB in 3600 files and directories"
        );
    }
}
