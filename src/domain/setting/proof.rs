//! Fields: how authorities are shown that a site's names are its own.
//!
//! Invariant: a way into DNS is named here and described elsewhere; no secret of it is a setting.

use crate::domain::dns::DnsName;
use crate::domain::setting::field::{Control, Field, Section};

pub(super) const FIELDS: &[Field] = &[Field {
    key: "tls.dns",
    section: Section::Names,
    label: "Proof in DNS",
    help: "The way into DNS by which certificates are got, as `lalapanel cert dns list` names it; names with a star need one. Empty means over port 80.",
    control: Control::Line {
        example: "",
        read: |site| {
            let dns = site.tls.dns.as_ref();
            dns.map_or_else(String::new, ToString::to_string)
        },
        write: |site, text| {
            let text = text.trim();
            site.tls.dns = if text.is_empty() {
                None
            } else {
                Some(DnsName::parse(text).map_err(|bad| bad.to_string())?)
            };
            Ok(())
        },
    },
    for_kind: |_| true,
}];
