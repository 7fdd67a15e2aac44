//! Create a site: from a hostname to a first page served as the site's own user.
//!
//! Invariant: everything that could be refused is refused here, before the first step runs.

use crate::domain::database::DatabaseName;
use crate::domain::facts::Facts;
use crate::domain::fault::{Code, Fault};
use crate::domain::id::SiteId;
use crate::domain::name::Hostname;
use crate::domain::php::PhpVersion;
use crate::domain::site::{NewSite, NewSiteKind, Site, SiteKind};
use crate::domain::time::Timestamp;
use crate::ops::plan::Plan;
use crate::ops::site_logs;
use crate::ops::site_parts::{self as parts, Steps};
use crate::ops::state::State;
use crate::ops::step::Expectation;
use crate::ops::{database, names, refuse, site_tls, wordpress};
use crate::render;
use crate::store::Effect;

/// Plans it.
pub fn plan(new: &NewSite, state: &State, facts: &Facts, now: Timestamp) -> Result<Plan, Fault> {
    let id = state.next_site.max(facts.free_site);
    let mut site = Site {
        aliases: new.aliases.clone(),
        redirected: new.redirected.clone(),
        ..Site::new(id, new.hostname.clone(), kind(&new.kind, facts)?, now)
    };
    site.tls.mode = new.tls;
    site.settings.web.directory = site.kind.usual_directory();
    names::refuse(&site, state, facts)?;
    refuse::broken_nginx(facts)?;
    refuse::no_room(facts)?;
    refuse_occupied(&site, facts)?;
    site_tls::refuse(None, &site, facts)?;
    let mut steps = Steps::default();
    parts::ground(&mut steps, &site, facts);
    if new.wordpress.is_none() {
        parts::first_page(&mut steps, &site);
    }
    site_logs::make(&mut steps, &site, facts);
    let mut effects = Vec::new();
    let name = database_name(new, &site, state, facts)?;
    match (&name, &new.wordpress, &new.database) {
        (Some(name), Some(new), _) => wordpress::files(&mut steps, &site, new, name, facts),
        (Some(name), None, Some(hash)) => {
            database::make(&mut steps, name);
            database::make_user(&mut steps, name, hash);
        }
        _ => {}
    }
    if let Some(name) = &name {
        effects.push(Effect::PutDatabase(Box::new(database::of(
            name,
            Some(id),
            now,
        ))));
    }
    if let Some(php) = site.kind.php() {
        parts::php(&mut steps, &site, php, facts);
    }
    if let (Some(name), Some(new)) = (&name, &new.wordpress) {
        wordpress::install(&mut steps, &site, new, name, facts);
    }
    site_tls::prepare(&mut steps, &site, facts);
    parts::nginx_change(&mut steps, facts, |steps| {
        site_tls::point(steps, &site);
        steps.nginx_file(&site.nginx_file(), render::nginx::site(&site, facts.nginx));
        parts::link(steps, &site);
    });
    site_tls::confirm(&mut steps, &site);
    parts::probe(&mut steps, &site, expectation(&site.kind));
    let plan = Plan::new(format!("Create {}", site.hostname), "site create")
        .about(&site.hostname)
        .steps(steps.into_list())
        .notes(names::overlaps(&site, state))
        .notes(
            new.wordpress
                .iter()
                .filter_map(|new| wordpress::told(new, facts)),
        );
    effects.push(Effect::PutSite(Box::new(site)));
    Ok(plan.effect(Effect::All(effects)))
}

/// The name of the database that comes with the site; none where it gets none.
fn database_name(
    new: &NewSite,
    site: &Site,
    state: &State,
    facts: &Facts,
) -> Result<Option<DatabaseName>, Fault> {
    if let Some(wordpress) = &new.wordpress {
        if !matches!(site.kind, SiteKind::Wordpress { .. }) {
            return Err(Fault::new(
                Code::RequestInvalid,
                "WordPress can only be installed on a site of that type",
                "add `--type wordpress`",
            ));
        }
        wordpress::refuse_absent(wordpress, facts)?;
    } else if new.database.is_none() {
        return Ok(None);
    }
    let known = facts.databases.clone().unwrap_or_default();
    database::name_for(site, state, &known).map(Some)
}

/// A site without files of its own has no first page of ours.
fn expectation(kind: &SiteKind) -> Expectation {
    match kind {
        SiteKind::Proxy { .. } => Expectation::Anything,
        SiteKind::Redirect { .. } => Expectation::Answer,
        _ => Expectation::Welcome,
    }
}

fn kind(kind: &NewSiteKind, facts: &Facts) -> Result<SiteKind, Fault> {
    Ok(match kind {
        NewSiteKind::Php { php } => SiteKind::Php {
            php: choose_php(*php, facts)?,
        },
        NewSiteKind::Wordpress { php } => SiteKind::Wordpress {
            php: choose_php(*php, facts)?,
        },
        NewSiteKind::Laravel { php } => SiteKind::Laravel {
            php: choose_php(*php, facts)?,
        },
        NewSiteKind::Static { spa } => SiteKind::Static { spa: *spa },
        NewSiteKind::Proxy { target } => SiteKind::Proxy {
            target: target.clone(),
        },
        NewSiteKind::Redirect { target, code } => SiteKind::Redirect {
            target: target.clone(),
            code: *code,
        },
    })
}

fn choose_php(wanted: Option<PhpVersion>, facts: &Facts) -> Result<PhpVersion, Fault> {
    match wanted {
        Some(version) => refuse::absent_php(version, facts).map(|()| version),
        None => facts.php.last().copied().ok_or_else(|| {
            Fault::new(
                Code::PhpNotInstalled,
                "no PHP version is installed",
                "run `lalapanel install` again, or create the site with `--type static`",
            )
        }),
    }
}

/// Where a site that is there already cannot be put under its new name.
pub(super) fn refuse_place(new: &Site, state: &State, facts: &Facts) -> Result<(), Fault> {
    names::refuse(new, state, facts)?;
    if new.enabled {
        refuse::broken_nginx(facts)?;
    }
    refuse::no_room(facts)?;
    if let Some(php) = new.kind.php() {
        refuse::absent_php(php, facts)?;
    }
    refuse_occupied(new, facts)
}

pub(super) fn refuse_occupied(site: &Site, facts: &Facts) -> Result<(), Fault> {
    let ours = owned_paths(site);
    match facts.occupied.iter().find(|path| ours.contains(path)) {
        None => Ok(()),
        Some(path) => Err(Fault::new(
            Code::SiteDirectoryExists,
            format!("`{path}` exists already, and Lala did not make it"),
            "move it out of the way, or choose another hostname",
        )),
    }
}

/// What a new site needs to find free; the facts are asked about these.
#[must_use]
pub fn owned_paths(site: &Site) -> Vec<crate::domain::path::HostPath> {
    vec![
        site.root(),
        site.log_directory(),
        site.nginx_file(),
        site.nginx_link(),
    ]
}

/// The paths of a hostname before its number is known.
#[must_use]
pub fn paths_of(hostname: &Hostname) -> Vec<crate::domain::path::HostPath> {
    owned_paths(&Site::new(
        SiteId::FIRST,
        hostname.clone(),
        SiteKind::Static { spa: false },
        Timestamp::from_millis(0),
    ))
}
