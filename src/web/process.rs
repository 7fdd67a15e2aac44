//! Starts the web process: asks the agent by which names the panel is open, then serves.
//!
//! Invariant: it serves without root's rights, whoever started it; the configuration file stays closed to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::fault::{Code, Fault};
use crate::rpc::client::{Client, SOCKET};
use crate::rpc::protocol::{Call, Reply, Request};
use crate::rpc::view::PanelView;
use crate::web::agent::SocketAgent;
use crate::web::serve::{ServeError, User, WebConfig, serve};

/// Where the certificate and its key are, for a process that was not handed them by systemd.
const CERTIFICATE: &str = "/var/lib/lalapanel/panel/panel.crt";
const KEY: &str = "/var/lib/lalapanel/panel/panel.key";
/// The agent takes up what a crash left before it answers; then this process is told to try once more by its service manager.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);

/// Runs until SIGTERM or SIGINT. `user` is whom to become where this was started by root.
pub fn run(user: Option<User>) -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        // The unit allows 64 tasks in all.
        .max_blocking_threads(16)
        .enable_all()
        .build()
        .map_err(|error| failed("The runtime could not be started").detail(error.to_string()))?;
    runtime.block_on(async {
        let panel = ask_for_names().await?;
        let config = WebConfig {
            port: panel.port,
            certificate: PathBuf::from(CERTIFICATE),
            key: PathBuf::from(KEY),
            server: panel.server,
            hosts: panel.hosts,
            trusted_proxies: panel.trusted_proxies,
            user,
        };
        let agent = Arc::new(SocketAgent::new(Path::new(SOCKET)));
        serve(config, agent).await.map_err(|error| told(&error))
    })
}

async fn ask_for_names() -> Result<PanelView, Fault> {
    let client = Client::new(Path::new(SOCKET));
    let call = Call {
        session: None,
        from: None,
        request: Request::Panel {},
    };
    let mut tries = 0;
    loop {
        match client.call(&call).await {
            Ok(Reply::Panel(view)) => return Ok(view),
            Ok(_) => return Err(failed("The agent is of another version")),
            Err(fault) if tries >= TRIES => return Err(fault),
            Err(_) => {
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn told(error: &ServeError) -> Fault {
    use std::error::Error as _;
    let detail = error.source().map(ToString::to_string).unwrap_or_default();
    failed(error.to_string()).detail(detail)
}

fn failed(title: impl Into<String>) -> Fault {
    Fault::new(
        Code::HostFailed,
        title,
        "see `journalctl -u lalapanel-web`; `lalapanel install` puts the panel's own files right",
    )
}
