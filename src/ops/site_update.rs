//! Change a site: whatever differs between the files of the site as it is and as it shall be is written, tested, applied.
//!
//! Invariant: the new file is tested before the old one is touched, PHP answers before nginx points at it, and nginx
//! forgets PHP before PHP is stopped.

use crate::domain::facts::{Facts, ServiceManager};
use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::domain::setting::{Assignment, Cache, Serving};
use crate::domain::site::{Site, SiteKind};
use crate::domain::visitor::{Visitor, VisitorHash, VisitorName};
use crate::ops::plan::Plan;
use crate::ops::site_parts::{self as parts, Steps};
use crate::ops::state::State;
use crate::ops::step::{Expectation, ServiceAct, Step, When};
use crate::ops::{names, refuse, site_delete, site_php, site_tls};
use crate::render;
use crate::store::Effect;

/// Plans new values; no plan where the site is that way already.
pub fn plan(
    hostname: &Hostname,
    values: &[Assignment],
    state: &State,
    facts: &Facts,
) -> Result<Option<Plan>, Fault> {
    let old = state.site(hostname)?;
    let mut new = old.clone();
    // The type first: it may bring its own directory along, and what was typed beside it counts.
    let (kind, others): (Vec<_>, Vec<_>) = values.iter().partition(|value| value.key() == "type");
    for value in kind.into_iter().chain(others) {
        value.apply(&mut new).map_err(|bad| {
            Fault::new(
                Code::SettingInvalid,
                bad.to_string(),
                "correct the value, then try again",
            )
        })?;
    }
    update(old, new, state, facts)
}

/// Forgets the finished pages of a site: under a new number the old ones are never found, and nginx drops them in time.
pub fn purge(hostname: &Hostname, state: &State, facts: &Facts) -> Result<Option<Plan>, Fault> {
    let old = state.site(hostname)?;
    if old.settings.web.cache == Cache::Off {
        return Ok(None);
    }
    let mut new = old.clone();
    new.settings.web.cache_generation = old.settings.web.cache_generation.wrapping_add(1);
    let plan = update(old, new, state, facts)?;
    let title = format!("Purge the page cache of {hostname}");
    Ok(plan.map(|plan| called(plan, title, "site purge")))
}

fn called(plan: Plan, title: String, change: &str) -> Plan {
    Plan {
        title,
        change: change.to_owned(),
        ..plan
    }
}

/// Lets somebody pass the protected paths, or nobody of that name any more.
pub fn visitor(
    hostname: &Hostname,
    name: &VisitorName,
    hash: Option<&VisitorHash>,
    state: &State,
    facts: &Facts,
) -> Result<Option<Plan>, Fault> {
    let old = state.site(hostname)?;
    let mut new = old.clone();
    let visitors = &mut new.settings.access.visitors;
    visitors.retain(|visitor| visitor.name != *name);
    visitors.extend(hash.map(|hash| Visitor {
        name: name.clone(),
        hash: hash.clone(),
    }));
    visitors.sort_by(|one, other| one.name.cmp(&other.name));
    let title = match hash {
        Some(_) => format!("Let {name} pass the protected paths of {}", old.hostname),
        None => format!(
            "Let {name} pass no protected path of {} any more",
            old.hostname
        ),
    };
    let plan = update(old, new, state, facts)?;
    Ok(plan.map(|plan| called(plan, title, "site visitor")))
}

/// The plan from one site to another of the same name and number.
pub(super) fn update(
    old: &Site,
    new: Site,
    state: &State,
    facts: &Facts,
) -> Result<Option<Plan>, Fault> {
    if *old == new {
        return Ok(None);
    }
    refuse_php(old, &new, facts)?;
    refuse_nobody(&new)?;
    site_tls::refuse(Some(old), &new, facts)?;
    names::refuse(&new, state, facts)?;
    refuse::broken_nginx(facts)?;
    refuse::no_room(facts)?;
    let mut steps = Steps::default();
    php_before(&mut steps, old, &new, facts);
    nginx(&mut steps, old, &new, facts);
    php_after(&mut steps, old, &new, facts);
    if new.enabled {
        parts::probe(&mut steps, &new, expectation(&new));
    }
    Ok(Some(
        Plan::new(format!("Change {}", new.hostname), "site set")
            .about(&new.hostname)
            .steps(steps.into_list())
            .notes(names::overlaps(&new, state))
            .notes(directory_note(old, &new))
            .notes(site_tls::http3_note(old, &new))
            .notes(memory_note(&new, state, facts))
            .effect(Effect::PutSite(Box::new(new))),
    ))
}

pub(super) fn expectation(site: &Site) -> Expectation {
    let is_open = site.settings.serving == Serving::Live;
    let is_ours = !matches!(site.kind, SiteKind::Proxy { .. });
    if is_open && is_ours {
        Expectation::Answer
    } else {
        Expectation::Anything
    }
}

fn refuse_php(old: &Site, new: &Site, facts: &Facts) -> Result<(), Fault> {
    match (old.kind.php(), new.kind.php()) {
        (Some(before), Some(after)) if before != after => Err(Fault::new(
            Code::SettingInvalid,
            format!("the PHP version is switched by its own verb, from {before} to {after}"),
            "switch the PHP version first, then change the type",
        )),
        (_, Some(version)) => {
            refuse_without(old, new, facts)?;
            refuse::absent_php(version, facts)
        }
        (_, None) => Ok(()),
    }
}

/// Sites that share one PHP-FPM share what it loads.
fn refuse_without(old: &Site, new: &Site, facts: &Facts) -> Result<(), Fault> {
    let (before, without) = (&old.settings.php.without, &new.settings.php.without);
    let shares = facts.services == ServiceManager::Sysv;
    if !shares || without.is_empty() || without == before {
        return Ok(());
    }
    Err(Fault::new(
        Code::SettingInvalid,
        "without systemd all sites of a PHP version share one PHP-FPM, and so its extensions",
        "leave `php.without` empty; `lalapanel php extension remove V NAME` removes one for all sites",
    ))
}

/// A path that asks for a name while there is none would be closed to everybody.
fn refuse_nobody(site: &Site) -> Result<(), Fault> {
    let access = &site.settings.access;
    if access.protected.is_empty() || !access.visitors.is_empty() {
        return Ok(());
    }
    Err(Fault::new(
        Code::SettingInvalid,
        "a protected path needs at least one visitor who may pass",
        format!(
            "make one: `lalapanel site visitor add {} NAME`",
            site.hostname
        ),
    ))
}

/// PHP that is new or runs on with other settings.
fn php_before(steps: &mut Steps, old: &Site, new: &Site, facts: &Facts) {
    match (old.kind.php(), new.kind.php(), facts.services) {
        (None, Some(version), _) => parts::php(steps, new, version, facts),
        (Some(_), Some(version), ServiceManager::Systemd) => {
            own_php_changed(steps, old, new, version, facts);
        }
        (Some(_), Some(version), ServiceManager::Sysv) => {
            if render::php_fpm::pool(new) != render::php_fpm::pool(old) {
                parts::php(steps, new, version, facts);
            }
        }
        (_, None, _) => {}
    }
}

fn own_php_changed(
    steps: &mut Steps,
    old: &Site,
    new: &Site,
    version: crate::domain::php::PhpVersion,
    facts: &Facts,
) {
    let unit = render::systemd::php_service_name(new);
    let (pool, service) = (
        render::php_fpm::master(new),
        render::systemd::php_service(new, version),
    );
    let pool_differs = pool != render::php_fpm::master(old);
    let unit_differs = service != render::systemd::php_service(old, version);
    if !pool_differs && !unit_differs {
        return;
    }
    // A settings file that a package has replaced since is in sight again after a reload; a start hides it.
    let unit_differs = unit_differs || !new.settings.php.without.is_empty();
    if unit_differs && new.enabled {
        return site_php::hand_over(steps, new, version, pool_differs.then_some(pool));
    }
    if unit_differs {
        steps.add(
            "Let systemd read its units again if this is undone",
            Step::ReloadUnits {
                when: When::Undoing,
            },
        );
    } else if new.enabled {
        steps.add(
            "Reload the site's PHP-FPM if this is undone",
            parts::service(unit.clone(), ServiceAct::ReloadOnUndo),
        );
    }
    if pool_differs {
        steps.root_file(
            "Write the PHP-FPM configuration of the site",
            &render::php_fpm::master_file(new),
            pool,
        );
    }
    if unit_differs {
        steps
            .root_file(
                "Write the systemd service of its PHP-FPM",
                &parts::service_file(new),
                service,
            )
            .add(
                "Let systemd read its units again",
                Step::ReloadUnits {
                    when: When::Forward,
                },
            );
    } else if new.enabled {
        steps.add(
            "Reload the site's PHP-FPM; visitors wait meanwhile",
            parts::service(unit, ServiceAct::Reload),
        );
        parts::ping(steps, new, facts);
    }
}

/// The site's nginx file and the file of its visitors.
pub(super) fn nginx(steps: &mut Steps, old: &Site, new: &Site, facts: &Facts) {
    let text = render::nginx::site(new, facts.nginx);
    let before = render::nginx::site(old, facts.nginx);
    let (guests, guests_before) = (render::nginx::visitors(new), render::nginx::visitors(old));
    if guests != guests_before {
        parts::visitors(steps, new, facts);
    }
    let (differs, shows_another) = (text != before, site_tls::changes(old, new));
    if shows_another || (differs && new.has_tls()) {
        site_tls::prepare(steps, new, facts);
    }
    let write = |steps: &mut Steps| {
        if shows_another {
            site_tls::point(steps, new);
        }
        if differs {
            steps.nginx_file(&new.nginx_file(), text);
        }
    };
    if new.enabled && (differs || shows_another) {
        // The pair as it lies, since the link still points at the former one.
        let pair = new.pair().unwrap_or_else(|| new.certificate_link());
        let test = Step::TestNginx {
            link: new.nginx_link(),
            text: render::nginx::site_with(new, facts.nginx, &pair),
            snippet: None,
        };
        steps.add("Test the nginx configuration with the new file", test);
        parts::nginx_change(steps, facts, write);
    } else {
        write(steps);
    }
    if shows_another {
        site_tls::confirm(steps, new);
    }
    if !new.has_tls() {
        site_tls::close_http3(steps, old, facts);
        site_tls::unpoint(steps, old);
    }
    if guests_before.is_some() && render::nginx::visitors(new).is_none() {
        let path = render::nginx::visitors_file(new);
        steps.add(
            "Remove the names that might pass",
            Step::RemoveFile { path },
        );
    }
}

/// PHP that is not needed any more.
fn php_after(steps: &mut Steps, old: &Site, new: &Site, facts: &Facts) {
    let (Some(version), None) = (old.kind.php(), new.kind.php()) else {
        return;
    };
    match facts.services {
        ServiceManager::Systemd => {
            if old.enabled {
                parts::php_stop(steps, old);
            }
            site_delete::remove_own_php(steps, old);
        }
        ServiceManager::Sysv => site_delete::remove_pool(steps, old, version),
    }
}

fn directory_note(old: &Site, new: &Site) -> Option<String> {
    let moves = new.kind.has_files() && old.document_root() != new.document_root();
    moves.then(|| {
        format!(
            "From then on nginx serves what is in `{}`; no file is moved there.",
            new.document_root()
        )
    })
}

/// 300 MB are the system's and the panel's; MariaDB takes a quarter of what is left.
const OWN: u64 = 300 * 1024 * 1024;

/// Says beforehand where all processes of PHP together would not fit into memory.
pub(super) fn memory_note(new: &Site, state: &State, facts: &Facts) -> Option<String> {
    if facts.memory == 0 || new.kind.php().is_none() {
        return None;
    }
    let room = facts.memory.saturating_sub(OWN) / 4 * 3;
    let limit = u64::from(new.settings.limits.memory) * 1024 * 1024;
    let request = u64::from(new.settings.php.memory_limit)
        * u64::from(new.settings.php.children)
        * 1024
        * 1024;
    if limit.min(request) <= room {
        return None;
    }
    let others = state
        .sites
        .iter()
        .filter(|site| site.kind.php().is_some())
        .count();
    Some(format!(
        "This will not fit: {} requests of {} MB may need {} MB, and about {} MB are there for PHP of all {others} sites.",
        new.settings.php.children,
        new.settings.php.memory_limit,
        limit.min(request) / 1_048_576,
        room / 1_048_576,
    ))
}
