//! Rotates the logs of sites before their day is over, where one has grown large.
//!
//! Invariant: looking only, and only at sizes; what is rotated, and how, is logrotate's to say by its one file.

use crate::domain::fault::Fault;
use crate::domain::site::Site;
use crate::host::exec::{Command, Program};
use crate::host::{Host, Node};
use crate::ops::act::must;
use crate::render::logrotate;

const MIB: u64 = 1024 * 1024;
/// A gigabyte is compressed in some ten seconds.
const SECONDS: u32 = 600;

/// Has logrotate look at once where a log is over its size. True where it did.
pub fn hold(host: &dyn Host, sites: &[Site]) -> Result<bool, Fault> {
    if !sites.iter().any(|site| is_over(host, site)) {
        return Ok(false);
    }
    let file = logrotate::file().to_string();
    must(
        host,
        &Command::new(Program::Logrotate, [file]).within(SECONDS),
    )?;
    Ok(true)
}

fn is_over(host: &dyn Host, site: &Site) -> bool {
    let (visits, php) = (site.log_directory(), site.php_log_directory());
    let logs = [
        (visits.join("access.log"), logrotate::VISITS_MB),
        (visits.join("error.log"), logrotate::VISITS_MB),
        (php.join("error.log"), logrotate::PHP_MB),
        (php.join("slow.log"), logrotate::PHP_MB),
    ];
    logs.iter().any(|(path, most)| match host.stat(path) {
        Ok(Some(meta)) => matches!(meta.node, Node::File { size } if size > most * MIB),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;
    use crate::render::golden::php_site;

    #[test]
    fn a_log_of_php_over_its_size_is_rotated_and_one_below_it_is_not() {
        let site = php_site();
        let log = site.php_log_directory().join("error.log");
        for (size, ran) in [(PHP, false), (PHP + 1, true)] {
            let host = MemoryHost::new(Machine::debian());
            host.change(|machine| machine.tree.put_text(&log, &"x".repeat(size)));
            // The memory machine has no logrotate, and says so.
            assert_eq!(hold(&host, std::slice::from_ref(&site)).is_err(), ran);
            let wanted = ["logrotate /etc/logrotate.d/lalapanel".to_owned()];
            assert_eq!(host.ran() == wanted, ran, "{size}");
        }
    }

    const PHP: usize = 100 * 1024 * 1024;
}
