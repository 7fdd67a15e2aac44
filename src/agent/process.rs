//! Starts the agent: state, recovery, socket; ends it when asked to.
//!
//! Invariant: nobody is answered before what a crash left has been taken up.

use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::agent::audit;
use crate::agent::dispatch::Dispatch;
use crate::agent::door::{Door, Parts};
use crate::agent::issuance::Issuer;
use crate::agent::live::LiveSettings;
use crate::agent::notifier::Notifier;
use crate::agent::operations::Operations;
use crate::agent::password::Strength;
use crate::agent::sampler::Sampler;
use crate::agent::server::{self, Peers};
use crate::agent::{trial, uptime};
use crate::domain::facts::ServiceManager;
use crate::domain::fault::{Code, Fault};
use crate::domain::path::HostPath;
use crate::host::linux::LinuxHost;
use crate::host::{Host, Mode, Owner};
use crate::ops::engine::Engine;
use crate::ops::{database_import, pairs, wordpress_archive};
use crate::store::Store;
use crate::system::config::Config;
use crate::system::{machine, panel_certificate, service, users};

/// Where the state is.
pub const STATE: &str = "/var/lib/lalapanel/state.redb";
/// Where the agent listens.
pub const SOCKET: &str = "/run/lalapanel/agent.sock";
/// How often what a crash of the machine left, and ended sessions, are looked for.
const HOUSEKEEPING: Duration = Duration::from_secs(60);
/// At the end, a running operation gets so long to finish by itself.
const FAREWELL_MILLIS: u64 = 60_000;

/// Runs the agent until SIGTERM or SIGINT.
pub fn run() -> Result<(), Fault> {
    let host = host()?;
    let config = Config::read(host.as_ref())?;
    let store = Store::open(Path::new(STATE))?;
    let engine = Engine::new(host.clone(), store.clone());
    let settings = LiveSettings::new(config);
    let operations = Operations::new(engine.clone(), settings.clone());
    let recovered = operations.recover()?;
    // No pair waits to be installed now.
    if let Err(fault) = pairs::tidy(host.as_ref(), &store) {
        log(&format!(
            "unused certificates could not be removed: {fault}"
        ));
    }
    // No installation runs now either.
    if let Err(fault) = wordpress_archive::sweep(host.as_ref(), &settings.now().wordpress.url()) {
        log(&format!("left archives could not be removed: {fault}"));
    }
    // Nor an export or an import. Where MariaDB is stopped, they go the next time.
    let _ = database_import::sweep(host.as_ref(), &store);
    if recovered > 0 {
        log(&format!("{recovered} interrupted operation(s) taken up"));
    }
    let dispatch = Dispatch::new(operations.clone());
    let issuer = dispatch.issuer().clone();
    let sampler = dispatch.sampler().clone();
    let notifier = dispatch.notifier().clone();
    let door = Door::new(Parts {
        host: host.clone(),
        store,
        panel: {
            let host = host.clone();
            Arc::new(move || settings.panel(host.as_ref()))
        },
        strength: Strength::for_memory(
            machine::memory(host.as_ref()).map_or(0, |usage| usage.total),
        ),
        mirror: audit::to_the_log,
        desk: Arc::new(dispatch),
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        // Below what the unit allows; further calls wait for a free thread.
        .max_blocking_threads(64)
        .enable_all()
        .build()
        .map_err(|error| start_failed("the runtime could not be started", &error))?;
    let uptime = operations.uptime().clone();
    let keeper = Keeper {
        door: door.clone(),
        operations,
        sampler: sampler.clone(),
    };
    let tasks = Tasks {
        keeper,
        issuer,
        notifier,
    };
    runtime.block_on(serve(host.as_ref(), door, tasks))?;
    for written in [
        sampler.write_down(),
        uptime.write_down(engine.store(), host.now()),
    ] {
        if let Err(fault) = written {
            log(&fault.title);
        }
    }
    // A running operation holds the pass: waiting for it is waiting for the operation.
    let last = engine.enter(FAREWELL_MILLIS);
    drop(runtime);
    drop(last);
    Ok(())
}

fn host() -> Result<Arc<dyn Host>, Fault> {
    let failed = |error: &std::io::Error| start_failed("the machine could not be looked at", error);
    let probe = LinuxHost::system(false).map_err(|error| failed(&error))?;
    let manager = service::manager(&probe)?;
    let sandboxed =
        manager == ServiceManager::Systemd && std::env::var_os("INVOCATION_ID").is_some();
    Ok(Arc::new(
        LinuxHost::system(sandboxed).map_err(|error| failed(&error))?,
    ))
}

/// What goes on by itself.
struct Tasks {
    keeper: Keeper,
    issuer: Issuer,
    notifier: Notifier,
}

async fn serve(host: &dyn Host, door: Door, tasks: Tasks) -> Result<(), Fault> {
    let (listener, peers) = listen(host)?;
    let mut terminate = signal(SignalKind::terminate())
        .map_err(|error| start_failed("signals could not be caught", &error))?;
    let mut interrupt = signal(SignalKind::interrupt())
        .map_err(|error| start_failed("signals could not be caught", &error))?;
    let tried = tasks.keeper.operations.clone();
    let tasks = [
        tokio::spawn(housekeep(tasks.keeper)),
        tokio::spawn(tasks.issuer.keep(log)),
        tokio::spawn(tasks.notifier.keep(log)),
        tokio::spawn(trial::keep(tried.clone(), log)),
        tokio::spawn(uptime::keep(tried, log)),
    ];
    // Where nobody listens for it (an init script), there is nothing to tell.
    let _ = sd_notify::notify(false, &[sd_notify::NotifyState::Ready]);
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    server::serve(listener, door, peers, stop).await;
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    Ok(())
}

/// Only root and the web process may even connect; who it is, is looked at again on every connection.
fn listen(host: &dyn Host) -> Result<(UnixListener, Peers), Fault> {
    let path = HostPath::fixed(SOCKET);
    let is_stale = std::fs::symlink_metadata(SOCKET).is_ok_and(|meta| meta.file_type().is_socket());
    if is_stale {
        host.remove(&path)?;
    }
    let listener = UnixListener::bind(SOCKET)
        .map_err(|error| start_failed("the agent's socket could not be made", &error))?;
    let web = users::user(host, users::WEB)?;
    let group = users::group(host, users::WEB)?;
    let owner = Owner {
        uid: 0,
        gid: group.unwrap_or(0),
    };
    host.set_meta(&path, owner, Mode(0o660))?;
    panel_certificate::lend(host, group)?;
    Ok((listener, Peers { web }))
}

/// What is looked after every minute.
#[derive(Clone)]
struct Keeper {
    door: Door,
    operations: Operations,
    sampler: Sampler,
}

async fn housekeep(keeper: Keeper) {
    let mut ticks = tokio::time::interval(HOUSEKEEPING);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let keeper = keeper.clone();
        let _ = tokio::task::spawn_blocking(move || {
            // First, so that minutes are minutes apart however long the rest takes.
            let looks = [
                keeper.sampler.look(),
                keeper.door.housekeep().map(|_| ()),
                keeper.operations.tidy(),
                keeper.operations.hold_logs().map(|_| ()),
            ];
            for fault in looks.into_iter().filter_map(Result::err) {
                log(&fault.title);
            }
        })
        .await;
    }
}

fn start_failed(what: &str, error: &std::io::Error) -> Fault {
    Fault::new(
        Code::HostFailed,
        what,
        "see `systemctl status lalapanel-agent`, then start it again",
    )
    .detail(error.to_string())
}

/// The agent's log is its standard error, which the service manager keeps.
#[expect(
    clippy::print_stderr,
    reason = "the one place where the agent writes to its log"
)]
fn log(line: &str) {
    eprintln!("{}", crate::domain::text::shown(line, 400));
}
