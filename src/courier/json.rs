//! Asks an address for JSON: no account, no more than a short answer.
//!
//! Invariant: an answer that is not 200 or is too long is words about that, never data.

use reqwest::header::HeaderMap;
use reqwest::{Client, StatusCode};
use serde::de::DeserializeOwned;

use crate::acme::transport;

/// A directory and an answer are a few hundred bytes.
const LONGEST: usize = 64 * 1024;

/// What it says, with the head of its answer; otherwise why it said nothing.
pub(super) async fn get<T: DeserializeOwned>(
    client: &Client,
    address: &str,
) -> Result<(T, HeaderMap), String> {
    let failed = |error: &reqwest::Error| transport::problem(error).detail;
    let mut answer = client
        .get(address)
        .send()
        .await
        .map_err(|error| failed(&error))?;
    if answer.status() != StatusCode::OK {
        return Err(format!("it answered with status {}", answer.status()));
    }
    let headers = answer.headers().clone();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| failed(&error))? {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST {
            return Err("it says far too much".to_owned());
        }
    }
    let read = serde_json::from_slice(&body);
    Ok((read.map_err(|bad| bad.to_string())?, headers))
}
