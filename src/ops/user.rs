//! Users as steps see them: made with their number, removed with all that runs as them.
//!
//! Invariant: a user of another number is never taken for ours.

use crate::domain::fault::Fault;
use crate::domain::name::UnixName;
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

/// Why first kill: `userdel` refuses while a process of the user lives, and a deleted user's process would go on.
pub(super) fn delete(host: &dyn Host, user: &User) -> Result<(), Fault> {
    if !users::exists(host, &user.name)? {
        return Ok(());
    }
    for _ in 0..KILL_TRIES {
        if !kill(host, &user.name)? {
            break;
        }
        host.pause(20);
    }
    must(host, &users::delete_command(&user.name))
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
