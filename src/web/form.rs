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

/// Reads a form of at most `limit` bytes.
pub(super) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Fields, Refusal> {
    let form = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| {
            kind.trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
    if !form {
        return Err(Refusal::FORBIDDEN_ORIGIN);
    }
    match tokio::time::timeout(PATIENCE, body.into_bytes_limit(limit)).await {
        Ok(Ok(bytes)) => Ok(Fields::parse(&bytes)),
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
    fn a_thousand_fields_are_not_kept() {
        let many = "a=1&".repeat(1000);
        assert_eq!(Fields::parse(many.as_bytes()).0.len(), MOST_FIELDS);
    }
}
