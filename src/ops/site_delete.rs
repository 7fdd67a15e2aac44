//! Delete a site: offline first, then its files go aside in one rename, then its user. To the trash, or for good.
//!
//! Invariant: every step can be taken back, because files are only moved; those of a site that was deleted for good are
//! destroyed by `graveyard` after the operation has ended.

use crate::domain::facts::{Facts, ServiceManager};
use crate::domain::fault::Fault;
use crate::domain::id::SiteId;
use crate::domain::name::Hostname;
use crate::domain::path::HostPath;
use crate::domain::php::PhpVersion;
use crate::domain::site::Site;
use crate::domain::time::Timestamp;
use crate::domain::trash::{DAYS, TrashedSite};
use crate::host::{Mode, Owner};
use crate::ops::database;
use crate::ops::graveyard;
use crate::ops::plan::Plan;
use crate::ops::refuse;
use crate::ops::site_parts::{self as parts, Steps};
use crate::ops::site_switch;
use crate::ops::site_tls;
use crate::ops::state::State;
use crate::ops::step::{ServiceAct, Step, When};
use crate::ops::trash;
use crate::render;
use crate::store::Effect;

/// Plans it: past the trash where it shall be `for_good`.
pub fn plan(
    hostname: &Hostname,
    for_good: bool,
    state: &State,
    facts: &Facts,
    now: Timestamp,
) -> Result<Plan, Fault> {
    let site = state.site(hostname)?;
    let mut steps = Steps::default();
    offline(&mut steps, site, facts)?;
    let (files, logs) = if for_good {
        (graveyard::sites(), graveyard::logs())
    } else {
        (trash::sites(), trash::logs())
    };
    let (root, log_directory) = (site.root(), site.log_directory());
    aside(&mut steps, "files", &files, &root, site.id);
    aside(&mut steps, "logs", &logs, &log_directory, site.id);
    steps.add(
        format!("End what runs as {} and remove the user", site.user()),
        Step::DeleteUser(parts::user(site)),
    );
    database::lock_all(&mut steps, site.id, state, true);
    let plan = Plan::new(format!("Delete {}", site.hostname), "site delete")
        .about(&site.hostname)
        .steps(steps.into_list());
    Ok(if for_good {
        plan.note("The files of the site are deleted for good once all steps are done.")
            .effect(Effect::RemoveSite(site.id))
    } else {
        let (site, deleted) = (site.clone(), now);
        plan.note(format!(
            "The site stays in the trash for {DAYS} days and can be put back until then. Its names are free for other sites."
        ))
        .effect(Effect::TrashSite(Box::new(TrashedSite { site, deleted })))
    })
}

/// Plans the end of a site in the trash.
pub fn discard(id: SiteId, state: &State) -> Result<Plan, Fault> {
    let site = &state.trashed(id)?.site;
    let mut steps = Steps::default();
    let (files, logs) = (trash::files_of(id), trash::logs_of(id));
    aside(&mut steps, "files", &graveyard::sites(), &files, id);
    aside(&mut steps, "logs", &graveyard::logs(), &logs, id);
    Ok(
        Plan::new(format!("Delete {} for good", site.hostname), "site discard")
            .about(&site.hostname)
            .steps(steps.into_list())
            .note("The files of the site are deleted for good once all steps are done.")
            .effect(Effect::RemoveSite(id)),
    )
}

/// Takes the site's name and its PHP away.
fn offline(steps: &mut Steps, site: &Site, facts: &Facts) -> Result<(), Fault> {
    if site.enabled || site.speaks_http3() {
        refuse::broken_nginx(facts)?;
    }
    if site.enabled {
        site_switch::offline(steps, site, facts);
    }
    steps.add(
        "Remove the site's nginx file",
        Step::RemoveFile {
            path: site.nginx_file(),
        },
    );
    site_tls::close_http3(steps, site, facts);
    site_tls::unpoint(steps, site);
    if let Some(php) = site.kind.php() {
        match facts.services {
            ServiceManager::Systemd => remove_own_php(steps, site),
            ServiceManager::Sysv => remove_pool(steps, site, php),
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
    Ok(())
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

fn aside(steps: &mut Steps, what: &str, place: &HostPath, from: &HostPath, site: SiteId) {
    steps
        .add(
            "Make the place for deleted sites",
            Step::MakeDirectory {
                path: place.clone(),
                owner: Owner::ROOT,
                mode: Mode(0o700),
            },
        )
        .add(
            format!("Move the site's {what} aside"),
            Step::Move {
                from: from.clone(),
                to: place.join(&site.to_string()),
            },
        );
}
