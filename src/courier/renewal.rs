//! Asks an authority when it would have a certificate renewed (RFC 9773): two questions without an account.
//!
//! Invariant: nobody but the host of the directory is asked, and of its answers no more is read than such an answer has.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::acme::transport::{self, OneHost};
use crate::courier::json;
use crate::domain::fault::{Code, Fault};
use crate::domain::order::Problem;
use crate::domain::renewal_info::Window;
use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::rpc::courier::{RenewalAnswer, RenewalQuestion, Report, Return};

/// For both questions together.
const WITHIN: Duration = Duration::from_secs(25);

#[derive(Deserialize)]
struct Directory {
    #[serde(rename = "renewalInfo")]
    renewal_info: Option<String>,
}

#[derive(Deserialize)]
struct Info {
    #[serde(rename = "suggestedWindow")]
    window: Suggested,
}

#[derive(Deserialize)]
struct Suggested {
    start: String,
    end: String,
}

/// Asks.
pub(super) async fn ask(question: &RenewalQuestion) -> Return {
    let asking = tokio::time::timeout(WITHIN, asked(question)).await;
    let answer = asking.unwrap_or_else(|_| Err(unheard(question, "it does not answer")))?;
    Ok(Report::Renewal(Box::new(answer)))
}

async fn asked(question: &RenewalQuestion) -> Result<RenewalAnswer, Fault> {
    let told = |problem: &Problem| unheard(question, &problem.detail);
    let host = OneHost::of(question.directory.host());
    let builder = transport::builder(question.roots.as_deref(), "acme.ca_file", host);
    let client = builder.map_err(|problem| told(&problem))?.build();
    let client = client.map_err(|error| told(&transport::problem(&error)))?;
    let (directory, _): (Directory, _) =
        get(&client, question, question.directory.as_str()).await?;
    let Some(address) = directory.renewal_info else {
        return Ok(RenewalAnswer {
            window: None,
            retry_after: None,
        });
    };
    let address = format!("{}/{}", address.trim_end_matches('/'), question.certificate);
    if !is_of(&address, question) {
        return Err(unheard(question, "its directory leads to another server"));
    }
    let (info, headers): (Info, _) = get(&client, question, &address).await?;
    let window =
        window(&info.window).ok_or_else(|| unheard(question, "the window it suggests is none"))?;
    Ok(RenewalAnswer {
        window: Some(window),
        retry_after: retry_after(&headers),
    })
}

/// By HTTPS of the directory's own host and port.
fn is_of(address: &str, question: &RenewalQuestion) -> bool {
    let home = Url::parse(question.directory.as_str());
    let (Ok(home), Ok(url)) = (home, Url::parse(address)) else {
        return false;
    };
    url.scheme() == "https"
        && url.host_str() == home.host_str()
        && url.port_or_known_default() == home.port_or_known_default()
        && url.username().is_empty()
}

async fn get<T: DeserializeOwned>(
    client: &Client,
    question: &RenewalQuestion,
    address: &str,
) -> Result<(T, HeaderMap), Fault> {
    let asked = json::get(client, address).await;
    asked.map_err(|why| unheard(question, &why))
}

fn window(suggested: &Suggested) -> Option<Window> {
    let (start, end) = (moment(&suggested.start)?, moment(&suggested.end)?);
    (start < end).then_some(Window { start, end })
}

fn moment(text: &str) -> Option<Timestamp> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    let millis = u64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok()?;
    Some(Timestamp::from_millis(millis))
}

/// Seconds; a date is passed over, and the usual pause taken.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

fn unheard(question: &RenewalQuestion, why: &str) -> Fault {
    Fault::new(
        Code::CourierUnreachable,
        format!("{} does not say when to renew", question.directory.name()),
        "nothing to do: the certificate is renewed with a third of its life left",
    )
    .detail(shown(why, 300))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::authority::DirectoryUrl;
    use crate::domain::renewal_info::RenewalId;

    fn question() -> RenewalQuestion {
        RenewalQuestion {
            directory: DirectoryUrl::parse("https://ca.example:14000/dir").unwrap(),
            roots: None,
            certificate: RenewalId::parse("a.b").unwrap(),
        }
    }

    #[test]
    fn only_the_directorys_own_server_is_asked() {
        for (address, is_home) in [
            ("https://ca.example:14000/renewal-info/a.b", true),
            ("https://ca.example/renewal-info/a.b", false),
            ("http://ca.example:14000/a.b", false),
            ("https://evil.example:14000/a.b", false),
            ("https://ca.example@evil.example:14000/a.b", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(is_of(address, &question()), is_home, "{address}");
        }
    }

    #[test]
    fn a_window_is_two_moments_in_order() {
        let read = |start: &str, end: &str| {
            window(&Suggested {
                start: start.to_owned(),
                end: end.to_owned(),
            })
        };
        let found = read("2026-11-23T00:00:00Z", "2026-11-24T02:00:00.5+02:00").unwrap();
        assert_eq!(found.end.millis_since(found.start), 86_400_500);
        for (start, end) in [
            ("2026-11-24T00:00:00Z", "2026-11-23T00:00:00Z"),
            ("now", "later"),
            ("", ""),
            ("1960-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ] {
            assert!(read(start, end).is_none(), "{start}");
        }
    }
}
