//! What goes when only the panel goes, and what stays so that its sites are served as before.
//!
//! Invariant: nothing that nginx or a site's PHP-FPM reads is in this list, nor the state: installing again finds the sites.

use crate::domain::facts::ServiceManager;
use crate::domain::name::UnixName;
use crate::domain::path::HostPath;
use crate::host::{Host, HostResult};
use crate::install::journal;
use crate::install::missing;
use crate::install::plan::Part;
use crate::ops::plan::{Plan, PlannedStep};
use crate::ops::step::{ServiceAct, Step, User, When};
use crate::render;
use crate::system::{config, users};

/// The plan.
pub(super) fn plan(host: &dyn Host, services: ServiceManager) -> HostResult<Plan> {
    let parts = vec![
        Part {
            steps: units(services),
            whole: false,
        },
        Part {
            steps: rest(),
            whole: false,
        },
    ];
    Ok(
        Plan::new("Remove Lala Panel, and leave its sites served", journal::UNINSTALL)
            .steps(missing::steps(host, parts)?)
            .note("sites stay: their files, users, PHP and nginx, with what nginx needs of the panel's settings")
            .note("`/var/lib/lalapanel` stays: installing again finds the sites; `lalapanel uninstall --purge` removes everything"),
    )
}

fn units(services: ServiceManager) -> Vec<PlannedStep> {
    let service = |title: &str, unit: &str| {
        step(
            title,
            Step::Service {
                services,
                unit: unit.to_owned(),
                act: ServiceAct::DisableNow,
            },
        )
    };
    let mut steps = Vec::new();
    if services == ServiceManager::Systemd {
        steps.push(step(
            "Let systemd read its units again if this is undone",
            Step::ReloadUnits {
                when: When::Undoing,
            },
        ));
        steps.push(service(
            "Close the panel's port",
            render::panel::SOCKET_UNIT,
        ));
        steps.push(service(
            "Stop the panel in the browser",
            render::panel::WEB_UNIT,
        ));
        steps.push(service("Stop the agent", render::panel::AGENT_UNIT));
        steps.push(service(
            "Take no more errands to the internet",
            render::panel::COURIER_SOCKET_UNIT,
        ));
        steps.push(service(
            "Answer no more questions of authorities",
            render::panel::CHALLENGE_SOCKET_UNIT,
        ));
        steps.push(service("Stop the courier", render::panel::COURIER_UNIT));
    } else {
        steps.push(service("Stop the panel", "lalapanel"));
    }
    for file in render::panel::services(services, 0) {
        let title = format!("Remove {}", file.path.name());
        steps.push(step(&title, Step::RemoveFile { path: file.path }));
    }
    if services == ServiceManager::Systemd {
        steps.push(step(
            "Let systemd forget the units",
            Step::ReloadUnits {
                when: When::Forward,
            },
        ));
    }
    steps
}

fn rest() -> Vec<PlannedStep> {
    let mut steps = vec![step(
        "Remove the panel's settings",
        Step::RemoveFile {
            path: config::file(),
        },
    )];
    for path in render::handbook::paths() {
        let title = format!("Remove {}", path.as_str());
        steps.push(step(&title, Step::RemoveFile { path }));
    }
    for (title, name) in [
        ("Remove the user of the web process", users::WEB),
        ("Remove the user of the courier", users::COURIER),
    ] {
        if let Ok(name) = UnixName::parse(name) {
            let user = User {
                name,
                id: None,
                home: HostPath::fixed("/nonexistent"),
            };
            steps.push(step(title, Step::DeleteUser(user)));
        }
    }
    steps
}

fn step(title: &str, step: Step) -> PlannedStep {
    PlannedStep {
        title: title.to_owned(),
        step,
    }
}
