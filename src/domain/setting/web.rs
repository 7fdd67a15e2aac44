//! Fields: what nginx does for a site.
//!
//! Invariant: patterns that people type are plain words; no regular expression comes from outside.

use crate::domain::name::Hostname;
use crate::domain::network::Network;
use crate::domain::path::SitePath;
use crate::domain::setting::field::{Control, Field, Section, lines, list};
use crate::domain::setting::values::{Cache, ErrorPage, HeaderSet, RealIpHeader};
use crate::domain::site::{Site, SiteKind};
use crate::domain::web_target::UrlPath;

pub(super) const FIELDS: &[Field] = &[
    Field {
        key: "web.directory",
        section: Section::Web,
        label: "Served directory",
        help: "The directory below htdocs that visitors see, such as public; empty for htdocs itself.",
        control: Control::Line {
            example: "public",
            read: |site| {
                site.settings
                    .web
                    .directory
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default()
            },
            write: write_directory,
        },
        for_kind: SiteKind::has_files,
    },
    Field {
        key: "web.upload_max",
        section: Section::Web,
        label: "Largest upload",
        help: "One limit in three places: nginx, upload_max_filesize and post_max_size follow it.",
        control: Control::Number {
            least: 1,
            most: 4096,
            unit: "MB",
            at: |site| &mut site.settings.web.upload_max,
        },
        for_kind: |kind| !matches!(kind, SiteKind::Redirect { .. }),
    },
    Field {
        key: "web.cache",
        section: Section::Web,
        label: "Page cache",
        help: "nginx keeps finished pages for visitors who are not signed in. Never kept: answers that set a cookie, and errors.",
        control: Control::Choice {
            of: &[
                ("off", "Every page is made anew"),
                ("micro", "Kept for seconds, for visitors without cookies"),
                (
                    "wordpress",
                    "Kept by the rules of WordPress and WooCommerce",
                ),
            ],
            read: |site| {
                match site.settings.web.cache {
                    Cache::Off => "off",
                    Cache::Micro => "micro",
                    Cache::Wordpress => "wordpress",
                }
                .to_owned()
            },
            write: |site, text| {
                site.settings.web.cache = match text {
                    "micro" => Cache::Micro,
                    "wordpress" => Cache::Wordpress,
                    _ => Cache::Off,
                };
                Ok(())
            },
        },
        for_kind: |kind| kind.php().is_some(),
    },
    Field {
        key: "web.cache_seconds",
        section: Section::Web,
        label: "Pages are kept for",
        help: "How old a page from the cache may be.",
        control: Control::Number {
            least: 1,
            most: 86_400,
            unit: "s",
            at: |site| &mut site.settings.web.cache_seconds,
        },
        for_kind: |kind| kind.php().is_some(),
    },
    Field {
        key: "web.gzip",
        section: Section::Web,
        label: "Compression",
        help: "Texts are sent compressed by gzip.",
        control: Control::Switch(|site| &mut site.settings.web.gzip),
        for_kind: |kind| !matches!(kind, SiteKind::Redirect { .. }),
    },
    Field {
        key: "web.brotli",
        section: Section::Web,
        label: "Compression by brotli",
        help: "Smaller than gzip; takes effect where nginx has the module.",
        control: Control::Switch(|site| &mut site.settings.web.brotli),
        for_kind: |kind| !matches!(kind, SiteKind::Redirect { .. }),
    },
    Field {
        key: "web.headers",
        section: Section::Web,
        label: "Security headers",
        help: "Standard breaks nothing. Strict also forbids frames, sensors and cross-origin openers.",
        control: Control::Choice {
            of: &[
                (
                    "standard",
                    "No guessing of types, frames from the same site only, short referrers",
                ),
                (
                    "strict",
                    "No frames, no camera, microphone or location, isolated windows",
                ),
                ("off", "The application sends its own"),
            ],
            read: |site| {
                match site.settings.web.headers {
                    HeaderSet::Standard => "standard",
                    HeaderSet::Strict => "strict",
                    HeaderSet::Off => "off",
                }
                .to_owned()
            },
            write: |site, text| {
                site.settings.web.headers = match text {
                    "strict" => HeaderSet::Strict,
                    "off" => HeaderSet::Off,
                    _ => HeaderSet::Standard,
                };
                Ok(())
            },
        },
        for_kind: |_| true,
    },
    Field {
        key: "web.error_pages",
        section: Section::Web,
        label: "Error pages",
        help: "One a line: the status and a page of the site, such as 404 /404.html.",
        control: Control::Lines {
            example: "404 /404.html",
            read: |site| lines(&site.settings.web.error_pages),
            write: |site, text| {
                site.settings.web.error_pages = list(text, 50, error_page)?;
                refuse_double_status(&site.settings.web.error_pages)
            },
        },
        for_kind: SiteKind::has_files,
    },
    Field {
        key: "web.real_ip_from",
        section: Section::Web,
        label: "Proxies in front",
        help: "Addresses of the CDN or load balancer whose word about the visitor's address is believed.",
        control: Control::Lines {
            example: "203.0.113.0/24",
            read: |site| lines(&site.settings.web.real_ip_from),
            write: |site, text| {
                let ranges = list(text, 200, Network::parse)?;
                if ranges.iter().any(|range| range.is_everything()) {
                    return Err(
                        "this range is everybody: any visitor could claim any address".to_owned(),
                    );
                }
                site.settings.web.real_ip_from = ranges;
                Ok(())
            },
        },
        for_kind: |_| true,
    },
    Field {
        key: "web.real_ip_header",
        section: Section::Web,
        label: "Header with the visitor's address",
        help: "Which header the proxies in front use.",
        control: Control::Choice {
            of: &[
                ("X-Forwarded-For", "Most proxies"),
                ("X-Real-IP", "Some load balancers"),
                ("CF-Connecting-IP", "Cloudflare"),
            ],
            read: |site| header_word(site.settings.web.real_ip_header).to_owned(),
            write: |site, text| {
                site.settings.web.real_ip_header = match text {
                    "X-Real-IP" => RealIpHeader::RealIp,
                    "CF-Connecting-IP" => RealIpHeader::Cloudflare,
                    _ => RealIpHeader::ForwardedFor,
                };
                Ok(())
            },
        },
        for_kind: |_| true,
    },
    Field {
        key: "web.hotlink_protection",
        section: Section::Web,
        label: "Images for this site only",
        help: "Other sites may not show images of this one in their pages.",
        control: Control::Switch(|site| &mut site.settings.web.hotlink_protection),
        for_kind: SiteKind::has_files,
    },
    Field {
        key: "web.hotlink_allowed",
        section: Section::Web,
        label: "Sites that may show images all the same",
        help: "Hostnames, one a line; every name below them counts as well.",
        control: Control::Lines {
            example: "partner.example",
            read: |site| lines(&site.settings.web.hotlink_allowed),
            write: |site, text| {
                site.settings.web.hotlink_allowed = list(text, 100, Hostname::parse)?;
                Ok(())
            },
        },
        for_kind: SiteKind::has_files,
    },
    Field {
        key: "web.blocked_agents",
        section: Section::Web,
        label: "Blocked programs",
        help: "Parts of the name a program gives itself (User-Agent), one a line; such visitors get 403.",
        control: Control::Lines {
            example: "AhrefsBot",
            read: |site| lines(&site.settings.web.blocked_agents),
            write: |site, text| {
                site.settings.web.blocked_agents = list(text, 100, agent)?;
                Ok(())
            },
        },
        for_kind: |_| true,
    },
    Field {
        key: "web.xmlrpc",
        section: Section::Web,
        label: "XML-RPC",
        help: "An old door of WordPress that Jetpack and the mobile app use; closed unless needed.",
        control: Control::Switch(|site| &mut site.settings.web.xmlrpc),
        for_kind: |kind| matches!(kind, SiteKind::Wordpress { .. }),
    },
    Field {
        key: "web.uptime_path",
        section: Section::Web,
        label: "Page looked at for uptime",
        help: "Lala opens this page from outside every few minutes and tells when it does not answer any more. Empty turns that off.",
        control: Control::Line {
            example: "/",
            read: |site| {
                let path = site.settings.web.uptime_path.as_ref();
                path.map_or_else(String::new, ToString::to_string)
            },
            write: |site, text| {
                let text = text.trim();
                site.settings.web.uptime_path = match text {
                    "" => None,
                    text => Some(UrlPath::parse(text).map_err(|bad| bad.to_string())?),
                };
                Ok(())
            },
        },
        for_kind: |_| true,
    },
];

/// The header as it is written in a request.
#[must_use]
pub fn header_word(header: RealIpHeader) -> &'static str {
    match header {
        RealIpHeader::ForwardedFor => "X-Forwarded-For",
        RealIpHeader::RealIp => "X-Real-IP",
        RealIpHeader::Cloudflare => "CF-Connecting-IP",
    }
}

fn write_directory(site: &mut Site, text: &str) -> Result<(), String> {
    if text.is_empty() || text == "/" {
        site.settings.web.directory = None;
        return Ok(());
    }
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b));
    match SitePath::parse(text.trim_matches('/')) {
        Ok(path) if plain => {
            site.settings.web.directory = Some(path);
            Ok(())
        }
        _ => Err("write a directory below htdocs, such as public or current/public".to_owned()),
    }
}

fn error_page(text: &str) -> Result<ErrorPage, String> {
    let form = || "write the status and the page, as in 404 /404.html".to_owned();
    let (status, page) = text.split_once(char::is_whitespace).ok_or_else(form)?;
    let status: u16 = status.parse().map_err(|_| form())?;
    // 444, 494 and others are nginx's own and never reach a visitor.
    if !(400..=599).contains(&status) || matches!(status, 444 | 494..=499) {
        return Err("the status of an error page is between 400 and 599".to_owned());
    }
    let page = UrlPath::parse(page.trim()).map_err(|bad| bad.to_string())?;
    Ok(ErrorPage { status, page })
}

fn refuse_double_status(pages: &[ErrorPage]) -> Result<(), String> {
    let mut seen = std::collections::BTreeSet::new();
    match pages.iter().find(|page| !seen.insert(page.status)) {
        None => Ok(()),
        Some(page) => Err(format!("{} has two pages", page.status)),
    }
}

impl std::fmt::Display for ErrorPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, self.page)
    }
}

fn agent(text: &str) -> Result<String, &'static str> {
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b" /._-".contains(&b));
    if (3..=60).contains(&text.len()) && plain {
        Ok(text.to_owned())
    } else {
        Err("write 3 to 60 letters, digits, spaces and . _ - /")
    }
}
