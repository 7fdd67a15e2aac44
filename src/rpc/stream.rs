//! How bytes that are no message travel: in pieces of a length each, after them one of no length, and then the answer.
//!
//! Invariant: a piece is at most 64 KiB, so nobody holds more of a stream than that; without the piece of no length it is not whole.

use std::io::{Error, ErrorKind, Read, Result, Write};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest piece.
pub const PIECE: usize = 64 * 1024;

/// Sends what is written in pieces.
#[derive(Debug)]
pub struct PieceWriter<W> {
    to: W,
    waiting: Vec<u8>,
}

impl<W: Write> PieceWriter<W> {
    /// Around a connection.
    pub fn new(to: W) -> Self {
        let waiting = Vec::with_capacity(PIECE);
        Self { to, waiting }
    }

    /// Sends what waits and the end, and gives the connection back.
    pub fn end(mut self) -> Result<W> {
        self.send()?;
        self.to.write_all(&[0; 4])?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn send(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let length = u32::try_from(self.waiting.len()).unwrap_or(u32::MAX);
        self.to.write_all(&length.to_be_bytes())?;
        self.to.write_all(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }
}

impl<W: Write> Write for PieceWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let room = PIECE.saturating_sub(self.waiting.len());
        let taken = bytes.get(..bytes.len().min(room)).unwrap_or_default();
        self.waiting.extend_from_slice(taken);
        if self.waiting.len() == PIECE {
            self.send()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> Result<()> {
        self.send()?;
        self.to.flush()
    }
}

/// Reads pieces up to the end, and not a byte further.
#[derive(Debug)]
pub struct PieceReader<R> {
    from: R,
    left: usize,
    ended: bool,
}

impl<R: Read> PieceReader<R> {
    /// Around a connection.
    pub fn new(from: R) -> Self {
        Self {
            from,
            left: 0,
            ended: false,
        }
    }
}

impl<R: Read> Read for PieceReader<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        if self.left == 0 && !self.ended {
            let mut header = [0; 4];
            self.from.read_exact(&mut header)?;
            self.left = length(header)?;
            self.ended = self.left == 0;
        }
        if self.left == 0 || into.is_empty() {
            return Ok(0);
        }
        let most = into.len().min(self.left);
        let count = self.from.read(into.get_mut(..most).unwrap_or_default())?;
        if count == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.left -= count;
        Ok(count)
    }
}

/// Reads one piece; `None` at the end.
pub async fn read_piece<R: AsyncRead + Unpin>(from: &mut R) -> Result<Option<Vec<u8>>> {
    let mut header = [0; 4];
    from.read_exact(&mut header).await?;
    let length = length(header)?;
    if length == 0 {
        return Ok(None);
    }
    let mut piece = vec![0; length];
    from.read_exact(&mut piece).await?;
    Ok(Some(piece))
}

/// Writes one piece; the one of no length is the end.
pub async fn write_piece<W: AsyncWrite + Unpin>(to: &mut W, piece: &[u8]) -> Result<()> {
    let length = u32::try_from(piece.len()).map_err(|_| ErrorKind::InvalidInput)?;
    to.write_all(&length.to_be_bytes()).await?;
    to.write_all(piece).await
}

fn length(header: [u8; 4]) -> Result<usize> {
    usize::try_from(u32::from_be_bytes(header))
        .ok()
        .filter(|length| *length <= PIECE)
        .ok_or_else(|| Error::new(ErrorKind::InvalidData, "a piece that is too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(bytes: &[u8]) -> Vec<u8> {
        let mut writer = PieceWriter::new(Vec::new());
        writer.write_all(bytes).unwrap();
        writer.end().unwrap()
    }

    fn received(mut from: &[u8]) -> (Result<Vec<u8>>, usize) {
        let mut bytes = Vec::new();
        let read = PieceReader::new(&mut from).read_to_end(&mut bytes);
        (read.map(|_| bytes), from.len())
    }

    #[tokio::test]
    async fn what_is_sent_arrives_and_what_follows_is_left() {
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(PIECE * 2 + 5).collect();
        for bytes in [&bytes[..], b"", b"x"] {
            let mut stream = sent(bytes);
            stream.extend(b"answer");
            assert_eq!(received(&stream).0.unwrap(), bytes);
            assert_eq!(received(&stream).1, 6);
            let (mut from, mut all) = (stream.as_slice(), Vec::new());
            while let Some(piece) = read_piece(&mut from).await.unwrap() {
                assert!(piece.len() <= PIECE);
                all.extend(piece);
            }
            assert_eq!(all, bytes);
            assert_eq!(from, b"answer");
        }
    }

    #[tokio::test]
    async fn both_ways_of_writing_are_the_same() {
        let mut stream = Vec::new();
        write_piece(&mut stream, b"abc").await.unwrap();
        write_piece(&mut stream, b"").await.unwrap();
        assert_eq!(stream, sent(b"abc"));
    }

    #[tokio::test]
    async fn a_stream_that_breaks_off_or_announces_too_much_is_an_error() {
        let whole = sent(b"abc");
        for cut in 0..whole.len() {
            assert!(received(&whole[..cut]).0.is_err(), "{cut}");
        }
        let long = u32::MAX.to_be_bytes();
        assert!(received(&long).0.is_err());
        assert!(read_piece(&mut long.as_slice()).await.is_err());
    }
}
