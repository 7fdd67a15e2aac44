//! TLS over an accepted connection.
//!
//! Invariant: a handshake is the business of its own connection; it keeps nobody else from being accepted.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use poem::http::uri::Scheme;
use poem::listener::Acceptor;
use poem::web::{LocalAddr, RemoteAddr};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

/// Wraps what an acceptor gives in TLS.
pub(super) struct Secured<A> {
    inner: A,
    tls: TlsAcceptor,
}

impl<A> Secured<A> {
    pub(super) fn new(inner: A, config: ServerConfig) -> Self {
        Self {
            inner,
            tls: Arc::new(config).into(),
        }
    }
}

impl<A: Acceptor> Acceptor for Secured<A> {
    type Io = SecuredIo<A::Io>;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.inner.local_addr()
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        let (inner, local, remote, _) = self.inner.accept().await?;
        let io = SecuredIo::Greeting(Box::new(self.tls.accept(inner)));
        Ok((io, local, remote, Scheme::HTTPS))
    }
}

/// A connection, from its first byte of TLS on.
pub(super) enum SecuredIo<T> {
    /// The handshake is under way.
    Greeting(Box<Accept<T>>),
    /// It is over.
    Open(Box<TlsStream<T>>),
    /// It failed, and that was told once.
    Closed,
}

impl<T: AsyncRead + AsyncWrite + Unpin> SecuredIo<T> {
    fn open(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Pin<&mut TlsStream<T>>>> {
        if let Self::Greeting(handshake) = self {
            *self = match std::task::ready!(Pin::new(handshake.as_mut()).poll(context)) {
                Ok(stream) => Self::Open(Box::new(stream)),
                Err(error) => {
                    *self = Self::Closed;
                    return Poll::Ready(Err(error));
                }
            };
        }
        Poll::Ready(match self {
            Self::Open(stream) => Ok(Pin::new(stream.as_mut())),
            Self::Greeting(_) | Self::Closed => Err(io::ErrorKind::BrokenPipe.into()),
        })
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for SecuredIo<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        std::task::ready!(self.open(context))?.poll_read(context, buffer)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for SecuredIo<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        std::task::ready!(self.open(context))?.poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.open(context))?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Who goes before the handshake is over leaves nothing to say goodbye to.
        match &mut *self {
            Self::Open(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
            Self::Greeting(_) | Self::Closed => Poll::Ready(Ok(())),
        }
    }
}
