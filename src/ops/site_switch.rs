//! Take a site offline, and put it back online. Nothing of it is deleted.
//!
//! Invariant: offline, nginx first forgets the site and only then its PHP stops; online, the other way round.

use crate::domain::facts::{Facts, ServiceManager};
use crate::domain::fault::Fault;
use crate::domain::name::Hostname;
use crate::domain::site::Site;
use crate::ops::plan::Plan;
use crate::ops::site_parts::{self as parts, Steps};
use crate::ops::state::State;
use crate::ops::step::Step;
use crate::ops::{refuse, site_update};
use crate::store::Effect;

/// Plans taking it offline; no plan where it is offline already.
pub fn disable(hostname: &Hostname, state: &State, facts: &Facts) -> Result<Option<Plan>, Fault> {
    let site = state.site(hostname)?;
    if !site.enabled {
        return Ok(None);
    }
    refuse::broken_nginx(facts)?;
    let mut steps = Steps::default();
    offline(&mut steps, site, facts);
    Ok(Some(finish(
        "Take",
        "offline",
        "site disable",
        site,
        false,
        steps,
    )))
}

/// Plans putting it online; no plan where it is online already.
pub fn enable(hostname: &Hostname, state: &State, facts: &Facts) -> Result<Option<Plan>, Fault> {
    let site = state.site(hostname)?;
    if site.enabled {
        return Ok(None);
    }
    refuse::broken_nginx(facts)?;
    let mut steps = Steps::default();
    if facts.services == ServiceManager::Systemd && site.kind.php().is_some() {
        parts::php_start(&mut steps, site);
        parts::ping(&mut steps, site, facts);
    }
    parts::nginx_change(&mut steps, facts, |steps| parts::link(steps, site));
    parts::probe(&mut steps, site, site_update::expectation(site));
    Ok(Some(finish(
        "Put",
        "online",
        "site enable",
        site,
        true,
        steps,
    )))
}

/// The steps after which nobody reaches the site and nothing of it runs.
pub(super) fn offline(steps: &mut Steps, site: &Site, facts: &Facts) {
    parts::nginx_change(steps, facts, |steps| {
        steps.add(
            "Unlink the site's nginx file",
            Step::RemoveFile {
                path: site.nginx_link(),
            },
        );
    });
    if facts.services == ServiceManager::Systemd && site.kind.php().is_some() {
        parts::php_stop(steps, site);
    }
}

fn finish(
    verb: &str,
    adverb: &str,
    change: &str,
    site: &Site,
    enabled: bool,
    steps: Steps,
) -> Plan {
    let changed = Site {
        enabled,
        ..site.clone()
    };
    Plan::new(format!("{verb} {} {adverb}", site.hostname), change)
        .about(&site.hostname)
        .steps(steps.into_list())
        .effect(Effect::PutSite(Box::new(changed)))
}
