//! Reads what a browser sends: one small form, or the part of an address after `?`.
//!
//! Invariant: never more than the route's limit is held, however long the body claims or turns out to be.

use std::io;
use std::time::Duration;

use futures_util::Stream;
use multer::bytes::Bytes;
use multer::{Constraints, Field, Multipart, SizeLimit};
use poem::Body;
use poem::error::ReadBodyError;
use poem::http::{HeaderMap, header};

use crate::web::refusal::Refusal;

/// A slow body is given up after so long.
const PATIENCE: Duration = Duration::from_secs(60);
/// No form of ours has more fields.
const MOST_FIELDS: usize = 64;

/// What a field with a file to pass on is called.
const FILE: &str = "file";

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
async fn parts(body: Body, boundary: &str, limit: usize) -> Result<Fields, multer::Error> {
    let limits = SizeLimit::new().whole_stream(u64::try_from(limit).unwrap_or(u64::MAX));
    let limits = Constraints::new().size_limit(limits);
    let mut all = Multipart::with_constraints(body.into_bytes_stream(), boundary, limits);
    let mut fields = Vec::new();
    while let Some(field) = all.next_field().await? {
        fields.extend(text_of(field).await?);
    }
    fields.truncate(MOST_FIELDS);
    Ok(Fields(fields))
}

async fn text_of(field: Field<'_>) -> Result<Option<(String, String)>, multer::Error> {
    let Some(name) = field.name().map(str::to_owned) else {
        return Ok(None);
    };
    let bytes = field.bytes().await?;
    Ok(Some((name, String::from_utf8_lossy(&bytes).into_owned())))
}

/// Reads the fields of a form, each of at most `limit` bytes, up to its first file. The file stays to be read.
pub(super) async fn read_to_file(
    headers: &HeaderMap,
    body: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    limit: usize,
) -> Result<(Fields, Option<Field<'static>>), Refusal> {
    let Some(Encoding::Parts(boundary)) = encoding(headers) else {
        return Err(Refusal::FORBIDDEN_ORIGIN);
    };
    let limits = SizeLimit::new()
        .per_field(u64::try_from(limit).unwrap_or(u64::MAX))
        .for_field(FILE, u64::MAX);
    let limits = Constraints::new().size_limit(limits);
    let mut all = Multipart::with_constraints(body, boundary, limits);
    let reading = async {
        let mut fields = Vec::new();
        while let Some(field) = all.next_field().await? {
            if field.name() == Some(FILE) {
                return Ok((Fields(fields), Some(field)));
            }
            if fields.len() >= MOST_FIELDS {
                break;
            }
            fields.extend(text_of(field).await?);
        }
        Ok((Fields(fields), None))
    };
    match tokio::time::timeout(PATIENCE, reading).await {
        Ok(read) => read.map_err(|error| unread(&error)),
        Err(_) => Err(Refusal::TIMED_OUT),
    }
}

fn unread(error: &multer::Error) -> Refusal {
    match error {
        multer::Error::StreamSizeExceeded { .. } | multer::Error::FieldSizeExceeded { .. } => {
            Refusal::TOO_LARGE
        }
        _ => Refusal::BAD_REQUEST,
    }
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
    let reading = async {
        match encoding {
            Encoding::Plain => match body.into_bytes_limit(limit).await {
                Ok(bytes) => Ok(Fields::parse(&bytes)),
                Err(ReadBodyError::PayloadTooLarge) => Err(Refusal::TOO_LARGE),
                Err(_) => Err(Refusal::BAD_REQUEST),
            },
            Encoding::Parts(boundary) => parts(body, &boundary, limit)
                .await
                .map_err(|error| unread(&error)),
        }
    };
    tokio::time::timeout(PATIENCE, reading)
        .await
        .unwrap_or(Err(Refusal::TIMED_OUT))
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

    const WITH_FILE: &str = "--x\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nabc\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a;b.pem\"\r\nContent-Type: application/x-pem-file\r\n\r\none\ntwo\n\r\n--x--\r\n";

    fn headers() -> HeaderMap {
        let kind = "multipart/form-data; boundary=x".parse().unwrap();
        HeaderMap::from_iter([(header::CONTENT_TYPE, kind)])
    }

    #[tokio::test]
    async fn a_form_with_files_gives_back_its_fields() {
        let fields = read(&headers(), WITH_FILE.into(), 1024).await.unwrap();
        assert_eq!(fields.raw("token"), "abc");
        assert_eq!(fields.raw("file"), "one\ntwo\n");
        for (bad, limit) in [("--x\r\nname", 1024), (WITH_FILE, 64)] {
            assert!(read(&headers(), bad.into(), limit).await.is_err(), "{bad}");
        }
        let one = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
        let many = format!("{}--x--\r\n", one.repeat(1000));
        let fields = read(&headers(), many.into(), 1 << 20).await.unwrap();
        assert_eq!(fields.0.len(), MOST_FIELDS);
    }

    fn body(text: &'static str) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        Body::from(text).into_bytes_stream()
    }

    #[tokio::test]
    async fn a_file_is_left_to_be_read_and_fields_before_it_are_short() {
        let read = read_to_file(&headers(), body(WITH_FILE), 4).await.unwrap();
        assert_eq!(read.0.raw("token"), "abc");
        let mut file = read.1.unwrap();
        assert_eq!(file.chunk().await.unwrap().unwrap(), "one\ntwo\n");
        assert!(file.chunk().await.unwrap().is_none());
        let cut = WITH_FILE.split_at(WITH_FILE.len() - 12).0;
        let read = read_to_file(&headers(), body(cut), 4).await.unwrap();
        let mut file = read.1.unwrap();
        let mut ended = file.chunk().await;
        while matches!(ended, Ok(Some(_))) {
            ended = file.chunk().await;
        }
        assert!(ended.is_err(), "a file that broke off is not whole");
        let long = read_to_file(&headers(), body(WITH_FILE), 2).await;
        assert!(matches!(long, Err(Refusal::Notice(_))));
    }

    #[test]
    fn a_thousand_fields_are_not_kept() {
        let many = "a=1&".repeat(1000);
        assert_eq!(Fields::parse(many.as_bytes()).0.len(), MOST_FIELDS);
    }
}
