//! From a change to its plan, and from a plan to an operation.
//!
//! Invariant: a plan is made while the engine is held and runs under the same hold, so what was checked is still true.

use crate::domain::account::Actor;
use crate::domain::change::{Change, DriftChoice};
use crate::domain::facts::Facts;
use crate::domain::fault::{Code, Fault};
use crate::domain::id::OperationId;
use crate::domain::name::Hostname;
use crate::domain::site::Site;
use crate::host::{Host, HostResult};
use crate::ops::drift::Drifted;
use crate::ops::engine::{Direction, Engine};
use crate::ops::gate::Pass;
use crate::ops::php_facts::{Intent, gather};
use crate::ops::plan::Plan;
use crate::ops::state::State;
use crate::ops::{
    certificate_install, database, database_access, database_import, database_site, database_trash,
    dns_ways, drift, pairs, panel_address, php_extension, php_install, php_remove, php_repository,
    service_change,
};
use crate::ops::{
    site_clone, site_create, site_delete, site_drift, site_logs, site_php, site_rename,
    site_restore, site_snippet, site_switch, site_update, trash, wordpress_archive,
};
use crate::store::{OperationRecord, Unread};
use crate::system::{self, facts};

/// How long a change waits for the one before it.
const QUEUE_MILLIS: u64 = 20_000;

/// What became of a change.
pub enum Begun {
    /// It runs under this record, for whoever holds the pass.
    Running(Box<OperationRecord<Plan>>, Pass),
    /// It had begun before under the same id.
    Before(OperationId),
    /// There was nothing to do.
    Unchanged,
}

/// The plan of a change on the machine and the state as they are now; `None` where there is nothing to do.
pub fn plan(engine: &Engine, panel: &[Hostname], change: &Change) -> Result<Option<Plan>, Fault> {
    let state = State::read(engine.store())?;
    let host = engine.host();
    let facts = || look(engine, panel, change);
    let planned = match change {
        Change::SiteCreate(new) => site_create::plan(new, &state, &facts()?, host.now()).map(Some),
        Change::SiteEnable { hostname } => site_switch::enable(hostname, &state, &facts()?),
        Change::SiteDisable { hostname } => site_switch::disable(hostname, &state, &facts()?),
        Change::SiteDelete { hostname, now } => {
            site_delete::plan(hostname, *now, &state, &facts()?, host.now()).map(Some)
        }
        Change::SiteRestore { site, hostname } => {
            site_restore::plan(*site, hostname, &state, &facts()?).map(Some)
        }
        Change::SiteRename {
            hostname,
            name,
            old,
        } => site_rename::plan(hostname, name, *old, &state, &facts()?),
        Change::SiteClone { .. } => clone(host, change, &state, &facts()?),
        Change::SiteDiscard { site, .. } => site_delete::discard(*site, &state).map(Some),
        Change::SitePhp { hostname, php } => site_php::plan(hostname, *php, &state, &facts()?),
        Change::SiteLogs { hostname } => {
            let site = state.site(hostname)?;
            // First: the look at everything else has nginx test its configuration, which makes missing logs anew.
            let amiss = site_logs::look(host, site)?;
            site_logs::plan(site, &amiss, &facts()?)
        }
        Change::PhpInstall { .. }
        | Change::PhpRemove { .. }
        | Change::PhpExtensionInstall { .. }
        | Change::PhpExtensionRemove { .. }
        | Change::PhpRepository { .. } => php_packages(host, change, &state),
        Change::Service { service, verb } => {
            let facts = service_change::look(host, *service, *verb)?;
            service_change::plan(*service, *verb, &state, &facts)
        }
        Change::PanelSet { .. } | Change::PanelTrial { .. } => {
            panel_address::plan(host, change, &state)
        }
        Change::SiteSet { hostname, values } => {
            dns_ways::refuse_unknown(host, values)?;
            site_update::plan(hostname, values, &state, &facts()?)
        }
        Change::CertificateInstall {
            hostname,
            fingerprint,
            source,
        } => {
            let site = state.site(hostname)?;
            let certificate = pairs::find(host, site, fingerprint, source.clone())?;
            certificate_install::plan(hostname, certificate, &state, &facts()?, host.now())
        }
        Change::CertificateRemove { hostname } => {
            certificate_install::remove(hostname, &state, &facts()?)
        }
        Change::SitePurge { hostname } => site_update::purge(hostname, &state, &facts()?),
        Change::SiteVisitor {
            hostname,
            name,
            hash,
        } => site_update::visitor(hostname, name, hash.as_ref(), &state, &facts()?),
        Change::SiteSnippet { hostname, text } => {
            site_snippet::plan(hostname, text, &state, &facts()?)
        }
        Change::DatabaseCreate {
            name,
            hostname,
            hash,
        } => {
            let facts = system::database::look(host)?;
            let (site, now) = (hostname.as_ref(), host.now());
            database::create(name, site, hash, &state, &facts, now).map(Some)
        }
        Change::DatabaseDelete { name, now } => {
            database_trash::delete(name, *now, &state, host.now()).map(Some)
        }
        Change::DatabaseRestore { name } => {
            database_trash::restore(name, &state, &system::database::look(host)?).map(Some)
        }
        Change::DatabaseImport { name, import } => {
            database_import::plan(name, import, &state, host).map(Some)
        }
        Change::DatabaseSitePassword { name } => {
            let facts = database_site::look(host, name, &state)?;
            database_site::plan(name, &state, &facts).map(Some)
        }
        Change::DatabasePassword { name, hash } => database::password(name, hash, &state, host),
        Change::DatabaseAccess(change) => database_access::plan(change, &state, host),
        Change::SiteDrift { hostname, choice } => {
            let site = state.site(hostname)?;
            site_drift::plan(site, *choice, &drifted(host, site, *choice)?, &facts()?)
        }
    }?;
    let site = change.hostname().and_then(|name| state.serving(name));
    if let (Some(plan), Some(site)) = (&planned, site) {
        refuse_drift(engine, change, plan, site)?;
    }
    Ok(planned)
}

fn drifted(host: &dyn Host, site: &Site, choice: DriftChoice) -> HostResult<Vec<Drifted>> {
    match choice {
        DriftChoice::Restore => drift::differing(host, site),
        DriftChoice::Keep | DriftChoice::Leave => drift::of_site(host, site),
    }
}

fn clone(
    host: &dyn Host,
    change: &Change,
    state: &State,
    facts: &Facts,
) -> Result<Option<Plan>, Fault> {
    let Change::SiteClone {
        hostname,
        name,
        databases,
    } = change
    else {
        // The caller hands in no other.
        return Ok(None);
    };
    let copy = site_clone::look(host, state.site(hostname)?, *databases, state)?;
    site_clone::plan(hostname, name, state, facts, &copy, host.now()).map(Some)
}

/// What is done with packages of PHP.
fn php_packages(host: &dyn Host, change: &Change, state: &State) -> Result<Option<Plan>, Fault> {
    match change {
        Change::PhpInstall { php } => {
            php_install::plan(*php, &gather(host, *php, Intent::Install)?)
        }
        Change::PhpRemove { php } => {
            php_remove::plan(*php, state, &gather(host, *php, Intent::Remove)?).map(Some)
        }
        Change::PhpExtensionInstall { php, extension } => {
            php_extension::plan_install(host, state, *php, extension)
        }
        Change::PhpExtensionRemove { php, extension } => {
            php_extension::plan_removal(host, state, *php, extension).map(Some)
        }
        Change::PhpRepository { enabled } => {
            php_repository::plan(*enabled, state, &php_repository::look(host)?)
        }
        // The caller hands in no other.
        _ => Ok(None),
    }
}

/// No operation writes over what somebody changed by hand, unless that is what it was asked to do.
fn refuse_drift(engine: &Engine, change: &Change, plan: &Plan, site: &Site) -> Result<(), Fault> {
    if matches!(change, Change::SiteDrift { .. } | Change::SiteDelete { .. }) {
        return Ok(());
    }
    let drift = drift::of_site(engine.host(), site)?;
    drift::refuse(&site.hostname, plan, &drift)
}

fn look(engine: &Engine, panel: &[Hostname], change: &Change) -> Result<Facts, Fault> {
    let paths = match change {
        Change::SiteRename { name, .. } | Change::SiteClone { name, .. } => {
            site_create::paths_of(name)
        }
        Change::SiteCreate(new) => {
            let mut paths = site_create::paths_of(&new.hostname);
            paths.extend(new.wordpress.iter().map(|new| new.archive.file()));
            paths
        }
        Change::SiteRestore { site, hostname } => {
            let mut paths = site_create::paths_of(hostname);
            paths.extend([trash::files_of(*site), trash::logs_of(*site)]);
            paths
        }
        _ => Vec::new(),
    };
    let own = engine.store().sites()?;
    let mut facts = facts::gather(engine.host(), panel, &own, &paths)?;
    if matches!(
        change,
        Change::SiteClone {
            databases: true,
            ..
        }
    ) {
        facts.databases = Some(system::database::look(engine.host())?);
    }
    if matches!(change, Change::SiteCreate(new) if new.database.is_some() || new.wordpress.is_some())
    {
        facts.databases = Some(system::database::look(engine.host())?);
        facts.archive = wordpress_archive::record(engine.host())?;
    }
    Ok(facts)
}

/// Checks the plan against the one that was seen, and writes it into the journal.
pub fn begin(
    engine: &Engine,
    panel: &[Hostname],
    actor: Actor,
    change: &Change,
    seen: Option<&str>,
    id: OperationId,
) -> Result<Begun, Fault> {
    let pass = engine.enter(QUEUE_MILLIS)?;
    // What a full disk or a crash left open is ended first: its way back must never meet what comes after it.
    engine.take_up_all(&pass, Direction::Back)?;
    refuse_stuck(engine, change)?;
    if engine.store().operation::<Plan>(id)?.is_some() {
        return Ok(Begun::Before(id));
    }
    let Some(plan) = plan(engine, panel, change)? else {
        return Ok(Begun::Unchanged);
    };
    if seen.is_some_and(|seen| seen != plan.hash()) {
        return Err(Fault::new(
            Code::PlanChanged,
            "what would happen now differs from what you saw",
            "check what will happen, then confirm again",
        ));
    }
    let record = engine.begin(&pass, id, actor, plan)?;
    Ok(Begun::Running(Box::new(record), pass))
}

/// Where undoing stopped half-way, a person decides; starting over would be undone with it.
fn refuse_stuck(engine: &Engine, change: &Change) -> Result<(), Fault> {
    for id in engine.store().stuck()? {
        let record = engine.store().operation::<Unread>(id)?;
        if record.is_some_and(|record| record.hostname.as_ref() == change.hostname()) {
            return Err(Fault::new(
                Code::OperationStuck,
                format!(
                    "an earlier operation on {} waits for a person",
                    change
                        .hostname()
                        .map_or("this server", |hostname| hostname.as_str())
                ),
                format!(
                    "run the commands shown by `lalapanel op show {id}`, then choose Check again"
                ),
            )
            .in_operation(id));
        }
    }
    Ok(())
}
