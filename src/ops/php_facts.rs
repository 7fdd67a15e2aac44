//! What a change of PHP versions is planned on: packages, services, and what apt says it would do.
//!
//! Invariant: apt is asked with `-s` only; looking changes nothing.

use crate::domain::facts::ServiceManager;
use crate::domain::fault::Fault;
use crate::domain::path::HostPath;
use crate::domain::php::PhpVersion;
use crate::host::Host;
use crate::ops::packages::{self, Rehearsal};
use crate::ops::service as services;
use crate::ops::undo::ServiceState;
use crate::render::php_fpm;
use crate::system::{apt, distro, facts, php, service};

/// The facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhpFacts {
    /// Who starts and stops services.
    pub services: ServiceManager,
    /// What the distribution is called.
    pub distribution: String,
    /// Versions whose FPM is here, oldest first.
    pub installed: Vec<PhpVersion>,
    /// Versions that apt could install, newest first.
    pub available: Vec<PhpVersion>,
    /// The packages that installing the version would name.
    pub wanted: Vec<String>,
    /// The packages of the version that are here.
    pub present: Vec<String>,
    /// What apt would do with them.
    pub rehearsal: Rehearsal,
    /// Whether dpkg was interrupted before.
    pub interrupted: bool,
    /// The distribution's own PHP-FPM of that version.
    pub shared: ServiceState,
    /// Its pools that are neither the package's nor ours.
    pub pools: Vec<String>,
}

/// What is to be done with a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Install it.
    Install,
    /// Remove it.
    Remove,
}

/// Looks.
pub fn gather(host: &dyn Host, version: PhpVersion, intent: Intent) -> Result<PhpFacts, Fault> {
    let manager = service::manager(host)?;
    let wanted = php::installable(host, version)?;
    let present = php::installed_packages(host, version)?;
    let interrupted = apt::is_half_configured(host)?;
    let rehearsal = match intent {
        _ if interrupted => Rehearsal::default(),
        Intent::Install if wanted.is_empty() => Rehearsal::default(),
        Intent::Install => packages::rehearse_install(host, &wanted)?,
        Intent::Remove if present.is_empty() => Rehearsal::default(),
        Intent::Remove => packages::rehearse_removal(host, &present)?,
    };
    let offers = php::offers(host)?;
    Ok(PhpFacts {
        services: manager,
        distribution: distro::pretty_name(host),
        installed: facts::installed_php(host)?,
        available: offers
            .iter()
            .filter(|offer| offer.available)
            .map(|offer| offer.php)
            .collect(),
        wanted,
        present,
        rehearsal,
        interrupted,
        shared: services::state(host, manager, &format!("php{version}-fpm"))?,
        pools: foreign_pools(host, version)?,
    })
}

fn foreign_pools(host: &dyn Host, version: PhpVersion) -> Result<Vec<String>, Fault> {
    let directory: HostPath = php_fpm::pool_directory(version);
    let names = host.list(&directory)?;
    let is_foreign = |name: &String| {
        name.rsplit_once('.')
            .is_some_and(|(_, kind)| kind == "conf")
            && name != "www.conf"
            && !name.starts_with("lalapanel-")
    };
    Ok(names.into_iter().filter(is_foreign).collect())
}
