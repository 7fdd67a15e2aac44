//! Users as steps see them: made with their number, given another home, removed with all that runs as them.
//!
//! Invariant: a user of another number is never taken for ours.

use crate::domain::fault::Fault;
use crate::domain::name::UnixName;
use crate::domain::path::HostPath;
use crate::host::Host;
use crate::host::exec::{Command, Program};
use crate::ops::act::must;
use crate::ops::fault::another_user;
use crate::ops::step::User;
use crate::system::users;

/// How often the processes of a user are ended before its removal is tried.
const KILL_TRIES: u32 = 25;

/// Makes a user that is not there yet.
pub(super) fn create(host: &dyn Host, user: &User) -> Result<(), Fault> {
    match users::user(host, user.name.as_str())? {
        Some(found) if user.id.is_none_or(|wanted| wanted == found) => return Ok(()),
        Some(found) => return Err(another_user(&user.name, found)),
        None => {}
    }
    must(
        host,
        &users::create_command(&user.name, user.id, &user.home),
    )
}

/// Gives a user another home where it has the one it is known to have. What runs as it is ended first: `usermod` refuses
/// while a process of the user lives, and that process would go on under the old paths.
pub(super) fn move_home(
    host: &dyn Host,
    name: &UnixName,
    from: &HostPath,
    to: &HostPath,
) -> Result<(), Fault> {
    if users::home(host, name)?.as_deref() != Some(from.as_str()) {
        return Ok(());
    }
    end_all(host, name)?;
    must(host, &users::home_command(name, to))
}

/// Why first kill: `userdel` refuses while a process of the user lives, and a deleted user's process would go on.
pub(super) fn delete(host: &dyn Host, user: &User) -> Result<(), Fault> {
    if !users::exists(host, &user.name)? {
        return Ok(());
    }
    end_all(host, &user.name)?;
    must(host, &users::delete_command(&user.name))
}

fn end_all(host: &dyn Host, name: &UnixName) -> Result<(), Fault> {
    for _ in 0..KILL_TRIES {
        if !kill(host, name)? {
            break;
        }
        host.pause(20);
    }
    Ok(())
}

/// Ends what runs as a user; false once nothing did. Stopped first, so that nothing forks away between two looks.
fn kill(host: &dyn Host, name: &UnixName) -> Result<bool, Fault> {
    let mut found = false;
    for signal in ["STOP", "KILL"] {
        for whose in ["--uid", "--euid"] {
            let arguments = ["--signal", signal, whose, name.as_str()];
            found |= host
                .run(&Command::new(Program::Pkill, arguments))?
                .is_success();
        }
    }
    Ok(found)
}
