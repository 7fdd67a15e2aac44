//! The command line's way to the agent: one call after the other, and streams both ways.
//!
//! Invariant: a stream that was not read or written to its end is never taken for a whole one.

use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::time::Duration;

use crate::domain::fault::{Code, Fault};
use crate::rpc::client::{PATIENCE, lost, unreachable, unsendable};
use crate::rpc::codec::{self, CodecError};
use crate::rpc::protocol::{Answer, Call, Request};
use crate::rpc::stream::{self, PieceReader, PieceWriter};

/// A stream may be silent for as long as MariaDB works at one table.
const STREAM_PATIENCE: Duration = Duration::from_secs(3 * 60 * 60);

/// The CLI's way to the agent.
#[derive(Debug)]
pub struct BlockingClient {
    stream: std::os::unix::net::UnixStream,
}

impl BlockingClient {
    /// Connects to the agent at this socket.
    pub fn connect(path: &Path) -> Result<Self, Fault> {
        let stream =
            std::os::unix::net::UnixStream::connect(path).map_err(|error| unreachable(&error))?;
        stream
            .set_read_timeout(Some(PATIENCE))
            .and_then(|()| stream.set_write_timeout(Some(PATIENCE)))
            .map_err(|error| unreachable(&error))?;
        Ok(Self { stream })
    }

    /// Asks the agent as root of this server and waits for its answer.
    pub fn call(&mut self, request: Request) -> Answer {
        let call = Call {
            session: None,
            bearer: None,
            from: None,
            request,
        };
        let frame = codec::encode(&call).map_err(|error| unsendable(&error))?;
        let body = codec::write_frame_blocking(&mut self.stream, &frame)
            .and_then(|()| codec::read_frame_blocking(&mut self.stream))
            .map_err(|error| lost(&error))?;
        codec::decode(&body).map_err(|error| lost(&error))?
    }
}

impl BlockingClient {
    /// Asks for what is poured, and writes it; the connection ends with it.
    pub fn pour(mut self, request: Request, to: &mut dyn Write) -> Answer {
        self.begin(request)?;
        self.end(to)
    }

    /// Asks, and brings what is read. An agent that takes no more of it has an answer.
    pub fn fill(mut self, request: Request, from: &mut dyn Read) -> Answer {
        self.begin(request)?;
        bring(from, PieceWriter::new(&mut self.stream))?;
        self.end(&mut std::io::sink())
    }

    fn begin(&mut self, request: Request) -> Result<(), Fault> {
        let call = Call {
            session: None,
            bearer: None,
            from: None,
            request,
        };
        let frame = codec::encode(&call).map_err(|error| unsendable(&error))?;
        codec::write_frame_blocking(&mut self.stream, &frame).map_err(|error| lost(&error))?;
        self.stream
            .set_read_timeout(Some(STREAM_PATIENCE))
            .and_then(|()| self.stream.set_write_timeout(Some(STREAM_PATIENCE)))
            .map_err(|error| unreachable(&error))
    }

    fn end(&mut self, to: &mut dyn Write) -> Answer {
        take(PieceReader::new(&mut self.stream), to)?;
        let body = codec::read_frame_blocking(&mut self.stream).map_err(|error| lost(&error))?;
        codec::decode(&body).map_err(|error| lost(&error))?
    }
}

fn bring(from: &mut dyn Read, mut to: PieceWriter<impl Write>) -> Result<(), Fault> {
    let mut buffer = vec![0; stream::PIECE];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                let piece = buffer.get(..count).unwrap_or_default();
                if to.write_all(piece).is_err() {
                    return Ok(());
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Dropping the connection without the end tells the agent that it is not whole.
            Err(error) => return Err(unread(&error)),
        }
    }
    let _ = to.end();
    Ok(())
}

pub(super) fn unread(error: &std::io::Error) -> Fault {
    Fault::new(
        Code::DatabaseFile,
        "the file cannot be read to its end; the database is as before",
        "it may be cut off or damaged: make it anew, then import again",
    )
    .detail(error.to_string())
}

/// Why not `std::io::copy`: an error of the agent's connection and one of the file are told apart.
fn take(mut from: impl Read, to: &mut dyn Write) -> Result<(), Fault> {
    let mut buffer = vec![0; stream::PIECE];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) => return Err(lost(&CodecError::Io(error))),
        };
        to.write_all(buffer.get(..count).unwrap_or_default())
            .map_err(|error| unwritten(&error))?;
    }
}

fn unwritten(error: &std::io::Error) -> Fault {
    Fault::new(
        Code::DatabaseFile,
        "what came could not be written",
        "see whether there is room (`df -h`), then try again",
    )
    .detail(error.to_string())
}
