//! What the type of a site adds to its nginx file.
//!
//! Invariant: no script runs but those the type means to run; where two patterns match, nginx takes the first, so walls stand before doors.

use crate::domain::path::HostPath;
use crate::domain::setting::{Cache, HeaderSet};
use crate::domain::site::{Site, SiteKind};
use crate::render::block::{Block, Word};
use crate::render::nginx_shared as shared;
use crate::render::nginx_site::everywhere;
use crate::render::nginx_tls as tls;

/// The page of a site that is being worked on.
pub(super) const MAINTENANCE: &str = "'<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><title>Back soon</title><style>body{font:1.1rem/1.5 system-ui;max-width:32rem;margin:20vh auto;padding:0 1rem}</style><h1>Back soon</h1><p>This site is being worked on. Please come back in a little while.'";
/// The page of a suspended site.
pub(super) const SUSPENDED: &str = "'<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><title>Not available</title><style>body{font:1.1rem/1.5 system-ui;max-width:32rem;margin:20vh auto;padding:0 1rem}</style><h1>Not available</h1><p>This site is not available at the moment.'";

/// What stands beside the server: the servers behind a proxy.
pub(super) fn around(file: Block, site: &Site) -> Block {
    let SiteKind::Proxy { target } = &site.kind else {
        return file;
    };
    file.block(
        "upstream",
        [Word::of_site("lalapanel_", site.id, "")],
        |group| {
            group
                .set("server", Word::server(target))
                .set("keepalive", "16")
        },
    )
}

/// What stands in the server.
pub(super) fn inside(server: Block, site: &Site, socket: &HostPath) -> Block {
    match &site.kind {
        SiteKind::Php { .. } => php(files(server, site), site, socket),
        SiteKind::Wordpress { .. } => wordpress(files(server, site), site, socket),
        SiteKind::Laravel { .. } => laravel(files(server, site), site, socket),
        SiteKind::Static { spa } => plain_files(files(server, site), site, *spa),
        SiteKind::Proxy { .. } => server.block("location", ["/"], |place| {
            place.set("include", "/etc/nginx/lalapanel/proxy.conf").set(
                "proxy_pass",
                Word::of_site("http://lalapanel_", site.id, ""),
            )
        }),
        SiteKind::Redirect { target, code } => server.block("location", ["/"], |place| {
            place.line("return", [code.as_str().into(), everywhere(target)])
        }),
    }
}

fn files(server: Block, site: &Site) -> Block {
    server
        .set("root", &site.document_root())
        .set("include", "/etc/nginx/lalapanel/files.conf")
}

/// Images that other sites show: refused, except for the ones named.
fn images(server: Block, site: &Site, otherwise: &'static str) -> Block {
    let web = &site.settings.web;
    if !web.hotlink_protection {
        return server;
    }
    let friends = web.hotlink_allowed.iter().flat_map(|name| {
        [
            Word::from(name),
            Word::from(&crate::domain::site_name::SiteName::Wildcard(name.clone())),
        ]
    });
    let words: Vec<Word> = ["none", "blocked", "server_names"]
        .map(Word::from)
        .into_iter()
        .chain(friends)
        .collect();
    server.line("valid_referers", words).block(
        "location",
        [
            "~*",
            r"\.(?:avif|bmp|gif|ico|jpe?g|mp3|mp4|ogg|png|svg|webm|webp)$",
        ],
        |place| {
            place
                .block("if", ["($invalid_referer)"], |inside| {
                    inside.set("return", "403")
                })
                .line("try_files", ["$uri", otherwise])
        },
    )
}

const FRONT: &str = "/index.php$is_args$args";

fn php(server: Block, site: &Site, socket: &HostPath) -> Block {
    images(
        server.line("index", ["index.php", "index.html"]),
        site,
        "=404",
    )
    .block("location", ["/"], |place| {
        place.line("try_files", ["$uri", "$uri/", "=404"])
    })
    .block("location", ["~", r"\.php$"], |place| {
        run(place.line("try_files", ["$uri", "=404"]), site, socket)
    })
}

fn wordpress(server: Block, site: &Site, socket: &HostPath) -> Block {
    let server = server.line("index", ["index.php", "index.html"]);
    let server = if site.settings.web.xmlrpc {
        server
    } else {
        server.block("location", ["=", "/xmlrpc.php"], |place| {
            place.set("return", "403")
        })
    };
    let server = server
        .comment("WordPress makes a virtual one.")
        .block("location", ["=", "/robots.txt"], |place| {
            place
                .set("access_log", "off")
                .line("try_files", ["$uri", FRONT])
        })
        .comment("What visitors upload never runs.")
        .block(
            "location",
            [
                "~*",
                r"^/(?:wp-content/(?:uploads|cache|upgrade|backups?|blogs\.dir)|wp-includes|files)/.*\.(?:php\d?|phtml|phar)$",
            ],
            |place| place.set("return", "403"),
        )
        .block(
            "location",
            ["~*", r"^/(?:wp-config(?:-sample)?\.php|readme\.html|license\.txt)$"],
            |place| place.set("return", "404"),
        );
    images(server, site, FRONT)
        .block("location", ["/"], |place| {
            place.line("try_files", ["$uri", "$uri/", FRONT])
        })
        .block("location", ["~", r"\.php$"], |place| {
            run(place.line("try_files", ["$uri", "=404"]), site, socket)
        })
}

fn laravel(server: Block, site: &Site, socket: &HostPath) -> Block {
    images(server.set("index", "index.php"), site, FRONT)
        .block("location", ["/"], |place| {
            place.line("try_files", ["$uri", FRONT])
        })
        .block("location", ["=", "/index.php"], |place| {
            run(place, site, socket)
        })
        .block("location", ["~", r"\.php$"], |place| {
            place.set("return", "404")
        })
}

fn plain_files(server: Block, site: &Site, spa: bool) -> Block {
    let last = if spa { "/index.html" } else { "=404" };
    images(
        server.set("index", "index.html").set("charset", "utf-8"),
        site,
        "=404",
    )
    .block("location", ["/"], |place| {
        place.line("try_files", ["$uri", "$uri/", "$uri.html", last])
    })
    .comment("Source left over from a PHP site is never sent as text.")
    .block("location", ["~", r"\.php$"], |place| {
        place.set("return", "404")
    })
}

/// PHP runs this.
fn run(place: Block, site: &Site, socket: &HostPath) -> Block {
    let wait = site.settings.php.max_execution_time.saturating_add(5);
    let place = place
        .set("include", "/etc/nginx/lalapanel/php.conf")
        .when(site.speaks_http3(), |place| {
            place
                .comment("HTTP/3 has no Host header, and nginx before 1.29 makes none of its :authority.")
                .line("fastcgi_param", ["HTTP_HOST", "$host"])
        })
        .comment("Just above the pool's request_terminate_timeout.")
        .set("fastcgi_read_timeout", Word::measure(wait, "s"))
        .set("fastcgi_pass", Word::unix(socket));
    match site.settings.web.cache {
        Cache::Off => place,
        Cache::Micro => cached(
            place,
            site,
            &["$lalapanel_any_cookie", "$http_authorization"],
        ),
        Cache::Wordpress => cached(
            place,
            site,
            &[
                "$lalapanel_wp_cookie",
                "$lalapanel_wp_page",
                "$http_authorization",
            ],
        ),
    }
}

/// The site's security headers; wherever another header is added they must be added again.
pub(super) fn headers(block: Block, site: &Site) -> Block {
    match site.settings.web.headers {
        HeaderSet::Standard => block.set("include", "/etc/nginx/lalapanel/headers.conf"),
        HeaderSet::Strict => block.set("include", "/etc/nginx/lalapanel/headers-strict.conf"),
        HeaderSet::Off => block,
    }
}

fn cached(place: Block, site: &Site, bypass: &[&'static str]) -> Block {
    let web = &site.settings.web;
    let no_cache = bypass.iter().copied().chain(["$upstream_http_set_cookie"]);
    let place = place
        .set("fastcgi_cache", shared::CACHE_ZONE)
        .comment("The number behind the site's grows when its cache is emptied.")
        .set(
            "fastcgi_cache_key",
            Word::cache_key(site.id, web.cache_generation),
        )
        .line(
            "fastcgi_cache_valid",
            [
                "200".into(),
                "301".into(),
                Word::measure(web.cache_seconds, "s"),
            ],
        )
        .line("fastcgi_cache_bypass", bypass.iter().copied())
        .line("fastcgi_no_cache", no_cache)
        .set("fastcgi_cache_lock", "on")
        .line(
            "fastcgi_cache_use_stale",
            ["updating", "error", "timeout", "http_500", "http_503"],
        )
        .set("fastcgi_cache_background_update", "on");
    tls::promises(headers(place, site), site).line(
        "add_header",
        ["X-Cache", "$upstream_cache_status", "always"],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::certificate::samples;
    use crate::render::golden::{self, php_site, static_site};
    use crate::render::nginx_site::{Abilities, site};
    use proptest::prelude::*;

    const ALL: Abilities = Abilities {
        ipv6: true,
        brotli: true,
        shared_php: false,
    };

    fn with(values: &[(&str, &str)]) -> Site {
        let mut made = php_site();
        for (key, value) in values {
            let assignment = crate::domain::setting::Assignment::new(key, value).unwrap();
            assignment.apply(&mut made).unwrap();
        }
        made
    }

    #[test]
    fn the_files_are_the_golden_ones() {
        golden::check("nginx-php-site.conf", &site(&php_site(), ALL));
        golden::check(
            "nginx-static-site.conf",
            &site(&static_site(), Abilities::default()),
        );
        let check = |file: &str, kind: &str| {
            golden::check(file, &site(&with(&[("type", kind)]), ALL));
        };
        check("nginx-wordpress-site.conf", "wordpress 8.2");
        check("nginx-laravel-site.conf", "laravel 8.2");
        check("nginx-spa-site.conf", "spa");
        check("nginx-proxy-site.conf", "proxy 127.0.0.1:3000");
        check(
            "nginx-redirect-site.conf",
            "redirect https://new.example 308",
        );
    }

    #[test]
    fn every_setting_of_the_web_server_has_its_golden_file() {
        let full = with(&[
            ("type", "wordpress 8.2"),
            ("www", "redirect"),
            ("aliases", "*.shop.example"),
            (
                "redirects",
                "/old /new 301\n/blog/* https://blog.example/archive 308",
            ),
            ("web.directory", "current/public"),
            ("web.upload_max", "200"),
            ("web.cache", "wordpress"),
            ("web.headers", "strict"),
            ("web.error_pages", "404 /404.html"),
            ("web.real_ip_from", "203.0.113.0/24\n2001:db8::/32"),
            ("web.hotlink_protection", "on"),
            ("web.hotlink_allowed", "partner.example"),
            ("web.blocked_agents", "AhrefsBot\nbad.bot"),
            ("access.allow", "198.51.100.0/24"),
            ("access.deny", "198.51.100.66"),
            ("access.protected", "/admin/\n/a.b"),
            ("php.max_execution_time", "120"),
        ]);
        golden::check("nginx-full-site.conf", &site(&full, ALL));
        let closed = with(&[
            ("serving", "maintenance"),
            ("access.maintenance_allow", "198.51.100.7"),
        ]);
        let names = closed.names();
        golden::check(
            "nginx-resting-site.conf",
            &crate::render::nginx::resting(names, ALL),
        );
        golden::check("nginx-maintenance-site.conf", &site(&closed, ALL));
        golden::check(
            "nginx-suspended-site.conf",
            &site(&with(&[("serving", "suspended")]), ALL),
        );
        golden::check(
            "nginx-micro-site.conf",
            &site(&with(&[("web.cache", "micro")]), ALL),
        );
    }

    #[test]
    fn a_site_with_tls_has_its_golden_file_at_every_stage() {
        let mut made = with(&[
            ("www", "redirect"),
            ("aliases", "other.example"),
            ("web.cache", "micro"),
            ("tls", "auto"),
        ]);
        golden::check("nginx-tls-placeholder-site.conf", &site(&made, ALL));
        let names = ["shop.example", "www.shop.example"];
        made.tls.certificate = Some(samples::certificate(&names, 90));
        made.tls.hsts = true;
        golden::check("nginx-tls-site.conf", &site(&made, ALL));
        made.tls.http3 = true;
        golden::check("nginx-http3-site.conf", &site(&made, ALL));
        made.tls.http3 = false;
        made.settings.serving = crate::domain::setting::Serving::Suspended;
        golden::check("nginx-tls-suspended-site.conf", &site(&made, ALL));
    }

    #[test]
    fn no_site_is_ever_the_default_of_a_port() {
        assert!(!site(&php_site(), ALL).contains("default_server"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        #[test]
        fn every_site_renders_to_balanced_braces_and_plain_words(made in golden::any_site()) {
            let text = site(&made, ALL);
            prop_assert_eq!(text.matches('{').count(), text.matches('}').count());
            prop_assert!(!golden::has_strange_characters(&text));
            for name in made.names() {
                let serves = |line: &str| {
                    line.trim().starts_with("server_name ")
                        && line.trim_end_matches(';').split(' ').any(|word| word == name.to_string())
                };
                prop_assert!(text.lines().any(serves), "{}", name);
            }
        }
    }
}
