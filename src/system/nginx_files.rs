//! Everything nginx would read on this host, and which of it is not ours.
//!
//! Invariant: looking only; links are followed, and a file that cannot be read counts as empty.

use std::collections::BTreeMap;

use crate::domain::name::Hostname;
use crate::domain::path::HostPath;
use crate::host::{Host, HostResult};
use crate::system::files;
use crate::system::nginx_text::{self, Directive};

const DEPTH: usize = 8;
const FILES: usize = 5000;

/// A `server` block of the `http` part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The file it stands in.
    pub file: HostPath,
    /// Its `server_name`s as written.
    pub names: Vec<String>,
    /// The arguments of its `listen`s.
    pub listens: Vec<Vec<String>>,
}

/// What nginx would read.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    /// Its servers, ours among them, in the order nginx meets them.
    pub servers: Vec<Server>,
    /// Every file that was read.
    pub files: Vec<HostPath>,
    /// Names of the directives at the level of `http`, each with its file.
    pub http: Vec<(String, HostPath)>,
}

/// Reads the configuration from `/etc/nginx/nginx.conf` on.
pub fn read(host: &dyn Host) -> HostResult<Configuration> {
    let mut reader = Reader {
        host,
        found: Configuration::default(),
    };
    reader.file(&HostPath::fixed("/etc/nginx/nginx.conf"), Level::Main, 0)?;
    Ok(reader.found)
}

/// True for files the panel writes itself.
#[must_use]
pub fn is_ours(file: &HostPath) -> bool {
    HostPath::fixed("/etc/nginx/lalapanel").contains(file)
        || (file.parent() == HostPath::fixed("/etc/nginx/conf.d")
            && matches!(
                file.name(),
                "lalapanel.conf" | "lalapanel-marker.conf" | "lalapanel-tls.conf"
            ))
        || file.name() == "lalapanel-staged.conf"
}

impl Configuration {
    /// The servers of others; `own` are the files of our sites.
    pub fn foreign<'a>(&'a self, own: &'a [HostPath]) -> impl Iterator<Item = &'a Server> {
        self.servers
            .iter()
            .filter(move |server| !is_ours(&server.file) && !own.contains(&server.file))
    }

    /// The exact names that servers of others answer to.
    #[must_use]
    pub fn foreign_names(&self, own: &[HostPath]) -> BTreeMap<Hostname, HostPath> {
        let mut names = BTreeMap::new();
        for server in self.foreign(own) {
            for name in &server.names {
                // `.shop.example` is the name and everything below it (ngx_http_core_module, server_name).
                if let Ok(name) = Hostname::parse(name.strip_prefix('.').unwrap_or(name)) {
                    names.entry(name).or_insert_with(|| server.file.clone());
                }
            }
        }
        names
    }

    /// The first server of others that listens on a port on every address of one family. One on a single address answers
    /// only there, and is none of our concern.
    #[must_use]
    pub fn foreign_on<'a>(&'a self, place: Wildcard, own: &'a [HostPath]) -> Option<&'a Server> {
        self.foreign(own)
            .find(move |server| server.wildcards().contains(&place))
    }

    /// The first server of others that listens by UDP, which nginx calls QUIC, on a port on every address.
    #[must_use]
    pub fn foreign_quic<'a>(&'a self, port: u16, own: &'a [HostPath]) -> Option<&'a Server> {
        let everywhere = [Wildcard::V4(port), Wildcard::V6(port)];
        let by_udp = move |words: &Vec<String>| {
            words.iter().any(|word| word == "quic")
                && wildcards(words).iter().any(|at| everywhere.contains(at))
        };
        self.foreign(own)
            .find(move |server| server.listens.iter().any(by_udp))
    }

    /// True where somebody else sets a directive at the level of `http`.
    #[must_use]
    pub fn sets(&self, directive: &str) -> bool {
        self.http
            .iter()
            .any(|(name, file)| name == directive && !is_ours(file))
    }
}

impl Server {
    /// Where it listens on every address; a server without `listen` does so on port 80 of IPv4 (as root).
    #[must_use]
    pub fn wildcards(&self) -> Vec<Wildcard> {
        if self.listens.is_empty() {
            return vec![Wildcard::V4(80)];
        }
        self.listens
            .iter()
            .flat_map(|words| wildcards(words))
            .collect()
    }
}

/// Every address of one family, at a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wildcard {
    /// `*:80`.
    V4(u16),
    /// `[::]:80`.
    V6(u16),
}

/// `80`, `*:80`, `0.0.0.0:80`, `*`; `[::]:80`, `[::]`, which takes IPv4 as well with `ipv6only=off`.
fn wildcards(words: &[String]) -> Vec<Wildcard> {
    let Some(address) = words.first() else {
        return Vec::new();
    };
    if let Ok(port) = address.parse() {
        return vec![Wildcard::V4(port)];
    }
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()),
        _ => (address.as_str(), Some(80)),
    };
    match (host, port) {
        ("*" | "0.0.0.0", Some(port)) => vec![Wildcard::V4(port)],
        ("[::]", Some(port)) if words.iter().any(|word| word == "ipv6only=off") => {
            vec![Wildcard::V6(port), Wildcard::V4(port)]
        }
        ("[::]", Some(port)) => vec![Wildcard::V6(port)],
        _ => Vec::new(),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Main,
    Http,
}

struct Reader<'a> {
    host: &'a dyn Host,
    found: Configuration,
}

impl Reader<'_> {
    fn file(&mut self, path: &HostPath, level: Level, depth: usize) -> HostResult<()> {
        if depth > DEPTH || self.found.files.len() >= FILES {
            return Ok(());
        }
        let Some(real) = files::followed(self.host, path)? else {
            return Ok(());
        };
        let Some(text) = files::text(self.host, &real).unwrap_or_default() else {
            return Ok(());
        };
        self.found.files.push(real.clone());
        self.directives(&nginx_text::parse(&text), &real, level, depth)
    }

    fn directives(
        &mut self,
        directives: &[Directive],
        file: &HostPath,
        level: Level,
        depth: usize,
    ) -> HostResult<()> {
        for directive in directives {
            match (level, directive.name()) {
                (_, "include") => {
                    for pattern in directive.arguments() {
                        self.include(pattern, level, depth)?;
                    }
                }
                (Level::Main, "http") => {
                    self.directives(&directive.inside, file, Level::Http, depth)?;
                }
                (Level::Http, "server") => self.server(directive, file, depth)?,
                (Level::Http, name) => self.found.http.push((name.to_owned(), file.clone())),
                (Level::Main, _) => {}
            }
        }
        Ok(())
    }

    fn server(&mut self, directive: &Directive, file: &HostPath, depth: usize) -> HostResult<()> {
        let mut server = Server {
            file: file.clone(),
            names: Vec::new(),
            listens: Vec::new(),
        };
        self.inside_server(&directive.inside, &mut server, depth)?;
        self.found.servers.push(server);
        Ok(())
    }

    /// Names may stand in a file that the server includes.
    fn inside_server(
        &mut self,
        directives: &[Directive],
        server: &mut Server,
        depth: usize,
    ) -> HostResult<()> {
        for directive in directives {
            let words = || directive.arguments().map(str::to_owned);
            match directive.name() {
                "server_name" => server.names.extend(words()),
                "listen" => server.listens.push(words().collect()),
                "include" if depth < DEPTH => {
                    for path in self.matching(directive.arguments().next().unwrap_or_default()) {
                        let Some(real) = files::followed(self.host, &path)? else {
                            continue;
                        };
                        if !is_ours(&real) {
                            let text = files::text(self.host, &real).unwrap_or_default();
                            let inner = nginx_text::parse(&text.unwrap_or_default());
                            self.inside_server(&inner, server, depth + 1)?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn include(&mut self, pattern: &str, level: Level, depth: usize) -> HostResult<()> {
        for path in self.matching(pattern) {
            self.file(&path, level, depth + 1)?;
        }
        Ok(())
    }

    /// The files of an `include`, sorted as nginx sorts them; a mask may stand in every component.
    fn matching(&self, pattern: &str) -> Vec<HostPath> {
        let root = HostPath::fixed("/etc/nginx");
        let Some(whole) = files::joined(&root, pattern) else {
            return Vec::new();
        };
        let mut found = vec![HostPath::fixed("/")];
        for part in whole.as_str().split('/').filter(|part| !part.is_empty()) {
            let mut next = Vec::new();
            for directory in found {
                if part.contains(['*', '?', '[']) {
                    let names = self.host.list(&directory).unwrap_or_default();
                    let fits = |name: &&String| !name.starts_with('.') && fits(part, name);
                    next.extend(names.iter().filter(fits).map(|name| directory.join(name)));
                } else {
                    next.push(directory.join(part));
                }
            }
            found = next;
        }
        found
    }
}

/// glob(7) with `*` and `?`; a bracket is taken as any one character, which finds too much rather than too little.
fn fits(mask: &str, name: &str) -> bool {
    let mask: Vec<char> = mask.chars().collect();
    let name: Vec<char> = name.chars().collect();
    fits_from(&mask, &name)
}

fn fits_from(mask: &[char], name: &[char]) -> bool {
    match (mask.split_first(), name.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), None) => fits_from(rest, name),
        (Some(('*', rest)), Some((_, shorter))) => {
            fits_from(rest, name) || fits_from(mask, shorter)
        }
        (Some(('?', rest)), Some((_, shorter))) => fits_from(rest, shorter),
        (Some(('[', rest)), Some((_, shorter))) => {
            let after = rest
                .iter()
                .position(|c| *c == ']')
                .map_or(rest.len(), |at| at + 1);
            fits_from(rest.get(after..).unwrap_or_default(), shorter)
        }
        (Some((a, rest)), Some((b, shorter))) => a == b && fits_from(rest, shorter),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(file: &'static str, names: &[&str], listens: &[&str]) -> Server {
        Server {
            file: HostPath::fixed(file),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            listens: listens
                .iter()
                .map(|words| words.split(' ').map(str::to_owned).collect())
                .collect(),
        }
    }

    #[test]
    fn only_a_listen_on_every_address_takes_a_port_from_us() {
        use Wildcard::{V4, V6};
        for (listen, places) in [
            ("80", vec![V4(80)]),
            ("*:8080 default_server", vec![V4(8080)]),
            ("0.0.0.0:80", vec![V4(80)]),
            ("[::]:443 ssl", vec![V6(443)]),
            ("[::]:80 ipv6only=off", vec![V6(80), V4(80)]),
            ("[::1]", vec![]),
            ("127.0.0.1:80", vec![]),
            ("198.51.100.7", vec![]),
            ("unix:/run/x.sock", vec![]),
        ] {
            assert_eq!(server("/a", &[], &[listen]).wildcards(), places, "{listen}");
        }
        assert_eq!(server("/a", &[], &[]).wildcards(), [V4(80)]);
    }

    #[test]
    fn only_exact_names_of_others_count() {
        let configuration = Configuration {
            servers: vec![
                server(
                    "/etc/nginx/sites-available/legacy",
                    &[
                        "old.example",
                        ".wide.example",
                        "_",
                        "*.x.example",
                        "~^y$",
                        "",
                    ],
                    &["80"],
                ),
                server(
                    "/etc/nginx/sites-available/shop.example",
                    &["shop.example"],
                    &["80"],
                ),
                server(
                    "/etc/nginx/conf.d/lalapanel.conf",
                    &["lalapanel-catch-all.invalid"],
                    &["443 ssl"],
                ),
            ],
            ..Configuration::default()
        };
        let own = [HostPath::fixed("/etc/nginx/sites-available/shop.example")];
        let names: Vec<String> = configuration
            .foreign_names(&own)
            .keys()
            .map(ToString::to_string)
            .collect();
        assert_eq!(names, ["old.example", "wide.example"]);
        assert!(configuration.foreign_on(Wildcard::V4(80), &own).is_some());
        assert!(configuration.foreign_on(Wildcard::V4(443), &own).is_none());
    }

    #[test]
    fn masks_fit_as_in_a_shell() {
        for (mask, name, fit) in [
            ("*", "default", true),
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf.bak", false),
            ("a?c*", "abcd", true),
            ("[0-9]x", "7x", true),
            ("x", "y", false),
        ] {
            assert_eq!(fits(mask, name), fit, "{mask} {name}");
        }
    }
}
