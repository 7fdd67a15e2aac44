//! Which names a site may have: unique over the server, not the panel's, not somebody else's.
//!
//! Invariant: a name that passes here is served by this site alone; where a wildcard overlaps, the exact name wins and people are told.

use std::collections::BTreeSet;

use crate::domain::facts::Facts;
use crate::domain::fault::{Code, Fault};
use crate::domain::site::Site;
use crate::domain::site_name::SiteName;
use crate::ops::state::State;

/// Refuses names that are taken, reserved, named twice, or the target of the site's own redirect.
pub fn refuse(site: &Site, state: &State, facts: &Facts) -> Result<(), Fault> {
    if site.leads_to_itself() {
        return Err(Fault::new(
            Code::SettingInvalid,
            format!(
                "{} would send its visitors to itself, in circles",
                site.hostname
            ),
            "let it lead to another name, or take that name out of this site",
        ));
    }
    let mut seen = BTreeSet::new();
    for name in site.names() {
        refuse_one(&name, site, state, facts)?;
        if !seen.insert(name.clone()) {
            return Err(Fault::new(
                Code::HostnameTaken,
                format!("{name} is named twice"),
                "name every alias once",
            ));
        }
    }
    Ok(())
}

fn refuse_one(name: &SiteName, site: &Site, state: &State, facts: &Facts) -> Result<(), Fault> {
    let hostname = name.hostname();
    let is_the_panels = matches!(name, SiteName::Exact(_)) && facts.panel_names.contains(hostname);
    if is_the_panels || hostname.as_str().ends_with(".invalid") {
        return Err(Fault::new(
            Code::HostnameReserved,
            format!("{name} is kept for the panel itself"),
            "choose another hostname for the site",
        ));
    }
    let owner = state
        .sites
        .iter()
        .find(|other| other.id != site.id && other.names().any(|taken| taken == *name));
    if let Some(owner) = owner {
        return Err(Fault::new(
            Code::HostnameTaken,
            format!("{name} is already served by the site {}", owner.hostname),
            format!(
                "choose another hostname, or delete that site first: `lalapanel site delete {}`",
                owner.hostname
            ),
        ));
    }
    let foreign = facts.foreign_names.get(hostname);
    if let (SiteName::Exact(_), Some(file)) = (name, foreign) {
        return Err(Fault::new(
            Code::HostnameForeign,
            format!("{name} is already served by `{file}`, which is not Lala's"),
            "remove the name from that file and reload nginx, or choose another hostname",
        ));
    }
    Ok(())
}

/// True where the site may have this name.
pub(super) fn is_free(name: &SiteName, site: &Site, state: &State, facts: &Facts) -> bool {
    refuse_one(name, site, state, facts).is_ok()
}

/// What people should know about names that overlap with those of other sites.
#[must_use]
pub fn overlaps(site: &Site, state: &State) -> Vec<String> {
    let others = state.sites.iter().filter(|other| other.id != site.id);
    let mut notes = Vec::new();
    for other in others {
        for (ours, theirs) in site
            .names()
            .flat_map(|ours| other.names().map(move |theirs| (ours.clone(), theirs)))
        {
            match (&ours, &theirs) {
                (SiteName::Wildcard(_), SiteName::Exact(name)) if ours.covers(name) => notes.push(format!(
                    "{name} stays with its own site {}: an exact name wins over {ours}.",
                    other.hostname
                )),
                (SiteName::Exact(name), SiteName::Wildcard(_)) if theirs.covers(name) => notes.push(format!(
                    "{name} was answered by {} through {theirs} until now; from now on it is this site.",
                    other.hostname
                )),
                _ => {}
            }
        }
    }
    notes
}
