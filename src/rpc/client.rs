//! Talks to the agent: for the web process (many calls at once) and for the CLI (one after the other).
//!
//! Invariant: a call that may have reached the agent is never sent twice by itself.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};

use crate::domain::fault::{Code, Fault};
use crate::rpc::codec::{self, CodecError, Frame};
use crate::rpc::protocol::{Answer, Call, Request};
use crate::rpc::stream;

/// Where the agent listens.
pub const SOCKET: &str = "/run/lalapanel/agent.sock";

/// Connections of the web process: below the agent's own cap, so that the CLI always gets through.
const MOST_CONNECTIONS: usize = 112;
/// How many of them may wait for news of an operation, so that open streams never keep pages from being answered.
const MOST_FOLLOWERS: usize = 96;
/// Idle connections that are kept.
const KEPT: usize = 8;
/// Long enough for a follower (15 s without news) and for a plan on a slow disk.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The web process's way to the agent. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Client {
    path: PathBuf,
    idle: Mutex<VecDeque<UnixStream>>,
    places: Semaphore,
    followers: Semaphore,
}

impl Client {
    /// A client of the agent at this socket; nothing is connected yet.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            idle: Mutex::new(VecDeque::new()),
            places: Semaphore::new(MOST_CONNECTIONS),
            followers: Semaphore::new(MOST_FOLLOWERS),
        }
    }

    /// Asks the agent and waits for its answer.
    pub async fn call(&self, call: &Call) -> Answer {
        let frame = codec::encode(call).map_err(|error| unsendable(&error))?;
        let follows = matches!(
            call.request,
            Request::OperationFollow { .. } | Request::LogFollow { .. }
        );
        match tokio::time::timeout(PATIENCE, self.exchange(&frame, follows)).await {
            Ok(answer) => answer,
            Err(_) => Err(slow()),
        }
    }

    async fn exchange(&self, frame: &Frame, follows: bool) -> Answer {
        let _follower = if follows {
            Some(self.followers.acquire().await.map_err(|_| slow())?)
        } else {
            None
        };
        let _place = self.places.acquire().await.map_err(|_| slow())?;
        let mut stream = self.send(frame).await?;
        let body = codec::read_frame(&mut stream, PATIENCE)
            .await
            .map_err(|error| lost(&error))?
            .ok_or_else(closed)?;
        let answer = codec::decode(&body).map_err(|error| lost(&error))?;
        self.keep(stream);
        answer
    }

    /// Why writing may be repeated: the agent acts on whole frames only, and a closed peer is noticed while writing.
    async fn send(&self, frame: &Frame) -> Result<UnixStream, Fault> {
        while let Some(mut kept) = self.take_idle() {
            if is_quiet(&kept) && codec::write_frame(&mut kept, frame).await.is_ok() {
                return Ok(kept);
            }
        }
        let mut fresh = UnixStream::connect(&self.path)
            .await
            .map_err(|error| unreachable(&error))?;
        codec::write_frame(&mut fresh, frame)
            .await
            .map_err(|error| lost(&error))?;
        Ok(fresh)
    }

    fn take_idle(&self) -> Option<UnixStream> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop_back()
    }

    fn keep(&self, stream: UnixStream) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push_back(stream);
        }
    }
}

/// True where the peer neither closed nor sent anything unasked.
fn is_quiet(stream: &UnixStream) -> bool {
    let mut byte = [0_u8; 1];
    matches!(stream.try_read(&mut byte), Err(error) if error.kind() == ErrorKind::WouldBlock)
}

impl Client {
    /// Sends a call that a stream belongs to; nothing else goes over its connection.
    pub(super) async fn begin(
        &self,
        call: &Call,
    ) -> Result<(UnixStream, SemaphorePermit<'_>), Fault> {
        let frame = codec::encode(call).map_err(|error| unsendable(&error))?;
        let place = self.places.acquire().await.map_err(|_| slow())?;
        Ok((self.send(&frame).await?, place))
    }

    /// Asks for what is poured: its pieces go into `to`, then comes the answer. Where nobody takes them any more, it ends.
    pub async fn pour(&self, call: &Call, to: &mpsc::Sender<Vec<u8>>) -> Answer {
        let (mut stream, _place) = self.begin(call).await?;
        let waiting = |error| lost(&CodecError::Io(error));
        while let Some(piece) = stream::read_piece(&mut stream).await.map_err(waiting)? {
            to.send(piece).await.map_err(|_| closed())?;
        }
        let body = codec::read_frame(&mut stream, PATIENCE)
            .await
            .map_err(|error| lost(&error))?
            .ok_or_else(closed)?;
        codec::decode(&body).map_err(|error| lost(&error))?
    }
}

pub(super) fn unreachable(error: &std::io::Error) -> Fault {
    let hint = match error.kind() {
        ErrorKind::PermissionDenied => "run this as root, for example with `sudo`",
        ErrorKind::NotFound => {
            "run `lalapanel install` if this server has no panel yet, or start the agent: `systemctl start lalapanel-agent`"
        }
        _ => {
            "start the agent: `systemctl start lalapanel-agent`, then see `journalctl -u lalapanel-agent`"
        }
    };
    Fault::new(
        Code::AgentUnreachable,
        "The panel's agent does not answer",
        hint,
    )
    .detail(error.to_string())
}

pub(super) fn lost(error: &CodecError) -> Fault {
    match error {
        CodecError::Malformed(_) | CodecError::TooLong { .. } => Fault::new(
            Code::AgentUnreachable,
            "The agent's answer was not understood",
            "the agent is of another version: `systemctl restart lalapanel-agent lalapanel-web`",
        ),
        CodecError::Io(io) if is_timeout(io.kind()) => slow(),
        CodecError::Late => slow(),
        CodecError::Io(_) => closed(),
    }
}

fn is_timeout(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

pub(super) fn closed() -> Fault {
    Fault::new(
        Code::AgentUnreachable,
        "The panel's agent closed the connection",
        "what had begun goes on or is undone by itself; see `lalapanel op list` and `journalctl -u lalapanel-agent`",
    )
}

pub(super) fn slow() -> Fault {
    Fault::new(
        Code::AgentUnreachable,
        "The panel's agent did not answer in time",
        "see `lalapanel op list` for what runs, and `journalctl -u lalapanel-agent`",
    )
}

pub(super) fn unsendable(error: &CodecError) -> Fault {
    Fault::new(Code::RequestInvalid, error.to_string(), "send less at once")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::blocking::BlockingClient;
    use crate::rpc::protocol::Reply;
    use tokio::net::UnixListener;

    fn ping() -> Call {
        Call {
            session: None,
            bearer: None,
            from: None,
            request: Request::Ping {},
        }
    }

    /// Answers `frames` pings on each of `connections` connections, and reports how many calls it saw.
    fn agent(path: &Path, connections: usize, frames: usize) -> tokio::task::JoinHandle<usize> {
        let listener = UnixListener::bind(path).unwrap();
        tokio::spawn(async move {
            let mut seen = 0;
            for _ in 0..connections {
                let (mut stream, _) = listener.accept().await.unwrap();
                for _ in 0..frames {
                    let Ok(Some(_)) = codec::read_frame(&mut stream, PATIENCE).await else {
                        break;
                    };
                    seen += 1;
                    let answer: Answer = Ok(Reply::Done {});
                    let frame = codec::encode(&answer).unwrap();
                    codec::write_frame(&mut stream, &frame).await.unwrap();
                }
            }
            seen
        })
    }

    #[tokio::test]
    async fn a_connection_is_used_again_and_replaced_once_the_agent_closed_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agent.sock");
        let agent = agent(&path, 2, 2);
        let client = Client::new(&path);
        for _ in 0..4 {
            client.call(&ping()).await.unwrap();
        }
        assert_eq!(agent.await.unwrap(), 4);
    }

    #[tokio::test]
    async fn however_many_follow_a_page_is_answered() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agent.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let agent = tokio::spawn(async move {
            let mut held = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let frame = codec::read_frame(&mut stream, PATIENCE).await;
                let body = frame.unwrap().unwrap();
                let call: Call = codec::decode(&body).unwrap();
                if matches!(call.request, Request::Ping {}) {
                    let answer: Answer = Ok(Reply::Done {});
                    let frame = codec::encode(&answer).unwrap();
                    codec::write_frame(&mut stream, &frame).await.unwrap();
                }
                held.push(stream);
            }
        });
        let client = std::sync::Arc::new(Client::new(&path));
        for _ in 0..MOST_CONNECTIONS * 2 {
            let client = std::sync::Arc::clone(&client);
            tokio::spawn(async move {
                let id = crate::domain::id::OperationId::from_parts(1, [1; 10]);
                let request = Request::OperationFollow { id, after: 0 };
                let mut call = ping();
                call.request = request;
                client.call(&call).await
            });
        }
        while client.followers.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        client.call(&ping()).await.unwrap();
        agent.abort();
    }

    #[tokio::test]
    async fn a_missing_agent_is_told_with_the_next_step() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agent.sock");
        let fault = Client::new(&path).call(&ping()).await.unwrap_err();
        assert_eq!(fault.code, Code::AgentUnreachable);
        assert!(fault.hint.contains("lalapanel install"), "{}", fault.hint);
        let fault = BlockingClient::connect(&path).unwrap_err();
        assert_eq!(fault.code, Code::AgentUnreachable);
    }

    #[tokio::test]
    async fn a_call_that_reached_an_agent_that_died_is_not_sent_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agent.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let agent = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            codec::read_frame(&mut stream, PATIENCE).await.unwrap();
            drop(stream);
            let again = listener.accept();
            tokio::time::timeout(Duration::from_millis(200), again)
                .await
                .is_ok()
        });
        let fault = Client::new(&path).call(&ping()).await.unwrap_err();
        assert_eq!(fault.code, Code::AgentUnreachable);
        assert!(!agent.await.unwrap(), "the call came twice");
    }

    #[tokio::test]
    async fn the_command_line_waits_in_the_ordinary_way() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agent.sock");
        let agent = agent(&path, 1, 2);
        let asked = tokio::task::spawn_blocking(move || {
            let mut client = BlockingClient::connect(&path).unwrap();
            client.call(Request::Ping {}).unwrap();
            client.call(Request::Ping {}).unwrap();
        });
        asked.await.unwrap();
        assert_eq!(agent.await.unwrap(), 2);
    }
}
