//! Install an extension of a PHP version, or remove one, and have every site of that version read it.
//!
//! A PHP-FPM is first started with it behind a socket that no visitor uses. Then the sites' own PHP-FPMs read their
//! configuration again one after the other, and each home page is compared with what it was before.
//!
//! Invariant: one package is named, and nothing begins where apt would remove another one or bring a web server.

use crate::domain::facts::ServiceManager;
use crate::domain::fault::Fault;
use crate::domain::php::PhpVersion;
use crate::domain::php_extension::PhpExtension;
use crate::domain::site::Site;
use crate::host::Host;
use crate::ops::apt_lock;
use crate::ops::packages::{self, Rehearsal};
use crate::ops::plan::Plan;
use crate::ops::refuse;
use crate::ops::site_parts::Steps;
use crate::ops::state::State;
use crate::ops::step::{ServiceAct, Step};
use crate::ops::{service as services, site_php};
use crate::render;
use crate::system::{apt, facts, php as versions, service};

mod refusals;

/// What a change of extensions is planned on.
#[derive(Debug, Clone)]
struct ExtensionFacts {
    services: ServiceManager,
    installed: Vec<PhpVersion>,
    is_here: bool,
    is_known: bool,
    /// Other common extensions that could be installed.
    others: Vec<String>,
    rehearsal: Rehearsal,
    interrupted: bool,
    /// The sites of the version whose PHP runs now.
    running: Vec<Site>,
}

/// Looks, and plans to install it; no plan where it is here already.
pub fn plan_install(
    host: &dyn Host,
    state: &State,
    php: PhpVersion,
    extension: &PhpExtension,
) -> Result<Option<Plan>, Fault> {
    let facts = gather(host, state, php, extension, Intent::Install)?;
    install(php, extension, &facts)
}

/// Looks, and plans to remove it.
pub fn plan_removal(
    host: &dyn Host,
    state: &State,
    php: PhpVersion,
    extension: &PhpExtension,
) -> Result<Plan, Fault> {
    let facts = gather(host, state, php, extension, Intent::Remove)?;
    remove(php, extension, state, &facts)
}

/// What is to be done with an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Intent {
    /// Install it.
    Install,
    /// Remove it.
    Remove,
}

/// Looks; apt is asked with `-s` only.
fn gather(
    host: &dyn Host,
    state: &State,
    php: PhpVersion,
    extension: &PhpExtension,
    intent: Intent,
) -> Result<ExtensionFacts, Fault> {
    let manager = service::manager(host)?;
    let package = extension.package(php);
    let names = [package.clone()];
    let is_here = apt::installed(host, &names)?.contains(&package);
    let is_known = apt::available(host, &names)?.contains(&package);
    let interrupted = apt::is_half_configured(host)?;
    let rehearsal = match intent {
        _ if interrupted => Rehearsal::default(),
        Intent::Install if is_known && !is_here => packages::rehearse_install(host, &names)?,
        Intent::Remove if is_here => packages::rehearse_removal(host, &names)?,
        _ => Rehearsal::default(),
    };
    let mut common = versions::extensions(host, &[php])?;
    Ok(ExtensionFacts {
        services: manager,
        installed: facts::installed_php(host)?,
        is_here,
        is_known,
        others: common.remove(&php).unwrap_or_default().available,
        rehearsal,
        interrupted,
        running: running(host, state, php, manager)?,
    })
}

/// A PHP-FPM that does not run is started by its next visitor, and then reads what is there.
fn running(
    host: &dyn Host,
    state: &State,
    php: PhpVersion,
    manager: ServiceManager,
) -> Result<Vec<Site>, Fault> {
    let mut found = Vec::new();
    let own = |site: &&Site| site.enabled && site.kind.php() == Some(php);
    for site in state.sites.iter().filter(own) {
        let unit = match manager {
            ServiceManager::Systemd => render::systemd::php_service_name(site),
            ServiceManager::Sysv => format!("php{php}-fpm"),
        };
        if services::state(host, manager, &unit)?.active {
            found.push(site.clone());
        }
    }
    Ok(found)
}

fn install(
    php: PhpVersion,
    extension: &PhpExtension,
    facts: &ExtensionFacts,
) -> Result<Option<Plan>, Fault> {
    if !facts.installed.contains(&php) {
        return Err(refuse::absent_version(php, &facts.installed));
    }
    if facts.is_here {
        return Ok(None);
    }
    refusals::unknown(php, extension, facts)?;
    refusals::rehearsed_install(php, extension, facts)?;
    let mut steps = apt_lock::first(facts.interrupted);
    steps.add("Fetch the lists of packages", Step::RefreshPackageLists {});
    around(&mut steps, php, facts, |steps| {
        let names = vec![extension.package(php)];
        steps.add(
            format!("Install the extension {extension} of PHP {php}"),
            Step::InstallPackages { names },
        );
    });
    let title = format!("Install the extension {extension} of PHP {php}");
    let mut plan = Plan::new(title, "php extension install").steps(steps.into_list());
    let added = &facts.rehearsal.added;
    if !added.is_empty() {
        let many = if added.len() == 1 {
            "package"
        } else {
            "packages"
        };
        plan = plan.note(format!(
            "apt would add {} {many}: {}",
            added.len(),
            added.join(", ")
        ));
    }
    Ok(Some(plan.note(note(php, facts))))
}

fn remove(
    php: PhpVersion,
    extension: &PhpExtension,
    state: &State,
    facts: &ExtensionFacts,
) -> Result<Plan, Fault> {
    if !facts.installed.contains(&php) {
        return Err(refuse::absent_version(php, &facts.installed));
    }
    refusals::absent(php, extension, facts)?;
    refusals::database(php, extension, state)?;
    refusals::rehearsed_removal(php, extension, facts)?;
    let mut steps = apt_lock::first(facts.interrupted);
    around(&mut steps, php, facts, |steps| {
        let names = vec![extension.package(php)];
        steps.add(
            format!("Remove the extension {extension} of PHP {php}"),
            Step::RemovePackages { names },
        );
    });
    let title = format!("Remove the extension {extension} of PHP {php}");
    Ok(Plan::new(title, "php extension remove")
        .steps(steps.into_list())
        .note(note(php, facts))
        .note("What its package has in `/etc/php` stays, as with every package that is removed."))
}

fn note(php: PhpVersion, facts: &ExtensionFacts) -> String {
    match facts.running.len() {
        0 => format!("No site runs on PHP {php} now, so nothing is reloaded."),
        1 => format!(
            "The PHP of {} is reloaded; visitors wait meanwhile. Where its home page answers worse afterwards, all of this is taken back.",
            facts
                .running
                .iter()
                .map(|site| site.hostname.as_str())
                .collect::<String>()
        ),
        many => format!(
            "The PHP of {many} sites is reloaded, one after the other; visitors wait meanwhile. Where a home page answers worse afterwards, all of this is taken back."
        ),
    }
}

/// The change of packages, and what the sites notice of it.
fn around(
    steps: &mut Steps,
    php: PhpVersion,
    facts: &ExtensionFacts,
    packages: impl FnOnce(&mut Steps),
) {
    for site in &facts.running {
        steps.add(
            format!("Load the home page of {}", site.hostname),
            Step::LookAtHome {
                hostname: site.hostname.clone(),
            },
        );
    }
    let of = |unit: String, act| Step::Service {
        services: facts.services,
        unit,
        act,
    };
    let masters = masters(php, facts);
    for (whose, unit, _) in &masters {
        steps.add(
            format!("Restart the PHP of {whose} if this is undone"),
            of(unit.clone(), ServiceAct::RestartOnUndo),
        );
    }
    packages(steps);
    if let (ServiceManager::Systemd, Some(site)) = (facts.services, facts.running.first()) {
        site_php::trial_of_start(steps, site, php);
    }
    for (whose, unit, sites) in masters {
        // What a site does without is hidden from it at a start alone.
        let hides = |site: &&Site| !site.settings.php.without.is_empty();
        let (word, act) = match facts.services {
            ServiceManager::Systemd if sites.iter().any(hides) => ("Restart", ServiceAct::Restart),
            _ => ("Reload", ServiceAct::Reload),
        };
        steps.add(
            format!("{word} the PHP of {whose}; visitors wait meanwhile"),
            of(unit, act),
        );
        for site in sites {
            answers(steps, site, facts);
        }
    }
}

/// The PHP-FPMs of the version: whose, its unit, its sites.
fn masters(php: PhpVersion, facts: &ExtensionFacts) -> Vec<(String, String, Vec<&Site>)> {
    let running = &facts.running;
    match facts.services {
        ServiceManager::Systemd => {
            let one = |site| {
                let unit = render::systemd::php_service_name(site);
                (site.hostname.to_string(), unit, vec![site])
            };
            running.iter().map(one).collect()
        }
        ServiceManager::Sysv if running.is_empty() => Vec::new(),
        ServiceManager::Sysv => vec![(
            "all its sites".to_owned(),
            format!("php{php}-fpm"),
            running.iter().collect(),
        )],
    }
}

fn answers(steps: &mut Steps, site: &Site, facts: &ExtensionFacts) {
    let socket = match facts.services {
        ServiceManager::Systemd => site.php_socket(),
        ServiceManager::Sysv => site.shared_php_socket(),
    };
    steps
        .add(
            format!("Wait until the PHP of {} answers", site.hostname),
            Step::PingPhp { socket },
        )
        .add(
            format!("Load the home page of {} again", site.hostname),
            Step::CompareHome {
                hostname: site.hostname.clone(),
            },
        );
}
