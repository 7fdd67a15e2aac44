//! How many files nginx may have open, and how many it needs.
//!
//! Invariant: what is told is what the kernel holds the running processes to, not what a file of settings says.

use crate::domain::path::HostPath;
use crate::host::Host;

/// Debian's 768 connections a worker, each with a visitor and a PHP behind it, and what else is open.
const BESIDES: u64 = 2000;

/// For so many sites: two logs each, twice while a new configuration takes over.
#[must_use]
pub fn needed(sites: usize) -> u64 {
    u64::try_from(sites)
        .unwrap_or(u64::MAX)
        .saturating_mul(4)
        .saturating_add(BESIDES)
}

/// With fewer, nginx cannot even take over a new configuration: the logs alone, and a little of its own.
#[must_use]
pub fn least(sites: usize) -> u64 {
    needed(sites) - BESIDES + 100
}

/// The least of what nginx's master and its workers may open; none where nginx does not run.
#[must_use]
pub fn of_nginx(host: &dyn Host) -> Option<u64> {
    let text = |path: HostPath| {
        let bytes = host.read(&path, 64 * 1024).ok()?;
        String::from_utf8(bytes).ok()
    };
    let master = text(HostPath::fixed("/run/nginx.pid"))?;
    let process = |pid: &str| HostPath::fixed("/proc").join(pid);
    let master = master.trim();
    // `worker_rlimit_nofile` changes the workers alone.
    let workers = text(process(master).join("task").join(master).join("children"));
    let workers = workers.unwrap_or_default();
    std::iter::once(master)
        .chain(workers.split_whitespace())
        .filter_map(|pid| soft_limit(&text(process(pid).join("limits"))?))
        .min()
}

/// The soft limit in `/proc/PID/limits`: `Max open files            1024                 524288               files`
fn soft_limit(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;

    fn limits(soft: &str) -> String {
        format!(
            "Limit  Soft Limit  Hard Limit  Units\nMax processes 1 1 processes\nMax open files            {soft}                 524288               files \n"
        )
    }

    #[test]
    fn the_least_of_master_and_workers_counts() {
        let host = MemoryHost::new(Machine::debian());
        assert_eq!(of_nginx(&host), None);
        host.change(|machine| {
            for (path, text) in [
                ("/run/nginx.pid", "40\n".to_owned()),
                ("/proc/40/limits", limits("65536")),
                ("/proc/40/task/40/children", "41 42 ".to_owned()),
                ("/proc/41/limits", limits("65536")),
                ("/proc/42/limits", limits("1024")),
            ] {
                machine.tree.put_text(&HostPath::fixed(path), &text);
            }
        });
        assert_eq!(of_nginx(&host), Some(1024));
        assert_eq!(soft_limit(&limits("unlimited")), Some(u64::MAX));
    }

    #[test]
    fn five_hundred_sites_need_more_than_the_usual_limit() {
        assert!(needed(500) > 1024 && needed(10_000) < 65_536);
    }
}
