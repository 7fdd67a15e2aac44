//! Listens on the courier's sockets: who connects, how much, how slowly, and for how long at all.
//!
//! Invariant: nothing is read from a peer whose user the kernel does not name as root; an errand ends when its peer goes away.

use std::os::unix::net::UnixListener as Socket;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

use crate::courier::idle::Idle;
use crate::courier::runner::Runner;
use crate::courier::{challenge, fetching, proving};
use crate::domain::fault::{Code, Fault};
use crate::domain::text;
use crate::rpc::codec::{self, CodecError};
use crate::rpc::courier::{Errand, Return};

/// Errands at the same time.
const MOST: usize = 32;
/// Questions of authorities, and of whoever else asks port 80 for such a path, at the same time.
const MOST_ASKING: usize = 64;
/// For an errand to come in whole, and for its return to be taken.
const DEADLINE: Duration = Duration::from_secs(10);
/// For an archive: it ends by itself before the errand's own time is over, so that why is told.
const FETCH: Duration = Duration::from_secs(280);

/// The sockets it listens on.
#[derive(Debug)]
pub struct Doors {
    /// Where errands come in.
    pub errands: Socket,
    /// Where nginx asks on behalf of an authority.
    pub challenges: Socket,
}

/// When the courier ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// After so long with nothing to do: somebody else holds the sockets and starts it again.
    Idle(Duration),
    /// Not before it is told to.
    Never,
}

/// Serves until `stop` is ready, or until it may leave.
pub(super) async fn serve(doors: Doors, leave: Leave, stop: impl Future) -> std::io::Result<()> {
    doors.errands.set_nonblocking(true)?;
    doors.challenges.set_nonblocking(true)?;
    let errands = UnixListener::from_std(doors.errands)?;
    let challenges = UnixListener::from_std(doors.challenges)?;
    let (idle, runner) = (Idle::new(), Runner::default());
    let places = Arc::new(Semaphore::new(MOST));
    let asking = Arc::new(Semaphore::new(MOST_ASKING));
    tokio::pin!(stop);
    loop {
        let over = async {
            match leave {
                Leave::Idle(quiet) => idle.over(quiet).await,
                Leave::Never => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = &mut stop => return Ok(()),
            () = over => return Ok(()),
            accepted = errands.accept() => match accepted {
                Ok((stream, _)) => admit(stream, &idle, &runner, &places),
                // Out of file descriptors: a moment later some are free again.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            accepted = challenges.accept() => match accepted {
                Ok((stream, _)) => challenge::admit(stream, idle.serve(), runner.tokens(), &asking),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
}

fn admit(stream: UnixStream, idle: &Idle, runner: &Runner, places: &Arc<Semaphore>) {
    let is_known = stream.peer_cred().is_ok_and(|peer| peer.uid() == 0);
    let Some(place) = Arc::clone(places)
        .try_acquire_owned()
        .ok()
        .filter(|_| is_known)
    else {
        return;
    };
    let (served, runner) = (idle.serve(), runner.clone());
    tokio::spawn(async move {
        converse(stream, &runner).await;
        drop((served, place));
    });
}

async fn converse(mut stream: UnixStream, runner: &Runner) {
    let reading = codec::read_frame(&mut stream, DEADLINE);
    let Ok(Ok(Some(body))) = tokio::time::timeout(DEADLINE, reading).await else {
        return;
    };
    let errand = codec::decode::<Errand>(&body);
    drop(body);
    let returned = match errand {
        Ok(Errand::Fetch(fetch)) => {
            let returned = fetching::bring(&fetch, FETCH, &mut stream).await;
            if fetching::send(&mut stream, &[]).await.is_err() {
                return;
            }
            returned
        }
        Ok(Errand::Order(order)) if order.dns.is_some() => {
            let Some(dns) = order.dns.as_deref() else {
                return;
            };
            let ended = proving::order(&order, dns, runner, &mut stream).await;
            let Some(returned) = ended else { return };
            returned
        }
        Ok(errand) => tokio::select! {
            returned = runner.run(errand) => returned,
            () = gone(&mut stream) => return,
        },
        Err(error) => Err(not_understood(&error)),
    };
    send(&mut stream, &returned).await;
}

/// Ready once the peer closes, or says more than one errand.
async fn gone(stream: &mut UnixStream) {
    let mut byte = [0_u8; 1];
    let _ = stream.read(&mut byte).await;
}

async fn send(stream: &mut UnixStream, returned: &Return) {
    let frame = codec::encode(returned).or_else(|error| {
        let instead: Return = Err(not_understood(&error));
        codec::encode(&instead)
    });
    if let Ok(frame) = frame {
        let sending = codec::write_frame(stream, &frame);
        let _ = tokio::time::timeout(DEADLINE, sending).await;
    }
}

fn not_understood(error: &CodecError) -> Fault {
    let detail = match error {
        CodecError::Malformed(reason) => reason.to_string(),
        other => other.to_string(),
    };
    Fault::new(
        Code::RequestInvalid,
        "The errand is not valid",
        "after an upgrade, `systemctl restart lalapanel-agent lalapanel-courier`",
    )
    .detail(text::shown(&detail, 300))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::courier::Report;
    use tokio::io::AsyncWriteExt as _;

    async fn returned(frame: &[u8]) -> Option<Return> {
        let (mut near, far) = UnixStream::pair().unwrap();
        let serving = tokio::spawn(async move { converse(far, &Runner::default()).await });
        near.write_all(frame).await.unwrap();
        let body = codec::read_frame(&mut near, DEADLINE).await.unwrap();
        serving.await.unwrap();
        body.map(|body| codec::decode(&body).unwrap())
    }

    #[tokio::test]
    async fn an_errand_is_run_and_the_connection_closed() {
        let frame = codec::encode(&Errand::Ping {}).unwrap();
        let pong = returned(&frame).await.unwrap().unwrap();
        assert!(matches!(pong, Report::Pong { .. }));
    }

    #[tokio::test]
    async fn what_is_no_errand_is_refused() {
        for text in [
            r#"{"run_command":{"line":"id"}}"#,
            r#"{"ping":{"more":1}}"#,
            "?",
        ] {
            let length = u32::try_from(text.len()).unwrap().to_be_bytes();
            let frame = [length.as_slice(), text.as_bytes()].concat();
            let fault = returned(&frame).await.unwrap().unwrap_err();
            assert_eq!(fault.code, Code::RequestInvalid, "{text}");
        }
        assert!(returned(&u32::MAX.to_be_bytes()).await.is_none());
    }

    #[tokio::test]
    async fn only_root_is_served_and_it_leaves_once_nobody_came() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("courier.sock");
        let doors = Doors {
            errands: Socket::bind(&path).unwrap(),
            challenges: Socket::bind(directory.path().join("challenge.sock")).unwrap(),
        };
        let quiet = Duration::from_millis(300);
        let serving = tokio::spawn(serve(
            doors,
            Leave::Idle(quiet),
            std::future::pending::<()>(),
        ));
        let mut stream = UnixStream::connect(&path).await.unwrap();
        let frame = codec::encode(&Errand::Ping {}).unwrap();
        let _ = stream.write_all(&frame).await;
        let answered = matches!(codec::read_frame(&mut stream, DEADLINE).await, Ok(Some(_)));
        assert_eq!(answered, nix::unistd::geteuid().is_root());
        serving.await.unwrap().unwrap();
    }
}
