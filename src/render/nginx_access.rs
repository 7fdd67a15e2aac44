//! Who is let into a site: addresses, names with passwords, how often, and who sees it while it is closed.
//!
//! Invariant: hashes of passwords stand in a file of their own that nginx alone reads; nothing of them is in the site's file.

use crate::domain::path::HostPath;
use crate::domain::setting::Serving;
use crate::domain::site::{Site, SiteKind};
use crate::render::block::{Block, Word};
use crate::render::nginx_shared as shared;

const VISITORS: &str = "visitors-";

/// Where the names and hashes of a site's visitors are.
#[must_use]
pub fn visitors_file(site: &Site) -> HostPath {
    crate::render::nginx::include_directory().join(&format!("{VISITORS}{}", site.id))
}

/// True for such a file, of whichever site: hashes of passwords are in it, and nobody is shown them.
#[must_use]
pub fn holds_hashes(path: &HostPath) -> bool {
    let include = crate::render::nginx::include_directory();
    path.parent() == include && path.name().starts_with(VISITORS)
}

/// The file of visitors; `None` where nothing asks for it.
#[must_use]
pub fn visitors(site: &Site) -> Option<String> {
    let access = &site.settings.access;
    if access.protected.is_empty() {
        return None;
    }
    let lines = access
        .visitors
        .iter()
        .map(|visitor| format!("{}:{}\n", visitor.name, visitor.hash));
    Some(lines.collect())
}

/// Who is not let in at all.
pub(super) fn walls(server: Block, site: &Site) -> Block {
    let (web, access) = (&site.settings.web, &site.settings.access);
    let server = server
        .for_each(&web.real_ip_from, |server, range| {
            server.set("set_real_ip_from", range)
        })
        .when(!web.real_ip_from.is_empty(), |server| {
            server
                .set(
                    "real_ip_header",
                    crate::domain::setting::header_word(web.real_ip_header),
                )
                .set("real_ip_recursive", "on")
        });
    let is_redirect = matches!(site.kind, SiteKind::Redirect { .. });
    let server = if is_redirect || (access.allow.is_empty() && access.deny.is_empty()) {
        server
    } else {
        server
            .when(!access.allow.is_empty(), |server| {
                server
                    .comment("The panel itself asks through its socket.")
                    .set("allow", "unix:")
            })
            .for_each(&access.deny, |server, range| server.set("deny", range))
            .for_each(&access.allow, |server, range| server.set("allow", range))
            .set_if(!access.allow.is_empty(), "deny", "all")
    };
    server.when(!web.blocked_agents.is_empty(), |server| {
        let condition = [
            "($http_user_agent".into(),
            "~*".into(),
            Word::any_of(&web.blocked_agents),
            ")".into(),
        ];
        server.block("if", condition, |inside| inside.set("return", "403"))
    })
}

/// Who has to say a name, and how often.
pub(super) fn doors(server: Block, site: &Site) -> Block {
    let access = &site.settings.access;
    server
        .when(has_realms(site), |server| {
            server
                .set(
                    "auth_basic",
                    Word::of_site("$lalapanel_", site.id, "_realm"),
                )
                .set("auth_basic_user_file", &visitors_file(site))
        })
        .when(access.login_limit && site.kind.php().is_some(), |server| {
            server
                .line(
                    "limit_req",
                    [
                        Word::zone(shared::LOGIN_ZONE),
                        "burst=5".into(),
                        "nodelay".into(),
                    ],
                )
                .set("limit_req_status", "429")
        })
}

pub(super) fn has_realms(site: &Site) -> bool {
    !site.settings.access.protected.is_empty() && !matches!(site.kind, SiteKind::Redirect { .. })
}

/// Which paths ask for a name.
pub(super) fn realms(file: Block, site: &Site) -> Block {
    let words = [
        "$uri".into(),
        Word::of_site("$lalapanel_", site.id, "_realm"),
    ];
    file.block("map", words, |map| {
        map.line("default", ["off"])
            .for_each(&site.settings.access.protected, |map, path| {
                map.pair(Word::below(path), "\"Protected\"")
            })
    })
}

/// Who sees the site all the same while it is closed.
pub(super) fn guests(file: Block, site: &Site) -> Block {
    if site.settings.serving != Serving::Maintenance
        || site.settings.access.maintenance_allow.is_empty()
    {
        return file;
    }
    file.block(
        "geo",
        [Word::of_site("$lalapanel_", site.id, "_closed")],
        |geo| {
            geo.line("default", ["1"])
                .for_each(&site.settings.access.maintenance_allow, |geo, range| {
                    geo.pair(range, "0")
                })
        },
    )
}
