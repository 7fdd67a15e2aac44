//! Starts the web process: socket, certificate, router; ends it when asked to.
//!
//! Invariant: the port comes from PID 1 where there is one that holds it, so a restart refuses nobody.

use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use listenfd::ListenFd;
use nix::sys::prctl::set_no_new_privs;
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};
use poem::Server;
use tokio::signal::unix::{SignalKind, signal};

use crate::web::agent::Agent;
use crate::web::connection::Limited;
use crate::web::handshake::Secured;
use crate::web::panel::router;
use crate::web::timed::Timed;
use crate::web::tls::{self, Files, PairError};

/// Streams of one HTTP/2 connection.
const MOST_STREAMS: u32 = 64;
/// An idle connection is closed politely after so long.
const IDLE: Duration = Duration::from_secs(30);
/// At the end, requests under way get so long.
const FAREWELL: Duration = Duration::from_secs(5);

/// What the web process is told at start.
#[derive(Debug, Clone)]
pub struct WebConfig {
    /// The port to bind where no socket is passed in.
    pub port: u16,
    /// PEM chain; a renewed one is used without a restart.
    pub certificate: PathBuf,
    /// PEM key.
    pub key: PathBuf,
    /// A chain with its key behind it, which goes before both once it is there.
    pub issued: PathBuf,
    /// Whom to become once port and key are open; none where the process was started without rights.
    pub user: Option<User>,
}

/// A user and its group, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

/// Why the web process cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The certificate or its key.
    #[error("the panel's certificate cannot be used")]
    Certificate(#[source] PairError),
    /// The port.
    #[error("could not listen on port {port}")]
    Listen {
        /// Which.
        port: u16,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The rights it was started with stay.
    #[error("could not give up the rights of root")]
    Rights(#[source] std::io::Error),
    /// The server ended.
    #[error("the web server ended")]
    Run(#[source] std::io::Error),
}

/// Serves until SIGTERM or SIGINT.
pub async fn serve(config: WebConfig, agent: Arc<dyn Agent>) -> Result<(), ServeError> {
    let files = Files {
        certificate: config.certificate,
        key: config.key,
        issued: config.issued,
    };
    let secured = tls::config(files).map_err(ServeError::Certificate)?;
    let listeners = listeners(config.port).map_err(|source| ServeError::Listen {
        port: config.port,
        source,
    })?;
    if let Some(user) = config.user {
        give_up_rights(user).map_err(|errno| ServeError::Rights(errno.into()))?;
    }
    let acceptor = Timed(Secured::new(Limited::new(listeners), secured));
    let ended = ended().map_err(ServeError::Run)?;
    // Not run by systemd: nobody waits for this word.
    let _ = sd_notify::notify(false, &[sd_notify::NotifyState::Ready]);
    Server::new_with_acceptor(acceptor)
        .idle_timeout(IDLE)
        .http2_max_concurrent_streams(MOST_STREAMS)
        .run_with_graceful_shutdown(router(agent), ended, Some(FAREWELL))
        .await
        .map_err(ServeError::Run)
}

/// For good: the saved ids go too, and no program started later could get them back. The C library does it for every thread.
pub fn give_up_rights(user: User) -> nix::Result<()> {
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    setgroups(&[])?;
    setresgid(gid, gid, gid)?;
    setresuid(uid, uid, uid)?;
    set_no_new_privs()
}

/// The sockets PID 1 holds for us (two while another port is tried), or one of our own on all addresses.
fn listeners(port: u16) -> std::io::Result<Vec<tokio::net::TcpListener>> {
    let mut passed = ListenFd::from_env();
    let taken = (0..passed.len()).map(|index| passed.take_tcp_listener(index));
    let mut sockets: Vec<_> = taken
        .filter_map(Result::transpose)
        .collect::<Result<_, _>>()?;
    if sockets.is_empty() {
        let all = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
        // A machine without IPv6.
        let without = SocketAddr::from(([0, 0, 0, 0], port));
        let bound = std::net::TcpListener::bind(all);
        sockets.push(bound.or_else(|_| std::net::TcpListener::bind(without))?);
    }
    let nonblocking = sockets.into_iter().map(|socket| {
        socket.set_nonblocking(true)?;
        tokio::net::TcpListener::from_std(socket)
    });
    nonblocking.collect()
}

fn ended() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
