//! Create a site: from a hostname to a first page served as the site's own user.
//!
//! Invariant: everything that could be refused is refused here, before the first step runs.

use crate::domain::facts::Facts;
use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::domain::php::PhpVersion;
use crate::domain::site::{NewSite, NewSiteKind, Site, SiteKind};
use crate::domain::time::Timestamp;
use crate::ops::plan::Plan;
use crate::ops::refuse;
use crate::ops::site_parts::{self as parts, Steps};
use crate::ops::state::State;
use crate::ops::step::Expectation;
use crate::render;
use crate::store::Effect;

/// Below this a half-written site is likelier than a whole one.
const ROOM: u64 = 64 * 1024 * 1024;

/// Plans it.
pub fn plan(new: &NewSite, state: &State, facts: &Facts, now: Timestamp) -> Result<Plan, Fault> {
    for name in std::iter::once(&new.hostname).chain(&new.aliases) {
        refuse_name(name, state, facts)?;
    }
    refuse_doubles(new)?;
    refuse::broken_nginx(facts)?;
    refuse_no_room(facts)?;
    let site = Site {
        id: state.next_site.max(facts.free_site),
        hostname: new.hostname.clone(),
        aliases: new.aliases.clone(),
        kind: kind(new.kind, facts)?,
        enabled: true,
        created: now,
    };
    refuse_occupied(&site, facts)?;
    let mut steps = Steps::default();
    parts::ground(&mut steps, &site, facts);
    parts::logs(&mut steps, &site, facts);
    if let Some(php) = site.kind.php() {
        parts::php(&mut steps, &site, php, facts);
    }
    parts::nginx_change(&mut steps, facts, |steps| {
        steps.root_file(
            "Write the site's nginx file",
            &site.nginx_file(),
            render::nginx::site(&site, facts.ipv6),
        );
        parts::link(steps, &site);
    });
    parts::probe(&mut steps, &site, Expectation::Welcome);
    Ok(
        Plan::new(format!("Create {}", site.hostname), "site create")
            .about(&site.hostname)
            .steps(steps.into_list())
            .effect(Effect::PutSite(site)),
    )
}

fn kind(kind: NewSiteKind, facts: &Facts) -> Result<SiteKind, Fault> {
    match kind {
        NewSiteKind::Static {} => Ok(SiteKind::Static),
        NewSiteKind::Php { php } => Ok(SiteKind::Php {
            php: choose_php(php, facts)?,
        }),
    }
}

fn choose_php(wanted: Option<PhpVersion>, facts: &Facts) -> Result<PhpVersion, Fault> {
    let installed = facts
        .php
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    match wanted {
        Some(version) if facts.php.contains(&version) => Ok(version),
        Some(version) => Err(Fault::new(
            Code::PhpNotInstalled,
            format!("PHP {version} is not installed"),
            if installed.is_empty() {
                format!("run `apt-get install php{version}-fpm`, then try again")
            } else {
                format!("choose one of the installed versions: {installed}")
            },
        )),
        None => facts.php.last().copied().ok_or_else(|| {
            Fault::new(
                Code::PhpNotInstalled,
                "no PHP version is installed",
                "run `lalapanel install` again, or create the site with `--type static`",
            )
        }),
    }
}

fn refuse_name(name: &Hostname, state: &State, facts: &Facts) -> Result<(), Fault> {
    if facts.panel_names.contains(name) || name.as_str().ends_with(".invalid") {
        return Err(Fault::new(
            Code::HostnameReserved,
            format!("{name} is kept for the panel itself"),
            "choose another hostname for the site",
        ));
    }
    if let Some(site) = state.serving(name) {
        return Err(Fault::new(
            Code::HostnameTaken,
            format!("{name} is already served by the site {}", site.hostname),
            format!(
                "choose another hostname, or delete that site first: `lalapanel site delete {}`",
                site.hostname
            ),
        ));
    }
    if let Some(file) = facts.foreign_names.get(name) {
        return Err(Fault::new(
            Code::HostnameForeign,
            format!("{name} is already served by `{file}`, which is not Lala's"),
            "remove the name from that file and reload nginx, or choose another hostname",
        ));
    }
    Ok(())
}

fn refuse_doubles(new: &NewSite) -> Result<(), Fault> {
    let mut seen = std::collections::BTreeSet::from([&new.hostname]);
    match new.aliases.iter().find(|alias| !seen.insert(*alias)) {
        None => Ok(()),
        Some(double) => Err(Fault::new(
            Code::HostnameTaken,
            format!("{double} is named twice"),
            "name every alias once",
        )),
    }
}

fn refuse_no_room(facts: &Facts) -> Result<(), Fault> {
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

fn refuse_occupied(site: &Site, facts: &Facts) -> Result<(), Fault> {
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
    owned_paths(&Site {
        id: crate::domain::id::SiteId::FIRST,
        hostname: hostname.clone(),
        aliases: Vec::new(),
        kind: SiteKind::Static,
        enabled: true,
        created: Timestamp::from_millis(0),
    })
}
