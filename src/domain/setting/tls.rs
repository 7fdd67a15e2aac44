//! Fields: how a site speaks HTTPS.
//!
//! Invariant: nothing here asks what this server can do; a wish that it cannot grant is refused where the plan is made.

use crate::domain::dns::DnsName;
use crate::domain::setting::field::{Control, Field, Section};
use crate::domain::site::Site;
use crate::domain::tls::TlsMode;

pub(super) const FIELDS: &[Field] = &[
    Field {
        key: "tls",
        section: Section::Names,
        label: "HTTPS",
        help: "Whether the site answers by HTTPS. Until it has a certificate that browsers trust, it shows one that it signed itself, and plain HTTP stays as it is.",
        control: Control::Choice {
            of: &[
                ("off", "Plain HTTP only"),
                ("auto", "Lala sees to the certificate"),
                ("uploaded", "With a certificate of your own"),
            ],
            read: |site| site.tls.mode.word().to_owned(),
            write: write_tls,
        },
        for_kind: |_| true,
    },
    Field {
        key: "tls.hsts",
        section: Section::Names,
        label: "HTTPS only, remembered by browsers",
        help: "Browsers that came once by HTTPS refuse plain HTTP for a year (HSTS). Cannot be taken back from those that know it; turn it on once everything works.",
        control: Control::Switch(|site| &mut site.tls.hsts),
        for_kind: |_| true,
    },
    Field {
        key: "tls.http3",
        section: Section::Names,
        label: "HTTP/3",
        help: "Browsers may come by HTTP/3 as well, on UDP port 443, which the firewall has to let in. Only where nginx was built with it, as on Debian 13. Each reload of nginx, so each change of any site, breaks off what is being loaded by HTTP/3 at that moment.",
        control: Control::Switch(|site| &mut site.tls.http3),
        for_kind: |_| true,
    },
    Field {
        key: "tls.dns",
        section: Section::Names,
        label: "Proof in DNS",
        help: "The way into DNS by which certificates are got, as it is named under Certificates; names with a star need one. Empty means over port 80.",
        control: Control::Line {
            example: "",
            read: |site| {
                let dns = site.tls.dns.as_ref();
                dns.map_or_else(String::new, ToString::to_string)
            },
            write: write_dns,
        },
        for_kind: |_| true,
    },
];

/// A way into DNS is named here and described elsewhere; no secret of it is a setting.
fn write_dns(site: &mut Site, text: &str) -> Result<(), String> {
    let text = text.trim();
    site.tls.dns = match text {
        "" => None,
        text => Some(DnsName::parse(text).map_err(|bad| bad.to_string())?),
    };
    Ok(())
}

/// A certificate stays when the panel takes over: it is served until the panel has its own.
fn write_tls(site: &mut Site, text: &str) -> Result<(), String> {
    match text {
        "auto" => site.tls.mode = TlsMode::Auto,
        "uploaded" if site.tls.certificate.is_none() => {
            return Err(format!(
                "upload one with its key: `lalapanel cert upload {} --chain FILE --key FILE`",
                site.hostname
            ));
        }
        "uploaded" => site.tls.mode = TlsMode::Uploaded,
        _ => {
            site.tls.mode = TlsMode::Off;
            site.tls.certificate = None;
        }
    }
    Ok(())
}
