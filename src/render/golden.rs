//! Rendered files compared with the ones under `tests/golden/`; `LALAPANEL_GOLDEN=write` writes them anew.
//!
//! Invariant: test code only.
#![expect(
    clippy::disallowed_methods,
    reason = "golden files are read and written by the tests themselves"
)]

use proptest::prelude::*;

use crate::domain::id::{OperationId, SiteId};
use crate::domain::name::Hostname;
use crate::domain::php::PhpVersion;
use crate::domain::site::{Site, SiteKind};
use crate::domain::time::Timestamp;

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

pub(crate) fn any_site() -> impl Strategy<Value = Site> {
    let name = "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?){0,3}\\.[a-z]{2,8}"
        .prop_filter_map("not a hostname", |text| Hostname::parse(&text).ok());
    (
        1001_u32..40_000,
        name.clone(),
        prop::collection::vec(name, 0..4),
        prop::option::of((7_u8..10, 0_u8..10)),
    )
        .prop_map(|(id, hostname, aliases, php)| {
            let kind = php.map_or(SiteKind::Static { spa: false }, |(major, minor)| {
                SiteKind::Php {
                    php: PhpVersion::new(major, minor),
                }
            });
            Site {
                aliases: aliases.into_iter().map(Into::into).collect(),
                ..Site::new(SiteId::new(id), hostname, kind, Timestamp::from_millis(0))
            }
        })
}
