//! What a fresh host gets, top to bottom. Every part is written out whole; `missing` leaves out what is there already.
//!
//! Invariant: a pure function of what is wanted and what was found; the order is the one in which a crash does least harm.

use crate::domain::facts::ServiceManager;
use crate::domain::name::UnixName;
use crate::domain::path::HostPath;
use crate::host::{Mode, Owner};
use crate::install::facts::InstallFacts;
use crate::install::nginx_facts::{self, default_link};
use crate::install::wanted::Wanted;
use crate::ops::plan::PlannedStep;
use crate::ops::step::{ServiceAct, Step, User, When};
use crate::render::{self, panel::PanelFile};
use crate::system::{config, mariadb};

/// Steps that belong together: where nothing of them is missing, none is done.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// In order.
    pub steps: Vec<PlannedStep>,
    /// True where the steps cannot be judged yet, since packages they act on are still to come.
    pub whole: bool,
}

impl Part {
    fn add(&mut self, title: impl Into<String>, step: Step) -> &mut Self {
        self.steps.push(PlannedStep {
            title: title.into(),
            step,
        });
        self
    }

    fn file(&mut self, title: impl Into<String>, path: &HostPath, text: &str) -> &mut Self {
        self.write(title, path, text, 0o644)
    }

    fn write(
        &mut self,
        title: impl Into<String>,
        path: &HostPath,
        text: &str,
        mode: u32,
    ) -> &mut Self {
        self.add(
            title,
            Step::WriteFile {
                path: path.clone(),
                text: text.to_owned(),
                owner: Owner::ROOT,
                mode: Mode(mode),
            },
        )
    }

    fn own(&mut self, title: &str, file: &PanelFile) -> &mut Self {
        let mode = if file.executable { 0o755 } else { 0o644 };
        self.write(title, &file.path, &file.text, mode)
    }

    fn directory(&mut self, path: &'static str, gid: u32, mode: u32) -> &mut Self {
        self.add(
            format!("Make {path}"),
            Step::MakeDirectory {
                path: HostPath::fixed(path),
                owner: Owner { uid: 0, gid },
                mode: Mode(mode),
            },
        )
    }

    fn claim(&mut self, title: &str, path: HostPath) -> &mut Self {
        self.add(title, Step::Claim { path })
    }

    fn service(
        &mut self,
        title: impl Into<String>,
        services: ServiceManager,
        unit: &str,
        act: ServiceAct,
    ) -> &mut Self {
        self.add(
            title,
            Step::Service {
                services,
                unit: unit.to_owned(),
                act,
            },
        )
    }
}

/// Debian's fixed number of `www-data` (base-passwd).
const WEB_GID: u32 = 33;
/// Debian's fixed number of `adm` (base-passwd).
const LOG_GID: u32 = 4;
/// The user of the web process.
const WEB_USER: &str = "lalapanel";

/// Every part.
#[must_use]
pub fn parts(wanted: &Wanted, facts: &InstallFacts) -> Vec<Part> {
    let mut parts = Vec::new();
    parts.push(state());
    parts.push(program(facts));
    if facts.services == ServiceManager::Systemd {
        parts.push(nginx_limits());
    }
    parts.push(packages(facts));
    parts.extend(masks(wanted, facts));
    parts.push(runtime(facts));
    parts.push(directories());
    parts.push(user());
    parts.push(nginx(facts));
    parts.push(mariadb_part(facts));
    if facts.services == ServiceManager::Sysv {
        parts.extend(shared_php(wanted));
    }
    parts.push(logs());
    parts.push(configuration(wanted));
    parts.push(certificate(wanted, facts));
    parts.push(services(wanted, facts));
    parts
}

fn state() -> Part {
    let mut part = Part::default();
    part.directory("/var/lib/lalapanel", 0, 0o700);
    part
}

fn program(facts: &InstallFacts) -> Part {
    let mut part = Part::default();
    if let Some(from) = &facts.program {
        let step = Step::PlaceProgram { from: from.clone() };
        part.add("Put the program in place", step);
    }
    part
}

/// Before the package: its first start reads it.
fn nginx_limits() -> Part {
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

fn packages(facts: &InstallFacts) -> Part {
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
fn masks(wanted: &Wanted, facts: &InstallFacts) -> Vec<Part> {
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

/// Why the file first: after a power cut it is what makes the directories again.
fn runtime(facts: &InstallFacts) -> Part {
    let mut part = Part::default();
    part.own(
        "Have the directories for sockets made at every boot",
        &render::panel::runtime(facts.services),
    );
    if facts.services == ServiceManager::Sysv {
        part.service(
            "Run it at boot",
            facts.services,
            "lalapanel-runtime",
            ServiceAct::EnableNow,
        );
    }
    part.directory("/run/lalapanel", 0, 0o711)
        .directory("/run/lalapanel/php", WEB_GID, 0o750);
    part
}

fn directories() -> Part {
    let mut part = Part::default();
    part.directory("/var/log/lalapanel", LOG_GID, 0o755)
        .directory("/etc/lalapanel", 0, 0o755)
        .directory("/etc/lalapanel/php", 0, 0o755)
        .directory("/var/lib/lalapanel/panel", 0, 0o700);
    part
}

fn user() -> Part {
    let mut part = Part::default();
    if let Ok(name) = UnixName::parse(WEB_USER) {
        part.add(
            "Create the user of the web process",
            Step::CreateUser(User {
                name,
                id: None,
                home: HostPath::fixed("/nonexistent"),
            }),
        );
    }
    part
}

fn nginx(facts: &InstallFacts) -> Part {
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
    .directory("/etc/nginx/lalapanel", 0, 0o755);
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
fn mariadb_part(facts: &InstallFacts) -> Part {
    let mut part = Part::default();
    let Some(memory) = facts
        .memory
        .filter(|_| facts.mariadb_is_fresh && !facts.mariadb_has_options)
    else {
        return part;
    };
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
            &render::mariadb::options(memory.installed),
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

fn shared_php(wanted: &Wanted) -> Vec<Part> {
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

fn logs() -> Part {
    let mut part = Part::default();
    part.file(
        "Rotate the logs of sites",
        &render::logrotate::file(),
        &render::logrotate::sites(),
    );
    part
}

fn configuration(wanted: &Wanted) -> Part {
    let mut part = Part::default();
    // Root's alone: the key of an account at an authority may stand in it.
    part.write(
        "Write the panel's settings",
        &config::file(),
        &wanted.config.text(),
        0o600,
    );
    part
}

fn certificate(wanted: &Wanted, facts: &InstallFacts) -> Part {
    let mut part = Part::default();
    let name = wanted
        .config
        .panel
        .hostname
        .as_ref()
        .map_or(facts.server.clone(), ToString::to_string);
    let addresses = facts.addresses.clone();
    part.add(
        "Make the panel's key and certificate",
        Step::PanelCertificate { name, addresses },
    );
    part
}

fn services(wanted: &Wanted, facts: &InstallFacts) -> Part {
    let services = facts.services;
    let mut part = Part::default();
    if services == ServiceManager::Systemd {
        part.add(
            "Let systemd read its units again if this is undone",
            Step::ReloadUnits {
                when: When::Undoing,
            },
        );
    }
    for file in render::panel::services(services, wanted.config.panel.port) {
        part.own(&format!("Write {}", file.path.name()), &file);
    }
    for (title, path) in made_by_services(services) {
        part.claim(title, HostPath::fixed(path));
    }
    match services {
        ServiceManager::Systemd => part
            .add(
                "Let systemd read its units",
                Step::ReloadUnits {
                    when: When::Forward,
                },
            )
            .service(
                "Start the agent, now and at every boot",
                services,
                render::panel::AGENT_UNIT,
                ServiceAct::EnableNow,
            )
            .service(
                "Open the panel's port, now and at every boot",
                services,
                render::panel::SOCKET_UNIT,
                ServiceAct::EnableNow,
            )
            .service(
                "Start the panel in the browser",
                services,
                render::panel::WEB_UNIT,
                ServiceAct::EnableNow,
            ),
        ServiceManager::Sysv => part.service(
            "Start the panel, now and at every boot",
            services,
            "lalapanel",
            ServiceAct::EnableNow,
        ),
    };
    part
}

/// What the panel's processes make by themselves.
fn made_by_services(services: ServiceManager) -> &'static [(&'static str, &'static str)] {
    const BOTH: &[(&str, &str)] = &[
        ("Answer for the state", "/var/lib/lalapanel/state.redb"),
        ("Answer for the agent's socket", "/run/lalapanel/agent.sock"),
    ];
    const SYSV: &[(&str, &str)] = &[
        ("Answer for the state", "/var/lib/lalapanel/state.redb"),
        ("Answer for the agent's socket", "/run/lalapanel/agent.sock"),
        (
            "Answer for the agent's process number",
            "/run/lalapanel/agent.pid",
        ),
        (
            "Answer for the web's process number",
            "/run/lalapanel/web.pid",
        ),
        ("Answer for the agent's log", "/var/log/lalapanel/agent.log"),
        ("Answer for the web's log", "/var/log/lalapanel/web.log"),
    ];
    match services {
        ServiceManager::Systemd => BOTH,
        ServiceManager::Sysv => SYSV,
    }
}
