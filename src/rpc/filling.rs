//! Brings a stream to the agent, for the web process: its pieces follow the call, then comes the answer.
//!
//! Invariant: a stream whose last piece did not come is never taken for a whole one.

use std::io;
use std::time::Duration;

use tokio::io::AsyncRead;
use tokio::sync::mpsc;

use crate::rpc::blocking::unread;
use crate::rpc::client::{Client, closed, lost, slow};
use crate::rpc::codec::{self, CodecError};
use crate::rpc::protocol::{Answer, Call};
use crate::rpc::stream;

/// A piece of what is brought: one of no length is its end, an error says that no whole one comes.
pub type Brought = io::Result<Vec<u8>>;

/// After the last piece MariaDB may still work at a table.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

impl Client {
    /// Asks, and brings what comes out of `from`. An agent that takes no more of it has an answer.
    pub async fn fill(&self, call: &Call, mut from: mpsc::Receiver<Brought>) -> Answer {
        let (mut agent, _place) = self.begin(call).await?;
        loop {
            // Dropping the connection without the end tells the agent that it is not whole.
            let piece = match from.recv().await {
                Some(Ok(piece)) => piece,
                Some(Err(error)) => return Err(unread(&error)),
                None => return Err(unread(&io::ErrorKind::UnexpectedEof.into())),
            };
            let written = stream::write_piece(&mut agent, &piece).await;
            if written.is_err() || piece.is_empty() {
                break;
            }
        }
        drop(from);
        match tokio::time::timeout(PATIENCE, answer(&mut agent)).await {
            Ok(answer) => answer,
            Err(_) => Err(slow()),
        }
    }
}

async fn answer(agent: &mut (impl AsyncRead + Unpin)) -> Answer {
    let waiting = |error| lost(&CodecError::Io(error));
    while stream::read_piece(agent).await.map_err(waiting)?.is_some() {}
    let body = codec::read_frame(agent, PATIENCE)
        .await
        .map_err(|error| lost(&error))?
        .ok_or_else(closed)?;
    codec::decode(&body).map_err(|error| lost(&error))?
}
