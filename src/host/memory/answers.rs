//! What the services of the memory machine answer at their Unix sockets: nginx by its loaded configuration, PHP-FPM by its units.
//!
//! Invariant: nobody answers at a socket whose service or socket unit does not run.

use crate::domain::path::HostPath;
use crate::host::memory::machine::Machine;
use crate::host::memory::nginx_text::Directive;
use crate::host::memory::units::setting;

/// A FastCGI answer: one `STDOUT` record, then `END_REQUEST` (FastCGI 1.0, §3.3, §5.5).
fn fastcgi(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
    let mut bytes = vec![1, 6, 0, 1, 0, length, 0, 0];
    bytes.extend(text.as_bytes());
    bytes.extend([1, 6, 0, 1, 0, 0, 0, 0]);
    bytes.extend([1, 3, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes
}

/// As the courier sends it: the length, then the text.
fn framed(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes();
    [length.as_slice(), text.as_bytes()].concat()
}

impl Machine {
    /// What comes back from a socket; `None` where nobody listens.
    pub(super) fn answer(&mut self, socket: &HostPath, request: &[u8]) -> Option<Vec<u8>> {
        if self.php_answers(socket) {
            // FastCGI version 1 is the first byte of every record.
            return Some(if request.first() == Some(&1) {
                self.by_php(socket, request)
            } else {
                Vec::new()
            });
        }
        if self.courier_listens(socket) {
            return Some(framed(&self.courier_returns));
        }
        let servers = self.nginx.as_ref()?.servers();
        let listen = format!("unix:{socket}");
        let listens = |server: &Directive| {
            server
                .named("listen")
                .any(|directive| directive.word(1) == listen)
        };
        servers
            .iter()
            .any(listens)
            .then(|| self.http(&servers, &listen, request))
    }

    fn courier_listens(&self, socket: &HostPath) -> bool {
        let unit = self.running.get("lalapanel-courier.socket");
        unit.is_some_and(|running| running.sockets.contains(socket))
    }

    fn by_php(&mut self, socket: &HostPath, request: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(request);
        if text.contains("/-/ping") || !text.contains("SCRIPT_FILENAME") {
            return fastcgi("Content-type: text/plain;charset=UTF-8\r\n\r\npong");
        }
        let script = text
            .split("SCRIPT_FILENAME")
            .nth(1)
            .and_then(|rest| Some(&rest[..rest.find(".php")? + 4]));
        let page = script
            .and_then(|path| HostPath::parse(path).ok())
            .and_then(|path| self.tree.text(&path));
        match page {
            None => fastcgi("Status: 404 Not Found\r\n\r\nFile not found."),
            Some(page) if page == "wp-admin/install.php" => {
                self.install_wordpress(&text);
                fastcgi("Content-type: text/html\r\n\r\nSuccess!")
            }
            Some(page) if self.breaks(&page, socket) => {
                fastcgi("Status: 500 Internal Server Error\r\n\r\n")
            }
            Some(_) => fastcgi("Content-type: text/html\r\n\r\nrun by PHP"),
        }
    }

    /// What the installer leaves in the database that `wp-config.php` names.
    fn install_wordpress(&mut self, request: &str) {
        let value = |text: &str, after: &str, end: char| {
            let rest = text.split(after).nth(1)?;
            Some(rest.split(end).next()?.to_owned())
        };
        let root = value(request, "DOCUMENT_ROOT", '\u{c}').unwrap_or_default();
        let root = root.get(..root.find("htdocs").map_or(0, |at| at + 6));
        let config = root.and_then(|root| HostPath::parse(root).ok());
        let config = config.and_then(|root| self.tree.text(&root.join("wp-config.php")));
        let database = config.and_then(|text| value(&text, "'DB_NAME', '", '\''));
        let admin = value(request, "user_name=", '&');
        if let (Some(database), Some(admin)) = (database, admin) {
            self.mariadb.wordpress.insert(database, admin);
        }
    }

    /// A page with `breaks on 8.4` does so where that version answers at the socket.
    fn breaks(&self, page: &str, socket: &HostPath) -> bool {
        let Some((_, version)) = page.split_once("breaks on ") else {
            return false;
        };
        let program = format!("php-fpm{}", version.get(..3).unwrap_or(""));
        // A service that listens by itself is a shared master; one behind a socket bears the socket's name.
        let unit = self.running.iter().find_map(|(unit, running)| {
            let service = match unit.strip_suffix(".socket") {
                Some(stem) => format!("{stem}.service"),
                None => unit.clone(),
            };
            running.sockets.contains(socket).then_some(service)
        });
        let running = unit.and_then(|unit| self.running.get(&unit));
        running.is_some_and(|running| {
            setting(&running.unit, "ExecStart").is_some_and(|line| line.contains(&program))
        })
    }

    /// Whether a PHP-FPM answers at a socket: one that runs, or one that its socket unit can start now.
    fn php_answers(&mut self, socket: &HostPath) -> bool {
        let listens = |unit: &&String| {
            self.running
                .get(*unit)
                .is_some_and(|running| running.sockets.contains(socket))
        };
        let Some(unit) = self.running.keys().find(listens).cloned() else {
            return false;
        };
        match unit.strip_suffix(".socket") {
            None => unit != "nginx.service",
            Some(stem) => {
                let named = self
                    .running
                    .get(&unit)
                    .and_then(|running| setting(&running.unit, "Service"));
                let service = named.unwrap_or(format!("{stem}.service"));
                self.start(&service).is_ok()
            }
        }
    }

    fn http(&mut self, servers: &[Directive], listen: &str, request: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(request);
        let path = text.split_whitespace().nth(1).unwrap_or("/").to_owned();
        let host = text
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("host"))
            .map_or("", |(_, value)| value.trim());
        let here: Vec<&Directive> = servers
            .iter()
            .filter(|server| server.named("listen").any(|d| d.word(1) == listen))
            .collect();
        // A site may listen on a port only: our probes speak to nginx by one socket for all.
        let all: Vec<&Directive> = servers.iter().collect();
        let found = pick(&here, host)
            .or_else(|| pick(&all, host))
            .or_else(|| default_of(&here, listen));
        match found {
            Some(server) => self.serve(server, &path),
            None => Vec::new(),
        }
    }

    fn serve(&mut self, server: &Directive, path: &str) -> Vec<u8> {
        let locations = || server.named("location");
        let exact = locations().find(|one| one.word(1) == "=" && one.word(2) == path);
        let rest = locations().find(|one| one.word(1) == "/");
        let inside = server.all();
        let pass = inside.iter().find(|one| one.name() == "fastcgi_pass");
        for block in [Some(server), exact, rest].into_iter().flatten() {
            if let Some(directive) = block.named("return").next() {
                return returned(directive);
            }
        }
        match pass.and_then(|directive| directive.word(1).strip_prefix("unix:")) {
            Some(socket) if path == "/" => self.serve_php(server, socket),
            _ => self.serve_file(server, path),
        }
    }

    /// The first page of a PHP site: `index.php` by whoever listens at the socket.
    fn serve_php(&mut self, server: &Directive, socket: &str) -> Vec<u8> {
        let script = root_of(server).map(|root| root.join("index.php"));
        let Some(page) = script.and_then(|path| self.tree.text(&path)) else {
            return self.serve_file(server, "/");
        };
        match HostPath::parse(socket) {
            Ok(socket) if self.php_answers(&socket) && self.breaks(&page, &socket) => {
                status(500, "")
            }
            Ok(socket) if self.php_answers(&socket) => status(200, "run by PHP"),
            _ => status(502, ""),
        }
    }

    fn serve_file(&self, server: &Directive, path: &str) -> Vec<u8> {
        let Some(root) = root_of(server) else {
            return status(404, "");
        };
        let mut at = root;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            at = at.join(part);
        }
        match self
            .tree
            .text(&at)
            .or_else(|| self.tree.text(&at.join("index.html")))
        {
            Some(text) => status(200, &text),
            None if self.tree.followed(&at).is_some() => status(403, ""),
            None => status(404, ""),
        }
    }
}

fn root_of(server: &Directive) -> Option<HostPath> {
    let root = server.named("root").next()?;
    HostPath::parse(root.word(1)).ok()
}

fn pick<'s>(servers: &[&'s Directive], host: &str) -> Option<&'s Directive> {
    let named = |server: &&&Directive| {
        server
            .named("server_name")
            .any(|names| names.words.iter().skip(1).any(|name| name == host))
    };
    servers.iter().find(named).copied()
}

fn default_of<'s>(servers: &[&'s Directive], listen: &str) -> Option<&'s Directive> {
    let is_default = |server: &&&Directive| {
        server
            .named("listen")
            .any(|d| d.word(1) == listen && d.words.iter().any(|word| word == "default_server"))
    };
    servers.iter().find(is_default).or(servers.first()).copied()
}

fn returned(directive: &Directive) -> Vec<u8> {
    match directive.word(1).parse::<u16>() {
        // 444: nginx closes the connection without a word.
        Ok(444) => Vec::new(),
        Ok(code) => status(code, directive.word(2)),
        Err(_) => status(302, directive.word(1)),
    }
}

fn status(code: u16, text: &str) -> Vec<u8> {
    let location = match code {
        301 | 302 | 307 | 308 => format!("Location: {text}\r\n"),
        _ => String::new(),
    };
    let body = if location.is_empty() { text } else { "" };
    let length = body.len();
    format!("HTTP/1.1 {code} Answer\r\nServer: nginx\r\nContent-Length: {length}\r\n{location}Connection: close\r\n\r\n{body}").into_bytes()
}
