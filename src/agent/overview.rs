//! What the first page and `lalapanel status` tell: services, numbers, and what needs a person.
//!
//! Invariant: every number is looked up or absent; nothing is made up where a look-up failed.

use crate::agent::issuance::Issuer;
use crate::agent::operations::Operations;
use crate::agent::{doctor, own_certificate};
use crate::domain::facts::ServiceManager;
use crate::domain::fault::Fault;
use crate::domain::path::HostPath;
use crate::domain::site::Site;
use crate::domain::time::Timestamp;
use crate::host::Host;
use crate::rpc::nginx_view::ForeignView;
use crate::rpc::view::{Finding, HomeView, Level, Need, OperationState, ServiceView, StatusView};
use crate::system::{distro, facts, machine, nginx_files, service};

/// The services the panel answers for, in the order people look for them.
const SERVICES: &[&str] = &[
    "nginx",
    "mariadb",
    "lalapanel-agent",
    "lalapanel.socket",
    "lalapanel-web",
    "lalapanel-courier.socket",
];

/// The answer to `lalapanel status`.
pub fn status(operations: &Operations) -> Result<StatusView, Fault> {
    let host = operations.engine().host();
    let manager = service::manager(host)?;
    let sites = operations.engine().store().sites()?;
    Ok(StatusView {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        distribution: distro::pretty_name(host),
        service_manager: match manager {
            ServiceManager::Systemd => "systemd".to_owned(),
            ServiceManager::Sysv => "init scripts".to_owned(),
        },
        services: services(host, manager),
        php: facts::installed_php(host)?,
        sites: count(sites.len()),
        sites_enabled: count(sites.iter().filter(|site| site.enabled).count()),
        agent_memory: machine::resident_bytes(host).unwrap_or_default(),
        stuck: operations.stuck()?,
    })
}

fn services(host: &dyn Host, manager: ServiceManager) -> Vec<ServiceView> {
    let shown = SERVICES
        .iter()
        .filter(|name| manager == ServiceManager::Systemd || !name.contains("lalapanel"));
    shown
        .map(|name| {
            let state = service::state(host, manager, name);
            let (word, healthy) = match state {
                Ok(state) if state.active => ("active", true),
                // The web process is started by its socket at the first visit.
                Ok(_) => ("inactive", *name == "lalapanel-web"),
                Err(_) => ("unknown", false),
            };
            ServiceView {
                name: (*name).to_owned(),
                state: word.to_owned(),
                healthy,
            }
        })
        .collect()
}

/// The first page.
pub(super) fn home(operations: &Operations, issuer: &Issuer) -> Result<HomeView, Fault> {
    let engine = operations.engine();
    let host = engine.host();
    let sites = engine.store().sites()?;
    let recent = operations.list(20)?;
    let (as_of, needs) = needs(operations, issuer)?;
    let running = recent
        .iter()
        .filter(|operation| {
            matches!(
                operation.state,
                OperationState::Working | OperationState::Undoing
            )
        })
        .cloned()
        .collect();
    Ok(HomeView {
        server: machine::hostname(host),
        needs,
        running,
        recent: recent.into_iter().take(8).collect(),
        sites: count(sites.len()),
        sites_offline: count(sites.iter().filter(|site| !site.enabled).count()),
        disk: machine::disk(host),
        memory: machine::memory(host),
        load_hundredths: machine::load_hundredths(host),
        processors: machine::processors(host),
        as_of,
    })
}

fn needs(operations: &Operations, issuer: &Issuer) -> Result<(Timestamp, Vec<Need>), Fault> {
    let mut needs: Vec<Need> = operations
        .stuck()?
        .into_iter()
        .map(|id| Need {
            title: "An operation could not be undone and waits for you".to_owned(),
            hint: "Open it; it names the commands that are left".to_owned(),
            link: Some(format!("/operations/{id}")),
        })
        .collect();
    let (looker, issuer) = (operations.clone(), issuer.clone());
    let (as_of, findings) = operations
        .pulse()
        .read(operations.engine().host().now(), move || {
            doctor::quick(&looker, &issuer)
        });
    needs.extend(
        findings
            .into_iter()
            .filter(|finding| finding.level != Level::Ok && finding.check != "operations.stuck")
            .map(|finding| Need {
                link: link(&finding),
                title: finding.title,
                hint: finding.hint,
            }),
    );
    Ok((as_of, needs))
}

fn link(finding: &Finding) -> Option<String> {
    match (finding.check.as_str(), &finding.site) {
        (own_certificate::CHECK, _) => Some("/certificates/panel".to_owned()),
        ("certificates", Some(site)) => Some(format!("/sites/{site}/certificate")),
        (_, Some(site)) => Some(format!("/sites/{site}")),
        (_, None) => None,
    }
}

/// The servers of nginx that are not ours; none where nginx's files cannot be read.
#[must_use]
pub fn foreign(operations: &Operations) -> Vec<ForeignView> {
    let looker = operations.clone();
    let look = move || look_for_foreign(&looker).unwrap_or_default();
    let now = operations.engine().host().now();
    operations.foreign().read(now, look).1
}

fn look_for_foreign(operations: &Operations) -> Result<Vec<ForeignView>, Fault> {
    let engine = operations.engine();
    let sites = engine.store().sites()?;
    let own: Vec<HostPath> = sites.iter().map(Site::nginx_file).collect();
    let configuration = nginx_files::read(engine.host())?;
    let views = configuration.foreign(&own).map(|server| ForeignView {
        file: server.file.clone(),
        names: server.names.clone(),
        listens: server.listens.iter().map(|words| words.join(" ")).collect(),
    });
    Ok(views.collect())
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
