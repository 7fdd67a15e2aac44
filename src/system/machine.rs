//! Numbers about the machine: memory, load, processors, name.
//!
//! Invariant: a number that cannot be read is absent, never made up.

use crate::host::Host;
use crate::rpc::view::Usage;
use crate::system::files;

/// Memory in use and in all. What the kernel could free at once counts as not in use.
#[must_use]
pub fn memory(host: &dyn Host) -> Option<Usage> {
    usage(&files::text_or_empty(host, "/proc/meminfo"))
}

fn usage(text: &str) -> Option<Usage> {
    let total = bytes_of(text, "MemTotal:")?;
    let available = bytes_of(text, "MemAvailable:")?;
    Some(Usage {
        used: total.saturating_sub(available),
        total,
    })
}

/// A line such as `MemTotal:  2033264 kB`.
fn bytes_of(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    let number: u64 = line.split_whitespace().next()?.parse().ok()?;
    number.checked_mul(1024)
}

/// Resident bytes of this very process.
#[must_use]
pub fn resident_bytes(host: &dyn Host) -> Option<u64> {
    bytes_of(&files::text_or_empty(host, "/proc/self/status"), "VmRSS:")
}

/// The load of the last minute in hundredths: 0.42 is 42.
#[must_use]
pub fn load_hundredths(host: &dyn Host) -> Option<u32> {
    hundredths(&files::text_or_empty(host, "/proc/loadavg"))
}

fn hundredths(text: &str) -> Option<u32> {
    let (whole, part) = text.split_whitespace().next()?.split_once('.')?;
    let whole: u32 = whole.parse().ok()?;
    let part: u32 = part.get(..2)?.parse().ok()?;
    whole.checked_mul(100)?.checked_add(part)
}

/// How many processors there are; at least one.
#[must_use]
pub fn processors(host: &dyn Host) -> u32 {
    let text = files::text_or_empty(host, "/proc/stat");
    let lines = text.lines().filter(|line| {
        line.strip_prefix("cpu")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    u32::try_from(lines.count()).unwrap_or(u32::MAX).max(1)
}

/// The name of the server.
#[must_use]
pub fn hostname(host: &dyn Host) -> String {
    let kernel = files::text_or_empty(host, "/proc/sys/kernel/hostname");
    let name = if kernel.trim().is_empty() {
        files::text_or_empty(host, "/etc/hostname")
    } else {
        kernel
    };
    crate::domain::text::shown(name.trim(), 253)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_the_kernel_writes_them() {
        let found =
            usage("MemTotal:        2000 kB\nMemFree: 1 kB\nMemAvailable:    500 kB\n").unwrap();
        assert_eq!((found.used, found.total), (1500 * 1024, 2000 * 1024));
        assert_eq!(hundredths("0.42 0.36 0.30 1/200 4242\n"), Some(42));
        assert_eq!(hundredths("12.07 …"), Some(1207));
        assert!(usage("").is_none() && hundredths("").is_none());
    }
}
