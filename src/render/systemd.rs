//! The two units of a PHP site: a socket made by root, and the site's own unprivileged PHP-FPM behind it.
//!
//! Invariant: units are named by the site's number; the socket lies in a directory only root can write, so no site can put a link in its place.

use crate::domain::log::LogFile;
use crate::domain::path::HostPath;
use crate::domain::php::PhpVersion;
use crate::domain::php_extension::OptionalExtension;
use crate::domain::site::Site;
use crate::render::php_fpm;

/// `lalapanel-php-s1001.socket`.
#[must_use]
pub fn php_socket_name(site: &Site) -> String {
    format!("lalapanel-php-{}.socket", site.id)
}

/// `lalapanel-php-s1001.service`.
#[must_use]
pub fn php_service_name(site: &Site) -> String {
    format!("lalapanel-php-{}.service", site.id)
}

/// `lalapanel-php-s1001-next.service`: the new version beside the old one, for the moment of a switch.
#[must_use]
pub fn php_next_name(site: &Site) -> String {
    format!("lalapanel-php-{}-next.service", site.id)
}

/// `lalapanel-php-s1001-trial`, for a service and its socket.
#[must_use]
pub fn php_trial_name(site: &Site) -> String {
    format!("lalapanel-php-{}-trial", site.id)
}

/// Where a unit of ours lies.
#[must_use]
pub fn unit_file(name: &str) -> HostPath {
    HostPath::fixed("/etc/systemd/system").join(name)
}

/// The socket unit.
#[must_use]
pub fn php_socket(site: &Site) -> String {
    socket_at(site, &site.php_socket())
}

/// The socket where another version is tried.
#[must_use]
pub fn php_trial_socket(site: &Site) -> String {
    socket_at(site, &site.php_trial_socket())
}

fn socket_at(site: &Site, socket: &HostPath) -> String {
    format!(
        "# {owned}\n\
         [Unit]\n\
         Description=PHP socket of {hostname}\n\
         \n\
         [Socket]\n\
         ListenStream={socket}\n\
         # nginx alone: who talks to this socket runs code as the site.\n\
         SocketUser=root\n\
         SocketGroup=www-data\n\
         SocketMode=0660\n\
         Backlog=1024\n\
         RemoveOnStop=yes\n\
         \n\
         [Install]\n\
         WantedBy=sockets.target\n",
        owned = super::OWNED,
        hostname = site.hostname,
    )
}

/// One service: what differs between those of a site.
struct Role {
    socket_unit: String,
    socket: HostPath,
    configuration: HostPath,
    /// Under `[Service]`.
    service: String,
}

/// The service unit.
#[must_use]
pub fn php_service(site: &Site, php: PhpVersion) -> String {
    let role = Role {
        socket_unit: php_socket_name(site),
        socket: site.php_socket(),
        configuration: php_fpm::master_file(site),
        service: "Restart=on-failure\nRestartSec=1\n".to_owned(),
    };
    service(site, php, &role)
}

/// The new version behind the site's own socket, beside the old one: both take connections from it.
#[must_use]
pub fn php_next(site: &Site, php: PhpVersion) -> String {
    let socket_unit = php_socket_name(site);
    let role = Role {
        socket: site.php_socket(),
        configuration: php_fpm::master_file(site),
        service: format!("Restart=no\nSockets={socket_unit}\n"),
        socket_unit,
    };
    service(site, php, &role)
}

/// The new version behind a socket that no visitor uses.
#[must_use]
pub fn php_trial(site: &Site, php: PhpVersion) -> String {
    let role = Role {
        socket_unit: format!("{}.socket", php_trial_name(site)),
        socket: site.php_trial_socket(),
        configuration: php_fpm::trial_file(site),
        service: "Restart=no\n".to_owned(),
    };
    service(site, php, &role)
}

fn service(site: &Site, php: PhpVersion, role: &Role) -> String {
    let limits = &site.settings.limits;
    let cpu = match limits.cpu {
        0 => String::new(),
        hundredths => format!("CPUQuota={hundredths}%\n"),
    };
    format!(
        "# {owned}\n\
         [Unit]\n\
         Description=PHP {php} of {hostname}\n\
         Documentation=man:php-fpm{php}(8)\n\
         Requires={socket_unit}\n\
         After={socket_unit} network.target\n\
         # A start limit would close the socket, for good: after quick changes one after the other, or a few deaths in a row.\n\
         StartLimitIntervalSec=0\n\
         \n\
         [Service]\n\
         Type=notify\n\
         # PHP-FPM does not start without its slow log, and the site may not make files there: root makes what was deleted.\n\
         ExecStartPre=-+/usr/bin/touch -a {errors} {slow}\n\
         ExecStartPre=-+/usr/bin/chown {user}:adm {errors} {slow}\n\
         ExecStart=/usr/sbin/php-fpm{php} --nodaemonize --fpm-config {config} -d opcache.memory_consumption={opcache}\n\
         ExecReload=/bin/kill -USR2 $MAINPID\n\
         # PHP-FPM's own way to take over a listening socket: file descriptor 3 is the one systemd hands in.\n\
         Environment=FPM_SOCKETS={socket}=3\n\
         User={user}\n\
         Group={user}\n\
         UMask=0027\n\
         KillSignal=SIGQUIT\n\
         KillMode=mixed\n\
         TimeoutStopSec=30\n\
         {service}\
         Slice=lalapanel-sites.slice\n\
         LimitNOFILE=8192\n\
         LimitCORE=0\n\
         TasksMax={tasks}\n\
         # Of the user's processes altogether, also where no cgroup counts them: twice, for two versions beside each other.\n\
         LimitNPROC={processes}\n\
         MemoryHigh={high}M\n\
         MemoryMax={memory}M\n\
         {cpu}\
         \n\
         # The site sees its own tree and no other.\n\
         TemporaryFileSystem=/var/www:ro\n\
         BindPaths={root}\n\
         # Of the logs, those that its PHP writes.\n\
         TemporaryFileSystem=/var/log/lalapanel:ro\n\
         BindPaths={php_logs}\n\
         InaccessiblePaths=-/run/lalapanel -/var/lib/lalapanel -/etc/nginx\n\
         # Over D-Bus a user may have a manager of its own started, outside of all this.\n\
         InaccessiblePaths=-/run/dbus -/run/snapd.socket -/run/snapd-snap.socket\n\
         {without}\
         {SANDBOX}",
        owned = super::OWNED,
        hostname = site.hostname,
        socket_unit = role.socket_unit,
        config = role.configuration,
        socket = role.socket,
        service = role.service,
        user = site.user(),
        root = site.root(),
        opcache = site.settings.php.opcache_memory,
        without = without(site, php),
        tasks = limits.tasks,
        processes = limits.tasks.saturating_mul(2),
        high = limits.memory / 4 * 3,
        memory = limits.memory,
        php_logs = site.php_log_directory(),
        errors = site.log_file(LogFile::Php),
        slow = site.log_file(LogFile::Slow),
    )
}

/// PHP passes over a settings file that it may not read, so the extension is not loaded. Why not a directory of settings
/// of the site's own (`PHP_INI_SCAN_DIR`): it would have to follow each package that comes or goes.
fn without(site: &Site, php: PhpVersion) -> String {
    let modules = site
        .settings
        .php
        .without
        .iter()
        .flat_map(OptionalExtension::modules);
    let paths: Vec<String> = modules
        .map(|name| format!("-/etc/php/{php}/mods-available/{name}.ini"))
        .collect();
    if paths.is_empty() {
        return String::new();
    }
    format!(
        "# Extensions that the site does without.\nInaccessiblePaths={}\n",
        paths.join(" ")
    )
}

const SANDBOX: &str = "\
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=tmpfs
PrivateTmp=yes
PrivateDevices=yes
PrivateIPC=yes
ProtectHostname=yes
ProtectClock=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectProc=invisible
ProcSubset=pid
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
KeyringMode=private
CapabilityBoundingSet=
AmbientCapabilities=
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
# The slow log: the master looks where its own child is. Other users' processes are out of its reach as ever.
SystemCallFilter=ptrace
SystemCallErrorNumber=EPERM
# Why not MemoryDenyWriteExecute: the just-in-time compilers of PCRE and OPcache need such memory.
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::golden::{self, php_site};
    use proptest::prelude::*;

    #[test]
    fn the_files_are_the_golden_ones() {
        golden::check("lalapanel-php-s1001.socket", &php_socket(&php_site()));
        golden::check(
            "lalapanel-php-s1001.service",
            &php_service(&php_site(), PhpVersion::new(8, 2)),
        );
        golden::check(
            "lalapanel-php-s1001-next.service",
            &php_next(&php_site(), PhpVersion::new(8, 4)),
        );
        golden::check(
            "lalapanel-php-s1001-trial.service",
            &php_trial(&php_site(), PhpVersion::new(8, 4)),
        );
    }

    #[test]
    fn an_extension_that_a_site_does_without_is_out_of_its_sight() {
        use crate::domain::setting::Assignment;
        let (mut site, php) = (php_site(), PhpVersion::new(8, 4));
        assert!(!php_service(&site, php).contains("mods-available"));
        let assignment = Assignment::new("php.without", "xdebug\nsqlite3").unwrap();
        assignment.apply(&mut site).unwrap();
        let line = "InaccessiblePaths=-/etc/php/8.4/mods-available/xdebug.ini -/etc/php/8.4/mods-available/sqlite3.ini -/etc/php/8.4/mods-available/pdo_sqlite.ini\n";
        for unit in [
            php_service(&site, php),
            php_next(&site, php),
            php_trial(&site, php),
        ] {
            assert!(unit.contains(line), "{unit}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        #[test]
        fn every_unit_holds_one_setting_a_line(made in golden::any_site()) {
            for text in [php_socket(&made), php_service(&made, PhpVersion::new(8, 4))] {
                prop_assert!(!golden::has_strange_characters(&text));
                for line in text.lines() {
                    let plain = line.is_empty() || line.starts_with(['#', '[']) || line.contains('=');
                    prop_assert!(plain, "{}", line);
                    // `%` is a specifier in a unit.
                    prop_assert!(!line.contains('%') || line.starts_with("CPUQuota="), "{}", line);
                }
            }
        }
    }
}
