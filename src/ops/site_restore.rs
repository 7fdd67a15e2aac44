//! Put a site back from the trash: its user under the same number, its files by one rename, everything else rendered anew.
//!
//! Invariant: PHP answers before nginx points at it, and what was deleted offline comes back offline.

use crate::domain::facts::{Facts, ServiceManager};
use crate::domain::fault::{Code, Fault};
use crate::domain::id::SiteId;
use crate::domain::name::Hostname;
use crate::domain::path::HostPath;
use crate::domain::site::Site;
use crate::domain::site_name::SiteName;
use crate::ops::plan::Plan;
use crate::ops::site_parts::{self as parts, Steps};
use crate::ops::state::State;
use crate::ops::step::Step;
use crate::ops::{
    database, names, refuse, site_create, site_logs, site_snippet, site_tls, site_update, trash,
};
use crate::render;
use crate::store::Effect;

/// Plans it.
pub fn plan(id: SiteId, hostname: &Hostname, state: &State, facts: &Facts) -> Result<Plan, Fault> {
    let mut site = state.trashed(id)?.site.clone();
    site.hostname = hostname.clone();
    // Its files are written anew: what its owner left as it was is not there any more.
    site.left.clear();
    let left_out = leave_out_taken(&mut site, state, facts);
    names::refuse(&site, state, facts).map_err(|fault| another_name(fault, id))?;
    if site.enabled {
        refuse::broken_nginx(facts)?;
    }
    refuse::no_room(facts)?;
    site_create::refuse_occupied(&site, facts).map_err(|fault| another_name(fault, id))?;
    refuse_lost(&site, facts)?;
    refuse_number(&site, facts)?;
    refuse_php(&site, facts)?;
    site_tls::refuse(None, &site, facts)?;
    let mut steps = steps(&site, facts);
    database::lock_all(&mut steps, id, state, false);
    Ok(
        Plan::new(format!("Put {} back", site.hostname), "site restore")
            .about(&site.hostname)
            .steps(steps.into_list())
            .notes(left_out)
            .notes(names::overlaps(&site, state))
            .effect(Effect::PutSite(Box::new(site))),
    )
}

fn steps(site: &Site, facts: &Facts) -> Steps {
    let mut steps = Steps::default();
    steps.add(
        format!("Create the Unix user {} with its old number", site.user()),
        Step::CreateUser(parts::user(site)),
    );
    back(&mut steps, "files", trash::files_of(site.id), site.root());
    if facts.occupied.contains(&trash::logs_of(site.id)) {
        let (from, to) = (trash::logs_of(site.id), site.log_directory());
        back(&mut steps, "logs", from, to);
    } else {
        site_logs::make(&mut steps, site, facts);
    }
    match (site.kind.php(), facts.services) {
        (Some(php), ServiceManager::Systemd) if !site.enabled => {
            parts::own_php_files(&mut steps, site, php);
            steps.add(
                "Let systemd read its units again",
                Step::ReloadUnits {
                    when: crate::ops::step::When::Forward,
                },
            );
        }
        (Some(php), _) => parts::php(&mut steps, site, php, facts),
        (None, _) => {}
    }
    parts::visitors(&mut steps, site, facts);
    if !site.snippet.is_empty() {
        site_snippet::write(&mut steps, site);
    }
    site_tls::prepare(&mut steps, site, facts);
    let (file, text) = (site.nginx_file(), render::nginx::site(site, facts.nginx));
    if site.enabled {
        parts::nginx_change(&mut steps, facts, |steps| {
            site_tls::point(steps, site);
            steps.nginx_file(&file, text);
            parts::link(steps, site);
        });
        site_tls::confirm(&mut steps, site);
        parts::probe(&mut steps, site, site_update::expectation(site));
    } else {
        site_tls::point(&mut steps, site);
        steps.nginx_file(&file, text);
    }
    steps
}

fn back(steps: &mut Steps, what: &str, from: HostPath, to: HostPath) {
    steps.add(
        format!("Move the site's {what} back"),
        Step::Move { from, to },
    );
}

/// Further names that others have now stay with them; people are told.
fn leave_out_taken(site: &mut Site, state: &State, facts: &Facts) -> Vec<String> {
    let before = site.clone();
    let mut notes = Vec::new();
    let mut keep = |name: &SiteName| {
        let is_own = *name == SiteName::Exact(before.hostname.clone());
        let is_free = names::is_free(name, &before, state, facts);
        if !is_free {
            notes.push(format!(
                "{name} belongs to somebody else by now and is left out."
            ));
        }
        is_free && !is_own
    };
    site.aliases.retain(&mut keep);
    site.redirected.retain(&mut keep);
    notes
}

fn another_name(mut fault: Fault, id: SiteId) -> Fault {
    fault.hint = format!(
        "put this one back under another name: `lalapanel site restore {id} --as other.example`"
    );
    fault
}

fn refuse_lost(site: &Site, facts: &Facts) -> Result<(), Fault> {
    let path = trash::files_of(site.id);
    if facts.occupied.contains(&path) {
        return Ok(());
    }
    Err(Fault::new(
        Code::SiteNotFound,
        format!(
            "the files of {} are not in the trash any more",
            site.hostname
        ),
        format!(
            "bring them back to `{path}`, or delete the site for good: `lalapanel site delete {} --now`",
            site.id
        ),
    ))
}

/// Its user is made again, with the number that its files belong to.
fn refuse_number(site: &Site, facts: &Facts) -> Result<(), Fault> {
    let number = site.id.uid();
    let own = site.user();
    let Some(holder) = facts
        .numbers
        .get(&number)
        .filter(|holder| **holder != own.as_str())
    else {
        return Ok(());
    };
    Err(Fault::new(
        Code::SiteDirectoryExists,
        format!("the number {number} of the site's user now belongs to `{holder}`"),
        format!(
            "give `{holder}` another number with `usermod -u` or `groupmod -g`, then try again"
        ),
    ))
}

fn refuse_php(site: &Site, facts: &Facts) -> Result<(), Fault> {
    match site.kind.php() {
        Some(version) if !facts.php.contains(&version) => Err(Fault::new(
            Code::PhpNotInstalled,
            format!(
                "{} ran on PHP {version}, which is not installed any more",
                site.hostname
            ),
            format!("run `lalapanel php install {version}`, then try again"),
        )),
        _ => Ok(()),
    }
}
