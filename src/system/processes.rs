//! The PHP processes of sites, as the kernel counts them.
//!
//! Invariant: a process belongs to the site whose user it runs as; the master of a site's pool, which is root's, counts for nobody.

use std::collections::BTreeMap;

use crate::domain::path::HostPath;
use crate::host::Host;

/// A status is a page and a half.
const LONGEST: usize = 16 * 1024;

/// What the processes of one user are together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Together {
    /// How many.
    pub number: u32,
    /// Their resident memory; what they share counts for each.
    pub memory: u64,
}

/// The PHP-FPM children by the number of their user.
#[must_use]
pub fn php(host: &dyn Host) -> BTreeMap<u32, Together> {
    let mut found: BTreeMap<u32, Together> = BTreeMap::new();
    let proc = HostPath::fixed("/proc");
    for name in host.list(&proc).unwrap_or_default() {
        if !name.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        // One that ended meanwhile is none.
        let Ok(bytes) = host.read(&proc.join(&name).join("status"), LONGEST) else {
            continue;
        };
        if let Some((user, memory)) = child(&String::from_utf8_lossy(&bytes)) {
            let together = found.entry(user).or_default();
            together.number += 1;
            together.memory += memory;
        }
    }
    found
}

/// The effective user and the resident bytes of a PHP-FPM process (`proc_pid_status(5)`).
fn child(status: &str) -> Option<(u32, u64)> {
    let value = |key: &str| status.lines().find_map(|line| line.strip_prefix(key));
    if !value("Name:")?.trim().starts_with("php-fpm") {
        return None;
    }
    let user: u32 = value("Uid:")?.split_whitespace().nth(1)?.parse().ok()?;
    let memory: u64 = value("VmRSS:")?.split_whitespace().next()?.parse().ok()?;
    (user != 0).then_some((user, memory * 1024))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;

    #[test]
    fn children_are_counted_by_their_user() {
        let host = MemoryHost::new(Machine::debian());
        let put = |pid: &str, name: &str, user: u32| {
            let path = HostPath::fixed("/proc").join(pid).join("status");
            let text = format!(
                "Name:\t{name}\nUmask:\t0022\nUid:\t{user}\t{user}\t{user}\t{user}\nVmRSS:\t    2000 kB\n"
            );
            host.change(|machine| machine.tree.put_text(&path, &text));
        };
        put("10", "php-fpm8.4", 0);
        put("11", "php-fpm8.4", 21_001);
        put("12", "php-fpm8.4", 21_001);
        put("13", "php-fpm8.2", 21_002);
        put("14", "sh", 21_001);
        put("self", "php-fpm8.4", 21_001);
        let found = php(&host);
        assert_eq!(found.len(), 2);
        let two = Together {
            number: 2,
            memory: 4_096_000,
        };
        assert_eq!(found.get(&21_001), Some(&two));
        assert_eq!(found.get(&21_002).unwrap().number, 1);
    }
}
