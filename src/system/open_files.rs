//! How many files nginx may have open, and how many it needs.
//!
//! Invariant: what is told is what the kernel holds the running processes to, not what a file of settings says.

use crate::domain::path::HostPath;
use crate::host::exec::{Command, Program};
use crate::host::{Host, HostResult};

/// Debian's 768 connections a worker, each with a visitor and a PHP behind it, and what else is open.
const BESIDES: u64 = 2000;
/// What the drop-in for its unit says.
const WANTED: u64 = 65_536;

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
    let text = |path: HostPath| text(host, &path);
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

/// Lets a running nginx open as many files as one that is started now: where it ran before the panel came, it still has
/// the usual 1024, and takes over no new configuration from 250 sites on. Its next workers have what it has.
pub fn lift(host: &dyn Host) -> HostResult<()> {
    let Some((master, limits)) = master(host) else {
        return Ok(());
    };
    let Some((soft, hard)) = limits_in(&limits) else {
        return Ok(());
    };
    // Above the hard limit only some machines let even root go.
    let wanted = WANTED.min(hard);
    if soft < wanted {
        let number = format!("--nofile={wanted}:");
        host.run(&Command::new(
            Program::Prlimit,
            ["--pid", master.as_str(), number.as_str()],
        ))?;
    }
    Ok(())
}

fn master(host: &dyn Host) -> Option<(String, String)> {
    let pid = text(host, &HostPath::fixed("/run/nginx.pid"))?;
    let pid = pid.trim().parse::<u32>().ok()?.to_string();
    let limits = text(host, &HostPath::fixed("/proc").join(&pid).join("limits"))?;
    Some((pid, limits))
}

fn text(host: &dyn Host, path: &HostPath) -> Option<String> {
    String::from_utf8(host.read(path, 64 * 1024).ok()?).ok()
}

fn soft_limit(text: &str) -> Option<u64> {
    limits_in(text).map(|(soft, _)| soft)
}

/// Soft and hard in `/proc/PID/limits`: `Max open files            1024                 524288               files`
fn limits_in(text: &str) -> Option<(u64, u64)> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    let mut words = line.split_whitespace().map(|word| match word {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    });
    Some((words.next()??, words.next()??))
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
    fn a_running_nginx_is_lifted_to_what_the_drop_in_says_or_its_hard_limit_allows() {
        let text = limits("1024");
        assert_eq!(limits_in(&text), Some((1024, 524_288)));
        for (soft, ran) in [("1024", true), ("65536", false), ("unlimited", false)] {
            let host = MemoryHost::new(Machine::debian());
            host.change(|machine| {
                let mut put =
                    |path, text: &str| machine.tree.put_text(&HostPath::fixed(path), text);
                put("/run/nginx.pid", "40\n");
                put("/proc/40/limits", &limits(soft));
            });
            // The memory machine has no such program, and says so.
            assert_eq!(lift(&host).is_err(), ran, "{soft}");
            let wanted = ["prlimit --pid 40 --nofile=65536:".to_owned()];
            assert_eq!(host.ran() == wanted, ran, "{soft}");
        }
    }

    #[test]
    fn five_hundred_sites_need_more_than_the_usual_limit() {
        assert!(needed(500) > 1024 && needed(10_000) < 65_536);
    }
}
