//! Starts the courier with the sockets it was handed; ends it when asked to, or when there is nothing to do.
//!
//! Invariant: it never runs as root, and never opens a socket for others to connect to by itself.

use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use listenfd::ListenFd;
use tokio::signal::unix::{SignalKind, signal};

use crate::courier::server::{self, Doors, Leave};
use crate::domain::fault::{Code, Fault};
use crate::rpc::courier::{CHALLENGES, SOCKET};

/// With nothing to do for so long it ends; PID 1 keeps the sockets and starts it for the next errand.
const QUIET: Duration = Duration::from_secs(20);

/// The sockets PID 1 holds for it; none where it was not started by them.
pub fn passed() -> Result<Option<Doors>, Fault> {
    let mut passed = ListenFd::from_env();
    let (mut errands, mut challenges) = (None, None);
    for index in 0..passed.len() {
        let socket = passed
            .take_unix_listener(index)
            .map_err(|error| failed("The courier's sockets are not what they should be", &error))?;
        match socket {
            Some(socket) if is_at(&socket, SOCKET) => errands = Some(socket),
            Some(socket) if is_at(&socket, CHALLENGES) => challenges = Some(socket),
            _ => {}
        }
    }
    let both = errands.zip(challenges);
    Ok(both.map(|(errands, challenges)| Doors {
        errands,
        challenges,
    }))
}

/// Sockets come in no promised order.
fn is_at(socket: &UnixListener, path: &str) -> bool {
    let wanted = Path::new(path);
    let own = socket.local_addr();
    own.is_ok_and(|address| address.as_pathname() == Some(wanted))
}

/// Runs until SIGTERM or SIGINT. `held` sockets are somebody else's, who starts it again: it may leave.
pub fn run(doors: Doors, held: bool) -> Result<(), Fault> {
    if nix::unistd::geteuid().is_root() {
        return Err(Fault::new(
            Code::HostFailed,
            "The courier does not run as root",
            "start it by its socket: `systemctl start lalapanel-courier.socket`",
        ));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        // Names are looked up on threads of their own.
        .max_blocking_threads(8)
        .enable_all()
        .build()
        .map_err(|error| failed("The runtime could not be started", &error))?;
    let leave = if held {
        Leave::Idle(QUIET)
    } else {
        Leave::Never
    };
    runtime
        .block_on(serve(doors, leave))
        .map_err(|error| failed("The courier could not listen", &error))
}

async fn serve(doors: Doors, leave: Leave) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // Where nobody listens for it (an init script), there is nothing to tell.
    let _ = sd_notify::notify(false, &[sd_notify::NotifyState::Ready]);
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    server::serve(doors, leave, stop).await
}

fn failed(title: &str, error: &std::io::Error) -> Fault {
    Fault::new(
        Code::HostFailed,
        title,
        "see `journalctl -u lalapanel-courier`; `lalapanel install` puts the panel's own files right",
    )
    .detail(error.to_string())
}
