//! Starts the web process, whether the agent runs or not.
//!
//! Invariant: it serves without root's rights, whoever started it; the configuration file stays closed to it.

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::fault::{Code, Fault};
use crate::rpc::client::SOCKET;
use crate::web::agent::SocketAgent;
use crate::web::serve::{ServeError, User, WebConfig, serve};

/// Where the certificate and its key are: in the one directory of the state that this process may look into.
const CERTIFICATE: &str = "/var/lib/lalapanel/panel/panel.crt";
const KEY: &str = "/var/lib/lalapanel/panel/panel.key";
/// What an authority issued in place of them.
const ISSUED: &str = "/var/lib/lalapanel/panel/issued.pem";

/// Runs until SIGTERM or SIGINT. `port` is opened where systemd passes no socket; `user` is whom to become where this was
/// started by root.
pub fn run(port: u16, user: Option<User>) -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        // The unit allows 64 tasks in all.
        .max_blocking_threads(16)
        .enable_all()
        .build()
        .map_err(|error| failed("The runtime could not be started").detail(error.to_string()))?;
    let config = WebConfig {
        port,
        certificate: PathBuf::from(CERTIFICATE),
        key: PathBuf::from(KEY),
        issued: PathBuf::from(ISSUED),
        user,
    };
    let agent = Arc::new(SocketAgent::new(Path::new(SOCKET)));
    runtime.block_on(async { serve(config, agent).await.map_err(|error| told(&error)) })
}

fn told(error: &ServeError) -> Fault {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let detail: Vec<String> = causes.map(ToString::to_string).collect();
    failed(error.to_string()).detail(detail.join(": "))
}

fn failed(title: impl Into<String>) -> Fault {
    Fault::new(
        Code::HostFailed,
        title,
        "see `journalctl -u lalapanel-web`; `lalapanel install` puts the panel's own files right",
    )
}
