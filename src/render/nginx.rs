//! What nginx reads for all sites: globals beside the distribution's own `nginx.conf`, include files, the marker.
//!
//! Invariant: whatever would change how the sites of others behave stands in our server blocks, never at the level of `http`.

use crate::domain::id::OperationId;
use crate::domain::path::HostPath;
use crate::render::block::{Block, Word};
use crate::render::nginx_shared as shared;

pub use crate::render::nginx_access::{holds_hashes, visitors, visitors_file};
pub use crate::render::nginx_site::{Abilities, resting, site, site_with};
pub use crate::render::nginx_snippet::{
    snippet, snippet_directory, snippet_file, staged_snippet_file, with_staged_snippet,
};

/// Included by every server block of ours: limits, headers, what is never served.
pub const SERVER: &str = include_str!("nginx/server.conf");
/// The same for servers that serve files: links, dotfiles, droppings.
const FILES: &str = include_str!("nginx/files.conf");
/// Security headers.
pub const HEADERS: &str = include_str!("nginx/headers.conf");
const HEADERS_STRICT: &str = include_str!("nginx/headers-strict.conf");
/// What PHP is told about a request.
pub const PHP: &str = include_str!("nginx/php.conf");
const PROXY: &str = include_str!("nginx/proxy.conf");
const GZIP: &str = include_str!("nginx/gzip.conf");
const BROTLI: &str = include_str!("nginx/brotli.conf");

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
pub fn includes() -> [(HostPath, &'static str); 8] {
    let file = |name| include_directory().join(name);
    [
        (file("brotli.conf"), BROTLI),
        (file("files.conf"), FILES),
        (file("gzip.conf"), GZIP),
        (file("headers.conf"), HEADERS),
        (file("headers-strict.conf"), HEADERS_STRICT),
        (file("php.conf"), PHP),
        (file("proxy.conf"), PROXY),
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
    reason = "four independent findings about one nginx"
)]
pub struct Globals {
    /// Whether the kernel has IPv6.
    pub ipv6: bool,
    /// False where a server of somebody else already listens on port 80, and so answers unknown names there.
    pub default_on_80: bool,
    /// The same for port 80 of IPv6.
    pub default_on_80_v6: bool,
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
    let file = shared::variables(file);
    let ipv6 = globals.ipv6 && globals.default_on_80_v6;
    let file = if globals.default_on_80 || ipv6 {
        catch_all_plain(file, globals.default_on_80, ipv6)
    } else {
        file.comment("Port 80 had servers before: unknown names there are answered as before.")
    };
    file.finish()
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
                .comment("But for an authority: names may be proved that have no site yet.")
                .block(
                    "location",
                    ["^~", "/.well-known/acme-challenge/"],
                    |place| place.set("proxy_pass", "http://unix:/run/lalapanel/challenge.sock"),
                )
                .block("location", ["/"], |place| place.set("return", "444"))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::golden;

    const ALL: Globals = Globals {
        ipv6: true,
        default_on_80: true,
        default_on_80_v6: true,
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
                names_hash: false,
                ..ALL
            }),
        );
        golden::check("nginx-marker.conf", &marker(golden::operation()));
    }

    #[test]
    fn what_was_there_before_keeps_answering_unknown_names() {
        let text = globals(Globals {
            default_on_80: false,
            default_on_80_v6: false,
            ..ALL
        });
        assert!(!text.contains("listen"));
    }
}
