//! Install a certificate that was put down for a site, or take a site's certificate away.
//!
//! Invariant: nginx has tested the pair before the link points at it, and the operation ends well only after a handshake showed it.

use crate::domain::certificate::{Certificate, Source};
use crate::domain::facts::Facts;
use crate::domain::fault::Fault;
use crate::domain::name::Hostname;
use crate::domain::time::Timestamp;
use crate::domain::tls::TlsMode;
use crate::ops::plan::Plan;
use crate::ops::site_update;
use crate::ops::state::State;

/// Plans a certificate for a site, as `pairs::find` read it; no plan where the site shows it already.
pub fn plan(
    hostname: &Hostname,
    certificate: Certificate,
    state: &State,
    facts: &Facts,
    now: Timestamp,
) -> Result<Option<Plan>, Fault> {
    let old = state.site(hostname)?;
    certificate.refuse_for(&old.hostname, now)?;
    let mut new = old.clone();
    new.tls.mode = match certificate.source {
        Source::Uploaded => TlsMode::Uploaded,
        Source::Acme { .. } => TlsMode::Auto,
    };
    let until = certificate.not_after;
    let note = format!(
        "It was signed by {} and ends on {until}.",
        certificate.issuer
    );
    new.tls.certificate = Some(certificate);
    let uncovered = new.uncovered();
    let plan = site_update::update(old, new, state, facts)?;
    Ok(plan.map(|plan| {
        let plan = titled(
            plan,
            format!("Install a certificate for {hostname}"),
            "cert install",
        );
        let plan = plan.note(note);
        uncovered.iter().fold(plan, |plan, name| {
            plan.note(format!(
                "It does not cover {name}, which stays on plain HTTP."
            ))
        })
    }))
}

/// Plans a site without its certificate: one that the panel sees to goes back to a placeholder, one that was uploaded leaves
/// plain HTTP.
pub fn remove(hostname: &Hostname, state: &State, facts: &Facts) -> Result<Option<Plan>, Fault> {
    let old = state.site(hostname)?;
    let mut new = old.clone();
    new.tls.certificate = None;
    if new.tls.mode == TlsMode::Uploaded {
        new.tls.mode = TlsMode::Off;
    }
    let left = match new.tls.mode {
        TlsMode::Auto => {
            "The site then shows a certificate that it signed itself, and browsers warn."
        }
        TlsMode::Off | TlsMode::Uploaded => "The site then answers by plain HTTP only.",
    };
    let hsts = old.tls.hsts && old.trusted().is_some();
    let plan = site_update::update(old, new, state, facts)?;
    Ok(plan.map(|plan| {
        let plan = titled(
            plan,
            format!("Remove the certificate of {hostname}"),
            "cert remove",
        );
        let plan = plan.note(left);
        if hsts {
            plan.note(
                "Browsers that came before were told to use HTTPS alone, and will not reach it.",
            )
        } else {
            plan
        }
    }))
}

fn titled(plan: Plan, title: String, change: &str) -> Plan {
    Plan {
        title,
        change: change.to_owned(),
        ..plan
    }
}
