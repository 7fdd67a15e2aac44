//! The style, the script and the icons, compressed when the binary was built.
//!
//! Invariant: the name of a file holds the hash of its bytes, so it may be kept for ever.

use poem::Response;
use poem::http::{HeaderMap, HeaderValue, StatusCode, header};
use rust_embed::RustEmbed;

use crate::web::refusal::Refusal;

include!(concat!(env!("OUT_DIR"), "/asset_names.rs"));

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/assets"]
struct Files;

/// One file under `/a/`, in the best encoding the browser takes.
pub(super) fn serve(name: &str, headers: &HeaderMap) -> Result<Response, Refusal> {
    let kind = content_type(name).ok_or(Refusal::NOT_FOUND)?;
    let (file, encoding) = best(name, headers).ok_or(Refusal::NOT_FOUND)?;
    let mut response = Response::builder()
        .status(StatusCode::OK)
        .header(header::CONTENT_TYPE, kind)
        .header(header::CACHE_CONTROL, "public, max-age=31536000, immutable")
        .header(header::VARY, "accept-encoding")
        .body(file.data.into_owned());
    if let Some(encoding) = encoding {
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Ok(response)
}

fn best(
    name: &str,
    headers: &HeaderMap,
) -> Option<(rust_embed::EmbeddedFile, Option<&'static str>)> {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let takes = |coding: &str| accepted.split(',').any(|part| part.trim() == coding);
    [("br", "br"), ("gzip", "gz")]
        .into_iter()
        .filter(|(coding, _)| takes(coding))
        .find_map(|(coding, ending)| Some((Files::get(&format!("{name}.{ending}"))?, Some(coding))))
        .or_else(|| Some((Files::get(name)?, None)))
}

fn content_type(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(encodings: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(encodings));
        headers
    }

    #[test]
    fn a_file_is_served_in_the_best_encoding_and_kept_for_ever() {
        for path in [STYLE, SCRIPT, ICONS, FAVICON] {
            let name = path.strip_prefix("/a/").unwrap();
            let plain = serve(name, &HeaderMap::new()).unwrap();
            assert!(plain.header("content-encoding").is_none());
            assert!(plain.header("cache-control").unwrap().contains("immutable"));
            let packed = serve(name, &accept("gzip, deflate, br")).unwrap();
            assert_eq!(packed.header("content-encoding"), Some("br"));
            assert_eq!(
                serve(name, &accept("gzip"))
                    .unwrap()
                    .header("content-encoding"),
                Some("gzip")
            );
        }
    }

    #[test]
    fn nothing_but_the_built_files_is_served() {
        for name in [
            "app.css",
            "app.0000000000.css",
            "",
            "../Cargo.toml",
            "style",
        ] {
            assert!(serve(name, &HeaderMap::new()).is_err(), "{name}");
        }
        let packed = format!("{}.br", STYLE.strip_prefix("/a/").unwrap());
        assert!(serve(&packed, &HeaderMap::new()).is_err());
    }
}
