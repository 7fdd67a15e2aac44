//! nginx in memory: what `nginx -t` would find, and what a reload loads.
//!
//! Invariant: what nginx serves by is a snapshot taken at start or reload; editing files changes nothing until then.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::domain::certificate;
use crate::domain::path::HostPath;
use crate::domain::secret::hex;
use crate::host::Owner;
use crate::host::exec::Output;
use crate::host::memory::machine::Machine;
use crate::host::memory::nginx_text::{self, Directive};
use crate::host::memory::tree::{Kind, Tree};
use crate::host::memory::{done, failed};

const HOME: &str = "/etc/nginx";

/// A configuration as nginx has read it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    /// Every file that was read, by the path it was read at.
    pub files: BTreeMap<HostPath, String>,
    directives: Vec<Directive>,
}

impl Loaded {
    /// The files, none where nothing is loaded.
    pub(super) fn files_of(loaded: Option<&Self>) -> BTreeMap<&HostPath, &String> {
        loaded
            .map(|loaded| loaded.files.iter().collect())
            .unwrap_or_default()
    }

    /// Every server block.
    pub(super) fn servers(&self) -> Vec<Directive> {
        let all = self.directives.iter().flat_map(Directive::all);
        let servers = all.filter(|one| one.name() == "server" && !one.inside.is_empty());
        servers.cloned().collect()
    }

    /// A warning for each name that two servers have at one address; the first one wins.
    fn conflicts(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for server in self.servers() {
            let names = server
                .named("server_name")
                .flat_map(|one| one.words.iter().skip(1));
            let names: BTreeSet<&String> = names.collect();
            for listen in server.named("listen") {
                let (at, by_udp) = (listen.word(1), is_quic(listen));
                for name in &names {
                    if !seen.insert((at.to_owned(), by_udp, (*name).clone())) {
                        found.push(format!(
                            "nginx: [warn] conflicting server name \"{name}\" on {at}, ignored"
                        ));
                    }
                }
            }
        }
        found
    }

    /// The text of the certificate shown for a name on port 443.
    pub(super) fn shown(&self, name: &str) -> Option<&String> {
        let serves = |server: &&Directive| {
            let listens = server.named("listen").any(|listen| listen.word(1) == "443");
            let names = server.named("server_name");
            listens
                && names
                    .flat_map(|one| one.words.iter().skip(1))
                    .any(|own| own == name)
        };
        let servers = self.servers();
        let server = servers.iter().find(serves)?;
        let file = server.named("ssl_certificate").next()?;
        self.files.get(&HostPath::parse(file.word(1)).ok()?)
    }

    /// The Unix sockets it listens on.
    fn sockets(&self) -> Vec<HostPath> {
        let all = self.directives.iter().flat_map(Directive::all);
        let listens = all.filter(|directive| directive.name() == "listen");
        listens.filter_map(unix_socket).collect()
    }
}

fn is_quic(listen: &Directive) -> bool {
    listen.words.iter().any(|word| word == "quic")
}

fn unix_socket(listen: &Directive) -> Option<HostPath> {
    HostPath::parse(listen.word(1).strip_prefix("unix:")?).ok()
}

/// Reads the configuration that begins at `main` as `nginx -t` does; the error is nginx's complaint.
fn check(tree: &Tree, main: &HostPath) -> Result<Loaded, String> {
    let mut loaded = Loaded::default();
    read(tree, main, &mut loaded)?;
    let servers = loaded.servers();
    let mut opened = BTreeSet::new();
    for listen in servers.iter().flat_map(|server| server.named("listen")) {
        let opens = listen.words.iter().any(|word| word == "reuseport");
        if opens && !opened.insert((listen.word(1).to_owned(), is_quic(listen))) {
            return Err(format!(
                "duplicate listen options for {} in {main}:1",
                listen.word(1)
            ));
        }
    }
    Ok(loaded)
}

fn main_file() -> HostPath {
    HostPath::fixed(HOME).join("nginx.conf")
}

fn read(tree: &Tree, path: &HostPath, loaded: &mut Loaded) -> Result<(), String> {
    let missing = || format!("open() \"{path}\" failed (2: No such file or directory)");
    let text = tree.text(path).ok_or_else(missing)?;
    if text.contains("BROKEN") {
        return Err(format!("unknown directive \"BROKEN\" in {path}:1"));
    }
    let directives = nginx_text::parse(&text).map_err(|why| format!("{why} in {path}:1"))?;
    loaded.files.insert(path.clone(), text);
    loaded.directives.extend(directives.iter().cloned());
    for directive in directives.iter().flat_map(Directive::all) {
        check_directive(tree, directive).map_err(|why| format!("{why} in {path}:1"))?;
        if directive.name() == "ssl_certificate" {
            let file = HostPath::parse(directive.word(1)).ok();
            let text =
                file.and_then(|file| Some((file.clone(), tree.text(&tree.followed(&file)?)?)));
            loaded.files.extend(text);
        }
        if directive.name() == "include" {
            for file in included(tree, directive.word(1))? {
                read(tree, &file, loaded)?;
            }
        }
    }
    Ok(())
}

/// The files an `include` names; `*` in the last component only, files that begin with a dot are left out as glob(3) does.
fn included(tree: &Tree, pattern: &str) -> Result<Vec<HostPath>, String> {
    let absolute = if pattern.starts_with('/') {
        pattern.to_owned()
    } else {
        format!("{HOME}/{pattern}")
    };
    let path = HostPath::parse(&absolute).map_err(|_| format!("invalid path \"{pattern}\""))?;
    let Some((start, end)) = path.name().split_once('*') else {
        return Ok(vec![path]);
    };
    let fits = |name: &String| {
        !name.starts_with('.')
            && name.starts_with(start)
            && name.ends_with(end)
            && name.len() >= start.len() + end.len()
    };
    let directory = path.parent();
    let names = tree.names(&directory).into_iter().filter(fits);
    Ok(names.map(|name| directory.join(&name)).collect())
}

fn check_directive(tree: &Tree, directive: &Directive) -> Result<(), String> {
    let exists = |path: &HostPath| tree.followed(path).is_some();
    let absent =
        |path: &HostPath| format!("open() \"{path}\" failed (2: No such file or directory)");
    let first = HostPath::parse(directive.word(1));
    match (directive.name(), first) {
        ("access_log" | "error_log", Ok(path)) if !path.as_str().contains('$') => {
            if exists(&path.parent()) {
                Ok(())
            } else {
                Err(absent(&path))
            }
        }
        ("ssl_certificate" | "ssl_certificate_key", Ok(path)) if !exists(&path) => Err(format!(
            "cannot load certificate \"{path}\": BIO_new_file() failed"
        )),
        ("listen", _) if is_quic(directive) && !has_http3(tree) => {
            Err("the \"quic\" parameter requires ngx_http_v3_module".to_owned())
        }
        ("listen", _) => match unix_socket(directive) {
            Some(path) if !exists(&path.parent()) => Err(format!(
                "bind() to unix:{path} failed (2: No such file or directory)"
            )),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn has_http3(tree: &Tree) -> bool {
    let program = tree.text(&HostPath::fixed("/usr/sbin/nginx"));
    program.is_some_and(|text| text.contains("--with-http_v3_module"))
}

impl Machine {
    /// `nginx -t` and `nginx -V`; it never does anything else.
    pub(super) fn nginx_program(&self, arguments: &[String]) -> Output {
        let flags: Vec<&str> = arguments.iter().map(String::as_str).collect();
        if self
            .tree
            .followed(&HostPath::fixed("/usr/sbin/nginx"))
            .is_none()
        {
            return failed(127, "nginx is not installed");
        }
        match flags.as_slice() {
            ["-v" | "-V"] => failed(
                0,
                "nginx version: nginx/1.22.1\nconfigure arguments: --with-http_ssl_module --with-http_v2_module",
            ),
            ["-t"] => self.test_nginx(&main_file()),
            ["-t", "-c", file] => match HostPath::parse(file) {
                Ok(file) => self.test_nginx(&file),
                Err(bad) => failed(1, bad.to_string()),
            },
            _ => failed(1, "nginx: invalid option"),
        }
    }

    fn test_nginx(&self, main: &HostPath) -> Output {
        match check(&self.tree, main) {
            Ok(loaded) => {
                let mut words = loaded.conflicts();
                words.push(format!(
                    "nginx: configuration file {main} test is successful"
                ));
                failed(0, words.join("\n"))
            }
            Err(why) => failed(
                1,
                format!("nginx: [emerg] {why}\nnginx: configuration file {main} test failed"),
            ),
        }
    }

    /// Loads what the files say now, or keeps what is loaded where they are wrong.
    pub(super) fn load_nginx(&mut self) -> Result<(), String> {
        let loaded = check(&self.tree, &main_file())?;
        let before = self.nginx.take().unwrap_or_default().sockets();
        let after = loaded.sockets();
        for gone in before.iter().filter(|path| !after.contains(path)) {
            self.tree.take(gone);
        }
        for path in after.iter().filter(|path| !before.contains(path)) {
            self.tree.put(path, Kind::Socket, Owner::ROOT, 0o666);
        }
        self.nginx = Some(loaded);
        Ok(())
    }

    pub(super) fn unload_nginx(&mut self) {
        for path in self.nginx.take().unwrap_or_default().sockets() {
            self.tree.take(&path);
        }
    }

    /// What this program says when it shakes hands with nginx, or on another port with the panel.
    pub(super) fn handshake(&self, arguments: &[String]) -> Output {
        let [verb, name, port] = arguments else {
            return failed(2, "not a verb of the memory machine");
        };
        let nginx = || self.nginx.as_ref().and_then(|loaded| loaded.shown(name));
        let shown = match port.as_str() {
            "443" => nginx().cloned(),
            _ => self.panel_certificate(),
        };
        match shown.and_then(|text| certificate::leaf_of(&text)) {
            Some(leaf) if verb == "handshake" => done(hex(&Sha256::digest(leaf))),
            _ => failed(1, "the handshake failed"),
        }
    }

    /// What the panel shows: it does not start without its first certificate, and takes one that was issued before that.
    fn panel_certificate(&self) -> Option<String> {
        let text = |name: &str| {
            let path = HostPath::fixed("/var/lib/lalapanel/panel").join(name);
            self.tree.text(&path)
        };
        let first = text("panel.crt")?;
        let issued = text("issued.pem");
        let issued =
            issued.and_then(|text| Some(text.split("-----BEGIN PRIVATE").next()?.to_owned()));
        Some(issued.unwrap_or(first))
    }

    /// What nginx complains about now; `None` where nothing.
    #[must_use]
    pub fn nginx_complaint(&self) -> Option<String> {
        check(&self.tree, &main_file()).err()
    }
}
