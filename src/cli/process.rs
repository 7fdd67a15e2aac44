//! Runs the processes that units start: `lalapanel agent` and `lalapanel web`.
//!
//! Invariant: the web process never serves as root; without its user it does not start.

use nix::unistd::geteuid;

use crate::domain::fault::{Code, Fault};
use crate::host::linux::LinuxHost;
use crate::host::{Host, HostResult};
use crate::system::config::{self, Config};
use crate::system::users;
use crate::web::User;
use crate::{agent, web};

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
    let host = LinuxHost::system(false).map_err(|error| missing().detail(error.to_string()))?;
    let user = web_user(&host)?;
    web::process::run(Config::read(&host)?.panel.port, Some(user))
}

fn web_user(host: &dyn Host) -> Result<User, Fault> {
    match look_up(host) {
        Ok(Some(user)) => Ok(user),
        Ok(None) => Err(missing()),
        Err(error) => Err(missing().detail(error.to_string())),
    }
}

fn look_up(host: &dyn Host) -> HostResult<Option<User>> {
    let uid = users::user(host, users::WEB)?;
    let gid = users::group(host, users::WEB)?;
    Ok(uid.zip(gid).map(|(uid, gid)| User { uid, gid }))
}

fn missing() -> Fault {
    Fault::new(
        Code::NotInstalled,
        format!("The user `{}` of the web process was not found", users::WEB),
        "run `lalapanel install`, which makes it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;

    #[test]
    fn without_its_user_the_web_process_has_nobody_to_become() {
        let host = MemoryHost::new(Machine::debian());
        assert_eq!(look_up(&host).unwrap(), None);
    }
}
