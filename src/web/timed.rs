//! How long a silent or a slow connection is kept, and how much of it is read ahead (security.md H-4).
//!
//! Invariant: a client that sends slowly, sends nothing or never finishes holds a connection for a bounded time and a bounded memory.
//!
//! Why not in the HTTP library: poem sets no header timeout and its idle timeout waits for a half-sent request for ever.
//! So the limits sit on the bytes: whatever the protocol above, a client gets so long from its first unanswered byte to our answer.
//! A file that somebody signed in sends is the one exception (`patience`): whoever reads it waits a minute for each piece.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use poem::http::uri::Scheme;
use poem::listener::Acceptor;
use poem::web::{LocalAddr, RemoteAddr};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use crate::web::patience::is_patient;

/// From the connection to its first readable byte: the TLS handshake and the beginning of a request.
const TO_BEGIN: Duration = Duration::from_secs(20);
/// From the first byte of a request to the beginning of its answer: 30 s of header, 60 s of body.
const TO_ASK: Duration = Duration::from_secs(90);
/// Without a byte in either direction. Streams send a comment every 15 s.
const IDLE: Duration = Duration::from_secs(60);
/// Bytes that are read before anything is answered, the largest form is far below; what comes beyond waits where it is.
const MOST_UNANSWERED: usize = 512 * 1024;
/// How often one that waits with more than that looks whether it may go on.
const TO_LOOK: Duration = Duration::from_millis(50);

/// Wraps the TLS acceptor, so that what is timed are requests and not records.
pub(super) struct Timed<A>(pub(super) A);

impl<A: Acceptor> Acceptor for Timed<A> {
    type Io = TimedIo<A::Io>;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.0.local_addr()
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        let (inner, local, remote, scheme) = self.0.accept().await?;
        let peer = remote.as_socket_addr().copied();
        Ok((TimedIo::new(inner, peer), local, remote, scheme))
    }
}

/// A connection with a deadline that moves as it makes progress.
pub(super) struct TimedIo<T> {
    inner: T,
    peer: Option<SocketAddr>,
    alarm: Pin<Box<Sleep>>,
    /// Set from the first byte read until we write: an answer is owed by then.
    owed: Option<Instant>,
    unanswered: usize,
}

impl<T> TimedIo<T> {
    fn new(inner: T, peer: Option<SocketAddr>) -> Self {
        Self {
            inner,
            peer,
            alarm: Box::pin(tokio::time::sleep(TO_BEGIN)),
            owed: None,
            unanswered: 0,
        }
    }

    fn received(&mut self, bytes: usize) {
        if is_patient(self.peer) {
            self.sent();
            return;
        }
        self.unanswered = self.unanswered.saturating_add(bytes);
        let now = Instant::now();
        let owed = *self.owed.get_or_insert(now + TO_ASK);
        self.alarm.as_mut().reset(owed.min(now + IDLE));
    }

    /// Waits where much has come: until something of it is answered, or somebody reads a file; as long as an answer may take.
    fn poll_room(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.unanswered >= MOST_UNANSWERED && !is_patient(self.peer) {
            let now = Instant::now();
            let Some(owed) = self.owed.filter(|owed| now < *owed) else {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            };
            self.alarm.as_mut().reset(owed.min(now + TO_LOOK));
            ready!(self.alarm.as_mut().poll(context));
        }
        Poll::Ready(Ok(()))
    }

    /// Nothing is owed any more, and the silence begins anew.
    fn sent(&mut self) {
        self.owed = None;
        self.unanswered = 0;
        self.alarm.as_mut().reset(Instant::now() + IDLE);
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for TimedIo<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_room(context))?;
        let before = buffer.filled().len();
        match Pin::new(&mut self.inner).poll_read(context, buffer) {
            Poll::Ready(Ok(())) => {
                let bytes = buffer.filled().len() - before;
                if bytes > 0 {
                    self.received(bytes);
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                while self.alarm.as_mut().poll(context).is_ready() {
                    if !is_patient(self.peer) {
                        return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                    }
                    self.sent();
                }
                Poll::Pending
            }
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for TimedIo<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        match written {
            Poll::Ready(Ok(_)) => self.sent(),
            Poll::Ready(Err(_)) => {}
            // A client that reads nothing: the alarm ends the write as well.
            Poll::Pending => {
                if self.alarm.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::web::patience::Patient;

    #[tokio::test(start_paused = true)]
    async fn a_request_that_drips_is_ended_and_a_stream_that_talks_is_not() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut server = TimedIo::new(near, None);
        let begun = Instant::now();
        let drip = tokio::spawn(async move {
            while far.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        });
        let mut sink = [0; 64];
        let error = loop {
            match server.read(&mut sink).await {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(begun.elapsed() <= TO_ASK + Duration::from_secs(6));
        drop(server);
        drip.await.unwrap();

        let (near, mut far) = tokio::io::duplex(64);
        let mut server = TimedIo::new(near, None);
        far.write_all(b"x").await.unwrap();
        for _ in 0..20 {
            tokio::select! {
                read = server.read(&mut sink) => assert_eq!(read.unwrap(), 1),
                () = tokio::time::sleep(Duration::from_secs(15)) => {}
            }
            server.write_all(b":\n\n").await.unwrap();
            let mut heard = [0; 3];
            far.read_exact(&mut heard).await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_may_be_large_and_slow_for_as_long_as_somebody_reads_it() {
        let peer = SocketAddr::from(([192, 0, 2, 200], 4000));
        let (near, mut far) = tokio::io::duplex(MOST_UNANSWERED);
        let mut server = TimedIo::new(near, Some(peer));
        let mut sink = vec![0; MOST_UNANSWERED];
        let patient = Patient::with(peer);
        for _ in 0..4 {
            far.write_all(&sink).await.unwrap();
            server.read_exact(&mut sink).await.unwrap();
            let silent = server.read(&mut sink[..1]);
            let waited = tokio::time::timeout(TO_ASK * 2, silent).await;
            assert!(waited.is_err(), "ended: {waited:?}");
        }
        drop(patient);
        far.write_all(&sink).await.unwrap();
        server.read_exact(&mut sink).await.unwrap();
        far.write_all(b"more").await.unwrap();
        let waits = tokio::time::timeout(Duration::from_secs(1), server.read(&mut sink));
        assert!(waits.await.is_err(), "more was read than may be");
        let patient = Patient::with(peer);
        assert_eq!(server.read(&mut sink).await.unwrap(), 4);
        drop(patient);
        let error = server.read(&mut sink[..1]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
