//! What nginx reads for port 443: who answers there for no site, what every server with TLS includes, how one listens.
//!
//! Invariant: protocols and ciphers are the same for all sites; nginx before 1.29.2 takes them from the first server of a port.

use crate::domain::facts::{Http2, TlsFacts};
use crate::domain::path::HostPath;
use crate::domain::site::Site;
use crate::domain::tls;
use crate::render::block::{Block, Word};
use crate::render::nginx::include_directory;

/// Mozilla's guideline 6.0, "intermediate": no DHE, so no file of parameters. Curves are OpenSSL's own choice, since a list
/// with one that it does not know keeps nginx from starting.
const POLICY: &str = include_str!("nginx/tls.conf");

/// Where the servers for nobody on port 443 are.
#[must_use]
pub fn globals_file() -> HostPath {
    HostPath::fixed("/etc/nginx/conf.d/lalapanel-tls.conf")
}

/// What every server with TLS includes.
#[must_use]
pub fn include_file() -> HostPath {
    include_directory().join("tls.conf")
}

/// Both, as they are removed: the one that needs the other first.
#[must_use]
pub fn files() -> [HostPath; 2] {
    [globals_file(), include_file()]
}

/// The file at [`include_file`].
#[must_use]
pub fn include(http2: Http2) -> String {
    let more = match http2 {
        Http2::Directive => "http2 on;\n",
        Http2::Listen | Http2::No => "",
    };
    format!("{POLICY}{more}")
}

/// The file at [`globals_file`]: where others answer for unknown names on port 443, they go on doing so.
///
/// With `http3` it opens UDP port 443 as well: `reuseport` gives each worker a socket of its own, without which the packets
/// of one visitor reach several of them, and may stand once only.
#[must_use]
pub fn globals(facts: &TlsFacts, ipv6: bool, http3: bool) -> String {
    let udp_v6 = http3 && ipv6;
    let ipv6 = ipv6 && !facts.others_v6;
    let file = Block::file();
    if facts.others && !ipv6 && !http3 {
        return file
            .comment("Port 443 had servers before: unknown names there are answered as before.")
            .finish();
    }
    let listen = |server: Block, address: &'static str| {
        let words = [address, "ssl", "default_server"].into_iter();
        server.line(
            "listen",
            words.chain((facts.http2 == Http2::Listen).then_some("http2")),
        )
    };
    let by_udp = |server: Block, address: &'static str| {
        server.line("listen", [address, "quic", "reuseport", "default_server"])
    };
    file.comment("No certificate is shown to who names no site of this server.")
        .server(|server| {
            server
                .when(!facts.others, |server| listen(server, "443"))
                .when(ipv6, |server| listen(server, "[::]:443"))
                .when(http3, |server| by_udp(server, "443"))
                .when(udp_v6, |server| by_udp(server, "[::]:443"))
                .set("server_name", "lalapanel-catch-all.invalid")
                .set("server_tokens", "off")
                .set("access_log", "off")
                .set("include", &include_file())
                .set("ssl_reject_handshake", "on")
                .comment("The name in TLS of a site, the Host of nobody: lands here.")
                .block("location", ["/"], |place| place.set("return", "421"))
        })
        .finish()
}

/// Port 443 and the pair of certificate and key in a directory.
pub(super) fn listen(server: Block, pair: &HostPath, ipv6: bool, http3: bool) -> Block {
    let line = |server: Block, address: &'static str, how| server.line("listen", [address, how]);
    server
        .line("listen", ["443", "ssl"])
        .when(ipv6, |server| line(server, "[::]:443", "ssl"))
        .when(http3, |server| line(server, "443", "quic"))
        .when(http3 && ipv6, |server| line(server, "[::]:443", "quic"))
        .set("ssl_certificate", &tls::chain_file(pair))
        .set("ssl_certificate_key", &tls::key_file(pair))
        .set("include", &include_file())
}

/// Tells browsers to come by HTTPS alone and that they may come by HTTP/3, where the owner wished it and they can.
pub(super) fn promises(block: Block, site: &Site) -> Block {
    let can = site.trusted().is_some();
    let promise = |block: Block, name: &'static str, value: &'static str| {
        block.line("add_header", [name, value, "always"])
    };
    block
        .when(can && site.tls.hsts, |block| {
            promise(block, "Strict-Transport-Security", "\"max-age=31536000\"")
        })
        .when(can && site.speaks_http3(), |block| {
            promise(block, "Alt-Svc", r#""h3=\":443\"; ma=86400""#)
        })
}

/// The same name and path by HTTPS. `$host` is one of the names of the server, and holds no line end.
pub(super) fn by_https() -> Word {
    Word::from("\"https://$host$request_uri\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::golden;

    #[test]
    fn the_files_are_the_golden_ones() {
        let facts = TlsFacts {
            http2: Http2::Listen,
            ..TlsFacts::default()
        };
        golden::check("nginx-tls-globals.conf", &globals(&facts, true, false));
        let others = TlsFacts {
            others: true,
            http2: Http2::Directive,
            ..TlsFacts::default()
        };
        golden::check("nginx-tls-globals-v6.conf", &globals(&others, true, true));
        golden::check("nginx-tls-include.conf", &include(Http2::Directive));
    }

    #[test]
    fn what_others_answer_on_port_443_they_go_on_answering() {
        let facts = TlsFacts {
            others: true,
            others_v6: true,
            ..TlsFacts::default()
        };
        assert!(!globals(&facts, true, false).contains("listen"));
        let facts = TlsFacts {
            others_v6: true,
            ..TlsFacts::default()
        };
        assert!(!globals(&facts, true, false).contains("[::]"));
    }

    #[test]
    fn udp_is_opened_for_all_sites_in_one_place_and_only_where_one_wants_it() {
        let facts = TlsFacts::default();
        assert!(!globals(&facts, true, false).contains("quic"));
        let open = globals(&facts, true, true);
        assert_eq!(open.matches("quic reuseport default_server;").count(), 2);
        let listens = listen(Block::default(), &tls::pairs(), true, true).finish();
        assert_eq!(listens.matches(" quic;").count(), 2);
        assert!(!listens.contains("reuseport"));
    }

    #[test]
    fn http2_is_written_as_this_nginx_reads_it() {
        assert!(!include(Http2::Listen).contains("http2 on"));
        let facts = TlsFacts {
            http2: Http2::Directive,
            ..TlsFacts::default()
        };
        assert!(!globals(&facts, true, false).contains("http2"));
    }
}
