//! Answers what an authority asks of port 80, handed on by nginx: a path of one kind, and a short text or nothing.
//!
//! Invariant: of a request only the path is looked at; whatever it says, the answer is an offered one or "unknown".

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::Semaphore;

use crate::acme::challenge::Tokens;
use crate::courier::idle::Served;

/// A request's head is no longer.
const LONGEST: usize = 8192;
/// For all of it.
const DEADLINE: Duration = Duration::from_secs(5);

/// Answers one connection, where there is a place for it.
pub(super) fn admit(stream: UnixStream, served: Served, tokens: &Tokens, places: &Arc<Semaphore>) {
    let Ok(place) = Arc::clone(places).try_acquire_owned() else {
        return;
    };
    let tokens = tokens.clone();
    tokio::spawn(async move {
        let _ = tokio::time::timeout(DEADLINE, converse(stream, &tokens)).await;
        drop((served, place));
    });
}

async fn converse(mut stream: UnixStream, tokens: &Tokens) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut buffer = [0_u8; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < LONGEST {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        head.extend(buffer.iter().take(count));
    }
    let answer = path(&head).and_then(|path| tokens.answer(path));
    stream
        .write_all(response(answer.as_deref()).as_bytes())
        .await?;
    stream.shutdown().await
}

/// The path of a `GET`; none for anything else.
fn path(head: &[u8]) -> Option<&str> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.strip_prefix("GET ")?.split(' ');
    words.next()
}

fn response(answer: Option<&str>) -> String {
    let (status, body) = answer.map_or(("404 Not Found", "unknown\n"), |answer| ("200 OK", answer));
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acme::challenge::{ChallengeToken, PATH};

    async fn asked(request: &[u8], tokens: &Tokens) -> String {
        let (mut near, far) = UnixStream::pair().unwrap();
        let tokens = tokens.clone();
        let answering = tokio::spawn(async move { converse(far, &tokens).await });
        near.write_all(request).await.unwrap();
        let mut answer = String::new();
        near.read_to_string(&mut answer).await.unwrap();
        answering.await.unwrap().unwrap();
        answer
    }

    #[tokio::test]
    async fn an_offered_token_is_answered_and_nothing_else_is() {
        let tokens = Tokens::default();
        let token = ChallengeToken::parse("abcdefghijklmnop").unwrap();
        let _offered = tokens.offer(token, "abcdefghijklmnop.print".to_owned());
        let get = format!("GET {PATH}abcdefghijklmnop HTTP/1.0\r\nHost: shop.example\r\n\r\n");
        let answer = asked(get.as_bytes(), &tokens).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"));
        assert!(answer.ends_with("\r\n\r\nabcdefghijklmnop.print"));
        let others = [
            format!("GET {PATH}abcdefghijklmnoq HTTP/1.0\r\n\r\n"),
            format!("POST {PATH}abcdefghijklmnop HTTP/1.0\r\n\r\n"),
            format!("GET {PATH}../abcdefghijklmnop HTTP/1.0\r\n\r\n"),
            "\r\n\r\n".to_owned(),
        ];
        for other in others {
            let answer = asked(other.as_bytes(), &tokens).await;
            assert!(answer.starts_with("HTTP/1.1 404"), "{other}");
        }
        let long = vec![b'x'; LONGEST];
        assert!(asked(&long, &tokens).await.starts_with("HTTP/1.1 404"));
    }
}
