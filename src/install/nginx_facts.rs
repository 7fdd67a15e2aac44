//! What an nginx that is already here means for our globals.
//!
//! Invariant: what others configured keeps its behaviour; only a default site nobody has touched counts as nobody's.

use crate::domain::path::HostPath;
use crate::host::exec::{Command, Program};
use crate::host::{Host, HostResult, Node};
use crate::render::{self, nginx::Globals};
use crate::system::nginx_files::Wildcard;
use crate::system::{nginx, nginx_files};

const LIMIT: usize = 4 * 1024 * 1024;
/// What Debian's nginx puts into `/var/www/html`.
const WELCOME: &[&str] = &["index.nginx-debian.html"];

/// An nginx as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NginxFacts {
    /// What our globals may say beside the others' files.
    pub globals: Globals,
    /// The distribution's default site is linked, as it was shipped, and nothing else is served.
    pub default_site: bool,
    /// What it finds wrong with its own files.
    pub complaint: Option<String>,
}

/// The link of the distribution's default site.
#[must_use]
pub fn default_link() -> HostPath {
    HostPath::fixed("/etc/nginx/sites-enabled/default")
}

fn default_file() -> HostPath {
    HostPath::fixed("/etc/nginx/sites-available/default")
}

/// What globals say on a host where nginx comes with the panel.
#[must_use]
pub fn fresh(ipv6: bool) -> Globals {
    Globals {
        ipv6,
        default_on_80: true,
        default_on_80_v6: true,
        names_hash: true,
    }
}

/// Looks; `None` where nginx is not installed.
pub fn look(host: &dyn Host, ipv6: bool) -> HostResult<Option<NginxFacts>> {
    if host.stat(&HostPath::fixed("/usr/sbin/nginx"))?.is_none() {
        return Ok(None);
    }
    let found = nginx_files::read(host)?;
    let mut own = ours(host, &found.files);
    let linked = host.stat(&default_link())?.is_some();
    let untouched = linked && is_untouched(host)?;
    if untouched {
        own.push(default_file());
    }
    let on_v4 = found.foreign_on(Wildcard::V4(80), &own).is_some();
    let on_v6 = found.foreign_on(Wildcard::V6(80), &own).is_some();
    let default_site = untouched && !on_v4 && !on_v6;
    let globals = Globals {
        ipv6,
        default_on_80: !on_v4 && (default_site || !linked),
        default_on_80_v6: !on_v6 && (default_site || !linked),
        names_hash: !found.sets("server_names_hash_bucket_size")
            && !found.sets("server_names_hash_max_size"),
    };
    Ok(Some(NginxFacts {
        globals: kept(host, globals),
        default_site,
        complaint: nginx::complaint(host, None)?,
    }))
}

/// Sites of ours say so in their first line.
fn ours(host: &dyn Host, files: &[HostPath]) -> Vec<HostPath> {
    let is_ours = |path: &&HostPath| {
        host.read(path, LIMIT).is_ok_and(|bytes| {
            let text = String::from_utf8_lossy(&bytes);
            text.lines()
                .next()
                .is_some_and(|line| line.contains(render::OWNED))
        })
    };
    files.iter().filter(is_ours).cloned().collect()
}

/// As the package shipped it, and nobody put pages where it looks for them.
fn is_untouched(host: &dyn Host) -> HostResult<bool> {
    let link = host.stat(&default_link())?.map(|meta| meta.node);
    let to_default =
        matches!(link, Some(Node::Link { target }) if target.ends_with("sites-available/default"));
    if !to_default {
        return Ok(false);
    }
    let pages = host.list(&HostPath::fixed("/var/www/html"))?;
    if pages.iter().any(|page| !WELCOME.contains(&page.as_str())) {
        return Ok(false);
    }
    // dpkg(1): a line for every file that differs from what the package brought.
    let verified = host.run(&Command::new(Program::Dpkg, ["--verify", "nginx-common"]))?;
    Ok(!verified.stdout.contains(default_file().as_str()))
}

/// What our own file already says stays, even if others came since: a second installation changes nothing.
fn kept(host: &dyn Host, looked: Globals) -> Globals {
    let Ok(bytes) = host.read(&render::nginx::globals_file(), LIMIT) else {
        return looked;
    };
    let text = String::from_utf8_lossy(&bytes);
    (0_u8..8)
        .map(|bits| Globals {
            default_on_80: bits & 1 != 0,
            names_hash: bits & 2 != 0,
            default_on_80_v6: bits & 4 != 0,
            ..looked
        })
        .find(|globals| render::nginx::globals(*globals) == text)
        .unwrap_or(looked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;

    fn looked(change: impl FnOnce(&mut Machine)) -> NginxFacts {
        let host = MemoryHost::new(Machine::debian_with_web());
        host.change(change);
        look(&host, true).unwrap().unwrap()
    }

    fn old_site(machine: &mut Machine) {
        let path = HostPath::fixed("/etc/nginx/conf.d/old.conf");
        machine
            .tree
            .put_text(&path, "server { listen 80; server_name old.example; }\n");
    }

    #[test]
    fn an_untouched_default_site_is_nobodys() {
        let found = looked(|_| {});
        assert!(found.default_site && found.globals == fresh(true));
    }

    #[test]
    fn beside_another_site_everything_stays() {
        let found = looked(old_site);
        assert!(!found.default_site && !found.globals.default_on_80);
    }

    #[test]
    fn what_others_leave_of_a_port_is_answered_with_silence() {
        let found = looked(|machine| {
            machine.tree.take(&default_link());
            old_site(machine);
        });
        assert!(found.globals.default_on_80_v6, "the other site has no IPv6");
        let found = looked(|machine| {
            let text = "server { listen 127.0.0.1:80; server_name status; }\n";
            let path = HostPath::fixed("/etc/nginx/conf.d/status.conf");
            machine.tree.put_text(&path, text);
        });
        assert!(found.globals.default_on_80 && found.globals.default_on_80_v6);
    }

    #[test]
    fn a_default_site_with_pages_is_somebodys() {
        let found = looked(|machine| {
            let page = HostPath::fixed("/var/www/html/index.html");
            machine.tree.put_text(&page, "my site");
        });
        assert!(!found.default_site && !found.globals.default_on_80);
    }

    #[test]
    fn a_limit_set_by_others_is_not_set_again() {
        let found = looked(|machine| {
            let path = HostPath::fixed("/etc/nginx/conf.d/hash.conf");
            machine
                .tree
                .put_text(&path, "server_names_hash_bucket_size 128;\n");
        });
        assert!(!found.globals.names_hash);
    }

    #[test]
    fn a_site_that_came_later_changes_nothing_of_ours() {
        let found = looked(|machine| {
            let text = render::nginx::globals(fresh(true));
            machine.tree.put_text(&render::nginx::globals_file(), &text);
            machine.tree.take(&default_link());
            old_site(machine);
        });
        assert_eq!(found.globals, fresh(true));
    }
}
