//! Listens on the agent's socket: who connects, how much, how slowly.
//!
//! Invariant: nothing is read from a peer whose user the kernel does not name as root or the panel's web process.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::agent::door::{Door, Peer};
use crate::domain::fault::{Code, Fault};
use crate::rpc::codec::{self, CodecError};
use crate::rpc::protocol::{Answer, Call};

/// Connections of the web process; each open stream of a browser holds one.
const MOST_WEB: usize = 128;
/// Connections of root, counted apart so that the command line gets through when the web process holds all of its own.
const MOST_ROOT: usize = 16;
/// From the first byte of a message to its last, and for a peer to take an answer.
const DEADLINE: Duration = Duration::from_secs(10);

/// Who may connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peers {
    /// The user of the web process; none where it does not exist yet.
    pub web: Option<u32>,
}

/// Serves until `stop` is ready; calls that were read by then are still answered.
pub async fn serve(listener: UnixListener, door: Door, peers: Peers, stop: impl Future) {
    let places = Places::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            _ = &mut stop => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => admit(stream, &door, peers, &places),
                // Out of file descriptors: a moment later some are free again.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }
}

struct Places {
    web: Arc<Semaphore>,
    root: Arc<Semaphore>,
}

impl Places {
    fn new() -> Self {
        Self {
            web: Arc::new(Semaphore::new(MOST_WEB)),
            root: Arc::new(Semaphore::new(MOST_ROOT)),
        }
    }

    fn take(&self, uid: u32) -> Option<OwnedSemaphorePermit> {
        let places = if uid == 0 { &self.root } else { &self.web };
        Arc::clone(places).try_acquire_owned().ok()
    }
}

fn admit(stream: UnixStream, door: &Door, peers: Peers, places: &Places) {
    let Some(peer) = known_peer(&stream, peers) else {
        return;
    };
    let Some(place) = places.take(peer.uid) else {
        return;
    };
    let door = door.clone();
    tokio::spawn(async move {
        converse(stream, &door, peer).await;
        drop(place);
    });
}

fn known_peer(stream: &UnixStream, peers: Peers) -> Option<Peer> {
    let uid = stream.peer_cred().ok()?.uid();
    (uid == 0 || Some(uid) == peers.web).then_some(Peer { uid })
}

async fn converse(mut stream: UnixStream, door: &Door, peer: Peer) {
    while let Ok(Some(body)) = codec::read_frame(&mut stream, DEADLINE).await {
        let call = codec::decode::<Call>(&body);
        drop(body);
        let understood = call.is_ok();
        let answer = match call {
            Ok(call) => door.answer(peer, call).await,
            Err(error) => Err(not_understood(&error)),
        };
        if !send(&mut stream, &answer).await || !understood {
            return;
        }
    }
}

async fn send(stream: &mut UnixStream, answer: &Answer) -> bool {
    let frame = codec::encode(answer).or_else(|error| {
        let instead: Answer = Err(too_long(&error));
        codec::encode(&instead)
    });
    let Ok(frame) = frame else {
        return false;
    };
    let sending = codec::write_frame(stream, &frame);
    matches!(tokio::time::timeout(DEADLINE, sending).await, Ok(Ok(())))
}

fn not_understood(error: &CodecError) -> Fault {
    let detail = match error {
        CodecError::Malformed(reason) => reason.to_string(),
        other => other.to_string(),
    };
    Fault::new(
        Code::RequestInvalid,
        "The request is not valid",
        "check what was typed; after an upgrade, `systemctl restart lalapanel-agent lalapanel-web`",
    )
    .detail(crate::domain::text::shown(&detail, 300))
}

fn too_long(error: &CodecError) -> Fault {
    Fault::new(
        Code::RequestInvalid,
        error.to_string(),
        "ask for fewer things at once",
    )
}
