//! Runs the processes that units start: `lalapanel agent`, `lalapanel web`, `lalapanel courier`.
//!
//! Invariant: neither the web process nor the courier serves as root; without its user it does not start.

use std::os::unix::net::UnixListener;

use nix::unistd::geteuid;

use crate::cli::output::Output;
use crate::courier::Doors;
use crate::domain::fault::{Code, Fault};
use crate::domain::path::HostPath;
use crate::host::handshake;
use crate::host::linux::LinuxHost;
use crate::host::{Host, HostResult, Mode, Node, Owner};
use crate::rpc::courier::{CHALLENGES, SOCKET};
use crate::system::config::{self, Config};
use crate::system::handshake as system_handshake;
use crate::system::users;
use crate::web::User;
use crate::{agent, courier, web};

/// nginx runs as `www-data`, whose number is fixed on Debian (base-passwd).
const WEB_SERVER: Owner = Owner { uid: 0, gid: 33 };

/// Runs the agent until it is told to end.
pub fn agent() -> Result<(), Fault> {
    if geteuid().is_root() {
        agent::process::run()
    } else {
        Err(Fault::new(
            Code::NotRoot,
            "The agent runs as root only",
            "start it by its unit: `systemctl start lalapanel-agent`",
        ))
    }
}

/// Runs the web process until it is told to end.
///
/// Root reads the settings here, for a port that nobody holds open yet; without root there is systemd's.
pub fn web() -> Result<(), Fault> {
    if !geteuid().is_root() {
        return web::process::run(config::DEFAULT_PORT, None);
    }
    let host =
        LinuxHost::system(false).map_err(|error| missing(users::WEB).detail(error.to_string()))?;
    let user = user_of(&host, users::WEB)?;
    web::process::run(Config::read(&host)?.panel.port, Some(user))
}

/// Runs the courier until it is told to end, or has nothing to do.
///
/// Where PID 1 hands over no socket, root makes one here, for root alone, and then becomes the courier's user for good.
pub fn courier() -> Result<(), Fault> {
    if let Some(doors) = courier::process::passed()? {
        return courier::process::run(doors, true);
    }
    let host = LinuxHost::system(false)
        .map_err(|error| missing(users::COURIER).detail(error.to_string()))?;
    let user = user_of(&host, users::COURIER)?;
    let doors = Doors {
        errands: socket(&host, SOCKET, Owner::ROOT, Mode(0o600))?,
        challenges: socket(&host, CHALLENGES, WEB_SERVER, Mode(0o660))?,
    };
    web::give_up_rights(user).map_err(|errno| unmade(errno.desc()))?;
    courier::process::run(doors, false)
}

fn socket(
    host: &dyn Host,
    path: &'static str,
    owner: Owner,
    mode: Mode,
) -> Result<UnixListener, Fault> {
    let place = HostPath::fixed(path);
    let is_stale = host
        .stat(&place)?
        .is_some_and(|meta| meta.node == Node::Other);
    if is_stale {
        host.remove(&place)?;
    }
    let listener = UnixListener::bind(path).map_err(|error| unmade(&error.to_string()))?;
    host.set_meta(&place, owner, mode)?;
    Ok(listener)
}

fn unmade(why: &str) -> Fault {
    Fault::new(
        Code::HostFailed,
        "The courier could not be started",
        "start it as root by its init script: `service lalapanel restart`",
    )
    .detail(why)
}

/// Says the fingerprint of the certificate that this machine shows for a name. Asks nobody's leave: everybody can see it.
pub fn handshake(hostname: &str, port: u16, output: &mut Output) -> Result<(), Fault> {
    let name = crate::cli::site::parse(hostname)?;
    let leaf = handshake::shown(&name, port).map_err(|error| {
        Fault::new(
            Code::CertificateUnseen,
            format!("no certificate is shown for {name} on port {port}: {error}"),
            "see which program listens there: `ss -ltnp`",
        )
    })?;
    output.line(system_handshake::print(&leaf));
    Ok(())
}

fn user_of(host: &dyn Host, name: &str) -> Result<User, Fault> {
    match look_up(host, name) {
        Ok(Some(user)) => Ok(user),
        Ok(None) => Err(missing(name)),
        Err(error) => Err(missing(name).detail(error.to_string())),
    }
}

fn look_up(host: &dyn Host, name: &str) -> HostResult<Option<User>> {
    let uid = users::user(host, name)?;
    let gid = users::group(host, name)?;
    Ok(uid.zip(gid).map(|(uid, gid)| User { uid, gid }))
}

fn missing(name: &str) -> Fault {
    Fault::new(
        Code::NotInstalled,
        format!("The user `{name}` was not found"),
        "run `lalapanel install`, which makes it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;

    #[test]
    fn without_its_user_a_process_has_nobody_to_become() {
        let host = MemoryHost::new(Machine::debian());
        for name in [users::WEB, users::COURIER] {
            assert_eq!(look_up(&host, name).unwrap(), None);
        }
    }
}
