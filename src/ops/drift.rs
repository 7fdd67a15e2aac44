//! Finds owned files that differ from what the panel would write.
//!
//! Invariant: looking only; what differs is shown and never overwritten without consent.

use sha2::{Digest, Sha256};

use crate::domain::facts::{Abilities, ServiceManager};
use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::domain::path::HostPath;
use crate::domain::secret::hex;
use crate::domain::site::Site;
use crate::host::{Host, HostError, HostResult};
use crate::ops::plan::Plan;
use crate::ops::site_parts as parts;
use crate::ops::step::Step;
use crate::render;
use crate::store::Effect;
use crate::system::facts;
use crate::system::service;

/// A file of ours is never larger.
const LIMIT: usize = 1024 * 1024;

/// An owned file that is not as Lala would write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drifted {
    /// Where.
    pub path: HostPath,
    /// What Lala would write; `None` where there should be no file.
    pub wanted: Option<String>,
    /// What is there; `None` where no file is, or something else than a file.
    pub found: Option<Vec<u8>>,
}

impl Drifted {
    /// Tells one content from another, so that what was left is noticed once it changes again.
    #[must_use]
    pub fn mark(&self) -> String {
        self.found
            .as_ref()
            .map_or_else(|| "missing".to_owned(), |bytes| mark(bytes))
    }

    /// True where it is as Lala wrote it last: an earlier version of Lala did, nobody's hand.
    fn is_of_earlier_version(&self, site: &Site) -> bool {
        self.found.is_some() && site.written.get(&self.path) == Some(&self.mark())
    }

    /// True where its owner chose to leave exactly this.
    #[must_use]
    pub fn is_left(&self, site: &Site) -> bool {
        site.left.get(&self.path) == Some(&self.mark())
    }

    /// What is there, as text.
    #[must_use]
    pub fn text(&self) -> String {
        let bytes = self.found.as_deref().unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// From Lala's text to what is there. Hashes of passwords are not shown.
    #[must_use]
    pub fn diff(&self) -> String {
        if render::nginx::holds_hashes(&self.path) {
            return String::new();
        }
        let wanted = self.wanted.as_deref().unwrap_or_default();
        super::view::unified(self.path.as_str(), wanted, &self.text())
    }
}

/// Tells one content from another.
fn mark(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The effect of a plan, where the site remembers what the plan wrote of its files.
#[must_use]
pub fn remembered(plan: &Plan) -> Effect {
    with_memory(&plan.effect, plan)
}

fn with_memory(effect: &Effect, plan: &Plan) -> Effect {
    match effect {
        Effect::PutSite(site) => {
            let mut site = site.clone();
            for planned in &plan.steps {
                match &planned.step {
                    // An empty one is a log, which others write.
                    Step::WriteFile { path, text, .. } if !text.is_empty() => {
                        site.written.insert(path.clone(), mark(text.as_bytes()));
                    }
                    Step::RemoveFile { path } => {
                        site.written.remove(path);
                    }
                    _ => {}
                }
            }
            Effect::PutSite(site)
        }
        Effect::All(effects) => {
            let effects = effects.iter().map(|effect| with_memory(effect, plan));
            Effect::All(effects.collect())
        }
        other => other.clone(),
    }
}

/// The files of a site as the panel would write them now; `None` for one that should not be.
#[must_use]
pub fn owned(
    site: &Site,
    services: ServiceManager,
    abilities: Abilities,
) -> Vec<(HostPath, Option<String>)> {
    let mut files = vec![(site.nginx_file(), render::nginx::site(site, abilities))];
    files.extend(
        render::nginx::visitors(site).map(|text| (render::nginx::visitors_file(site), text)),
    );
    match (site.kind.php(), services) {
        (Some(php), ServiceManager::Systemd) => files.extend([
            (
                render::php_fpm::master_file(site),
                render::php_fpm::master(site),
            ),
            (parts::socket_file(site), render::systemd::php_socket(site)),
            (
                parts::service_file(site),
                render::systemd::php_service(site, php),
            ),
        ]),
        (Some(php), ServiceManager::Sysv) => files.push((
            render::php_fpm::pool_file(site, php),
            render::php_fpm::pool(site),
        )),
        (None, _) => {}
    }
    let snippet = (
        render::nginx::snippet_file(site),
        render::nginx::snippet(site),
    );
    let files = files.into_iter().map(|(path, text)| (path, Some(text)));
    files.chain([snippet]).collect()
}

/// Those that somebody changed: they are missing, differ, or should not be.
pub fn of_site(host: &dyn Host, site: &Site) -> HostResult<Vec<Drifted>> {
    let mut found = differing(host, site)?;
    found.retain(|one| !one.is_of_earlier_version(site));
    Ok(found)
}

/// Those that somebody changed, and those that an earlier version of Lala wrote otherwise than this one would.
pub fn differing(host: &dyn Host, site: &Site) -> HostResult<Vec<Drifted>> {
    look(host, site, service::manager(host)?, facts::abilities(host)?)
}

/// The sites with files that an earlier version wrote otherwise than this one would.
pub fn outdated<'a>(host: &dyn Host, sites: &'a [Site]) -> HostResult<Vec<&'a Site>> {
    let (services, abilities) = (service::manager(host)?, facts::abilities(host)?);
    let mut found = Vec::new();
    for site in sites {
        let differing = look(host, site, services, abilities)?;
        if differing.iter().any(|one| one.is_of_earlier_version(site)) {
            found.push(site);
        }
    }
    Ok(found)
}

fn look(
    host: &dyn Host,
    site: &Site,
    services: ServiceManager,
    abilities: Abilities,
) -> HostResult<Vec<Drifted>> {
    let mut differing = Vec::new();
    for (path, wanted) in owned(site, services, abilities) {
        let found = match host.read(&path, LIMIT) {
            Ok(bytes) => Some(bytes),
            Err(HostError::Missing { .. } | HostError::Kind { .. }) => None,
            Err(error) => return Err(error),
        };
        if found.as_deref() != wanted.as_deref().map(str::as_bytes) {
            differing.push(Drifted {
                path,
                wanted,
                found,
            });
        }
    }
    Ok(differing)
}

/// Of all sites, those nobody has decided about yet.
pub fn undecided<'a>(
    host: &dyn Host,
    sites: &'a [Site],
) -> HostResult<Vec<(&'a Site, Vec<HostPath>)>> {
    let (services, abilities) = (service::manager(host)?, facts::abilities(host)?);
    let mut found = Vec::new();
    for site in sites {
        let mut differing = look(host, site, services, abilities)?;
        differing.retain(|one| !one.is_left(site) && !one.is_of_earlier_version(site));
        if !differing.is_empty() {
            found.push((site, differing.into_iter().map(|one| one.path).collect()));
        }
    }
    Ok(found)
}

/// Refuses a plan that would write over what somebody changed.
pub fn refuse(hostname: &Hostname, plan: &Plan, drift: &[Drifted]) -> Result<(), Fault> {
    let written = plan.steps.iter().find_map(|planned| match &planned.step {
        Step::WriteFile { path, .. } | Step::RemoveFile { path } => {
            drift.iter().find(|one| one.path == *path)
        }
        _ => None,
    });
    match written {
        None => Ok(()),
        Some(one) => Err(Fault::new(
            Code::Drift,
            format!(
                "`{}` was changed outside Lala, and this would write over it",
                one.path
            ),
            format!(
                "first choose: `lalapanel site drift {hostname} --keep` makes what was added the site's own directives, `--restore` puts Lala's text back (`--leave` only silences the notice)"
            ),
        )),
    }
}
