//! The nginx file of one site: names, logs, walls around it, and what its type adds.
//!
//! Invariant: every word is a constant or a parsed type; what stands at the level of `http` bears the site's number.

pub use crate::domain::facts::Abilities;
use crate::domain::path::HostPath;
use crate::domain::setting::{HeaderSet, Serving};
use crate::domain::site::{Site, SiteKind};
use crate::domain::site_name::SiteName;
use crate::domain::web_target::Destination;
use crate::render::block::{Block, Word};
use crate::render::nginx::socket;
use crate::render::nginx_kinds as kinds;
use crate::render::nginx_shared as shared;
use crate::render::nginx_snippet;

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

/// The file of a site.
#[must_use]
pub fn site(site: &Site, abilities: Abilities) -> String {
    let file = Block::file();
    let file = match site.settings.serving {
        Serving::Live => file,
        Serving::Maintenance | Serving::Suspended => guests(file, site),
    };
    let file = if has_realms(site) {
        realms(file, site)
    } else {
        file
    };
    let file = kinds::around(file, site);
    let file = redirected(file, site, abilities);
    file.server(|server| {
        let server = names(server, site.served_names(), abilities);
        let server = logs(server, site);
        let server = server.set("include", "/etc/nginx/lalapanel/server.conf");
        let server = walls(server, site);
        let server = doors(server, site);
        match site.settings.serving {
            Serving::Suspended => closed(server, site),
            Serving::Maintenance if site.settings.access.maintenance_allow.is_empty() => {
                closed(server, site)
            }
            Serving::Maintenance | Serving::Live => open(server, site, abilities),
        }
    })
    .finish()
}

/// While the directories of a site are moved: 503 under all these names, and programs ask again in a moment.
///
/// Why no log of the site: nginx does not start where the directory of a log is missing, and a power cut may fall in between.
#[must_use]
pub fn resting(all: impl Iterator<Item = SiteName>, abilities: Abilities) -> String {
    Block::file()
        .server(|server| {
            let server = names(server, all, abilities)
                .set("access_log", "off")
                .set("include", "/etc/nginx/lalapanel/server.conf");
            closed_page(server, kinds::MAINTENANCE, "5")
                .block("location", ["/"], |place| place.set("return", "503"))
        })
        .finish()
}

/// Where nginx finds PHP: masters that sites share have a socket for each version.
fn php_socket(site: &Site, abilities: Abilities) -> HostPath {
    if abilities.shared_php {
        site.shared_php_socket()
    } else {
        site.php_socket()
    }
}

fn names(server: Block, names: impl Iterator<Item = SiteName>, abilities: Abilities) -> Block {
    server
        .set("listen", "80")
        .set_if(abilities.ipv6, "listen", "[::]:80")
        .set("listen", Word::unix(&socket()))
        .line("server_name", names)
}

fn logs(server: Block, site: &Site) -> Block {
    let logs = site.log_directory();
    server
        .line(
            "access_log",
            [
                Word::from(&logs.join("access.log")),
                "lalapanel_json".into(),
                "if=$lalapanel_is_visit".into(),
            ],
        )
        .line(
            "error_log",
            [Word::from(&logs.join("error.log")), "warn".into()],
        )
}

/// Names that only lead to the canonical one.
fn redirected(file: Block, site: &Site, abilities: Abilities) -> Block {
    if site.redirected.is_empty() {
        return file;
    }
    file.server(|server| {
        logs(
            names(server, site.redirected.iter().cloned(), abilities),
            site,
        )
        .set("include", "/etc/nginx/lalapanel/server.conf")
        .block("location", ["/"], |place| {
            place.line("return", ["301".into(), Word::canonical(&site.hostname)])
        })
    })
}

/// Who is not let in at all.
fn walls(server: Block, site: &Site) -> Block {
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
fn doors(server: Block, site: &Site) -> Block {
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

fn has_realms(site: &Site) -> bool {
    !site.settings.access.protected.is_empty() && !matches!(site.kind, SiteKind::Redirect { .. })
}

/// Which paths ask for a name.
fn realms(file: Block, site: &Site) -> Block {
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
fn guests(file: Block, site: &Site) -> Block {
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

/// 503 for everybody; search engines come back.
fn closed(server: Block, site: &Site) -> Block {
    closed_page(server, closed_text(site), "3600")
        .block("location", ["/"], |place| place.set("return", "503"))
}

fn closed_text(site: &Site) -> &'static str {
    match site.settings.serving {
        Serving::Suspended => kinds::SUSPENDED,
        Serving::Maintenance | Serving::Live => kinds::MAINTENANCE,
    }
}

fn closed_page(server: Block, text: &'static str, seconds: &'static str) -> Block {
    server
        .line("error_page", ["503", "@lalapanel_closed"])
        .block("location", ["@lalapanel_closed"], |place| {
            place
                .set("default_type", "text/html")
                .line("add_header", ["Retry-After", seconds, "always"])
                .line("add_header", ["Cache-Control", "no-store", "always"])
                .line("return", ["503", text])
        })
}

fn open(server: Block, site: &Site, abilities: Abilities) -> Block {
    let web = &site.settings.web;
    let server = server.when(site.settings.serving == Serving::Maintenance, |server| {
        let condition = [Word::of_site("($lalapanel_", site.id, "_closed)")];
        closed_page(server, closed_text(site), "3600")
            .block("if", condition, |inside| inside.set("return", "503"))
    });
    let is_redirect = matches!(site.kind, SiteKind::Redirect { .. });
    let server = match web.headers {
        HeaderSet::Standard => server.set("include", "/etc/nginx/lalapanel/headers.conf"),
        HeaderSet::Strict => server.set("include", "/etc/nginx/lalapanel/headers-strict.conf"),
        HeaderSet::Off => server,
    };
    let server = server
        .set_if(
            web.gzip && !is_redirect,
            "include",
            "/etc/nginx/lalapanel/gzip.conf",
        )
        .comment_if(!web.gzip, "The distribution's own nginx.conf turns it on.")
        .set_if(!web.gzip, "gzip", "off")
        .set_if(
            web.brotli && abilities.brotli && !is_redirect,
            "include",
            "/etc/nginx/lalapanel/brotli.conf",
        )
        .set_if(
            !is_redirect,
            "client_max_body_size",
            Word::measure(web.upload_max.saturating_add(8), "m"),
        )
        .for_each(&web.error_pages, |server, page| {
            let words = [Word::from(u32::from(page.status)), Word::from(&page.page)];
            server.line("error_page", words)
        })
        .for_each(&web.redirects, |server, rule| {
            let how = if rule.prefix { "^~" } else { "=" };
            let keep = false;
            server.block("location", [how.into(), Word::from(&rule.from)], |place| {
                place.line(
                    "return",
                    [rule.code.as_str().into(), Word::destination(&rule.to, keep)],
                )
            })
        });
    let server = server.set("include", nginx_snippet::mask(site));
    kinds::inside(server, site, &php_socket(site, abilities))
}

/// The word of a redirect kind's target.
pub(super) fn everywhere(target: &crate::domain::web_target::WebAddress) -> Word {
    let keep = target.names_a_server_only();
    Word::destination(&Destination::Elsewhere(target.clone()), keep)
}
