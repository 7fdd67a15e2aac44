//! Remove a PHP version that no site uses.
//!
//! Invariant: nothing but packages of that version goes, and their settings in `/etc/php` stay, so that the way back is
//! installing them again.

use crate::domain::facts::ServiceManager;
use crate::domain::fault::{Code, Fault};
use crate::domain::php::PhpVersion;
use crate::domain::text::shown;
use crate::ops::apt_lock;
use crate::ops::php_facts::PhpFacts;
use crate::ops::plan::Plan;
use crate::ops::refuse;
use crate::ops::state::State;
use crate::ops::step::{ServiceAct, Step};
use crate::render;

/// Plans it.
pub fn plan(php: PhpVersion, state: &State, facts: &PhpFacts) -> Result<Plan, Fault> {
    if facts.present.is_empty() || !facts.installed.contains(&php) {
        return Err(refuse::absent_version(php, &facts.installed));
    }
    refuse_used(php, state)?;
    refuse_shared(php, facts)?;
    refuse_rehearsal(php, facts)?;
    let mut steps = apt_lock::first(facts.interrupted);
    let of = |act| Step::Service {
        services: facts.services,
        unit: format!("php{php}-fpm"),
        act,
    };
    match facts.services {
        ServiceManager::Systemd if facts.shared.masked => {
            steps.add(
                format!("Let dpkg have the unit of PHP-FPM {php} back"),
                of(ServiceAct::Unmask),
            );
        }
        ServiceManager::Systemd => {}
        ServiceManager::Sysv => {
            steps
                .add(
                    format!("Restart PHP-FPM {php} if this is undone"),
                    of(ServiceAct::RestartOnUndo),
                )
                .add(
                    format!("Remove the settings that kept sites of PHP {php} apart"),
                    Step::RemoveFile {
                        path: render::php_fpm::shared_ini_file(php),
                    },
                )
                .add(
                    format!("Remove the settings of its shared PHP-FPM {php}"),
                    Step::RemoveFile {
                        path: render::php_fpm::shared_master_file(php),
                    },
                );
        }
    }
    steps.add(
        format!("Remove the {} packages of PHP {php}", facts.present.len()),
        Step::RemovePackages {
            names: facts.present.clone(),
        },
    );
    Ok(Plan::new(format!("Remove PHP {php}"), "php remove")
        .steps(steps.into_list())
        .note(format!(
            "Settings in `/etc/php/{php}` stay; `apt-get purge` of the same packages removes them."
        )))
}

fn refuse_used(php: PhpVersion, state: &State) -> Result<(), Fault> {
    let users = state.run_by(php);
    let Some(first) = users.first() else {
        return Ok(());
    };
    let names: Vec<&str> = users.iter().map(|name| name.as_str()).collect();
    Err(Fault::new(
        Code::PhpInUse,
        format!("PHP {php} is used by {}", names.join(", ")),
        format!("give each of them another version first: `lalapanel site php {first} V`"),
    ))
}

/// A PHP-FPM that somebody else runs serves something that we do not know.
fn refuse_shared(php: PhpVersion, facts: &PhpFacts) -> Result<(), Fault> {
    if let Some(pool) = facts.pools.first() {
        return Err(Fault::new(
            Code::PhpInUse,
            format!("PHP {php} has a pool that is not Lala's: `/etc/php/{php}/fpm/pool.d/{pool}`"),
            "remove that file if nothing needs it any more, then try again",
        ));
    }
    if facts.services == ServiceManager::Systemd && facts.shared.active {
        return Err(Fault::new(
            Code::PhpInUse,
            format!("the service `php{php}-fpm` runs, and Lala did not start it"),
            format!(
                "if nothing needs it, stop it with `systemctl disable --now php{php}-fpm`, then try again"
            ),
        ));
    }
    Ok(())
}

fn refuse_rehearsal(php: PhpVersion, facts: &PhpFacts) -> Result<(), Fault> {
    if let Some(words) = &facts.rehearsal.complaint {
        return Err(Fault::new(
            Code::AptFailed,
            format!("apt cannot remove PHP {php}"),
            format!("see `apt-get -s remove php{php}-common` for the whole story"),
        )
        .detail(shown(words, 400)));
    }
    let removed = &facts.rehearsal.removed;
    let others: Vec<&str> = removed
        .iter()
        .filter(|name| !facts.present.contains(name))
        .map(String::as_str)
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    Err(Fault::new(
        Code::PhpInUse,
        format!("other packages need PHP {php}: {}", others.join(", ")),
        "remove those first, if nothing needs them",
    ))
}
