//! The panel's own units and scripts: the files under `packaging/`, embedded, with the port as their one value.
//!
//! Invariant: none of these depends on anything a person typed but the port, which is a number.

use crate::domain::facts::ServiceManager;
use crate::domain::path::HostPath;

/// A file of the panel's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanelFile {
    /// Where it goes.
    pub path: HostPath,
    /// What is in it.
    pub text: String,
    /// True for scripts.
    pub executable: bool,
}

fn file(path: &'static str, text: &str) -> PanelFile {
    PanelFile {
        path: HostPath::fixed(path),
        text: text.to_owned(),
        executable: false,
    }
}

fn script(path: &'static str, text: &str) -> PanelFile {
    PanelFile {
        executable: true,
        ..file(path, text)
    }
}

/// The unit of the agent.
pub const AGENT_UNIT: &str = "lalapanel-agent.service";
/// The unit of the web process.
pub const WEB_UNIT: &str = "lalapanel-web.service";
/// The unit that holds the port.
pub const SOCKET_UNIT: &str = "lalapanel.socket";
/// The unit of the courier.
pub const COURIER_UNIT: &str = "lalapanel-courier.service";
/// The unit that holds its socket.
pub const COURIER_SOCKET_UNIT: &str = "lalapanel-courier.socket";

/// The drop-in of nginx's unit.
#[must_use]
pub fn nginx_drop_in() -> PanelFile {
    file(
        "/etc/systemd/system/nginx.service.d/lalapanel.conf",
        include_str!("../../packaging/systemd/nginx-lalapanel.conf"),
    )
}

/// Where the service manager learns which directories to make at boot.
#[must_use]
pub fn runtime(services: ServiceManager) -> PanelFile {
    match services {
        ServiceManager::Systemd => file(
            "/etc/tmpfiles.d/lalapanel.conf",
            include_str!("../../packaging/systemd/tmpfiles.conf"),
        ),
        ServiceManager::Sysv => script(
            "/etc/init.d/lalapanel-runtime",
            include_str!("../../packaging/init/lalapanel-runtime"),
        ),
    }
}

/// What starts the panel at boot.
#[must_use]
pub fn services(services: ServiceManager, port: u16) -> Vec<PanelFile> {
    match services {
        ServiceManager::Systemd => vec![
            file(
                "/etc/systemd/system/lalapanel-agent.service",
                include_str!("../../packaging/systemd/lalapanel-agent.service"),
            ),
            file(
                "/etc/systemd/system/lalapanel-web.service",
                include_str!("../../packaging/systemd/lalapanel-web.service"),
            ),
            file(
                "/etc/systemd/system/lalapanel-courier.service",
                include_str!("../../packaging/systemd/lalapanel-courier.service"),
            ),
            file(
                "/etc/systemd/system/lalapanel-courier.socket",
                include_str!("../../packaging/systemd/lalapanel-courier.socket"),
            ),
            file(
                "/etc/systemd/system/lalapanel-challenge.socket",
                include_str!("../../packaging/systemd/lalapanel-challenge.socket"),
            ),
            socket(&[port]),
        ],
        ServiceManager::Sysv => vec![script(
            "/etc/init.d/lalapanel",
            include_str!("../../packaging/init/lalapanel"),
        )],
    }
}

/// The unit that holds the port; both of them while a new one is tried.
#[must_use]
pub fn socket(ports: &[u16]) -> PanelFile {
    let lines: Vec<String> = ports
        .iter()
        .map(|port| format!("ListenStream={port}"))
        .collect();
    file(
        "/etc/systemd/system/lalapanel.socket",
        &include_str!("../../packaging/systemd/lalapanel.socket")
            .replace("ListenStream={port}", &lines.join("\n")),
    )
}

/// The unit that holds the socket nginx asks at on behalf of an authority.
pub const CHALLENGE_SOCKET_UNIT: &str = "lalapanel-challenge.socket";

/// What runs of the panel, in the order in which it is stopped.
#[must_use]
pub fn units(services: ServiceManager) -> &'static [&'static str] {
    match services {
        ServiceManager::Systemd => &[
            SOCKET_UNIT,
            WEB_UNIT,
            AGENT_UNIT,
            COURIER_SOCKET_UNIT,
            CHALLENGE_SOCKET_UNIT,
            COURIER_UNIT,
        ],
        ServiceManager::Sysv => &["lalapanel"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_reaches_the_socket_unit() {
        let files = services(ServiceManager::Systemd, 9443);
        let socket = files.iter().find(|f| f.path.name() == SOCKET_UNIT).unwrap();
        assert!(socket.text.contains("ListenStream=9443\n"));
        assert!(files.iter().all(|f| !f.text.contains('{')));
        let both = super::socket(&[8443, 9443]).text;
        assert!(both.contains("\nListenStream=8443\nListenStream=9443\n"));
    }

    #[test]
    fn scripts_are_executable_and_units_are_not() {
        for manager in [ServiceManager::Systemd, ServiceManager::Sysv] {
            let mut files = services(manager, 8443);
            files.push(runtime(manager));
            for f in files {
                assert_eq!(f.executable, f.text.starts_with("#!/bin/sh"), "{}", f.path);
            }
        }
    }
}
