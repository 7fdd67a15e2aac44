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
use crate::ops::site_parts::{self as parts, Steps};
use crate::ops::step::{Step, When};
use crate::render::nginx_tls;
use crate::system::handshake;

/// How long the new certificate may take to be seen after a reload.
const SEEN_MILLIS: u64 = 8_000;

/// Refuses where another program has the port.
pub(super) fn refuse(old: Option<&Site>, new: &Site, facts: &Facts) -> Result<(), Fault> {
    let begins = new.has_tls() && !old.is_some_and(Site::has_tls);
    refuse_http3(old, new, facts)?;
    match &facts.tls.held_by {
        Some(program) if begins => Err(Fault::new(
            Code::PortTaken,
            format!("port 443 belongs to `{program}`, so no site can answer by HTTPS"),
            format!("stop `{program}` or move it to another port, or leave the site on plain HTTP"),
        )),
        _ => Ok(()),
    }
}

/// Refuses HTTP/3 where nginx cannot have it.
fn refuse_http3(old: Option<&Site>, new: &Site, facts: &Facts) -> Result<(), Fault> {
    if !new.tls.http3 || old.is_some_and(|old| old.tls.http3) {
        return Ok(());
    }
    let refused = |title: &str, hint: String| Err(Fault::new(Code::SettingInvalid, title, hint));
    if !facts.tls.http3 {
        return refused(
            "tls.http3: the nginx of this server was built without HTTP/3",
            "leave it off: visitors come by HTTP/2; the nginx of Debian 13 has it (`nginx -V` lists http_v3_module)".to_owned(),
        );
    }
    match &facts.tls.http3_others {
        Some(file) => refused(
            "tls.http3: a server of somebody else has UDP port 443 of this nginx",
            format!("take the line with `quic` out of `{file}`, then try again"),
        ),
        None => Ok(()),
    }
}

/// What people have to see to themselves once a site speaks HTTP/3.
pub(super) fn http3_note(old: &Site, new: &Site) -> Option<String> {
    let begins = new.speaks_http3() && !old.speaks_http3();
    begins.then(|| {
        "Visitors come by HTTP/3 once UDP port 443 is open to them: let it in where a firewall stands before this server. Without it they come by HTTP/2 as before.".to_owned()
    })
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
    let speaks = site.speaks_http3() || others_speak(site, facts);
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
            nginx_tls::globals(&facts.tls, facts.nginx.ipv6, speaks),
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

/// True where other sites of ours speak HTTP/3.
fn others_speak(site: &Site, facts: &Facts) -> bool {
    facts.tls.http3_sites.iter().any(|one| *one != site.id)
}

/// Closes UDP port 443 after the last site that spoke HTTP/3, once nginx does not read it any more.
pub(super) fn close_http3(steps: &mut Steps, gone: &Site, facts: &Facts) {
    if !gone.speaks_http3() || others_speak(gone, facts) {
        return;
    }
    let text = nginx_tls::globals(&facts.tls, facts.nginx.ipv6, false);
    parts::nginx_change(steps, facts, |steps| {
        let title = "Close UDP port 443: no site speaks HTTP/3 any more";
        steps.root_file(title, &nginx_tls::globals_file(), text);
    });
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
