//! Everything a person can set about a site, as one table: key, words, range, and where the value lives.
//!
//! Invariant: a value gets into a site only through its field's parser, so the renderers need no checks of their own.

mod access;
mod field;
mod names;
mod php;
mod rules;
mod server;
mod tls;
mod values;
mod web;

pub use web::header_word;

use serde::{Deserialize, Serialize};

pub use field::{Assignment, BadSetting, Control, Field, Section};
pub use values::{
    AccessSettings, Cache, ErrorPage, FunctionPreset, HeaderSet, PhpSettings, PoolMode,
    RealIpHeader, RedirectRule, ServerLimits, Serving, WebSettings,
};

/// What people have set about a site, beside its names and its type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// How it answers at the moment.
    pub serving: Serving,
    /// How nginx serves it.
    pub web: WebSettings,
    /// Who may see it.
    pub access: AccessSettings,
    /// How its PHP runs.
    pub php: PhpSettings,
    /// What it may use of the machine.
    pub limits: ServerLimits,
}

/// Every field, in the order people see them.
pub fn fields() -> impl Iterator<Item = &'static Field> {
    names::FIELDS
        .iter()
        .chain(tls::FIELDS)
        .chain(web::FIELDS)
        .chain(access::FIELDS)
        .chain(php::FIELDS)
        .chain(server::FIELDS)
}

/// The field of a key.
#[must_use]
pub fn field(key: &str) -> Option<&'static Field> {
    fields().find(|field| field.key == key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::SiteId;
    use crate::domain::name::Hostname;
    use crate::domain::php::PhpVersion;
    use crate::domain::site::{Site, SiteKind};
    use crate::domain::time::Timestamp;

    fn site() -> Site {
        let kind = SiteKind::Php {
            php: PhpVersion::new(8, 2),
        };
        Site::new(
            SiteId::FIRST,
            Hostname::parse("shop.example").unwrap(),
            kind,
            Timestamp::from_millis(0),
        )
    }

    #[test]
    fn every_key_is_there_once_and_reads_back_what_it_wrote() {
        let mut keys = std::collections::BTreeSet::new();
        for field in fields() {
            assert!(keys.insert(field.key), "{} is there twice", field.key);
            let mut changed = site();
            let before = field.read(&changed);
            field
                .write(&mut changed, &before)
                .unwrap_or_else(|bad| panic!("{}: {bad:?}", field.key));
            assert_eq!(changed, site(), "{} changed by its own value", field.key);
            assert!(field.help.ends_with('.'), "{}", field.key);
        }
    }

    #[test]
    fn numbers_keep_to_their_range_and_take_their_unit() {
        let mut changed = site();
        let memory = field("php.memory_limit").unwrap();
        for typed in ["512", "512M", "512 MB"] {
            memory.write(&mut changed, typed).unwrap();
            assert_eq!(memory.read(&changed), "512");
        }
        for bad in ["", "1", "99999", "banana", "512; 1", "-1", "512G"] {
            assert!(memory.write(&mut changed, bad).is_err(), "{bad}");
        }
        assert_eq!(memory.read(&changed), "512");
    }

    #[test]
    fn a_value_for_another_kind_of_site_is_refused_with_the_reason() {
        let mut fixed = site();
        fixed.kind = SiteKind::Static { spa: false };
        let memory = field("php.memory_limit").unwrap();
        assert!(!memory.applies(&fixed));
    }

    #[test]
    fn old_sites_without_settings_are_read_with_the_defaults() {
        let text = r#"{"id":1001,"hostname":"a.example","kind":{"type":"static"},"enabled":true,"created":0}"#;
        if let Ok(read) = serde_json::from_str::<Site>(text) {
            assert_eq!(read.settings, Settings::default());
        }
    }
}
