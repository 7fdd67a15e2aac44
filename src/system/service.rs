//! The service manager: systemd, or the distribution's init scripts.
//!
//! Invariant: a unit is named without suffix where it is a service, and the same name works with both managers.

use crate::domain::facts::ServiceManager;
use crate::domain::path::HostPath;
use crate::host::exec::{Command, Program};
use crate::host::{Host, HostResult, Node};

/// A daemon may take its time to stop.
const SECONDS: u32 = 150;

/// What can be asked of a service manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Start at boot.
    Enable,
    /// Do not start at boot.
    Disable,
    /// Forbid to start.
    Mask,
    /// Allow to start again.
    Unmask,
    /// Start now.
    Start,
    /// Stop now.
    Stop,
    /// Stop and start now.
    Restart,
    /// Read the configuration again.
    Reload,
}

/// A service as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct State {
    /// It runs, or listens.
    pub active: bool,
    /// It starts at boot.
    pub enabled: bool,
    /// It may not be started.
    pub masked: bool,
}

/// Who manages services on this host.
pub fn manager(host: &dyn Host) -> HostResult<ServiceManager> {
    // sd_booted(3): this directory is there exactly where systemd is PID 1.
    let booted = host.stat(&HostPath::fixed("/run/systemd/system"))?;
    Ok(match booted {
        Some(_) => ServiceManager::Systemd,
        None => ServiceManager::Sysv,
    })
}

/// How a service is now; one that does not exist is neither active, enabled nor masked.
pub fn state(host: &dyn Host, services: ServiceManager, unit: &str) -> HostResult<State> {
    match services {
        ServiceManager::Systemd => systemd_state(host, unit),
        ServiceManager::Sysv => sysv_state(host, unit),
    }
}

fn systemd_state(host: &dyn Host, unit: &str) -> HostResult<State> {
    let output = host.run(&Command::new(
        Program::Systemctl,
        [
            "show",
            "--property=ActiveState",
            "--property=UnitFileState",
            "--",
            &full_name(unit),
        ],
    ))?;
    let value = |key: &str| {
        let found = output
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix(key));
        found.unwrap_or_default().to_owned()
    };
    let file = value("UnitFileState=");
    Ok(State {
        active: matches!(
            value("ActiveState=").as_str(),
            "active" | "activating" | "reloading"
        ),
        enabled: matches!(file.as_str(), "enabled" | "enabled-runtime"),
        masked: matches!(file.as_str(), "masked" | "masked-runtime"),
    })
}

fn sysv_state(host: &dyn Host, name: &str) -> HostResult<State> {
    let script = HostPath::fixed("/etc/init.d").join(name);
    if host.stat(&script)?.is_none() {
        return Ok(State::default());
    }
    let status = host.run(&Command::new(Program::Service, [name, "status"]))?;
    Ok(State {
        active: status.is_success(),
        enabled: starts_at_boot(host, name)?,
        masked: false,
    })
}

/// Runlevel 2 is the one Debian boots into; `S01nginx` starts there, `K01nginx` does not.
fn starts_at_boot(host: &dyn Host, name: &str) -> HostResult<bool> {
    let links = host.list(&HostPath::fixed("/etc/rc2.d"))?;
    Ok(links.iter().any(|link| {
        link.strip_prefix('S')
            .is_some_and(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()) == name)
    }))
}

/// The commands for a verb; none where the manager has no such thing.
#[must_use]
pub fn commands(services: ServiceManager, verb: Verb, unit: &str) -> Vec<Command> {
    match services {
        ServiceManager::Systemd => vec![systemctl(verb, unit)],
        ServiceManager::Sysv => sysv(verb, unit),
    }
}

fn systemctl(verb: Verb, unit: &str) -> Command {
    let word = match verb {
        Verb::Enable => "enable",
        Verb::Disable => "disable",
        Verb::Mask => "mask",
        Verb::Unmask => "unmask",
        Verb::Start => "start",
        Verb::Stop => "stop",
        Verb::Restart => "restart",
        Verb::Reload => "reload",
    };
    Command::new(Program::Systemctl, [word, "--", &full_name(unit)]).within(SECONDS)
}

fn sysv(verb: Verb, name: &str) -> Vec<Command> {
    let script = |word| vec![Command::new(Program::Service, [name, word]).within(SECONDS)];
    let links = |words: &[&str]| Command::new(Program::UpdateRcD, words.iter().copied());
    match verb {
        // Our own scripts leave no links; those of a package keep theirs, or its next upgrade would enable it again.
        // Why not `enable` for ours: it asks for a systemd unit of that name where systemd is installed and not running.
        Verb::Enable if is_ours(name) => vec![links(&[name, "defaults"])],
        Verb::Disable if is_ours(name) => vec![links(&["-f", name, "remove"])],
        // `defaults` makes links where there are none, `enable` turns K into S where there are.
        Verb::Enable => vec![links(&[name, "defaults"]), links(&[name, "enable"])],
        Verb::Disable => vec![links(&[name, "disable"])],
        Verb::Mask | Verb::Unmask => Vec::new(),
        Verb::Start => script("start"),
        Verb::Stop => script("stop"),
        Verb::Restart => script("restart"),
        Verb::Reload => script("reload"),
    }
}

fn is_ours(name: &str) -> bool {
    name == "lalapanel" || name.starts_with("lalapanel-")
}

fn full_name(unit: &str) -> String {
    let typed = [".service", ".socket", ".timer", ".slice", ".target"];
    if typed.iter().any(|suffix| unit.ends_with(suffix)) {
        unit.to_owned()
    } else {
        format!("{unit}.service")
    }
}

/// True where a unit file of that name is installed by a package or by a person.
pub fn is_known(host: &dyn Host, services: ServiceManager, unit: &str) -> HostResult<bool> {
    let places: &[&'static str] = match services {
        ServiceManager::Systemd => &[
            "/etc/systemd/system",
            "/usr/lib/systemd/system",
            "/lib/systemd/system",
        ],
        ServiceManager::Sysv => &["/etc/init.d"],
    };
    let name = match services {
        ServiceManager::Systemd => full_name(unit),
        ServiceManager::Sysv => unit.to_owned(),
    };
    for place in places {
        let found = host.stat(&HostPath::fixed(place).join(&name))?;
        let masked = matches!(found.as_ref().map(|meta| &meta.node), Some(Node::Link { target }) if target == "/dev/null");
        if found.is_some() && !masked {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_seen_running_stopped_and_masked() {
        use crate::host::memory::MemoryHost;
        use crate::host::memory::machine::Machine;
        let host = MemoryHost::new(Machine::debian_with_web());
        let now = || state(&host, ServiceManager::Systemd, "nginx").unwrap();
        assert_eq!(
            (now().active, now().enabled, now().masked),
            (true, true, false)
        );
        for verb in [Verb::Stop, Verb::Disable, Verb::Mask] {
            for command in commands(ServiceManager::Systemd, verb, "nginx") {
                assert!(
                    host.run(&command).unwrap().is_success(),
                    "{}",
                    command.shown()
                );
            }
        }
        assert_eq!(
            (now().active, now().enabled, now().masked),
            (false, false, true)
        );
        assert_eq!(
            state(&host, ServiceManager::Systemd, "absent").unwrap(),
            State::default()
        );
    }

    fn shown(services: ServiceManager, verb: Verb, unit: &str) -> Vec<String> {
        commands(services, verb, unit)
            .iter()
            .map(Command::shown)
            .collect()
    }

    #[test]
    fn a_service_is_told_in_the_words_of_its_manager() {
        assert_eq!(
            shown(ServiceManager::Systemd, Verb::Reload, "nginx"),
            ["systemctl reload -- nginx.service"]
        );
        assert_eq!(
            shown(ServiceManager::Systemd, Verb::Start, "lalapanel.socket"),
            ["systemctl start -- lalapanel.socket"]
        );
        assert_eq!(
            shown(ServiceManager::Sysv, Verb::Reload, "php8.2-fpm"),
            ["service php8.2-fpm reload"]
        );
        assert_eq!(
            shown(ServiceManager::Sysv, Verb::Enable, "nginx"),
            ["update-rc.d nginx defaults", "update-rc.d nginx enable"]
        );
        assert_eq!(
            shown(ServiceManager::Sysv, Verb::Enable, "lalapanel-runtime"),
            ["update-rc.d lalapanel-runtime defaults"]
        );
        assert_eq!(
            shown(ServiceManager::Sysv, Verb::Disable, "lalapanel"),
            ["update-rc.d -f lalapanel remove"]
        );
        assert!(shown(ServiceManager::Sysv, Verb::Mask, "nginx").is_empty());
    }
}
