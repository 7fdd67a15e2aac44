//! The log files of a site: make them, find what is amiss with them, put them back.
//!
//! Invariant: every directory here is root's, so no site can put a link where nginx, PHP-FPM's master, logrotate or the
//! agent opens a file (CVE-2016-1247); what was logged is never thrown away to mend an owner.

use crate::domain::facts::{Facts, ServiceManager};
use crate::domain::fault::{Code, Fault};
use crate::domain::log::LogFile;
use crate::domain::path::HostPath;
use crate::domain::site::Site;
use crate::host::{Host, HostResult, Mode, Node, Owner};
use crate::ops::plan::Plan;
use crate::ops::refuse;
use crate::ops::site_parts::{self as parts, Steps};
use crate::ops::step::{ServiceAct, Step};
use crate::render;
use crate::store::Effect;
use crate::system::facts;

/// A directory or a file of logs as it has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    path: HostPath,
    is_directory: bool,
    owner: Owner,
    mode: Mode,
}

/// Something that is not as it has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amiss {
    wanted: Wanted,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Missing,
    /// Somebody made it anew: nginx does so, as root and readable for all, when it tests a configuration.
    Foreign,
    /// A link, or a file for a directory.
    Kind,
}

impl Amiss {
    /// What is amiss with which path, in words.
    #[must_use]
    pub fn told(&self) -> String {
        let word = match self.what {
            What::Missing => "is missing",
            What::Foreign => "has another owner or other rights than it should",
            What::Kind => "is no plain file or directory",
        };
        format!("`{}` {word}", self.wanted.path)
    }

    fn is_missing_directory(&self) -> bool {
        self.what == What::Missing && self.wanted.is_directory
    }
}

/// nginx would make its files itself, readable by everybody until the first rotation.
///
/// Why for static sites too: a site can change its type, and its logs are there then.
fn wanted(site: &Site, nginx: u32, readers: u32) -> Vec<Wanted> {
    let own = |uid| Owner { uid, gid: readers };
    let directory = |path| Wanted {
        path,
        is_directory: true,
        owner: own(0),
        mode: Mode(0o751),
    };
    let file = |file: LogFile| Wanted {
        path: site.log_file(file),
        is_directory: false,
        owner: own(if file.is_of_php() {
            site.id.uid()
        } else {
            nginx
        }),
        mode: Mode(0o640),
    };
    let mut all = vec![directory(site.log_directory())];
    all.extend([LogFile::Access, LogFile::Error].map(file));
    all.push(directory(site.php_log_directory()));
    all.extend([LogFile::Php, LogFile::Slow].map(file));
    all
}

/// Makes them all.
pub(super) fn make(steps: &mut Steps, site: &Site, facts: &Facts) {
    for one in wanted(site, facts.web_gid, facts.log_gid) {
        make_one(steps, &one);
    }
}

fn make_one(steps: &mut Steps, one: &Wanted) {
    if one.is_directory {
        let title = match one.path.name() {
            "php" => "Make the directory of PHP's logs, owned by root",
            _ => "Make the log directory, owned by root",
        };
        steps.add(
            title,
            Step::MakeDirectory {
                path: one.path.clone(),
                owner: one.owner,
                mode: one.mode,
            },
        );
        return;
    }
    let whose = match one.path.parent().name() {
        "php" => "PHP's ",
        _ => "",
    };
    steps.add(
        format!("Make {whose}{}", one.path.name()),
        Step::WriteFile {
            path: one.path.clone(),
            text: String::new(),
            owner: one.owner,
            mode: one.mode,
        },
    );
}

/// What is not as it has to be. A site may close its own PHP logs to others: of those only the owner counts.
fn amiss(host: &dyn Host, site: &Site, nginx: u32, readers: u32) -> HostResult<Vec<Amiss>> {
    let mut found = Vec::new();
    for wanted in wanted(site, nginx, readers) {
        let what = match host.stat(&wanted.path)? {
            None => What::Missing,
            Some(meta) if !is_of_kind(&meta.node, &wanted) => What::Kind,
            Some(meta) => {
                let is_the_sites = !wanted.is_directory && wanted.owner.uid == site.id.uid();
                let is_right =
                    is_the_sites || (meta.mode, meta.owner.gid) == (wanted.mode, readers);
                if meta.owner.uid == wanted.owner.uid && is_right {
                    continue;
                }
                What::Foreign
            }
        };
        found.push(Amiss { wanted, what });
    }
    Ok(found)
}

/// The same with the owners of this machine.
pub fn look(host: &dyn Host, site: &Site) -> HostResult<Vec<Amiss>> {
    let owners = facts::log_owners(host)?;
    amiss(host, site, owners.nginx, owners.readers)
}

fn is_of_kind(node: &Node, wanted: &Wanted) -> bool {
    match node {
        Node::File { .. } => !wanted.is_directory,
        Node::Directory => wanted.is_directory,
        Node::Link { .. } | Node::Other => false,
    }
}

/// Plans putting them back; no plan where nothing is amiss.
pub fn plan(site: &Site, amiss: &[Amiss], facts: &Facts) -> Result<Option<Plan>, Fault> {
    if amiss.is_empty() {
        return Ok(None);
    }
    refuse_strange(amiss)?;
    let is_gone = amiss.iter().any(Amiss::is_missing_directory);
    // Without its log directory nginx complains, and that is what is mended here.
    if facts.nginx_running && !is_gone {
        refuse::broken_nginx(facts)?;
    }
    let mut steps = Steps::default();
    for one in amiss {
        mend(&mut steps, one);
    }
    if site.enabled && facts.nginx_running {
        parts::nginx_change(&mut steps, facts, |_| {});
    }
    if is_gone {
        restart_php(&mut steps, site, facts);
    }
    let title = format!("Put the logs of {} back", site.hostname);
    Ok(Some(
        Plan::new(title, "site logs")
            .about(&site.hostname)
            .steps(steps.into_list())
            .note("nginx opens its logs anew when it reads its configuration.")
            .effect(Effect::PutSite(Box::new(site.clone()))),
    ))
}

fn mend(steps: &mut Steps, one: &Amiss) {
    if one.what == What::Missing || one.wanted.is_directory {
        return make_one(steps, &one.wanted);
    }
    steps.add(
        format!("Give {} back to its owner", one.wanted.path.name()),
        Step::GiveFile {
            path: one.wanted.path.clone(),
            owner: one.wanted.owner,
            mode: one.wanted.mode,
        },
    );
}

/// A running PHP-FPM holds on to the directory that was deleted.
fn restart_php(steps: &mut Steps, site: &Site, facts: &Facts) {
    if facts.services != ServiceManager::Systemd || !site.enabled || site.kind.php().is_none() {
        return;
    }
    steps.add(
        "Start PHP-FPM anew with its logs",
        parts::service(render::systemd::php_service_name(site), ServiceAct::Restart),
    );
    parts::ping(steps, site, facts);
}

fn refuse_strange(amiss: &[Amiss]) -> Result<(), Fault> {
    match amiss.iter().find(|one| one.what == What::Kind) {
        None => Ok(()),
        Some(strange) => Err(Fault::new(
            Code::LogMissing,
            strange.told(),
            "look at it, move it out of the way, then try again",
        )),
    }
}
