//! The parts of an installation that concern the stack: packages, nginx, MariaDB, the shared PHP-FPM.
//!
//! Invariant: nothing here changes a file that nginx or MariaDB had before; ours stand beside them.

use crate::domain::facts::ServiceManager;
use crate::install::facts::InstallFacts;
use crate::install::nginx_facts::{self, default_link};
use crate::install::plan::Part;
use crate::install::wanted::Wanted;
use crate::ops::step::{ServiceAct, Step, When};
use crate::render;
use crate::system::mariadb;

/// Before the package: its first start reads it.
pub(super) fn nginx_limits() -> Part {
    let mut part = Part::default();
    let undoing = When::Undoing;
    part.add(
        "Let systemd read its units again if this is undone",
        Step::ReloadUnits { when: undoing },
    )
    .directory("/etc/systemd/system/nginx.service.d", 0, 0o755)
    .own(
        "Allow nginx as many files as sites need",
        &render::panel::nginx_drop_in(),
    )
    .add(
        "Let systemd read its units",
        Step::ReloadUnits {
            when: When::Forward,
        },
    );
    part
}

pub(super) fn packages(facts: &InstallFacts) -> Part {
    let mut part = Part::default();
    if facts.packages.interrupted {
        part.add(
            "Finish packages that were left half-configured",
            Step::FinishPackages {},
        );
    }
    let names = facts.to_install();
    if !names.is_empty() {
        part.add("Fetch the lists of packages", Step::RefreshPackageLists {})
            .add(
                format!("Install {} packages and what they need", names.len()),
                Step::InstallPackages { names },
            );
    }
    part
}

/// Why: each site has a PHP-FPM of its own, and the distribution's would only take memory. One that was here before is somebody's.
pub(super) fn masks(wanted: &Wanted, facts: &InstallFacts) -> Vec<Part> {
    if facts.services != ServiceManager::Systemd {
        return Vec::new();
    }
    let comes = |package: &String| facts.packages.missing.contains(package);
    let versions = wanted
        .php
        .iter()
        .filter(|php| comes(&format!("php{php}-fpm")));
    versions
        .map(|php| {
            let mut part = Part::default();
            let title = format!("Stop the PHP-FPM {php} that all sites would share");
            part.service(
                title,
                facts.services,
                &format!("php{php}-fpm"),
                ServiceAct::Mask,
            );
            part
        })
        .collect()
}

pub(super) fn nginx(facts: &InstallFacts) -> Part {
    let services = facts.services;
    let mut part = Part {
        whole: facts.nginx.is_none(),
        ..Part::default()
    };
    let when = When::Undoing;
    part.add(
        "Reload nginx if this is undone",
        Step::ReloadNginx { services, when },
    )
    .directory("/etc/nginx/lalapanel", 0, 0o755)
    .directory("/etc/nginx/lalapanel/custom", 0, 0o750);
    for (path, text) in render::nginx::includes() {
        part.file(format!("Write {}", path.name()), &path, text);
    }
    if facts.nginx.as_ref().is_none_or(|found| found.default_site) {
        part.add(
            "Unlink the distribution's welcome page",
            Step::RemoveFile {
                path: default_link(),
            },
        );
    }
    let globals = facts
        .nginx
        .as_ref()
        .map_or_else(|| nginx_facts::fresh(facts.ipv6), |found| found.globals);
    part.file(
        "Write the settings that all sites share",
        &render::nginx::globals_file(),
        &render::nginx::globals(globals),
    )
    .claim("Answer for nginx's socket", render::nginx::socket())
    .claim(
        "Answer for nginx's page cache",
        render::nginx_shared::cache_directory(),
    )
    .add(
        "Stamp the nginx configuration with this operation",
        Step::StampNginx {},
    )
    .add(
        "Test the nginx configuration",
        Step::CheckNginx { with: None },
    )
    .service(
        "Start nginx, now and at every boot",
        services,
        "nginx",
        ServiceAct::EnableNow,
    )
    .add(
        "Reload nginx and wait for the new configuration",
        Step::ReloadNginx {
            services,
            when: When::Forward,
        },
    );
    part
}

/// Only for a MariaDB that nobody has used yet: options of one with databases are its owner's.
pub(super) fn mariadb_part(facts: &InstallFacts) -> Part {
    let mut part = Part::default();
    if !facts.mariadb_is_fresh || facts.mariadb_has_options {
        return part;
    }
    let memory = facts.memory.map_or(0, |memory| memory.installed);
    let services = facts.services;
    part.directory("/var/lib/mysql-files", 0, 0o700)
        .service(
            "Restart MariaDB if this is undone",
            services,
            "mariadb",
            ServiceAct::RestartOnUndo,
        )
        .file(
            "Fit MariaDB to this server",
            &render::mariadb::file(),
            &render::mariadb::options(memory),
        )
        .service(
            "Start MariaDB at every boot",
            services,
            "mariadb",
            ServiceAct::EnableNow,
        )
        .service(
            "Restart MariaDB with its options",
            services,
            "mariadb",
            ServiceAct::Restart,
        )
        .add(
            "Leave no way into MariaDB without a password but root's own",
            Step::Sql {
                statements: mariadb::SECURE
                    .iter()
                    .map(|text| (*text).to_owned())
                    .collect(),
            },
        );
    part
}

pub(super) fn shared_php(wanted: &Wanted) -> Vec<Part> {
    let services = ServiceManager::Sysv;
    let of = |php| {
        let mut part = Part::default();
        let unit = format!("php{php}-fpm");
        part.service(
            format!("Restart PHP-FPM {php} if this is undone"),
            services,
            &unit,
            ServiceAct::RestartOnUndo,
        )
        .file(
            format!("Keep sites of PHP {php} apart"),
            &render::php_fpm::shared_ini_file(php),
            &render::php_fpm::shared_ini(),
        )
        .file(
            format!("Let running requests of PHP {php} end when it reloads"),
            &render::php_fpm::shared_master_file(php),
            &render::php_fpm::shared_master(),
        )
        .service(
            format!("Start PHP-FPM {php} at every boot"),
            services,
            &unit,
            ServiceAct::EnableNow,
        )
        .service(
            format!("Restart PHP-FPM {php}"),
            services,
            &unit,
            ServiceAct::Restart,
        );
        part
    };
    wanted.php.iter().copied().map(of).collect()
}
