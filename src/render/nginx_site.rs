//! The nginx file of one site: names, logs, walls around it, and what its type adds.
//!
//! Invariant: every word is a constant or a parsed type; what stands at the level of `http` bears the site's number.

pub use crate::domain::facts::Abilities;
use crate::domain::path::HostPath;
use crate::domain::setting::Serving;
use crate::domain::site::{Site, SiteKind};
use crate::domain::site_name::SiteName;
use crate::domain::web_target::Destination;
use crate::render::block::{Block, Word};
use crate::render::nginx::socket;
use crate::render::nginx_access::{doors, guests, has_realms, realms, walls};
use crate::render::nginx_kinds as kinds;
use crate::render::nginx_snippet;
use crate::render::nginx_tls as tls;

/// The ports on which a server block answers.
#[derive(Debug, Clone, Copy)]
struct Ports<'a> {
    /// Port 80.
    plain: bool,
    /// Port 443, with the pair in this directory.
    tls: Option<&'a HostPath>,
    /// UDP port 443, where there is TLS.
    http3: bool,
}

/// The file of a site.
#[must_use]
pub fn site(site: &Site, abilities: Abilities) -> String {
    site_with(site, abilities, &site.certificate_link())
}

/// The same with the pair of certificate and key in another directory than the one it is linked from, for testing.
///
/// Once its certificate is one for visitors, names that it covers are served on port 443 alone, and port 80 leads there;
/// names that it does not cover are served as if there were none.
#[must_use]
pub fn site_with(site: &Site, abilities: Abilities, pair: &HostPath) -> String {
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
    let ports = |plain, tls: bool| Ports {
        plain,
        tls: tls.then_some(pair),
        http3: site.speaks_http3(),
    };
    let faces = if site.trusted().is_some() {
        vec![(ports(false, true), true), (ports(true, false), false)]
    } else {
        vec![(ports(true, site.has_tls()), false)]
    };
    let file = to_https(file, site, abilities);
    let file = faces.iter().fold(file, |file, (ports, secure)| {
        redirected(file, site, abilities, *ports, *secure)
    });
    let file = faces.iter().fold(file, |file, (ports, secure)| {
        content(file, site, abilities, *ports, *secure)
    });
    file.finish()
}

/// Names whose visitors are sent from HTTP to HTTPS.
fn to_https(file: Block, site: &Site, abilities: Abilities) -> Block {
    let secure: Vec<SiteName> = site.names().filter(|name| site.is_secure(name)).collect();
    if secure.is_empty() {
        return file;
    }
    file.server(|server| {
        let server = server
            .set("listen", "80")
            .set_if(abilities.ipv6, "listen", "[::]:80")
            .line("server_name", secure);
        logs(server, site)
            .set("include", "/etc/nginx/lalapanel/server.conf")
            .block("location", ["/"], |place| {
                place.line("return", ["301".into(), tls::by_https()])
            })
    })
}

/// What the site serves.
fn content(
    file: Block,
    site: &Site,
    abilities: Abilities,
    ports: Ports<'_>,
    secure: bool,
) -> Block {
    let names: Vec<SiteName> = site
        .served_names()
        .filter(|name| site.is_secure(name) == secure)
        .collect();
    if names.is_empty() {
        return file;
    }
    file.server(|server| {
        let server = self::names(server, names, abilities, ports);
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
}

/// While the directories of a site are moved: 503 under all these names, and programs ask again in a moment.
///
/// Why no log of the site: nginx does not start where the directory of a log is missing, and a power cut may fall in between.
#[must_use]
pub fn resting(all: impl Iterator<Item = SiteName>, abilities: Abilities) -> String {
    let ports = Ports {
        plain: true,
        tls: None,
        http3: false,
    };
    Block::file()
        .server(|server| {
            let server = names(server, all.collect(), abilities, ports)
                .set("access_log", "off")
                .set("include", "/etc/nginx/lalapanel/server.conf");
            closed_page(server, kinds::MAINTENANCE, "5", None)
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

fn names(server: Block, names: Vec<SiteName>, abilities: Abilities, ports: Ports<'_>) -> Block {
    let server = server
        .set_if(ports.plain, "listen", "80")
        .set_if(ports.plain && abilities.ipv6, "listen", "[::]:80")
        .set("listen", Word::unix(&socket()));
    let server = match ports.tls {
        Some(pair) => tls::listen(server, pair, abilities.ipv6, ports.http3),
        None => server,
    };
    server.line("server_name", names)
}

fn logs(server: Block, site: &Site) -> Block {
    let logs = site.log_directory();
    server
        .line(
            "access_log",
            [
                Word::from(&logs.join("access.log")),
                "lalapanel_json".into(),
                // Unbuffered, a write for each request costs more than sending a small file.
                "buffer=8k".into(),
                "flush=1s".into(),
                "if=$lalapanel_is_visit".into(),
            ],
        )
        .line(
            "error_log",
            [Word::from(&logs.join("error.log")), "warn".into()],
        )
}

/// Names that only lead to the canonical one.
fn redirected(
    file: Block,
    site: &Site,
    abilities: Abilities,
    ports: Ports<'_>,
    secure: bool,
) -> Block {
    let names: Vec<SiteName> = site
        .redirected
        .iter()
        .filter(|name| site.is_secure(name) == secure)
        .cloned()
        .collect();
    if names.is_empty() {
        return file;
    }
    let to = if site.is_secure(&SiteName::Exact(site.hostname.clone())) {
        Word::canonical_by_https(&site.hostname)
    } else {
        Word::canonical(&site.hostname)
    };
    file.server(|server| {
        let server = logs(self::names(server, names, abilities, ports), site)
            .set("include", "/etc/nginx/lalapanel/server.conf");
        let server = server.when(secure, |server| tls::promises(server, site));
        server.block("location", ["/"], |place| {
            place.line("return", ["301".into(), to])
        })
    })
}

/// 503 for everybody; search engines come back.
fn closed(server: Block, site: &Site) -> Block {
    closed_page(server, closed_text(site), "3600", None)
        .block("location", ["/"], |place| place.set("return", "503"))
}

fn closed_text(site: &Site) -> &'static str {
    match site.settings.serving {
        Serving::Suspended => kinds::SUSPENDED,
        Serving::Maintenance | Serving::Live => kinds::MAINTENANCE,
    }
}

/// The page with 503; `beside` is the site that answers others at the same time, with headers of its own.
fn closed_page(
    server: Block,
    text: &'static str,
    seconds: &'static str,
    beside: Option<&Site>,
) -> Block {
    server
        .line("error_page", ["503", "@lalapanel_closed"])
        .block("location", ["@lalapanel_closed"], |place| {
            place
                .set("default_type", "text/html")
                .for_each(beside, |place, site| {
                    tls::promises(kinds::headers(place, site), site)
                })
                .line("add_header", ["Retry-After", seconds, "always"])
                .line("add_header", ["Cache-Control", "no-store", "always"])
                .line("return", ["503", text])
        })
}

fn open(server: Block, site: &Site, abilities: Abilities) -> Block {
    let web = &site.settings.web;
    let server = server.when(site.settings.serving == Serving::Maintenance, |server| {
        let condition = [Word::of_site("($lalapanel_", site.id, "_closed)")];
        closed_page(server, closed_text(site), "3600", Some(site)).block(
            "if",
            condition,
            |inside| inside.set("return", "503"),
        )
    });
    let is_redirect = matches!(site.kind, SiteKind::Redirect { .. });
    let server = tls::promises(kinds::headers(server, site), site)
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
