//! An answer that goes on: server-sent events, poured by a task of their own.
//!
//! Invariant: a browser hears at least every 15 s that somebody is there, is told when it is signed out, and holds one of a counted number of places.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use poem::http::{HeaderValue, StatusCode, header};
use poem::{Body, Response};
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::sync::OwnedSemaphorePermit;

use crate::rpc::protocol::{Reply, Request};
use crate::web::refusal::Refusal;
use crate::web::visit::Visit;

/// The longest silence: what stands between may close a connection on which nothing moves.
const SILENCE: Duration = Duration::from_secs(15);

/// What the browser saw last, as it says when it comes back.
pub(in crate::web) fn last_seen(visit: &Visit) -> &str {
    visit
        .headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_else(|| visit.query.text("after"))
}

/// One of the places for streams.
pub(in crate::web) fn place(visit: &Visit) -> Result<OwnedSemaphorePermit, Refusal> {
    Arc::clone(&visit.shared.streams)
        .try_acquire_owned()
        .map_err(|_| Refusal::BUSY)
}

/// Answers with what the task pours, for as long as it pours.
pub(in crate::web) fn answer<Pouring>(
    visit: Arc<Visit>,
    place: OwnedSemaphorePermit,
    pour: impl FnOnce(Stream) -> Pouring,
) -> Response
where
    Pouring: Future<Output = io::Result<()>> + Send + 'static,
{
    let (ours, theirs) = tokio::io::duplex(4096);
    let pouring = pour(Stream { visit, to: ours });
    tokio::spawn(async move {
        let _place = place;
        // An error here is a browser that has gone.
        let _ = pouring.await;
    });
    let mut response = Response::builder()
        .status(StatusCode::OK)
        .header(header::CONTENT_TYPE, "text/event-stream")
        .body(Body::from_async_read(theirs));
    response
        .headers_mut()
        .insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// The open end.
pub(in crate::web) struct Stream {
    visit: Arc<Visit>,
    to: DuplexStream,
}

impl Stream {
    /// Says after how long to come back. To be sent first.
    pub(in crate::web) async fn open(&mut self) -> io::Result<()> {
        self.send("retry: 1000\n\n").await
    }

    /// Sends one event, or a comment.
    pub(in crate::web) async fn send(&mut self, text: &str) -> io::Result<()> {
        self.to.write_all(text.as_bytes()).await
    }

    /// A comment, so that nobody takes the silence for an end.
    pub(in crate::web) async fn still_here(&mut self) -> io::Result<()> {
        self.send(": still here\n\n").await
    }

    /// Asks the agent for what comes next, however long that takes; `None` where the stream is over.
    pub(in crate::web) async fn ask(&mut self, request: Request) -> io::Result<Option<Reply>> {
        let follow = self.visit.ask(request);
        tokio::pin!(follow);
        loop {
            tokio::select! {
                answer = &mut follow => return match answer {
                    Ok(reply) => Ok(Some(reply)),
                    Err(Refusal::SignedOut) => {
                        self.to.write_all(b"event: signed-out\ndata: {}\n\n").await?;
                        Ok(None)
                    }
                    // The browser comes back by itself and resumes where it was.
                    Err(_) => Ok(None),
                },
                () = tokio::time::sleep(SILENCE) => self.to.write_all(b": still here\n\n").await?,
            }
        }
    }
}
