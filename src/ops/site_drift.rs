//! Decide about owned files that somebody changed by hand: keep what was added, put Lala's text back, or leave them.
//!
//! Invariant: whatever cannot be kept is named before anything changes, and keeping loses nothing that nginx would have read.

use crate::domain::change::DriftChoice;
use crate::domain::facts::{Facts, ServiceManager};
use crate::domain::fault::{Code, Fault};
use crate::domain::nginx_text::adopt::adopted;
use crate::domain::nginx_text::{Refused, Snippet};
use crate::domain::path::HostPath;
use crate::domain::site::Site;
use crate::ops::drift::Drifted;
use crate::ops::plan::Plan;
use crate::ops::refuse;
use crate::ops::site_parts::{self as parts, Steps};
use crate::ops::site_snippet;
use crate::ops::step::{ServiceAct, Step, When};
use crate::render;
use crate::store::Effect;

/// Plans it; no plan where nothing was changed.
pub fn plan(
    site: &Site,
    choice: DriftChoice,
    drift: &[Drifted],
    facts: &Facts,
) -> Result<Option<Plan>, Fault> {
    if drift.is_empty() {
        return Ok(None);
    }
    match choice {
        DriftChoice::Keep => keep(site, drift, facts).map(Some),
        DriftChoice::Restore => restore(site, drift, facts).map(Some),
        DriftChoice::Leave => Ok(leave(site, drift)),
    }
}

fn about(verb: &str, site: &Site) -> Plan {
    Plan::new(
        format!("{verb} the changed files of {}", site.hostname),
        "site drift",
    )
    .about(&site.hostname)
}

fn leave(site: &Site, drift: &[Drifted]) -> Option<Plan> {
    if drift.iter().all(|one| one.is_left(site)) {
        return None;
    }
    let left = drift.iter().map(|one| (one.path.clone(), one.mark()));
    let new = Site {
        left: left.collect(),
        ..site.clone()
    };
    let plan = about("Leave", site)
        .note("No file is changed. Lala mentions them again once they change again, and still writes over none of them.");
    Some(plan.effect(Effect::PutSite(Box::new(new))))
}

fn restore(site: &Site, drift: &[Drifted], facts: &Facts) -> Result<Plan, Fault> {
    refuse::broken_elsewhere(facts, &site_files(site))?;
    refuse::no_room(facts)?;
    let mut steps = Steps::default();
    php(&mut steps, site, drift, facts);
    if drift.iter().any(|one| is_nginx(site, &one.path)) {
        site_snippet::apply(&mut steps, site, facts, |steps| {
            nginx_files(steps, site, drift, facts);
        });
    }
    let new = Site {
        left: std::collections::BTreeMap::new(),
        ..site.clone()
    };
    Ok(about("Put Lala's text back into", site)
        .steps(steps.into_list())
        .effect(Effect::PutSite(Box::new(new))))
}

fn keep(site: &Site, drift: &[Drifted], facts: &Facts) -> Result<Plan, Fault> {
    let snippet = adoptable(site, drift).map_err(|refused| {
        let lines: Vec<String> = refused.0.iter().map(ToString::to_string).collect();
        Fault::new(
            Code::DriftUnkept,
            "not everything that was changed can be kept; nothing was changed",
            format!(
                "take the named lines out by hand, or put Lala's text back: `lalapanel site drift {} --restore`",
                site.hostname
            ),
        )
        .detail(lines.join("\n"))
    })?;
    refuse::broken_elsewhere(facts, &site_files(site))?;
    refuse::no_room(facts)?;
    let mut new = site.clone();
    new.snippet = snippet;
    new.left.retain(|path, _| !is_nginx(site, path));
    let mut steps = Steps::default();
    site_snippet::apply(&mut steps, &new, facts, |steps| {
        nginx_files(steps, &new, drift, facts);
    });
    let others = drift.iter().filter(|one| !is_nginx(site, &one.path));
    let notes = others.map(|one| format!("`{}` is not of nginx and stays as it is.", one.path));
    let notes: Vec<String> = notes.collect();
    Ok(about("Keep what was added to", site)
        .steps(steps.into_list())
        .notes(notes)
        .notes(new.snippet.notes(new.kind.php().is_some()))
        .effect(Effect::PutSite(Box::new(new))))
}

/// The directives as they would be after keeping.
fn adoptable(site: &Site, drift: &[Drifted]) -> Result<Snippet, Refused> {
    let at = |path: HostPath| drift.iter().find(|one| one.path == path);
    let mut snippet = site.snippet.clone();
    let own = at(render::nginx::snippet_file(site));
    if let Some(own) = own {
        let ours = format!("# {}", render::OWNED);
        let lines: Vec<String> = own
            .text()
            .lines()
            .filter(|line| *line != ours)
            .map(str::to_owned)
            .collect();
        snippet = Snippet::parse(&lines.join("\n"))?;
    }
    match at(site.nginx_file()) {
        Some(file) if file.found.is_some() => {
            let ours = file.wanted.as_deref().unwrap_or_default();
            match adopted(ours, &file.text(), &snippet) {
                Err(refused)
                    if own.is_some()
                        && refused
                            .first()
                            .is_some_and(|first| first.directive.is_empty()) =>
                {
                    Ok(snippet)
                }
                other => other,
            }
        }
        _ if own.is_some() => Ok(snippet),
        _ => Err(Refused(vec![crate::domain::nginx_text::Refusal {
            line: 1,
            directive: String::new(),
            why: "nothing was added to the site's nginx file".to_owned(),
            instead: "only directives of nginx can be kept".to_owned(),
        }])),
    }
}

fn site_files(site: &Site) -> [HostPath; 3] {
    [
        site.nginx_file(),
        site.nginx_link(),
        render::nginx::snippet_file(site),
    ]
}

fn is_nginx(site: &Site, path: &HostPath) -> bool {
    site_files(site).contains(path) || *path == render::nginx::visitors_file(site)
}

/// The site's nginx files but the one of its directives, which is written in any case.
fn nginx_files(steps: &mut Steps, site: &Site, drift: &[Drifted], facts: &Facts) {
    for one in drift {
        if one.path == site.nginx_file() {
            let text = render::nginx::site(site, facts.nginx);
            steps.nginx_file(&one.path, text);
        } else if one.path == render::nginx::visitors_file(site) {
            parts::visitors(steps, site, facts);
        }
    }
}

/// Puts the files of PHP-FPM and its units back, and lets them be read.
fn php(steps: &mut Steps, site: &Site, drift: &[Drifted], facts: &Facts) {
    let files: Vec<&Drifted> = drift
        .iter()
        .filter(|one| !is_nginx(site, &one.path))
        .collect();
    let (Some(version), false) = (site.kind.php(), files.is_empty()) else {
        return;
    };
    let write = |steps: &mut Steps| {
        for file in &files {
            if let Some(text) = &file.wanted {
                steps.root_file(
                    format!("Write {}", file.path.name()),
                    &file.path,
                    text.clone(),
                );
            }
        }
    };
    match facts.services {
        ServiceManager::Systemd => {
            // A socket is opened anew only while nothing runs behind it.
            if site.enabled {
                parts::php_stop(steps, site);
            }
            steps.add(
                "Let systemd read its units again if this is undone",
                Step::ReloadUnits {
                    when: When::Undoing,
                },
            );
            write(steps);
            steps.add(
                "Let systemd read its units again",
                Step::ReloadUnits {
                    when: When::Forward,
                },
            );
            if site.enabled {
                parts::php_start(steps, site);
                parts::ping(steps, site, facts);
            }
        }
        ServiceManager::Sysv => {
            steps.add(
                "Reload PHP-FPM if this is undone",
                parts::shared(version, ServiceAct::ReloadOnUndo),
            );
            write(steps);
            steps.add(
                format!("Reload PHP-FPM {version}"),
                parts::shared(version, ServiceAct::Reload),
            );
            parts::ping(steps, site, facts);
        }
    }
}
