//! What a fresh host gets, top to bottom. Every part is written out whole; `missing` leaves out what is there already.
//!
//! Invariant: a pure function of what is wanted and what was found; the order is the one in which a crash does least harm.

use crate::domain::facts::ServiceManager;
use crate::domain::name::UnixName;
use crate::domain::path::HostPath;
use crate::host::{Mode, Owner};
use crate::install::facts::InstallFacts;
use crate::install::stack;
use crate::install::wanted::Wanted;
use crate::ops::plan::PlannedStep;
use crate::ops::step::{ServiceAct, Step, User, When};
use crate::render::{self, panel::PanelFile};
use crate::system::config;
use crate::system::users;

/// Steps that belong together: where nothing of them is missing, none is done.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// In order.
    pub steps: Vec<PlannedStep>,
    /// True where the steps cannot be judged yet, since packages they act on are still to come.
    pub whole: bool,
}

impl Part {
    pub(super) fn add(&mut self, title: impl Into<String>, step: Step) -> &mut Self {
        self.steps.push(PlannedStep {
            title: title.into(),
            step,
        });
        self
    }

    pub(super) fn file(
        &mut self,
        title: impl Into<String>,
        path: &HostPath,
        text: &str,
    ) -> &mut Self {
        self.write(title, path, text, 0o644)
    }

    pub(super) fn write(
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

    pub(super) fn own(&mut self, title: &str, file: &PanelFile) -> &mut Self {
        let mode = if file.executable { 0o755 } else { 0o644 };
        self.write(title, &file.path, &file.text, mode)
    }

    pub(super) fn directory(&mut self, path: &'static str, gid: u32, mode: u32) -> &mut Self {
        self.add(
            format!("Make {path}"),
            Step::MakeDirectory {
                path: HostPath::fixed(path),
                owner: Owner { uid: 0, gid },
                mode: Mode(mode),
            },
        )
    }

    pub(super) fn claim(&mut self, title: &str, path: HostPath) -> &mut Self {
        self.add(title, Step::Claim { path })
    }

    pub(super) fn service(
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

/// Every part.
#[must_use]
pub fn parts(wanted: &Wanted, facts: &InstallFacts) -> Vec<Part> {
    let mut parts = Vec::new();
    parts.push(state());
    parts.push(program(facts));
    parts.push(handbook(wanted, facts));
    if facts.services == ServiceManager::Systemd {
        parts.push(stack::nginx_limits());
    }
    parts.push(stack::packages(facts));
    parts.extend(stack::masks(wanted, facts));
    parts.push(runtime(facts));
    parts.push(directories());
    parts.push(user("Create the user of the web process", users::WEB));
    parts.push(user("Create the user of the courier", users::COURIER));
    parts.push(stack::nginx(facts));
    parts.push(stack::mariadb_part(facts));
    if facts.services == ServiceManager::Sysv {
        parts.extend(stack::shared_php(wanted));
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

/// A directory that is there already stays as it is, whoever made it.
fn handbook(wanted: &Wanted, facts: &InstallFacts) -> Part {
    let mut part = Part::default();
    for path in facts.without.iter().filter(|_| !wanted.handbook.is_empty()) {
        part.directory(path, 0, 0o755);
    }
    for file in &wanted.handbook {
        part.own(&format!("Write {}", file.path.as_str()), file);
    }
    part
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
        // Below a directory of root's alone; the web process gets here by a mount of its unit.
        .directory("/var/lib/lalapanel/panel", 0, 0o711);
    part
}

fn user(title: &str, name: &str) -> Part {
    let mut part = Part::default();
    if let Ok(name) = UnixName::parse(name) {
        part.add(
            title,
            Step::CreateUser(User {
                name,
                id: None,
                home: HostPath::fixed("/nonexistent"),
            }),
        );
    }
    part
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
                "Listen for errands to the internet, now and at every boot",
                services,
                render::panel::COURIER_SOCKET_UNIT,
                ServiceAct::EnableNow,
            )
            .service(
                "Listen for questions of authorities, now and at every boot",
                services,
                render::panel::CHALLENGE_SOCKET_UNIT,
                ServiceAct::EnableNow,
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
            "Answer for the courier's socket",
            "/run/lalapanel/courier.sock",
        ),
        (
            "Answer for the socket of authorities' questions",
            "/run/lalapanel/challenge.sock",
        ),
        (
            "Answer for the courier's process number",
            "/run/lalapanel/courier.pid",
        ),
        (
            "Answer for the courier's log",
            "/var/log/lalapanel/courier.log",
        ),
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
