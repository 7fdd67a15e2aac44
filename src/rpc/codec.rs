//! How messages travel: four bytes of length (big-endian), then that many bytes of JSON.
//!
//! Invariant: a length is checked before anything is allocated for it, and memory grows only with bytes that really came.
//! Nesting is bounded by `serde_json` (128 levels), unknown fields by the types themselves.

use std::io::{Read, Write};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

/// The longest message: 1 MiB.
pub const LIMIT: usize = 1024 * 1024;

/// A message could not be sent or understood.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The peer announced, or we would send, more than the limit.
    #[error("a message of {bytes} bytes is longer than a message may be")]
    TooLong {
        /// How many.
        bytes: usize,
    },
    /// The bytes are not a message of ours.
    #[error("the message is not one this version understands")]
    Malformed(#[source] serde_json::Error),
    /// The connection broke.
    #[error("the connection broke")]
    Io(#[from] std::io::Error),
    /// The rest of a message did not come in time.
    #[error("the rest of a message did not come in time")]
    Late,
}

/// The bytes of a frame; they may hold a password, so they are wiped.
pub type Frame = Zeroizing<Vec<u8>>;

/// A value as a frame.
pub fn encode<T: Serialize>(value: &T) -> Result<Frame, CodecError> {
    let mut frame = Zeroizing::new(vec![0; 4]);
    serde_json::to_writer(&mut *frame, value).map_err(CodecError::Malformed)?;
    let bytes = frame.len().saturating_sub(4);
    let length = u32::try_from(bytes)
        .ok()
        .filter(|_| bytes <= LIMIT)
        .ok_or(CodecError::TooLong { bytes })?;
    for (to, from) in frame.iter_mut().zip(length.to_be_bytes()) {
        *to = from;
    }
    Ok(frame)
}

/// The value in the bytes after the length.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, CodecError> {
    serde_json::from_slice(body).map_err(CodecError::Malformed)
}

fn announced(header: [u8; 4]) -> Result<u64, CodecError> {
    let length = u32::from_be_bytes(header);
    match usize::try_from(length) {
        Ok(bytes) if bytes <= LIMIT => Ok(u64::from(length)),
        Ok(bytes) => Err(CodecError::TooLong { bytes }),
        Err(_) => Err(CodecError::TooLong { bytes: usize::MAX }),
    }
}

fn cut_short() -> CodecError {
    CodecError::Io(std::io::ErrorKind::UnexpectedEof.into())
}

/// Waits for the next frame as long as it takes, but for its rest only so long. `None` where the peer closed between frames.
pub async fn read_frame<R: AsyncRead + Unpin>(
    from: &mut R,
    rest_within: Duration,
) -> Result<Option<Frame>, CodecError> {
    let mut first = [0_u8; 1];
    if from.read(&mut first).await? == 0 {
        return Ok(None);
    }
    let rest = read_rest(from, first);
    tokio::time::timeout(rest_within, rest)
        .await
        .map_err(|_| CodecError::Late)?
        .map(Some)
}

async fn read_rest<R: AsyncRead + Unpin>(
    from: &mut R,
    [first]: [u8; 1],
) -> Result<Frame, CodecError> {
    let mut rest = [0_u8; 3];
    from.read_exact(&mut rest).await?;
    let [second, third, fourth] = rest;
    let length = announced([first, second, third, fourth])?;
    let mut body = Zeroizing::new(Vec::new());
    let read = from.take(length).read_to_end(&mut body).await?;
    if read as u64 == length {
        Ok(body)
    } else {
        Err(cut_short())
    }
}

/// Sends a frame made by `encode`.
pub async fn write_frame<W: AsyncWrite + Unpin>(
    to: &mut W,
    frame: &Frame,
) -> Result<(), CodecError> {
    to.write_all(frame).await?;
    to.flush().await?;
    Ok(())
}

/// The same for the CLI, which waits in the ordinary way.
pub fn read_frame_blocking<R: Read>(from: &mut R) -> Result<Frame, CodecError> {
    let mut header = [0_u8; 4];
    from.read_exact(&mut header)?;
    let length = announced(header)?;
    let mut body = Zeroizing::new(Vec::new());
    let read = from.take(length).read_to_end(&mut body)?;
    if read as u64 == length {
        Ok(body)
    } else {
        Err(cut_short())
    }
}

/// The same for the CLI.
pub fn write_frame_blocking<W: Write>(to: &mut W, frame: &Frame) -> Result<(), CodecError> {
    to.write_all(frame)?;
    to.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::protocol::{Call, Request};
    use proptest::prelude::*;

    const SOON: Duration = Duration::from_secs(10);

    fn read(bytes: &[u8]) -> Result<Frame, CodecError> {
        let mut bytes = bytes;
        read_frame_blocking(&mut bytes)
    }

    fn with_length(length: u32, body: &[u8]) -> Vec<u8> {
        [&length.to_be_bytes(), body].concat()
    }

    #[test]
    fn a_call_survives_the_wire() {
        let call = Call {
            session: None,
            bearer: None,
            from: None,
            request: Request::Ping {},
        };
        let body = read(&encode(&call).unwrap()).unwrap();
        let back: Call = decode(&body).unwrap();
        assert!(matches!(back.request, Request::Ping {}));
    }

    #[test]
    fn a_length_above_the_limit_is_refused_before_the_body_is_read() {
        for length in [u32::MAX, 1024 * 1024 + 1] {
            let refused = read(&length.to_be_bytes());
            assert!(matches!(refused, Err(CodecError::TooLong { .. })));
        }
        assert!(matches!(
            encode(&"x".repeat(LIMIT)),
            Err(CodecError::TooLong { .. })
        ));
        assert!(encode(&"x".repeat(LIMIT - 2)).is_ok());
    }

    #[test]
    fn a_frame_that_is_cut_short_is_an_error() {
        assert!(matches!(
            read(&with_length(9, b"{}")),
            Err(CodecError::Io(_))
        ));
        assert!(matches!(read(&[0, 0]), Err(CodecError::Io(_))));
    }

    #[test]
    fn unknown_requests_and_fields_and_deep_nesting_are_malformed() {
        let deep = format!("{{\"request\":{}1{}}}", "[".repeat(4000), "]".repeat(4000));
        for text in [
            r#"{"request":{"run_command":{"line":"id"}}}"#,
            r#"{"request":{"ping":{"more":1}}}"#,
            r#"{"request":{"ping":{}},"uid":0}"#,
            r#"{"request":{"ping":{}}} trailing"#,
            r#"{"request":{"site_show":{"hostname":"../etc"}}}"#,
            "",
            deep.as_str(),
        ] {
            let refused = decode::<Call>(text.as_bytes());
            assert!(matches!(refused, Err(CodecError::Malformed(_))), "{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_rest_of_a_frame_must_come_in_time_but_the_first_byte_need_not() {
        let (mut near, mut far) = tokio::io::duplex(64);
        let reading = tokio::spawn(async move { read_frame(&mut near, SOON).await });
        tokio::time::sleep(Duration::from_secs(3600)).await;
        tokio::io::AsyncWriteExt::write_all(&mut far, &[0, 0])
            .await
            .unwrap();
        assert!(matches!(reading.await.unwrap(), Err(CodecError::Late)));
    }

    #[tokio::test]
    async fn a_peer_that_closes_between_frames_is_no_error() {
        let frame = encode(&1).unwrap();
        let mut bytes = frame.as_slice();
        assert_eq!(*read_frame(&mut bytes, SOON).await.unwrap().unwrap(), b"1");
        assert!(read_frame(&mut bytes, SOON).await.unwrap().is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_decoder_fail_otherwise_than_with_an_error(
            bytes in proptest::collection::vec(any::<u8>(), 0..300)
        ) {
            if let Ok(body) = read(&bytes) {
                let _ = decode::<Call>(&body);
            }
        }
    }
}
