//! A file on its way from a browser to the agent: unpacked here, piece by piece.
//!
//! Invariant: no more of it is held than the pieces that wait; what broke off on its way, or cannot be unpacked, is never taken for whole.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use multer::Field;
use multer::bytes::Bytes;
use poem::Body;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::rpc::filling::Brought;
use crate::rpc::stream::PIECE;
use crate::rpc::unpacker::unpacked;
use crate::web::form::{self, Fields};
use crate::web::patience::Patient;
use crate::web::refusal::Refusal;
use crate::web::visit::Visit;

/// Each field before the file.
const MOST_FIELD: usize = 1024;
/// Pieces that wait on each side of the unpacking.
const WAITING: usize = 2;
/// A phone in a tunnel comes back, or does not.
const SILENCE: Duration = Duration::from_secs(60);
/// How long what nobody wants is read: a browser that could not send everything shows no answer, and neither does one whose
/// last bytes met a closed connection.
const DRAINING: Duration = Duration::from_secs(600);

/// A file that has begun to arrive.
pub(super) struct Upload {
    file: Field<'static>,
    rest: Rest,
    _patient: Option<Patient>,
    _place: OwnedSemaphorePermit,
}

/// Reads a form up to its file.
pub(super) async fn begin(
    visit: &Visit,
    body: Body,
    peer: Option<SocketAddr>,
) -> Result<(Fields, Option<Upload>), Refusal> {
    let place = Arc::clone(&visit.shared.uploads)
        .try_acquire_owned()
        .map_err(|_| Refusal::UPLOADS)?;
    let patient = peer.map(Patient::with);
    let rest = Rest(Arc::new(Mutex::new(Box::pin(body.into_bytes_stream()))));
    let (fields, file) = form::read_to_file(&visit.headers, rest.clone(), MOST_FIELD).await?;
    let upload = file.map(|file| Upload {
        file,
        rest,
        _patient: patient,
        _place: place,
    });
    Ok((fields, upload))
}

impl Upload {
    /// What is in it, unpacked, and what must be awaited beside for it to come.
    pub(super) fn unpacked(self) -> (mpsc::Receiver<Brought>, impl Future<Output = ()>) {
        let (arriving, packed) = mpsc::channel(WAITING);
        let (to, whole) = mpsc::channel(WAITING);
        tokio::task::spawn_blocking(move || {
            let last = unpack(packed, &to).map(|()| Vec::new());
            // An error here is an agent that has its answer.
            let _ = to.blocking_send(last);
        });
        (whole, self.feed(arriving))
    }

    async fn feed(mut self, to: mpsc::Sender<io::Result<Bytes>>) {
        loop {
            let piece = self.piece().await;
            let is_last = piece.as_ref().map_or(true, Bytes::is_empty);
            if to.send(piece).await.is_err() || is_last {
                break;
            }
        }
        drop(to);
        let _ = tokio::time::timeout(DRAINING, self.rest.drain()).await;
    }

    /// The next piece; one of no length is the end.
    async fn piece(&mut self) -> io::Result<Bytes> {
        loop {
            let arrived = tokio::time::timeout(SILENCE, self.file.chunk()).await;
            match arrived.map_err(|_| io::ErrorKind::TimedOut)? {
                Ok(Some(bytes)) if bytes.is_empty() => {}
                Ok(bytes) => return Ok(bytes.unwrap_or_default()),
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }
}

/// What of a body is not read yet, for whoever asks next.
#[derive(Clone)]
struct Rest(Arc<Mutex<Pieces>>);

type Pieces = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

impl Rest {
    async fn drain(&mut self) {
        let piece = async |rest: &mut Self| tokio::time::timeout(SILENCE, rest.next()).await;
        while matches!(piece(self).await, Ok(Some(Ok(_)))) {}
    }
}

impl Stream for Rest {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        body.as_mut().poll_next(context)
    }
}

fn unpack(packed: mpsc::Receiver<io::Result<Bytes>>, to: &mpsc::Sender<Brought>) -> io::Result<()> {
    let mut from = unpacked(Box::new(Arriving {
        from: packed,
        piece: Bytes::new(),
        ended: false,
    }))?;
    let mut buffer = vec![0; PIECE];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let piece = buffer.get(..count).unwrap_or_default().to_vec();
        if to.blocking_send(Ok(piece)).is_err() {
            return Ok(());
        }
    }
}

/// What arrives, for a thread that waits.
struct Arriving {
    from: mpsc::Receiver<io::Result<Bytes>>,
    piece: Bytes,
    ended: bool,
}

impl Read for Arriving {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() && !self.ended {
            let next = self.from.blocking_recv();
            self.piece = next.ok_or(io::ErrorKind::UnexpectedEof)??;
            self.ended = self.piece.is_empty();
        }
        let count = into.len().min(self.piece.len());
        let taken = self.piece.split_to(count);
        into.get_mut(..count)
            .unwrap_or_default()
            .copy_from_slice(&taken);
        Ok(count)
    }
}
