//! Whether there is room: on the disk, and in memory.
//!
//! Invariant: from when on somebody is needed is said in the settings; where next to nothing is left, always.

use crate::agent::doctor::finding;
use crate::domain::notify::Percent;
use crate::domain::path::HostPath;
use crate::host::Host;
use crate::rpc::view::{Finding, Level};
use crate::system::machine;

/// None where it cannot be read.
pub(super) fn memory(host: &dyn Host, most: Percent) -> Option<Finding> {
    let usage = machine::memory(host)?;
    if !most.is_passed(usage.used, usage.total) {
        let title = "there is memory left";
        return Some(finding("host.memory", Level::Ok, title, ""));
    }
    let title = format!(
        "{} MB of memory are left of {} MB",
        usage.total.saturating_sub(usage.used) / 1_000_000,
        usage.total / 1_000_000
    );
    let hint = "`ps aux --sort=-rss` shows what uses it; fewer processes of a busy site (`php.children`) use less";
    Some(finding("host.memory", Level::Warning, title, hint))
}

/// Where the sites are, and the panel's state.
pub(super) fn disk(host: &dyn Host, most: Percent) -> Finding {
    let low = |path: &'static str| {
        host.space(&HostPath::fixed(path))
            .ok()
            .filter(|space| {
                most.is_passed(space.total.saturating_sub(space.free), space.total)
                    || space.free < 256 * 1024 * 1024
                    || space.inodes < 1000
            })
            .map(|space| (path, space))
    };
    match low("/var/www").or_else(|| low("/var/lib/lalapanel")) {
        None => finding("host.disk", Level::Ok, "there is room on the disk", ""),
        Some((path, space)) => finding(
            "host.disk",
            Level::Problem,
            format!(
                "{} MB are left on the file system of {path}",
                space.free / 1_000_000
            ),
            "free some space; `df -h`, `df -i` and `du -xh --max-depth=2 /var` show where it went",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;

    fn level(available: u64, most: u8) -> Option<Level> {
        let host = MemoryHost::new(Machine::debian());
        let text = format!("MemTotal:  1000000 kB\nMemAvailable:  {available} kB\n");
        host.change(|machine| {
            machine
                .tree
                .put_text(&HostPath::fixed("/proc/meminfo"), &text);
        });
        memory(&host, Percent::fixed(most)).map(|finding| finding.level)
    }

    #[test]
    fn memory_needs_somebody_from_where_the_settings_say() {
        assert_eq!(level(50_000, 95), Some(Level::Ok));
        assert_eq!(level(49_000, 95), Some(Level::Warning));
        assert_eq!(level(49_000, 97), Some(Level::Ok));
    }
}
