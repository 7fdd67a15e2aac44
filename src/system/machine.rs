//! Numbers about the machine: memory, load, processors, name.
//!
//! Invariant: a number that cannot be read is absent, never made up.

use crate::domain::path::HostPath;
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

/// Where the sites are.
pub const SITES: &str = "/var/www";

/// The file system of the sites.
#[must_use]
pub fn disk(host: &dyn Host) -> Option<Usage> {
    let space = host.space(&HostPath::fixed(SITES)).ok()?;
    Some(Usage {
        used: space.total.saturating_sub(space.free),
        total: space.total,
    })
}

/// What the processors did since the machine started, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    busy: u64,
    all: u64,
}

impl Work {
    /// How busy they were since then: 10000 is wholly.
    #[must_use]
    pub fn share_since(self, then: Self) -> Option<u64> {
        let all = self.all.checked_sub(then.all).filter(|all| *all > 0)?;
        let busy = self.busy.checked_sub(then.busy)?;
        Some(busy.min(all).saturating_mul(10_000) / all)
    }
}

/// What all processors did together (proc(5): user nice system idle iowait irq softirq steal; guests are in user).
#[must_use]
pub fn work(host: &dyn Host) -> Option<Work> {
    work_in(&files::text_or_empty(host, "/proc/stat"))
}

fn work_in(text: &str) -> Option<Work> {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<u64> = line
        .split_whitespace()
        .take(8)
        .map_while(|word| word.parse().ok())
        .collect();
    let idle = ticks.get(3)?.saturating_add(*ticks.get(4)?);
    let all = ticks.iter().sum::<u64>();
    Some(Work {
        busy: all.saturating_sub(idle),
        all,
    })
}

/// Bytes that went through the network since the machine started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    received: u64,
    sent: u64,
}

impl Traffic {
    /// Bytes a second since then, in and out.
    #[must_use]
    pub fn rates_since(self, then: Self, millis: u64) -> Option<(u64, u64)> {
        let rate = |now: u64, then: u64| {
            now.checked_sub(then)?
                .saturating_mul(1000)
                .checked_div(millis)
        };
        Some((
            rate(self.received, then.received)?,
            rate(self.sent, then.sent)?,
        ))
    }
}

/// Why of process 1: the agent has a network of its own, with nothing in it.
#[must_use]
pub fn traffic(host: &dyn Host) -> Option<Traffic> {
    traffic_in(&files::text_or_empty(host, "/proc/1/net/dev"))
}

/// All that lead out of the machine; what goes round within it would count twice.
fn traffic_in(text: &str) -> Option<Traffic> {
    const INNER: [&str; 5] = ["lo", "veth", "br-", "docker", "virbr"];
    let mut total = None;
    for line in text.lines() {
        let Some((name, numbers)) = line.split_once(':') else {
            continue;
        };
        if INNER.iter().any(|inner| name.trim().starts_with(inner)) {
            continue;
        }
        let numbers: Vec<u64> = numbers
            .split_whitespace()
            .map_while(|word| word.parse().ok())
            .collect();
        let (received, sent) = (*numbers.first()?, *numbers.get(8)?);
        let sum = total.get_or_insert(Traffic {
            received: 0,
            sent: 0,
        });
        sum.received = sum.received.saturating_add(received);
        sum.sent = sum.sent.saturating_add(sent);
    }
    total
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

    #[test]
    fn work_and_traffic_are_what_happened_between_two_looks() {
        let then = work_in("cpu  10 0 10 70 10 0 0 0 5 0\ncpu0 1 2\n").unwrap();
        let now = work_in("cpu  40 0 30 100 30 0 0 0 5 0\n").unwrap();
        assert_eq!(now.share_since(then), Some(5_000));
        assert_eq!((now.share_since(now), then.share_since(now)), (None, None));
        assert!(work_in("intr 1 2\n").is_none() && work_in("cpu  x\n").is_none());
        let text = "Inter-|   Receive\n face |bytes\n    lo: 5 0 0 0 0 0 0 0 5 0\n  eth0:1000 1 0 0 0 0 0 0 200 3 0\n  ens5: 1 0 0 0 0 0 0 0 2 0\n";
        let sum = traffic_in(text).unwrap();
        assert_eq!((sum.received, sum.sent), (1001, 202));
        let none = Traffic {
            received: 1,
            sent: 2,
        };
        assert_eq!(sum.rates_since(none, 2_000), Some((500, 100)));
        assert_eq!(none.rates_since(sum, 2_000), None, "counters began anew");
        assert!(traffic_in("    lo: 5 0 0 0 0 0 0 0 5 0\n").is_none());
    }
}
