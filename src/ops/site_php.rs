//! Have a site run by another PHP version, without a visitor noticing.
//!
//! The new version first answers on a socket of its own, where the home page is tried on both. Then it is started a second
//! time behind the site's own socket, beside the old one: systemd holds that socket, both take connections from it, and
//! the old one ends with its last request. nginx is not touched.
//!
//! Where systemd is absent, the site gets a pool in the other version's shared master, and nginx is pointed at its socket.
//!
//! Invariant: at every moment somebody takes connections from the site's socket, or systemd queues them.

use crate::domain::facts::{Facts, ServiceManager};
use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::domain::path::HostPath;
use crate::domain::php::PhpVersion;
use crate::domain::site::Site;
use crate::ops::php_trial::Trial;
use crate::ops::plan::Plan;
use crate::ops::site_parts::{self as parts, Steps};
use crate::ops::state::State;
use crate::ops::step::{ServiceAct, Step, When};
use crate::ops::{refuse, site_delete, site_update};
use crate::render;
use crate::store::Effect;

/// Plans it; no plan where the version runs the site already.
pub fn plan(
    hostname: &Hostname,
    php: PhpVersion,
    state: &State,
    facts: &Facts,
) -> Result<Option<Plan>, Fault> {
    let site = state.site(hostname)?;
    let Some(old) = site.kind.php() else {
        return Err(Fault::new(
            Code::RequestInvalid,
            format!("{} runs no PHP", site.hostname),
            "choose a PHP site (`lalapanel site list`)",
        ));
    };
    if old == php {
        return Ok(None);
    }
    refuse::absent_php(php, facts)?;
    let mut steps = Steps::default();
    let changed = Site {
        kind: site.kind.clone().with_php(php),
        ..site.clone()
    };
    if site.enabled {
        refuse::broken_nginx(facts)?;
        switch(&mut steps, site, &changed, old, php, facts);
    } else {
        rewritten(&mut steps, site, &changed, old, php, facts);
    }
    let title = format!("Switch {} to PHP {php}", site.hostname);
    let plan = Plan::new(title, "site php")
        .about(&site.hostname)
        .steps(steps.into_list())
        .note(note(site, old, php))
        .effect(Effect::PutSite(Box::new(changed)));
    Ok(Some(plan))
}

fn note(site: &Site, old: PhpVersion, php: PhpVersion) -> String {
    let hostname = &site.hostname;
    if site.enabled {
        format!(
            "Visitors should notice nothing. The home page is tried on PHP {php} before any visitor meets it, and looked at before and after; if it answers worse, {hostname} stays on PHP {old}."
        )
    } else {
        format!("{hostname} is offline; PHP {php} runs it once it is online again.")
    }
}

fn switch(
    steps: &mut Steps,
    before: &Site,
    site: &Site,
    old: PhpVersion,
    php: PhpVersion,
    facts: &Facts,
) {
    steps.add(
        format!("Load the home page on PHP {old}"),
        Step::LookAtHome {
            hostname: site.hostname.clone(),
        },
    );
    match facts.services {
        ServiceManager::Systemd => {
            trial(steps, site, old, php);
            hand_over(steps, site, php, None);
        }
        ServiceManager::Sysv => {
            shared(steps, before, site, old, php);
            site_update::nginx(steps, before, site, facts);
        }
    }
    steps.add(
        format!("Load the home page on PHP {php}"),
        Step::CompareHome {
            hostname: site.hostname.clone(),
        },
    );
    if facts.services == ServiceManager::Sysv {
        shared_end(steps, before, old);
    }
}

/// The home page on the new version, behind a socket that no visitor uses.
fn trial(steps: &mut Steps, site: &Site, old: PhpVersion, php: PhpVersion) {
    trial_begins(steps, site, php);
    steps.add(
        format!("Try the home page on PHP {php}, before any visitor meets it"),
        Step::TryPhp(Trial {
            hostname: site.hostname.clone(),
            document_root: site.document_root(),
            old,
            old_socket: site.php_socket(),
            new: php,
            new_socket: site.php_trial_socket(),
        }),
    );
    trial_ends(steps, site, php);
}

/// Sees that a version starts as it is installed now, behind a socket that no visitor uses.
pub(super) fn trial_of_start(steps: &mut Steps, site: &Site, php: PhpVersion) {
    trial_begins(steps, site, php);
    trial_ends(steps, site, php);
}

fn trial_files(site: &Site, php: PhpVersion) -> [(&'static str, HostPath, String); 3] {
    let name = render::systemd::php_trial_name(site);
    [
        (
            "Write the PHP-FPM configuration for a trial",
            render::php_fpm::trial_file(site),
            render::php_fpm::trial(site),
        ),
        (
            "Write the systemd socket for a trial",
            render::systemd::unit_file(&format!("{name}.socket")),
            render::systemd::php_trial_socket(site),
        ),
        (
            "Write the systemd service for a trial",
            render::systemd::unit_file(&format!("{name}.service")),
            render::systemd::php_trial(site, php),
        ),
    ]
}

fn trial_begins(steps: &mut Steps, site: &Site, php: PhpVersion) {
    let name = render::systemd::php_trial_name(site);
    for (title, path, text) in trial_files(site, php) {
        steps.root_file(title, &path, text);
    }
    steps
        .add(
            "Open a socket for the trial",
            parts::service(format!("{name}.socket"), ServiceAct::Start),
        )
        .add(
            format!("Start PHP-FPM {php} for the trial"),
            Step::StartPhp {
                unit: format!("{name}.service"),
                php,
            },
        )
        .add(
            "Wait until it answers",
            Step::PingPhp {
                socket: site.php_trial_socket(),
            },
        );
}

fn trial_ends(steps: &mut Steps, site: &Site, php: PhpVersion) {
    let name = render::systemd::php_trial_name(site);
    steps
        .add(
            "Close the socket of the trial",
            parts::service(format!("{name}.socket"), ServiceAct::Retire),
        )
        .add(
            "Stop the trial",
            parts::service(format!("{name}.service"), ServiceAct::Retire),
        );
    for (title, path, _) in trial_files(site, php) {
        let title = title.replace("Write", "Remove");
        steps.add(title, Step::RemoveFile { path });
    }
}

/// Both behind one socket, until the old one has ended: another version, or the same one under other limits. `pool` is a
/// new configuration, where it changes as well.
pub(super) fn hand_over(steps: &mut Steps, site: &Site, php: PhpVersion, pool: Option<String>) {
    let next = render::systemd::php_next_name(site);
    let own = render::systemd::php_service_name(site);
    steps
        .add(
            "Restart PHP-FPM of the site if this is undone",
            parts::service(own.clone(), ServiceAct::RestartOnUndo),
        )
        .add(
            "Let systemd read its units again if this is undone",
            Step::ReloadUnits {
                when: When::Undoing,
            },
        );
    if let Some(text) = pool {
        let path = render::php_fpm::master_file(site);
        steps.root_file("Write the PHP-FPM configuration of the site", &path, text);
    }
    steps
        .root_file(
            format!("Write a systemd service for PHP-FPM {php} beside the old one"),
            &render::systemd::unit_file(&next),
            render::systemd::php_next(site, php),
        )
        .root_file(
            format!("Write the systemd service of its PHP-FPM {php}"),
            &parts::service_file(site),
            render::systemd::php_service(site, php),
        )
        .add(
            "Let systemd read its units",
            Step::ReloadUnits {
                when: When::Forward,
            },
        )
        .add(
            format!("Start PHP-FPM {php} beside the old one, behind the same socket"),
            Step::StartPhp {
                unit: next.clone(),
                php,
            },
        )
        .add(
            format!("Let the old PHP-FPM end with its last request, and start {php} in its place"),
            parts::service(own, ServiceAct::Restart),
        )
        .add(
            "Wait until it answers",
            Step::PingPhp {
                socket: site.php_socket(),
            },
        )
        .add(
            "Let the one beside it end with its last request",
            parts::service(next.clone(), ServiceAct::Retire),
        )
        .add(
            "Remove its systemd service",
            Step::RemoveFile {
                path: render::systemd::unit_file(&next),
            },
        );
}

/// Nothing of the site runs: its files are enough.
fn rewritten(
    steps: &mut Steps,
    before: &Site,
    site: &Site,
    old: PhpVersion,
    php: PhpVersion,
    facts: &Facts,
) {
    match facts.services {
        ServiceManager::Systemd => {
            steps
                .add(
                    "Let systemd read its units again if this is undone",
                    Step::ReloadUnits {
                        when: When::Undoing,
                    },
                )
                .root_file(
                    format!("Write the systemd service of its PHP-FPM {php}"),
                    &parts::service_file(site),
                    render::systemd::php_service(site, php),
                )
                .add(
                    "Let systemd read its units",
                    Step::ReloadUnits {
                        when: When::Forward,
                    },
                );
        }
        ServiceManager::Sysv => {
            shared(steps, before, site, old, php);
            site_update::nginx(steps, before, site, facts);
            site_delete::remove_pool(steps, before, old);
        }
    }
}

/// Where systemd is absent: a pool in the other version's shared master, behind a socket of its own; then nginx points at it.
fn shared(steps: &mut Steps, before: &Site, site: &Site, old: PhpVersion, php: PhpVersion) {
    parts::php_shared(steps, site, php);
    steps.add(
        "Wait until it answers",
        Step::PingPhp {
            socket: site.shared_php_socket(),
        },
    );
    if site.enabled {
        steps.add(
            format!("Try the home page on PHP {php}, before any visitor meets it"),
            Step::TryPhp(Trial {
                hostname: site.hostname.clone(),
                document_root: site.document_root(),
                old,
                old_socket: before.shared_php_socket(),
                new: php,
                new_socket: site.shared_php_socket(),
            }),
        );
    }
}

/// The old pool goes once no request is in it: a reload of its master would cut those off that take long.
fn shared_end(steps: &mut Steps, before: &Site, old: PhpVersion) {
    steps.add(
        format!("Wait until the last request on PHP {old} has ended"),
        Step::DrainPhp {
            socket: before.shared_php_socket(),
        },
    );
    site_delete::remove_pool(steps, before, old);
}
