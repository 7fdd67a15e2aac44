//! Listens on the agent's socket: who connects, how much, how slowly.
//!
//! Invariant: nothing is read from a peer whose user the kernel does not name as root or the panel's web process.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::agent::door::{Door, Peer};
use crate::domain::fault::{Code, Fault};
use crate::rpc::codec::{self, CodecError};
use crate::rpc::protocol::{Answer, Call};
use crate::rpc::stream::{PieceReader, PieceWriter};

/// Connections of the web process; each open stream of a browser holds one.
const MOST_WEB: usize = 128;
/// Connections of root, counted apart so that the command line gets through when the web process holds all of its own.
const MOST_ROOT: usize = 16;
/// From the first byte of a message to its last, and for a peer to take an answer.
const DEADLINE: Duration = Duration::from_secs(10);
/// For a peer to take a piece of what is poured, or to send one: a slow line is behind it, perhaps.
const POURING: Duration = Duration::from_secs(300);

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
    is_known(uid, peers).then_some(Peer { uid })
}

fn is_known(uid: u32, peers: Peers) -> bool {
    uid == 0 || Some(uid) == peers.web
}

async fn converse(mut stream: UnixStream, door: &Door, peer: Peer) {
    while let Ok(Some(body)) = codec::read_frame(&mut stream, DEADLINE).await {
        let call = codec::decode::<Call>(&body);
        drop(body);
        let understood = call.is_ok();
        let answer = match call {
            Ok(call) if call.request.is_poured() => return pour(stream, door, peer, call).await,
            Ok(call) => door.answer(peer, call).await,
            Err(error) => Err(not_understood(&error)),
        };
        if !send(&mut stream, &answer).await || !understood {
            return;
        }
    }
}

/// Pieces, then the answer, on a thread of its own; the connection ends with it.
///
/// Why no thread of the runtime's: at the end of the agent those are waited for, and this one may take hours.
async fn pour(stream: UnixStream, door: &Door, peer: Peer, call: Call) {
    let Ok((from, stream)) = blocking(stream) else {
        return;
    };
    let (done, is_done) = oneshot::channel();
    let door = door.clone();
    let begun = std::thread::Builder::new().spawn(move || {
        let mut pieces = PieceWriter::new(stream);
        let mut from = PieceReader::new(from);
        let answer = door.pour(peer, call, &mut from, &mut pieces);
        // An error here is a peer that has gone.
        let _ = pieces
            .end()
            .map(|mut stream| answered(&mut stream, &answer));
        let _ = done.send(());
    });
    if begun.is_ok() {
        let _ = is_done.await;
    }
}

type Blocking = std::os::unix::net::UnixStream;

/// The connection twice, to read and to write.
fn blocking(stream: UnixStream) -> std::io::Result<(Blocking, Blocking)> {
    let stream = stream.into_std()?;
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(POURING))?;
    stream.set_read_timeout(Some(POURING))?;
    Ok((stream.try_clone()?, stream))
}

fn answered(stream: &mut impl std::io::Write, answer: &Answer) -> Result<(), CodecError> {
    codec::write_frame_blocking(stream, &codec::encode(answer)?)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::door::{Desk, Following, Parts, Watched};
    use crate::agent::panel::Panel;
    use crate::agent::password::Strength;
    use crate::domain::account::Actor;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;
    use crate::rpc::protocol::{Reply, Request};
    use crate::rpc::stream::read_piece;
    use crate::store::Store;
    use std::io::{Read, Write};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    struct Nothing;
    impl Desk for Nothing {
        fn handle(&self, _: &Actor, _: Request) -> Answer {
            Ok(Reply::Done {})
        }
        fn pour(&self, _: Request, _: &mut dyn Read, to: &mut dyn Write) -> Answer {
            to.write_all(b"some bytes").unwrap();
            Ok(Reply::Done {})
        }
        fn follow(&self, _: Watched) -> Following {
            Box::pin(std::future::ready(Ok(Reply::Done {})))
        }
    }

    fn door() -> Door {
        let panel = Panel {
            host: "panel.example".to_owned(),
            port: 8443,
            ..Panel::default()
        };
        let strength = Strength {
            memory: 64,
            passes: 1,
        };
        Door::new(Parts {
            host: Arc::new(MemoryHost::new(Machine::debian())),
            store: Store::in_memory().unwrap(),
            panel: Arc::new(move || panel.clone()),
            strength,
            mirror: |_| (),
            desk: Arc::new(Nothing),
        })
    }

    async fn answer_to(frame: &[u8]) -> (Option<Answer>, bool) {
        let (mut near, far) = UnixStream::pair().unwrap();
        let serving = tokio::spawn(async move { converse(far, &door(), Peer { uid: 990 }).await });
        near.write_all(frame).await.unwrap();
        let body = codec::read_frame(&mut near, DEADLINE).await.unwrap();
        let answer = body.map(|body| codec::decode(&body).unwrap());
        let mut rest = [0];
        let closed = tokio::time::timeout(Duration::from_millis(100), near.read(&mut rest));
        let closed = matches!(closed.await, Ok(Ok(0)));
        serving.abort();
        (answer, closed)
    }

    fn framed(text: &str) -> Vec<u8> {
        let length = u32::try_from(text.len()).unwrap().to_be_bytes();
        [length.as_slice(), text.as_bytes()].concat()
    }

    #[test]
    fn only_root_and_the_web_process_are_known() {
        let peers = Peers { web: Some(990) };
        let known = |uid, peers| is_known(uid, peers);
        assert!(known(0, peers) && known(990, peers));
        assert!(!known(33, peers) && !known(20_001, peers) && !known(u32::MAX, peers));
        assert!(known(0, Peers { web: None }) && !known(990, Peers { web: None }));
    }

    #[tokio::test]
    async fn a_good_request_is_answered_and_the_connection_stays() {
        let (answer, closed) = answer_to(&framed(r#"{"request":{"ping":{}}}"#)).await;
        assert!(matches!(answer, Some(Ok(Reply::Pong { .. }))));
        assert!(!closed);
    }

    #[tokio::test]
    async fn what_is_poured_comes_in_pieces_before_the_answer_and_only_to_whom_it_may() {
        let poured = framed(r#"{"request":{"database_export":{"name":"shop_db"}}}"#);
        for (uid, expected) in [(0, &b"some bytes"[..]), (990, b"")] {
            let (mut near, far) = UnixStream::pair().unwrap();
            let serving = tokio::spawn(async move { converse(far, &door(), Peer { uid }).await });
            near.write_all(&poured).await.unwrap();
            let mut bytes = Vec::new();
            while let Some(piece) = read_piece(&mut near).await.unwrap() {
                bytes.extend(piece);
            }
            let body = codec::read_frame(&mut near, DEADLINE).await.unwrap();
            let answer: Answer = codec::decode(&body.unwrap()).unwrap();
            assert_eq!((bytes.as_slice(), answer.is_ok()), (expected, uid == 0));
            assert_eq!(near.read(&mut [0]).await.unwrap(), 0, "it is closed");
            serving.await.unwrap();
        }
    }

    #[tokio::test]
    async fn what_is_no_request_is_refused_and_the_connection_closed() {
        for text in [
            r#"{"request":{"run_command":{"line":"id"}}}"#,
            r#"{"request":{"ping":{"extra":1}}}"#,
            r#"{"request":{"site_show":{"hostname":"a..b"}}}"#,
            r#"{"request":{"site_show":{"hostname":"shop.example;}"}}}"#,
            "not json",
        ] {
            let (answer, closed) = answer_to(&framed(text)).await;
            let fault = answer.unwrap().unwrap_err();
            assert_eq!(fault.code, Code::RequestInvalid, "{text}");
            assert!(closed, "{text}");
        }
    }

    #[tokio::test]
    async fn a_frame_that_announces_too_much_is_not_answered() {
        let (answer, closed) = answer_to(&u32::MAX.to_be_bytes()).await;
        assert!(answer.is_none() && closed);
    }

    #[tokio::test]
    async fn a_peer_that_is_not_known_is_closed_before_anything_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("agent.sock")).unwrap();
        let mine = listener.local_addr().unwrap();
        let path = mine.as_pathname().unwrap().to_owned();
        let me = nix::unistd::getuid().as_raw();
        let serving = tokio::spawn(serve(
            listener,
            door(),
            Peers { web: None },
            std::future::pending::<()>(),
        ));
        let mut stream = UnixStream::connect(path).await.unwrap();
        let _ = stream
            .write_all(&framed(r#"{"request":{"ping":{}}}"#))
            .await;
        let answered = matches!(codec::read_frame(&mut stream, DEADLINE).await, Ok(Some(_)));
        assert_eq!(answered, me == 0);
        serving.abort();
    }
}
