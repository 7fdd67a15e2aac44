//! Rotation of the sites' logs.
//!
//! Invariant: new files belong to whom the first ones belonged (nginx, or the site), and `adm` alone may read them besides.

use crate::domain::path::HostPath;

/// What nginx writes of one site is rotated before its day is over once it is larger, in MiB.
pub const VISITS_MB: u64 = 1024;
/// The same for what its PHP writes: a page that complains in a loop fills a disk.
pub const PHP_MB: u64 = 100;

/// Where the file is.
#[must_use]
pub fn file() -> HostPath {
    HostPath::fixed("/etc/logrotate.d/lalapanel")
}

/// The file.
#[must_use]
pub fn sites() -> String {
    format!(
        "# {owned}\n\
         # Lala looks at the sizes every minute, and runs logrotate with this file where one is reached.\n\
         /var/log/lalapanel/*/*.log {{\n\
         \tdaily\n\
         \tmaxsize {VISITS_MB}M\n\
         \trotate 14\n\
         \tmissingok\n\
         \tnotifempty\n\
         \tcompress\n\
         \tdelaycompress\n\
         \tsharedscripts\n\
         \tcreate 0640 www-data adm\n\
         \tpostrotate\n\
         \t\t[ ! -f /run/nginx.pid ] || kill -USR1 `cat /run/nginx.pid`\n\
         \tendscript\n\
         }}\n\
         \n\
         # Of the sites' PHP, each owned by its site in a directory of root's: the new file has the owner of the old one.\n\
         # PHP opens them for every message; PHP-FPM keeps its own open until it is told.\n\
         /var/log/lalapanel/*/php/*.log {{\n\
         \tdaily\n\
         \tmaxsize {PHP_MB}M\n\
         \trotate 14\n\
         \tmissingok\n\
         \tnotifempty\n\
         \tcompress\n\
         \tdelaycompress\n\
         \tcreate 0640\n\
         \tsharedscripts\n\
         \tpostrotate\n\
         \t\t[ ! -d /run/systemd/system ] || systemctl kill --kill-whom=main --signal=USR1 'lalapanel-php-*.service' 2>/dev/null || true\n\
         \tendscript\n\
         }}\n",
        owned = super::OWNED
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_file_is_the_golden_one() {
        crate::render::golden::check("logrotate", &super::sites());
    }
}
