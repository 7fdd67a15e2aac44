//! The parts of plans that give a site its certificate, change it, or take it away.
//!
//! Invariant: the pair is there before the link points at it, the link before nginx reads it, and the link goes only once nginx
//! does not read it any more; what nginx then shows is looked at.

use crate::domain::facts::Facts;
use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::domain::path::HostPath;
use crate::domain::site::Site;
use crate::domain::site_name::SiteName;
use crate::domain::tls;
use crate::host::{Host, Mode, Owner};
use crate::ops::pairs;
use crate::ops::site_parts::Steps;
use crate::ops::step::{Step, When};
use crate::render::nginx_tls;
use crate::system::handshake;

/// How long the new certificate may take to be seen after a reload.
const SEEN_MILLIS: u64 = 8_000;

/// Refuses where another program has the port.
pub(super) fn refuse(old: Option<&Site>, new: &Site, facts: &Facts) -> Result<(), Fault> {
    let begins = new.has_tls() && !old.is_some_and(Site::has_tls);
    match &facts.tls.held_by {
        Some(program) if begins => Err(Fault::new(
            Code::PortTaken,
            format!("port 443 belongs to `{program}`, so no site can answer by HTTPS"),
            format!("stop `{program}` or move it to another port, or leave the site on plain HTTP"),
        )),
        _ => Ok(()),
    }
}

/// True where the pair that nginx shows is another one afterwards.
pub(super) fn changes(old: &Site, new: &Site) -> bool {
    old.pair_name() != new.pair_name()
}

/// What must be there before nginx reads the site: what all sites share, the places, and a placeholder where it has nothing else.
pub(super) fn prepare(steps: &mut Steps, site: &Site, facts: &Facts) {
    let Some(pair) = site.pair() else {
        return;
    };
    for (title, place) in [
        ("Make the place for certificates", tls::pairs()),
        ("Make the place for links to them", tls::links()),
    ] {
        steps.add(
            title,
            Step::MakeDirectory {
                path: place,
                owner: Owner::ROOT,
                mode: Mode(0o700),
            },
        );
    }
    if site.tls.certificate.is_none() {
        steps.add(
            "Make a certificate that signs itself, until there is a better one",
            Step::MakePlaceholder {
                pair,
                hostname: site.hostname.clone(),
            },
        );
    }
    let shared = [
        (
            "Write what all sites with TLS share",
            nginx_tls::include_file(),
            nginx_tls::include(facts.tls.http2),
            &facts.tls.include,
        ),
        (
            "Show no certificate to who asks for no site",
            nginx_tls::globals_file(),
            nginx_tls::globals(&facts.tls, facts.nginx.ipv6),
            &facts.tls.globals,
        ),
    ];
    let differing = shared
        .into_iter()
        .filter(|(_, _, text, now)| now.as_ref() != Some(text));
    for (place, (title, path, text, _)) in differing.enumerate() {
        // Undone, nginx must forget them as well, once they are gone again.
        if place == 0 {
            steps.add(
                "Reload nginx if this is undone",
                Step::ReloadNginx {
                    services: facts.services,
                    when: When::Undoing,
                },
            );
        }
        steps.root_file(title, &path, text);
    }
}

/// Points the link at the site's pair, in one rename.
pub(super) fn point(steps: &mut Steps, site: &Site) {
    let Some(pair) = site.pair_name() else {
        return;
    };
    steps.add(
        "Point nginx at the certificate",
        Step::Link {
            target: format!("../{}/{pair}", tls::pairs().name()),
            path: site.certificate_link(),
        },
    );
}

/// Takes the link away, once nginx has forgotten it.
pub(super) fn unpoint(steps: &mut Steps, site: &Site) {
    if site.has_tls() {
        let path = site.certificate_link();
        steps.add(
            "Remove the link to its certificate",
            Step::RemoveFile { path },
        );
    }
}

/// Looks at the certificate that nginx shows, under a name that it is shown for.
pub(super) fn confirm(steps: &mut Steps, site: &Site) {
    if let (Some(pair), Some(hostname), true) = (site.pair(), shown_for(site), site.enabled) {
        let title = "See that nginx shows this certificate";
        steps.add(title, Step::ConfirmCertificate { hostname, pair });
    }
}

/// The first name on port 443. A certificate for visitors is shown for the names alone that it covers: a site that got
/// another name may have none of them left.
fn shown_for(site: &Site) -> Option<Hostname> {
    let is_shown = |name: &SiteName| site.trusted().is_none() || site.is_secure(name);
    site.names().find_map(|name| match name {
        SiteName::Exact(ref hostname) if is_shown(&name) => Some(hostname.clone()),
        _ => None,
    })
}

/// Shakes hands as a visitor does, until the certificate is the one on the disk.
pub(super) fn see(host: &dyn Host, hostname: &Hostname, pair: &HostPath) -> Result<(), Fault> {
    let wanted = pairs::leaf(host, pair)?.unwrap_or_default();
    let seen = handshake::see(host, hostname, handshake::HTTPS, &wanted, SEEN_MILLIS)?;
    seen.map_err(|why| unseen(hostname, &why))
}

fn unseen(hostname: &Hostname, why: &str) -> Fault {
    Fault::new(
        Code::CertificateUnseen,
        format!("nginx does not show the new certificate for {hostname}"),
        "see which server answers for the name on port 443: `nginx -T | grep -n 443`; then try again",
    )
    .detail(why)
}
