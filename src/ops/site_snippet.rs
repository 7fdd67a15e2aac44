//! Replace a site's own nginx directives: tested beside the live configuration, written, confirmed, and asked for the home page.
//!
//! Invariant: the live file is touched only after nginx accepted its new text, and no other site's file is touched at all.

use crate::domain::facts::Facts;
use crate::domain::fault::Fault;
use crate::domain::name::Hostname;
use crate::domain::nginx_text::Snippet;
use crate::domain::site::Site;
use crate::host::{Mode, Owner};
use crate::ops::plan::Plan;
use crate::ops::refuse;
use crate::ops::site_parts::{self as parts, Steps};
use crate::ops::site_update;
use crate::ops::state::State;
use crate::ops::step::Step;
use crate::render;
use crate::store::Effect;

/// Plans it; no plan where the directives are these already.
pub fn plan(
    hostname: &Hostname,
    text: &Snippet,
    state: &State,
    facts: &Facts,
) -> Result<Option<Plan>, Fault> {
    let site = state.site(hostname)?;
    if site.snippet == *text {
        return Ok(None);
    }
    refuse::broken_nginx(facts)?;
    refuse::no_room(facts)?;
    let new = Site {
        snippet: text.clone(),
        ..site.clone()
    };
    let mut steps = Steps::default();
    apply(&mut steps, &new, facts, |_| {});
    Ok(Some(
        Plan::new(
            format!("Change the nginx directives of {}", new.hostname),
            "site snippet",
        )
        .about(&new.hostname)
        .steps(steps.into_list())
        .notes(text.notes(new.kind.php().is_some()))
        .effect(Effect::PutSite(Box::new(new))),
    ))
}

/// Tests, writes and applies the site's directives, with other nginx files of the site if there are some.
pub(super) fn apply(
    steps: &mut Steps,
    site: &Site,
    facts: &Facts,
    others: impl FnOnce(&mut Steps),
) {
    if !site.enabled || !facts.nginx_running {
        others(steps);
        write(steps, site);
        return;
    }
    let text = render::nginx::site(site, facts.nginx);
    steps.add(
        "Test the nginx configuration with the new directives",
        Step::TestNginx {
            link: site.nginx_link(),
            text: render::nginx::with_staged_snippet(&text, site),
            snippet: Some(render::nginx::snippet(site).unwrap_or_default()),
        },
    );
    parts::nginx_change(steps, facts, |steps| {
        others(steps);
        write(steps, site);
    });
    parts::probe(steps, site, site_update::expectation(site));
}

pub(super) fn write(steps: &mut Steps, site: &Site) {
    let path = render::nginx::snippet_file(site);
    let Some(text) = render::nginx::snippet(site) else {
        steps.add(
            "Remove the site's own directives",
            Step::RemoveFile { path },
        );
        return;
    };
    steps
        .add(
            "Make the directory for directives of sites",
            Step::MakeDirectory {
                path: render::nginx::snippet_directory(),
                owner: Owner::ROOT,
                mode: Mode(0o750),
            },
        )
        .add(
            "Write the site's own directives",
            Step::WriteFile {
                path,
                text,
                owner: Owner::ROOT,
                mode: Mode(0o640),
            },
        );
}
