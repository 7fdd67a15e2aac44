//! Install a PHP version beside those that are here.
//!
//! Invariant: only `phpX.Y-…` packages are named, and nothing is begun where apt would bring a second web server.

use crate::domain::facts::ServiceManager;
use crate::domain::fault::{Code, Fault};
use crate::domain::php::PhpVersion;
use crate::domain::text::shown;
use crate::ops::apt_lock;
use crate::ops::php_facts::PhpFacts;
use crate::ops::plan::Plan;
use crate::ops::site_parts::Steps;
use crate::ops::step::{ServiceAct, Step};
use crate::render;

/// Plans it; no plan where it is here already.
pub fn plan(php: PhpVersion, facts: &PhpFacts) -> Result<Option<Plan>, Fault> {
    if facts.installed.contains(&php) {
        return Ok(None);
    }
    refuse_unavailable(php, facts)?;
    refuse_rehearsal(php, facts)?;
    let mut steps = apt_lock::first(facts.interrupted);
    if facts.services == ServiceManager::Systemd && !facts.shared.masked {
        steps.add(
            format!("Keep the PHP-FPM {php} that all sites would share from starting"),
            shared(facts.services, php, ServiceAct::Forbid),
        );
    }
    steps
        .add("Fetch the lists of packages", Step::RefreshPackageLists {})
        .add(
            format!("Install PHP {php} with its usual extensions"),
            Step::InstallPackages {
                names: facts.wanted.clone(),
            },
        );
    if facts.services == ServiceManager::Sysv {
        one_for_all(&mut steps, php);
    }
    let mut plan = Plan::new(format!("Install PHP {php}"), "php install").steps(steps.into_list());
    for note in notes(php, facts) {
        plan = plan.note(note);
    }
    Ok(Some(plan))
}

/// Where systemd is absent the sites of the version share this one.
fn one_for_all(steps: &mut Steps, php: PhpVersion) {
    let of = |act| shared(ServiceManager::Sysv, php, act);
    steps
        .add(
            format!("Restart PHP-FPM {php} if this is undone"),
            of(ServiceAct::RestartOnUndo),
        )
        .root_file(
            format!("Keep sites of PHP {php} apart"),
            &render::php_fpm::shared_ini_file(php),
            render::php_fpm::shared_ini(),
        )
        .root_file(
            format!("Let running requests of PHP {php} end when it reloads"),
            &render::php_fpm::shared_master_file(php),
            render::php_fpm::shared_master(),
        )
        .add(
            format!("Start PHP-FPM {php} at every boot"),
            of(ServiceAct::EnableNow),
        )
        .add(format!("Restart PHP-FPM {php}"), of(ServiceAct::Restart));
}

fn shared(services: ServiceManager, php: PhpVersion, act: ServiceAct) -> Step {
    Step::Service {
        services,
        unit: format!("php{php}-fpm"),
        act,
    }
}

fn notes(php: PhpVersion, facts: &PhpFacts) -> Vec<String> {
    let mut notes = Vec::new();
    let added = &facts.rehearsal.added;
    if !added.is_empty() {
        notes.push(format!(
            "apt would add {} packages: {}",
            added.len(),
            added.join(", ")
        ));
    }
    if facts.installed.iter().all(|other| *other < php) && !facts.installed.is_empty() {
        notes.push(format!(
            "The command `php` in a shell becomes PHP {php}, unless it was fixed with `update-alternatives --set php`. Sites keep the version they have."
        ));
    }
    notes
}

fn refuse_unavailable(php: PhpVersion, facts: &PhpFacts) -> Result<(), Fault> {
    if !facts.wanted.is_empty() {
        return Ok(());
    }
    let there: Vec<String> = facts.available.iter().map(ToString::to_string).collect();
    Err(Fault::new(
        Code::PhpUnavailable,
        format!("apt knows no PHP {php} for {}", facts.distribution),
        format!(
            "choose one of those it knows ({}), or see `lalapanel php repository status` for more versions",
            if there.is_empty() {
                "none: run `apt-get update`".to_owned()
            } else {
                there.join(", ")
            }
        ),
    ))
}

fn refuse_rehearsal(php: PhpVersion, facts: &PhpFacts) -> Result<(), Fault> {
    if let Some(server) = &facts.rehearsal.second_server {
        return Err(Fault::new(
            Code::PhpUnavailable,
            format!(
                "With PHP {php}, apt would install `{server}`, which would take port 80 from nginx"
            ),
            format!("see `apt-get -s install php{php}-fpm` for what asks for it, and remove that"),
        ));
    }
    match &facts.rehearsal.complaint {
        None => Ok(()),
        Some(words) => Err(Fault::new(
            Code::PhpUnavailable,
            format!("apt cannot install PHP {php} beside what is here"),
            format!("see `apt-get -s install php{php}-fpm` for the whole story"),
        )
        .detail(shown(words, 400))),
    }
}
