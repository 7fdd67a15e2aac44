//! Fields: type, state, names, redirects.
//!
//! Invariant: changing the type keeps every setting its owner chose, so changing it back brings the old site back.

use crate::domain::name::Hostname;
use crate::domain::php::PhpVersion;
use crate::domain::proxy_target::ProxyTarget;
use crate::domain::setting::field::{Control, Field, Section, lines, list};
use crate::domain::setting::rules::rules;
use crate::domain::setting::values::Serving;
use crate::domain::site::{Site, SiteKind};
use crate::domain::site_name::SiteName;
use crate::domain::web_target::{RedirectCode, WebAddress};

/// More names make nginx's tables large for nothing; a certificate holds 100.
const NAMES: usize = 100;

pub(super) const FIELDS: &[Field] = &[
    Field {
        key: "type",
        section: Section::Names,
        label: "Type",
        help: "What runs behind the hostname. Files and settings stay when it changes.",
        control: Control::Line {
            example: "php, wordpress, laravel, static, spa, proxy 127.0.0.1:3000, redirect https://new.example",
            read: read_kind,
            write: write_kind,
        },
        for_kind: |_| true,
    },
    Field {
        key: "serving",
        section: Section::Names,
        label: "State",
        help: "Maintenance and suspension answer 503; search engines come back later, and certificates are still renewed.",
        control: Control::Choice {
            of: &[
                ("live", "Visitors see the site"),
                ("maintenance", "Visitors see that it is being worked on"),
                ("suspended", "Visitors see that it is suspended"),
            ],
            read: |site| word_of(site.settings.serving).to_owned(),
            write: |site, text| {
                site.settings.serving = match text {
                    "maintenance" => Serving::Maintenance,
                    "suspended" => Serving::Suspended,
                    _ => Serving::Live,
                };
                Ok(())
            },
        },
        for_kind: |_| true,
    },
    Field {
        key: "www",
        section: Section::Names,
        label: "Name with www",
        help: "Whether the site also answers under www., or sends such visitors to the name without.",
        control: Control::Choice {
            of: &[
                ("none", "Not served"),
                ("add", "Served as well"),
                ("redirect", "Sent to the name without www"),
            ],
            read: |site| read_www(site).to_owned(),
            write: write_www,
        },
        for_kind: |_| true,
    },
    Field {
        key: "aliases",
        section: Section::Names,
        label: "Aliases",
        help: "Further names under which the site is served, one a line. A star stands for every name below.",
        control: Control::Lines {
            example: "shop.example.net",
            read: |site| lines(&site.aliases),
            write: |site, text| {
                site.aliases = list(text, NAMES, SiteName::parse)?;
                refuse_doubles(site)
            },
        },
        for_kind: |_| true,
    },
    Field {
        key: "redirected_names",
        section: Section::Names,
        label: "Redirected names",
        help: "Further names whose visitors are sent to the site's own name, with the path they asked for.",
        control: Control::Lines {
            example: "old-shop.example",
            read: |site| lines(&site.redirected),
            write: |site, text| {
                site.redirected = list(text, NAMES, SiteName::parse)?;
                refuse_doubles(site)
            },
        },
        for_kind: |_| true,
    },
    Field {
        key: "redirects",
        section: Section::Names,
        label: "Redirects",
        help: "One a line: from, to, and 301, 302, 307 or 308. A star at the end of the first path stands for everything below it.",
        control: Control::Lines {
            example: "/old /new 301",
            read: |site| lines(&site.settings.web.redirects),
            write: |site, text| {
                site.settings.web.redirects = rules(text)?;
                Ok(())
            },
        },
        for_kind: |_| true,
    },
];

fn word_of(serving: Serving) -> &'static str {
    match serving {
        Serving::Live => "live",
        Serving::Maintenance => "maintenance",
        Serving::Suspended => "suspended",
    }
}

fn read_kind(site: &Site) -> String {
    match &site.kind {
        SiteKind::Static { spa: true } => "spa".to_owned(),
        SiteKind::Proxy { target } => format!("proxy {target}"),
        SiteKind::Redirect { target, code } => format!("redirect {target} {}", code.as_str()),
        kind => match kind.php() {
            Some(php) => format!("{} {php}", kind.word()),
            None => kind.word().to_owned(),
        },
    }
}

/// A type, and what it needs beside: `proxy 127.0.0.1:3000`, `php 8.4`.
fn write_kind(site: &mut Site, text: &str) -> Result<(), String> {
    let mut words = text.split_whitespace();
    let word = words.next().unwrap_or_default();
    let rest: Vec<&str> = words.collect();
    let kind = match (word, rest.as_slice()) {
        ("php" | "wordpress" | "laravel", rest) => php_kind(site, word, rest)?,
        ("static", []) => SiteKind::Static { spa: false },
        ("spa", []) => SiteKind::Static { spa: true },
        ("proxy", [target]) => SiteKind::Proxy {
            target: ProxyTarget::parse(target).map_err(|bad| bad.to_string())?,
        },
        ("redirect", [target, code @ ..]) if code.len() <= 1 => SiteKind::Redirect {
            target: WebAddress::parse(target).map_err(|bad| bad.to_string())?,
            code: code.first().map_or(Ok(RedirectCode::default()), |code| RedirectCode::parse(code))?,
        },
        _ => return Err("write php, wordpress, laravel, static, spa, `proxy 127.0.0.1:3000` or `redirect https://new.example`".to_owned()),
    };
    let changed = with_kind(site, kind);
    if changed.leads_to_itself() {
        return Err("this address is the site itself: visitors would go in circles".to_owned());
    }
    *site = changed;
    Ok(())
}

/// What is served moves to where the new type keeps it, unless the owner chose another directory.
fn with_kind(site: &Site, kind: SiteKind) -> Site {
    let mut changed = site.clone();
    let directory = &mut changed.settings.web.directory;
    if *directory == site.kind.usual_directory() {
        *directory = kind.usual_directory();
    }
    changed.kind = kind;
    changed
}

fn php_kind(site: &Site, word: &str, rest: &[&str]) -> Result<SiteKind, String> {
    let php = match rest {
        [] => site
            .kind
            .php()
            .ok_or_else(|| format!("name the PHP version, as in `{word} 8.4`"))?,
        [version] => PhpVersion::parse(version).map_err(|bad| bad.to_string())?,
        _ => return Err("write the type and one PHP version, as in `php 8.4`".to_owned()),
    };
    Ok(match word {
        "wordpress" => SiteKind::Wordpress { php },
        "laravel" => SiteKind::Laravel { php },
        _ => SiteKind::Php { php },
    })
}

fn www(site: &Site) -> Option<SiteName> {
    Hostname::parse(&format!("www.{}", site.hostname))
        .ok()
        .map(SiteName::Exact)
}

fn read_www(site: &Site) -> &'static str {
    match www(site) {
        Some(www) if site.aliases.contains(&www) => "add",
        Some(www) if site.redirected.contains(&www) => "redirect",
        _ => "none",
    }
}

fn write_www(site: &mut Site, text: &str) -> Result<(), String> {
    let Some(www) = www(site) else {
        return if text == "none" {
            Ok(())
        } else {
            Err("the name would be too long with www.".to_owned())
        };
    };
    if read_www(site) == text {
        return Ok(());
    }
    site.aliases.retain(|name| *name != www);
    site.redirected.retain(|name| *name != www);
    match text {
        "add" => site.aliases.insert(0, www),
        "redirect" => site.redirected.insert(0, www),
        _ => {}
    }
    Ok(())
}

/// A name stands in one of the two lists, and the canonical one in none.
fn refuse_doubles(site: &Site) -> Result<(), String> {
    let mut seen = std::collections::BTreeSet::new();
    match site.names().find(|name| !seen.insert(name.clone())) {
        None => Ok(()),
        Some(double) => Err(format!("{double} belongs to the site already")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::SiteId;
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
    fn www_is_served_or_sent_on_or_neither() {
        let mut shop = site();
        write_www(&mut shop, "redirect").unwrap();
        assert_eq!((shop.aliases.len(), shop.redirected.len()), (0, 1));
        write_www(&mut shop, "add").unwrap();
        assert_eq!((shop.aliases.len(), shop.redirected.len()), (1, 0));
        assert_eq!(read_www(&shop), "add");
        write_www(&mut shop, "none").unwrap();
        assert_eq!(shop, site());
    }

    #[test]
    fn a_type_changes_and_keeps_the_php_version() {
        let mut shop = site();
        for (typed, shown) in [
            ("wordpress", "wordpress 8.2"),
            ("php 8.4", "php 8.4"),
            ("proxy http://127.0.0.1:3000", "proxy 127.0.0.1:3000"),
            (
                "redirect https://new.example",
                "redirect https://new.example 301",
            ),
            ("spa", "spa"),
        ] {
            write_kind(&mut shop, typed).unwrap();
            assert_eq!(read_kind(&shop), shown);
        }
        assert!(
            write_kind(&mut shop, "php")
                .unwrap_err()
                .contains("name the PHP version")
        );
        for bad in [
            "",
            "proxy",
            "proxy localhost:1",
            "redirect",
            "redirect https://shop.example/x",
            "php 8.2 x",
            "asp",
        ] {
            assert!(write_kind(&mut shop, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_directory_goes_with_the_type_until_its_owner_chooses_one() {
        let mut shop = site();
        let directory = |site: &Site| {
            let chosen = site.settings.web.directory.as_ref();
            chosen.map(ToString::to_string).unwrap_or_default()
        };
        write_kind(&mut shop, "laravel").unwrap();
        assert_eq!(directory(&shop), "public");
        write_kind(&mut shop, "php").unwrap();
        assert_eq!(shop, site());
        let web = crate::domain::setting::field("web.directory").unwrap();
        web.write(&mut shop, "web").unwrap();
        for kind in ["laravel", "static", "php 8.2"] {
            write_kind(&mut shop, kind).unwrap();
            assert_eq!(directory(&shop), "web", "{kind}");
        }
    }

    #[test]
    fn a_redirect_to_any_name_of_the_site_itself_is_refused() {
        let mut shop = site_with_alias();
        shop.redirected = vec![SiteName::parse("*.old.example").unwrap()];
        for own in ["shop.example", "a.example", "x.old.example"] {
            let typed = format!("redirect https://{own}/x");
            assert!(write_kind(&mut shop, &typed).is_err(), "{own}");
        }
        write_kind(&mut shop, "redirect https://old.example/").unwrap();
        shop.aliases.push(SiteName::parse("old.example").unwrap());
        assert!(shop.leads_to_itself());
    }

    #[test]
    fn a_name_belongs_to_a_site_once() {
        let mut shop = site();
        let aliases = crate::domain::setting::field("aliases").unwrap();
        aliases
            .write(&mut shop, "a.example, *.shop.example")
            .unwrap();
        assert_eq!(aliases.read(&shop), "a.example\n*.shop.example");
        assert!(aliases.write(&mut shop, "shop.example").is_err());
        let redirected = crate::domain::setting::field("redirected_names").unwrap();
        assert!(
            redirected
                .write(&mut site_with_alias(), "a.example")
                .is_err()
        );
    }

    fn site_with_alias() -> Site {
        Site {
            aliases: vec![SiteName::parse("a.example").unwrap()],
            ..site()
        }
    }
}
