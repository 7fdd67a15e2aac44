//! Rendered files compared with the ones under `tests/golden/`; `LALAPANEL_GOLDEN=write` writes them anew.
//!
//! Invariant: test code only.
#![expect(
    clippy::disallowed_methods,
    reason = "golden files are read and written by the tests themselves"
)]

use std::sync::LazyLock;

use proptest::prelude::*;

use crate::domain::certificate::{Certificate, samples};
use crate::domain::id::{OperationId, SiteId};
use crate::domain::name::Hostname;
use crate::domain::php::PhpVersion;
use crate::domain::setting::{Assignment, field};
use crate::domain::site::{Site, SiteKind};
use crate::domain::time::Timestamp;
use crate::domain::web_target::RedirectCode;

pub(crate) fn check(name: &str, text: &str) {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("LALAPANEL_GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, golden, "{name} differs from its golden file");
}

pub(crate) fn operation() -> OperationId {
    OperationId::from_parts(1_700_000_000_000, [7; 10])
}

pub(crate) fn php_site() -> Site {
    let hostname = Hostname::parse("shop.example").unwrap();
    let kind = SiteKind::Php {
        php: PhpVersion::new(8, 2),
    };
    Site {
        aliases: vec![Hostname::parse("www.shop.example").unwrap().into()],
        ..Site::new(SiteId::FIRST, hostname, kind, Timestamp::from_millis(0))
    }
}

pub(crate) fn static_site() -> Site {
    Site {
        kind: SiteKind::Static { spa: false },
        aliases: Vec::new(),
        ..php_site()
    }
}

/// What no file for nginx, PHP-FPM or systemd may get from a value.
pub(crate) fn has_strange_characters(text: &str) -> bool {
    text.chars()
        .any(|c| (c.is_control() && c != '\n') || !c.is_ascii() || c == '`')
}

/// Values that people might set, by key; a site gets some of those that its type has.
const SAMPLES: &[(&str, &str)] = &[
    ("serving", "maintenance"),
    ("serving", "suspended"),
    ("www", "redirect"),
    ("redirected_names", "old.shop.test"),
    (
        "redirects",
        "/old /new 301\n/blog/* https://blog.test/a?b=c 308",
    ),
    ("web.directory", "current/public"),
    ("web.upload_max", "200"),
    ("web.cache", "micro"),
    ("web.cache", "wordpress"),
    ("web.gzip", "off"),
    ("web.headers", "strict"),
    ("web.headers", "off"),
    ("web.error_pages", "404 /404.html\n500 /broken.html"),
    ("web.real_ip_from", "203.0.113.0/24\n2001:db8::/32"),
    ("web.hotlink_protection", "on"),
    ("web.hotlink_allowed", "partner.test"),
    ("web.blocked_agents", "AhrefsBot\nbad.bot 1/2"),
    ("access.allow", "198.51.100.0/24"),
    ("access.deny", "198.51.100.66"),
    ("access.maintenance_allow", "198.51.100.7"),
    ("access.protected", "/admin/\n/a.b/(c)*"),
    ("access.login_limit", "off"),
    ("php.max_execution_time", "120"),
    ("php.timezone", "America/Argentina/Buenos_Aires"),
    ("php.functions", "strict"),
    ("php.without", "xdebug\nredis"),
    ("php.mode", "dynamic"),
    ("limits.cpu", "50"),
    ("tls", "auto"),
    ("tls.hsts", "on"),
    ("tls.http3", "on"),
];

static SAMPLE: LazyLock<Certificate> =
    LazyLock::new(|| samples::certificate(&["shop.example"], 90));

fn any_kind() -> impl Strategy<Value = SiteKind> {
    let php = (7_u8..10, 0_u8..10).prop_map(|(major, minor)| PhpVersion::new(major, minor));
    let target = prop::sample::select(vec!["127.0.0.1:3000", "[::1]:80", "unix:/run/app/a.sock"]);
    let address = prop::sample::select(vec!["https://new.test", "https://new.test:8443/a?b=c"]);
    prop_oneof![
        php.clone().prop_map(|php| SiteKind::Php { php }),
        php.clone().prop_map(|php| SiteKind::Wordpress { php }),
        php.prop_map(|php| SiteKind::Laravel { php }),
        any::<bool>().prop_map(|spa| SiteKind::Static { spa }),
        target.prop_map(|text| SiteKind::Proxy {
            target: text.to_owned().try_into().unwrap(),
        }),
        address.prop_map(|text| SiteKind::Redirect {
            target: text.parse().unwrap(),
            code: RedirectCode::default(),
        }),
    ]
}

pub(crate) fn any_site() -> impl Strategy<Value = Site> {
    let name = "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?){0,3}\\.[a-z]{2,8}"
        .prop_filter_map("not a hostname", |text| Hostname::parse(&text).ok());
    (
        1001_u32..40_000,
        name.clone(),
        prop::collection::vec(name, 0..4),
        any_kind(),
        prop::sample::subsequence(SAMPLES, 0..8),
        any::<bool>(),
    )
        .prop_map(|(id, hostname, aliases, kind, samples, has_certificate)| {
            let mut site = Site {
                aliases: aliases.into_iter().map(Into::into).collect(),
                ..Site::new(SiteId::new(id), hostname, kind, Timestamp::from_millis(0))
            };
            for (key, value) in samples {
                let assignment = Assignment::new(key, value).unwrap();
                if field(key).is_some_and(|field| field.applies(&site)) {
                    assignment.apply(&mut site).unwrap();
                }
            }
            if has_certificate {
                site.tls.certificate = Some(Certificate {
                    names: vec![site.hostname.clone().into()],
                    ..SAMPLE.clone()
                });
            }
            site
        })
}
