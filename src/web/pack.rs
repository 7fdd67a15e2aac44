//! Packs pages on their way out, as far as the browser takes it.
//!
//! Invariant: only pages of somebody signed in are packed. The one secret in them is the form token, and that is masked anew each
//! time (see `origin`), so that the length of a packed page tells nothing about it (BREACH, CVE-2013-3587).

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use poem::http::{HeaderMap, HeaderValue, header};
use poem::{Body, Response};

use crate::web::page::Packable;

/// A page of one network packet gains nothing.
const LEAST: usize = 1200;

/// True where the browser takes gzip.
pub(super) fn is_taken(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|line| line.split(',').any(|part| part.trim() == "gzip"))
}

/// The response with its page packed; anything but a page is left as it is.
pub(super) async fn page(mut response: Response) -> Response {
    if response.extensions().get::<Packable>().is_none() {
        return response;
    }
    let Ok(plain) = response.take_body().into_bytes().await else {
        return super::views::trouble::last_resort();
    };
    match gzip(&plain) {
        Some(packed) if plain.len() >= LEAST => {
            response.set_body(Body::from_vec(packed));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        _ => response.set_body(Body::from_bytes(plain)),
    }
    response
}

fn gzip(plain: &[u8]) -> Option<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::with_capacity(plain.len() / 3), Compression::new(4));
    packer.write_all(plain).ok()?;
    packer.finish().ok()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[tokio::test]
    async fn a_page_is_packed_and_comes_out_the_same_and_nothing_else_is_touched() {
        let text = "<p>shop.example</p>".repeat(500);
        let made = || Response::builder().body(text.clone());
        let mut markable = made();
        markable.extensions_mut().insert(Packable);
        let mut packed = page(markable).await;
        assert_eq!(packed.header("content-encoding"), Some("gzip"));
        let bytes = packed.take_body().into_vec().await.unwrap();
        assert!(bytes.len() < text.len() / 5);
        let mut back = String::new();
        flate2::read::GzDecoder::new(bytes.as_slice())
            .read_to_string(&mut back)
            .unwrap();
        assert_eq!(back, text);
        assert!(page(made()).await.header("content-encoding").is_none());
    }

    #[test]
    fn gzip_is_used_only_where_it_is_taken() {
        let mut headers = HeaderMap::new();
        assert!(!is_taken(&headers));
        headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("br, gzip"),
        );
        assert!(is_taken(&headers));
        headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("gzip;q=0"),
        );
        assert!(!is_taken(&headers));
    }
}
