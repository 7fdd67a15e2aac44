//! Fetching from a server of our own, by HTTPS, as good or as bad as servers are.
//!
//! Invariant: test code only; nothing leaves this machine.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;

use super::*;
use crate::domain::archive::ArchiveUrl;

const SUM: &str = "0123456789012345678901234567890123456789";
/// Begins as one.
const ARCHIVE: &str = "\u{1f}\u{8b}";

/// What a path is answered with, as HTTP/1.1 has it; `PORT` is the server's own.
type Pages = &'static [(&'static str, &'static str)];

/// A server of `pages` on this machine: its port and its certificate.
async fn server(pages: Pages) -> (u16, String) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = made.signing_key.serialize_der().try_into().unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut head = vec![0; 4096];
            let count = stream.read(&mut head).await.unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..count]).into_owned();
            let path = head.split(' ').nth(1).unwrap_or("").to_owned();
            let page = pages.iter().find(|(of, _)| *of == path);
            let nothing = "HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let page = page.map_or(nothing, |(_, page)| page);
            let page = page.replace("PORT", &port.to_string());
            // A gzip file begins with bytes that are no UTF-8.
            let bytes: Vec<u8> = page
                .chars()
                .map(|c| u8::try_from(c).unwrap_or(b'?'))
                .collect();
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
    });
    (port, made.cert.pem())
}

/// What came in parts, and how it ended.
async fn fetched(pages: Pages, path: &str) -> (Vec<u8>, Result<Fetched, Fault>) {
    let (port, roots) = server(pages).await;
    from(&format!("https://127.0.0.1:{port}{path}"), Some(roots)).await
}

async fn from(url: &str, roots: Option<String>) -> (Vec<u8>, Result<Fetched, Fault>) {
    let fetch = Fetch {
        url: ArchiveUrl::parse(url).unwrap(),
        roots,
        most: 100,
    };
    let (mut near, mut far) = UnixStream::pair().unwrap();
    let within = Duration::from_secs(20);
    let bringing = tokio::spawn(async move { bring(&fetch, within, &mut far).await });
    let (mut whole, mut parts) = (Vec::new(), Vec::new());
    near.read_to_end(&mut whole).await.unwrap();
    let mut rest = whole.as_slice();
    while let Some((length, more)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap();
        parts.extend(&more[..length]);
        rest = &more[length..];
    }
    let ended = bringing.await.unwrap();
    let ended = ended.map(|report| match report {
        Report::Fetched(fetched) => *fetched,
        other => panic!("{other:?}"),
    });
    (parts, ended)
}

const CHECKSUM: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n0123456789012345678901234567890123456789  latest.tar.gz\n";

#[tokio::test]
async fn an_archive_comes_in_parts_with_its_publishers_checksum() {
    let pages: Pages = &[
        ("/a.sha1", CHECKSUM),
        (
            "/a",
            "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n\u{1f}\u{8b}four",
        ),
        // A page of words where a checksum could be.
        (
            "/a.sha256",
            "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>",
        ),
    ];
    let (parts, ended) = fetched(pages, "/a").await;
    assert_eq!(parts, b"\x1f\x8bfour");
    assert_eq!(
        ended.unwrap(),
        Fetched {
            published: Checksum::parse(SUM).unwrap(),
            version: None,
            bytes: 6
        }
    );
}

#[tokio::test]
async fn a_redirect_is_followed_at_home_and_nowhere_else() {
    let pages: Pages = &[
        ("/a.sha1", CHECKSUM),
        (
            "/a",
            "HTTP/1.1 302 F\r\nLocation: /b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ),
        (
            "/b",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n\u{1f}\u{8b}",
        ),
    ];
    assert!(fetched(pages, "/a").await.1.is_ok());
    let elsewhere: [Pages; 4] = [
        &[(
            "/a.sha256",
            "HTTP/1.1 302 F\r\nLocation: https://other.example/a\r\nContent-Length: 0\r\n\r\n",
        )],
        &[(
            "/a.sha256",
            "HTTP/1.1 301 F\r\nLocation: http://127.0.0.1:PORT/a\r\nContent-Length: 0\r\n\r\n",
        )],
        &[(
            "/a.sha256",
            "HTTP/1.1 307 F\r\nLocation: https://127.0.0.1:1/a\r\nContent-Length: 0\r\n\r\n",
        )],
        &[(
            "/a.sha256",
            "HTTP/1.1 302 F\r\nLocation: /a.sha256\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        )],
    ];
    for pages in elsewhere {
        let (parts, ended) = fetched(pages, "/a").await;
        let fault = ended.unwrap_err();
        assert!(fault.title.contains("leads to another server"), "{fault:?}");
        assert_eq!(parts, b"");
    }
}

#[tokio::test]
async fn what_is_no_whole_archive_is_told_in_a_sentence() {
    let trouble: [(&str, &str); 6] = [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\u{1f}\u{8b}four",
            "broke off before the archive was whole",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n\u{1f}\u{8b}four",
            "is larger than",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
            "is no .tar.gz",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            "is no .tar.gz",
        ),
        (
            "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
            "answered with status 503",
        ),
        ("SSH-2.0-OpenSSH\r\n", "cannot be reached"),
    ];
    for (page, words) in trouble {
        let pages: Pages = Box::leak(Box::new([("/a.sha1", CHECKSUM), ("/a", page)]));
        let fault = fetched(pages, "/a").await.1.unwrap_err();
        assert!(fault.title.contains(words), "{words}: {fault:?}");
        assert_eq!(fault.code, Code::WordpressUnfetched);
    }
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{ARCHIVE}{}", "x".repeat(200));
    let pages: Pages = Box::leak(Box::new([
        ("/a.sha1", CHECKSUM),
        ("/a", &*Box::leak(endless.into_boxed_str())),
    ]));
    let fault = fetched(pages, "/a").await.1.unwrap_err();
    assert!(fault.title.contains("is larger than"), "{fault:?}");
}

#[tokio::test]
async fn without_a_checksum_a_trusted_certificate_or_a_server_nothing_is_fetched() {
    let pages: Pages = &[(
        "/a",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\u{1f}\u{8b}",
    )];
    let fault = fetched(pages, "/a").await.1.unwrap_err();
    assert!(fault.title.contains("There is no checksum"), "{fault:?}");
    let (port, _) = server(pages).await;
    let url = format!("https://127.0.0.1:{port}/a");
    let fault = from(&url, None).await.1.unwrap_err();
    assert!(fault.title.contains("is not trusted"), "{fault:?}");
    let fault = from(&url, Some("nothing".to_owned())).await.1.unwrap_err();
    assert!(fault.detail.contains("wordpress.ca_file"), "{fault:?}");
    let fault = from("https://127.0.0.1:1/a", None).await.1.unwrap_err();
    assert!(fault.title.contains("cannot be reached") && fault.hint.contains("--archive FILE"));
}
