//! What nginx reads: globals beside the distribution's own `nginx.conf`, the marker, and one file per site.
//!
//! Invariant: whatever would change how the sites of others behave stands in our server blocks, never at the level of `http`.

use crate::domain::id::OperationId;
use crate::domain::path::HostPath;
use crate::domain::site::{Site, SiteKind};
use crate::render::block::{Block, Word};

/// Included by every server block of ours: limits, headers, what is never served.
pub const SERVER: &str = include_str!("nginx/server.conf");
/// Security headers.
pub const HEADERS: &str = include_str!("nginx/headers.conf");
/// What PHP is told about a request.
pub const PHP: &str = include_str!("nginx/php.conf");

const LOG_FORMAT: &str = r#"'{"t":"$time_iso8601","ip":"$remote_addr","h":"$host","m":"$request_method","u":"$request_uri","p":"$server_protocol","s":$status,"b":$body_bytes_sent,"rt":$request_time,"ut":"$upstream_response_time","ref":"$http_referer","ua":"$http_user_agent","id":"$request_id"}'"#;

/// The socket through which the agent, which has no network, asks nginx.
#[must_use]
pub fn socket() -> HostPath {
    HostPath::fixed("/run/lalapanel/nginx.sock")
}

/// Our directory of include files.
#[must_use]
pub fn include_directory() -> HostPath {
    HostPath::fixed("/etc/nginx/lalapanel")
}

/// The include files: where, and what.
#[must_use]
pub fn includes() -> [(HostPath, &'static str); 3] {
    let file = |name| include_directory().join(name);
    [
        (file("headers.conf"), HEADERS),
        (file("php.conf"), PHP),
        (file("server.conf"), SERVER),
    ]
}

/// Where the globals are.
#[must_use]
pub fn globals_file() -> HostPath {
    HostPath::fixed("/etc/nginx/conf.d/lalapanel.conf")
}

/// Where the marker is.
#[must_use]
pub fn marker_file() -> HostPath {
    HostPath::fixed("/etc/nginx/conf.d/lalapanel-marker.conf")
}

/// What of the globals this machine has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "five independent findings about one nginx"
)]
pub struct Globals {
    /// Whether the kernel has IPv6.
    pub ipv6: bool,
    /// False where a server of somebody else already listens on port 80, and so answers unknown names there.
    pub default_on_80: bool,
    /// The same for port 80 of IPv6.
    pub default_on_80_v6: bool,
    /// The same for port 443; false also while no site of ours listens there.
    pub default_on_443: bool,
    /// False where `server_names_hash_…` is set elsewhere: nginx refuses a second one.
    pub names_hash: bool,
}

/// The file at [`globals_file`].
#[must_use]
pub fn globals(globals: Globals) -> String {
    let file = Block::file()
        // 64, 128 and 256 are too small for a name of 253 characters.
        .set_if(globals.names_hash, "server_names_hash_bucket_size", "512")
        .set_if(globals.names_hash, "server_names_hash_max_size", "16384")
        .comment("Escaped as JSON, or a visitor forges lines of the log.")
        .line("log_format", ["lalapanel_json", "escape=json", LOG_FORMAT]);
    let ipv6 = globals.ipv6 && globals.default_on_80_v6;
    let file = if globals.default_on_80 || ipv6 {
        catch_all_plain(file, globals.default_on_80, ipv6)
    } else {
        file.comment("Port 80 had servers before: unknown names there are answered as before.")
    };
    if globals.default_on_443 {
        catch_all_tls(file, globals.ipv6)
    } else {
        file.comment(
            "Nothing of ours listens on port 443: unknown names there are answered as before.",
        )
    }
    .finish()
}

fn catch_all_plain(file: Block, ipv4: bool, ipv6: bool) -> Block {
    file.comment("Who asks for no site of this server gets silence.")
        .server(|server| {
            let server = if ipv4 {
                server.line("listen", ["80", "default_server"])
            } else {
                server
            };
            let server = if ipv6 {
                server.line("listen", ["[::]:80", "default_server"])
            } else {
                server
            };
            server
                .set("server_name", "lalapanel-catch-all.invalid")
                .set("server_tokens", "off")
                .set("access_log", "off")
                .block("location", ["/"], |place| place.set("return", "444"))
        })
}

fn catch_all_tls(file: Block, ipv6: bool) -> Block {
    file.comment("No certificate is shown to who names no site of this server.")
        .server(|server| {
            let server = server.line("listen", ["443", "ssl", "default_server"]);
            let server = if ipv6 {
                server.line("listen", ["[::]:443", "ssl", "default_server"])
            } else {
                server
            };
            server
                .set("server_name", "lalapanel-catch-all.invalid")
                .set("server_tokens", "off")
                .set("access_log", "off")
                .set("ssl_reject_handshake", "on")
                .comment("The name in TLS of a site, the Host of nobody: lands here.")
                .block("location", ["/"], |place| place.set("return", "421"))
        })
}

/// The file at [`marker_file`]: tells which operation's configuration nginx really runs.
///
/// Why: `nginx -t` and the reload both succeed in cases where the old configuration stays in force.
#[must_use]
pub fn marker(operation: OperationId) -> String {
    Block::file()
        .server(|server| {
            server
                .line("listen", [Word::unix(&socket()), "default_server".into()])
                .set("server_name", "lalapanel-marker.invalid")
                .set("server_tokens", "off")
                .set("access_log", "off")
                .block("location", ["=", "/generation"], |place| {
                    place
                        .set("default_type", "text/plain")
                        .line("return", ["200".into(), Word::answer(operation)])
                })
                .block("location", ["/"], |place| place.set("return", "444"))
        })
        .finish()
}

/// The file of a site.
#[must_use]
pub fn site(site: &Site, ipv6: bool) -> String {
    let logs = site.log_directory();
    Block::file()
        .server(|server| {
            let server = server
                .set("listen", "80")
                .set_if(ipv6, "listen", "[::]:80")
                .set("listen", Word::unix(&socket()))
                .line("server_name", site.names())
                .set("root", &site.document_root())
                .line(
                    "access_log",
                    [
                        Word::from(&logs.join("access.log")),
                        "lalapanel_json".into(),
                    ],
                )
                .line(
                    "error_log",
                    [Word::from(&logs.join("error.log")), "warn".into()],
                )
                .set("include", "/etc/nginx/lalapanel/server.conf");
            match site.kind {
                SiteKind::Php { .. } => php_locations(server, &site.php_socket()),
                SiteKind::Static => static_locations(server),
            }
        })
        .finish()
}

fn php_locations(server: Block, socket: &HostPath) -> Block {
    server
        .line("index", ["index.php", "index.html"])
        .block("location", ["/"], |place| {
            place.line("try_files", ["$uri", "$uri/", "=404"])
        })
        .block("location", ["~", r"\.php$"], |place| {
            place
                .line("try_files", ["$uri", "=404"])
                .set("include", "/etc/nginx/lalapanel/php.conf")
                .set("fastcgi_pass", Word::unix(socket))
        })
}

fn static_locations(server: Block) -> Block {
    server
        .set("index", "index.html")
        .set("charset", "utf-8")
        .block("location", ["/"], |place| {
            place.line("try_files", ["$uri", "$uri/", "$uri.html", "=404"])
        })
        .comment("Source left over from a PHP site is never sent as text.")
        .block("location", ["~", r"\.php$"], |place| {
            place.set("return", "404")
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::golden::{self, php_site, static_site};
    use proptest::prelude::*;

    const ALL: Globals = Globals {
        ipv6: true,
        default_on_80: true,
        default_on_80_v6: true,
        default_on_443: true,
        names_hash: true,
    };

    #[test]
    fn the_files_are_the_golden_ones() {
        golden::check("nginx-globals.conf", &globals(ALL));
        golden::check(
            "nginx-globals-beside-others.conf",
            &globals(Globals {
                default_on_80: false,
                default_on_80_v6: false,
                default_on_443: false,
                names_hash: false,
                ..ALL
            }),
        );
        golden::check("nginx-marker.conf", &marker(golden::operation()));
        golden::check("nginx-php-site.conf", &site(&php_site(), true));
        golden::check("nginx-static-site.conf", &site(&static_site(), false));
    }

    #[test]
    fn what_was_there_before_keeps_answering_unknown_names() {
        let text = globals(Globals {
            default_on_80: false,
            default_on_80_v6: false,
            ..ALL
        });
        assert!(!text.contains("listen 80") && text.contains("listen 443 ssl default_server"));
    }

    #[test]
    fn no_site_is_ever_the_default_of_a_port() {
        assert!(!site(&php_site(), true).contains("default_server"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        #[test]
        fn every_site_renders_to_balanced_braces_and_plain_words(made in golden::any_site()) {
            let text = site(&made, true);
            prop_assert_eq!(text.matches('{').count(), text.matches('}').count());
            prop_assert!(!crate::render::golden::has_strange_characters(&text));
            let names = text.lines().find_map(|line| line.trim().strip_prefix("server_name "));
            let expected: Vec<&str> = made.names().map(crate::domain::name::Hostname::as_str).collect();
            let expected = format!("{};", expected.join(" "));
            prop_assert_eq!(names, Some(expected.as_str()));
        }
    }
}
