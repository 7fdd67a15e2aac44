//! Reads what a browser sends: one small form, or the part of an address after `?`.
//!
//! Invariant: never more than the route's limit is held, however long the body claims or turns out to be.

use std::time::Duration;

use poem::Body;
use poem::error::ReadBodyError;
use poem::http::{HeaderMap, header};

use crate::web::refusal::Refusal;

/// A slow body is given up after so long.
const PATIENCE: Duration = Duration::from_secs(60);
/// No form of ours has more fields.
const MOST_FIELDS: usize = 64;

/// Names and values in the order they came.
#[derive(Debug, Default, Clone)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `a=1&b=2`.
    pub(super) fn parse(text: &[u8]) -> Self {
        Self(
            form_urlencoded::parse(text)
                .take(MOST_FIELDS)
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        )
    }

    /// The first value of this name, exactly as sent; empty where there is none.
    pub(super) fn raw(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.as_str())
    }

    /// The same without spaces at its ends: for everything but passwords.
    pub(super) fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// True where the field was sent, empty or not.
    pub(super) fn holds(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// True where the field was sent and is not empty: a ticked box, a pressed button.
    pub(super) fn has(&self, name: &str) -> bool {
        !self.raw(name).is_empty()
    }
}

/// Reads a form with files (RFC 7578), each field a text; a file of something else than text loses what is none.
fn parts(body: &[u8], boundary: &str) -> Fields {
    let text = String::from_utf8_lossy(body);
    let mark = format!("--{boundary}");
    let mut fields = Vec::new();
    for part in text.split(mark.as_str()).skip(1).take(MOST_FIELDS) {
        let part = part.strip_prefix("\r\n").unwrap_or(part);
        let Some((head, value)) = part.split_once("\r\n\r\n") else {
            continue;
        };
        let value = value.strip_suffix("\r\n").unwrap_or(value);
        let name = head
            .split(['\r', '\n', ';'])
            .find_map(|word| word.trim().strip_prefix("name=\"")?.strip_suffix('"'));
        fields.extend(name.map(|name| (name.to_owned(), value.to_owned())));
    }
    Fields(fields)
}

/// How the fields of a form are written.
enum Encoding {
    Plain,
    Parts(String),
}

fn encoding(headers: &HeaderMap) -> Option<Encoding> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let (kind, rest) = kind.split_once(';').unwrap_or((kind, ""));
    match kind.trim().to_ascii_lowercase().as_str() {
        "application/x-www-form-urlencoded" => Some(Encoding::Plain),
        "multipart/form-data" => {
            let boundary = rest.trim().strip_prefix("boundary=")?.trim_matches('"');
            (1..=70)
                .contains(&boundary.len())
                .then(|| Encoding::Parts(boundary.to_owned()))
        }
        _ => None,
    }
}

/// Reads a form of at most `limit` bytes.
pub(super) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Fields, Refusal> {
    let Some(encoding) = encoding(headers) else {
        return Err(Refusal::FORBIDDEN_ORIGIN);
    };
    match tokio::time::timeout(PATIENCE, body.into_bytes_limit(limit)).await {
        Ok(Ok(bytes)) => Ok(match encoding {
            Encoding::Plain => Fields::parse(&bytes),
            Encoding::Parts(boundary) => parts(&bytes, &boundary),
        }),
        Ok(Err(ReadBodyError::PayloadTooLarge)) => Err(Refusal::TOO_LARGE),
        Ok(Err(_)) => Err(Refusal::BAD_REQUEST),
        Err(_) => Err(Refusal::TIMED_OUT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_gives_back_what_was_typed() {
        let fields = Fields::parse("name=+mara+&pass=a%20%26+b%00&name=other&empty=".as_bytes());
        assert_eq!(fields.text("name"), "mara");
        assert_eq!(fields.raw("pass"), "a & b\0");
        assert!(!fields.has("empty") && !fields.has("absent"));
    }

    #[test]
    fn a_form_with_files_gives_back_its_fields() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nabc\r\n--x\r\nContent-Disposition: form-data; name=\"key_file\"; filename=\"a;b.pem\"\r\nContent-Type: application/x-pem-file\r\n\r\none\ntwo\n\r\n--x--\r\n";
        let fields = parts(body.as_bytes(), "x");
        assert_eq!(fields.raw("token"), "abc");
        assert_eq!(fields.raw("key_file"), "one\ntwo\n");
        assert!(parts(b"--x\r\nname", "x").0.is_empty());
        let many = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n".repeat(1000);
        assert_eq!(parts(many.as_bytes(), "x").0.len(), MOST_FIELDS);
    }

    #[test]
    fn a_thousand_fields_are_not_kept() {
        let many = "a=1&".repeat(1000);
        assert_eq!(Fields::parse(many.as_bytes()).0.len(), MOST_FIELDS);
    }
}
