//! Delete a site: offline first, then its files go aside in one rename, then its user.
//!
//! Invariant: every step can be taken back, because files are only moved; they are destroyed by `graveyard` after the
//! operation has ended.

use crate::domain::facts::{Facts, ServiceManager};
use crate::domain::fault::Fault;
use crate::domain::name::Hostname;
use crate::domain::path::HostPath;
use crate::domain::php::PhpVersion;
use crate::domain::site::Site;
use crate::host::{Mode, Owner};
use crate::ops::graveyard;
use crate::ops::plan::Plan;
use crate::ops::refuse;
use crate::ops::site_parts::{self as parts, Steps};
use crate::ops::site_switch;
use crate::ops::state::State;
use crate::ops::step::{ServiceAct, Step, When};
use crate::render;
use crate::store::Effect;

/// Plans it.
pub fn plan(hostname: &Hostname, state: &State, facts: &Facts) -> Result<Plan, Fault> {
    let site = state.site(hostname)?;
    let mut steps = Steps::default();
    if site.enabled {
        refuse::broken_nginx(facts)?;
        site_switch::offline(&mut steps, site, facts);
    }
    steps.add(
        "Remove the site's nginx file",
        Step::RemoveFile {
            path: site.nginx_file(),
        },
    );
    if let Some(php) = site.kind.php() {
        match facts.services {
            ServiceManager::Systemd => remove_own_php(&mut steps, site),
            ServiceManager::Sysv => remove_pool(&mut steps, site, php),
        }
    }
    if render::nginx::visitors(site).is_some() {
        let path = render::nginx::visitors_file(site);
        steps.add(
            "Remove the names that might pass",
            Step::RemoveFile { path },
        );
    }
    if !site.snippet.is_empty() {
        let path = render::nginx::snippet_file(site);
        steps.add(
            "Remove the site's own directives",
            Step::RemoveFile { path },
        );
    }
    aside(&mut steps, "files", &graveyard::sites(), &site.root(), site);
    aside(
        &mut steps,
        "logs",
        &graveyard::logs(),
        &site.log_directory(),
        site,
    );
    steps.add(
        format!("End what runs as {} and remove the user", site.user()),
        Step::DeleteUser(parts::user(site)),
    );
    Ok(
        Plan::new(format!("Delete {}", site.hostname), "site delete")
            .about(&site.hostname)
            .steps(steps.into_list())
            .note("The files of the site are deleted for good once all steps are done.")
            .effect(Effect::RemoveSite(site.id)),
    )
}

/// Takes the site's pool out of the shared master.
pub(super) fn remove_pool(steps: &mut Steps, site: &Site, php: PhpVersion) {
    steps
        .add(
            "Reload PHP-FPM if this is undone",
            parts::shared(php, ServiceAct::ReloadOnUndo),
        )
        .add(
            "Remove the PHP-FPM pool of the site",
            Step::RemoveFile {
                path: render::php_fpm::pool_file(site, php),
            },
        )
        .add(
            format!("Reload PHP-FPM {php}"),
            parts::shared(php, ServiceAct::Reload),
        );
}

/// Removes the files of the site's own PHP-FPM, which runs no more.
pub(super) fn remove_own_php(steps: &mut Steps, site: &Site) {
    steps.add(
        "Let systemd read its units again if this is undone",
        Step::ReloadUnits {
            when: When::Undoing,
        },
    );
    for (title, path) in [
        (
            "Remove the systemd service of its PHP-FPM",
            parts::service_file(site),
        ),
        (
            "Remove the systemd socket of its PHP-FPM",
            parts::socket_file(site),
        ),
        (
            "Remove the PHP-FPM configuration of the site",
            render::php_fpm::master_file(site),
        ),
    ] {
        steps.add(title, Step::RemoveFile { path });
    }
    steps.add(
        "Let systemd forget the units",
        Step::ReloadUnits {
            when: When::Forward,
        },
    );
}

fn aside(steps: &mut Steps, what: &str, graveyard: &HostPath, from: &HostPath, site: &Site) {
    steps
        .add(
            "Make the place for deleted sites",
            Step::MakeDirectory {
                path: graveyard.clone(),
                owner: Owner::ROOT,
                mode: Mode(0o700),
            },
        )
        .add(
            format!("Move the site's {what} aside"),
            Step::Move {
                from: from.clone(),
                to: graveyard.join(&site.id.to_string()),
            },
        );
}
