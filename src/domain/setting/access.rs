//! Fields: who may see a site.
//!
//! Invariant: an empty list of allowed addresses means everybody, never nobody.

use crate::domain::network::Network;
use crate::domain::setting::field::{Control, Field, Section, lines, list};
use crate::domain::site::SiteKind;
use crate::domain::web_target::UrlPath;

/// nginx sends a redirect before it looks at addresses and names.
fn serves_itself(kind: &SiteKind) -> bool {
    !matches!(kind, SiteKind::Redirect { .. })
}

pub(super) const FIELDS: &[Field] = &[
    Field {
        key: "access.allow",
        section: Section::Access,
        label: "Only these addresses",
        help: "Addresses or ranges that may see the site, one a line; empty for everybody.",
        control: Control::Lines {
            example: "198.51.100.0/24",
            read: |site| lines(&site.settings.access.allow),
            write: |site, text| {
                site.settings.access.allow = list(text, 500, Network::parse)?;
                Ok(())
            },
        },
        for_kind: serves_itself,
    },
    Field {
        key: "access.deny",
        section: Section::Access,
        label: "Not these addresses",
        help: "Addresses or ranges that may not see the site, one a line.",
        control: Control::Lines {
            example: "203.0.113.7",
            read: |site| lines(&site.settings.access.deny),
            write: |site, text| {
                site.settings.access.deny = list(text, 500, Network::parse)?;
                Ok(())
            },
        },
        for_kind: serves_itself,
    },
    Field {
        key: "access.maintenance_allow",
        section: Section::Access,
        label: "May see the site during maintenance",
        help: "Your own address, so that you can look before everybody else can.",
        control: Control::Lines {
            example: "198.51.100.7",
            read: |site| lines(&site.settings.access.maintenance_allow),
            write: |site, text| {
                site.settings.access.maintenance_allow = list(text, 100, Network::parse)?;
                Ok(())
            },
        },
        for_kind: |_| true,
    },
    Field {
        key: "access.protected",
        section: Section::Access,
        label: "Paths with a password",
        help: "Paths that ask for a name and a password, one a line; / for the whole site. Names are made on the command line, by lalapanel site visitor add.",
        control: Control::Lines {
            example: "/admin/",
            read: |site| lines(&site.settings.access.protected),
            write: |site, text| {
                site.settings.access.protected = list(text, 50, UrlPath::parse)?;
                Ok(())
            },
        },
        for_kind: serves_itself,
    },
    Field {
        key: "access.login_limit",
        section: Section::Access,
        label: "Limit on sign-ins",
        help: "Known login pages (wp-login.php, /login, /user/login, /administrator/) answer one address ten times a minute, then 429.",
        control: Control::Switch(|site| &mut site.settings.access.login_limit),
        for_kind: |kind| kind.php().is_some(),
    },
];
