//! Refusals that several plans share.
//!
//! Invariant: a refusal names the fix, and nothing has changed.

use crate::domain::facts::Facts;
use crate::domain::fault::{Code, Fault};
use crate::domain::path::HostPath;
use crate::domain::php::PhpVersion;
use crate::domain::text::shown;

/// Below this a half-written site is likelier than a whole one.
pub(super) const ROOM: u64 = 64 * 1024 * 1024;

/// A configuration that was broken before us would make every change of ours fail half-way.
pub fn broken_nginx(facts: &Facts) -> Result<(), Fault> {
    if let Some(line) = &facts.nginx_complaint {
        return Err(Fault::new(
            Code::NginxBroken,
            "nginx's configuration has an error that is not Lala's; nothing was changed",
            "mend the file named below, check with `nginx -t`, then try again",
        )
        .detail(shown(line, 400)));
    }
    if !facts.nginx_running {
        return Err(Fault::new(
            Code::NginxStopped,
            "nginx is not running",
            "start it with `systemctl start nginx` (`service nginx start` without systemd), then try again",
        ));
    }
    Ok(())
}

/// The same for a plan that puts files right: an error in one of them is what it is for, and a stopped nginx may wait for it.
pub fn broken_elsewhere(facts: &Facts, files: &[HostPath]) -> Result<(), Fault> {
    let is_in = |line: &String| files.iter().any(|file| line.contains(file.as_str()));
    if facts.nginx_complaint.as_ref().is_some_and(is_in) || !facts.nginx_running {
        return Ok(());
    }
    broken_nginx(facts)
}

/// A file system that is nearly full would break a change half-way.
pub fn no_room(facts: &Facts) -> Result<(), Fault> {
    if facts.disk_free >= ROOM {
        return Ok(());
    }
    Err(Fault::new(
        Code::DiskFull,
        format!(
            "only {} MB are free for sites, logs or the panel's state",
            facts.disk_free / 1_000_000
        ),
        "free some space (`df -h` shows where it went), then try again",
    ))
}

/// A version whose PHP-FPM is not here.
pub fn absent_php(php: PhpVersion, facts: &Facts) -> Result<(), Fault> {
    if facts.php.contains(&php) {
        return Ok(());
    }
    let here: Vec<String> = facts.php.iter().map(ToString::to_string).collect();
    let others = if here.is_empty() {
        String::new()
    } else {
        format!(", or choose one that is here: {}", here.join(", "))
    };
    let hint = format!("install it with `lalapanel php install {php}`{others}");
    Err(not_installed(php, hint))
}

/// Says that a version which was to be changed is not there, and which are.
pub fn absent_version(php: PhpVersion, installed: &[PhpVersion]) -> Fault {
    let here: Vec<String> = installed.iter().map(ToString::to_string).collect();
    let hint = format!("choose one of the installed versions: {}", here.join(", "));
    not_installed(php, hint)
}

fn not_installed(php: PhpVersion, hint: String) -> Fault {
    let title = format!("PHP {php} is not installed");
    Fault::new(Code::PhpNotInstalled, title, hint)
}
