//! Brings an archive: its publisher's checksum first, then the archive itself, part by part, to whoever asked.
//!
//! Invariant: nothing is asked for but by HTTPS of the host that was named or one below it, and never more than was allowed.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Client, Response, StatusCode, Url};
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::acme::transport::{self, OneHost};
use crate::courier::version::Looking;
use crate::domain::archive::Checksum;
use crate::domain::fault::{Code, Fault};
use crate::domain::order::{Problem, ProblemKind};
use crate::domain::text::shown;
use crate::rpc::courier::{Fetch, Fetched, LONGEST_PART, Report, Return};

/// Nobody waits longer for a next word.
const SILENCE: Duration = Duration::from_secs(30);
const MOST_REDIRECTS: usize = 3;
/// A file with a checksum is no longer.
const MOST_CHECKSUM: usize = 4096;
const GZIP: &[u8] = &[0x1f, 0x8b];

/// Brings it in parts; the return is left to the caller, after the part that ends them.
pub(super) async fn bring(fetch: &Fetch, within: Duration, stream: &mut UnixStream) -> Return {
    let fetching = Fetching::new(fetch)?;
    let whole = timeout(within, fetching.run(stream));
    let fetched = whole.await.unwrap_or_else(|_| {
        let words = format!("it took longer than {} s", within.as_secs());
        Err(unreached(fetch.url.host(), &words))
    })?;
    Ok(Report::Fetched(Box::new(fetched)))
}

struct Fetching<'a> {
    fetch: &'a Fetch,
    host: OneHost,
    client: Client,
}

impl<'a> Fetching<'a> {
    fn new(fetch: &'a Fetch) -> Result<Self, Fault> {
        let host = OneHost::of(fetch.url.host()).and_below();
        let told = |problem: &Problem| of_problem(fetch.url.host(), problem);
        let key = "wordpress.ca_file";
        let builder = transport::builder(fetch.roots.as_deref(), key, host.clone());
        let client = builder.map_err(|problem| told(&problem))?.build();
        let client = client.map_err(|error| told(&transport::problem(&error)))?;
        Ok(Self {
            fetch,
            host,
            client,
        })
    }

    async fn run(&self, stream: &mut UnixStream) -> Result<Fetched, Fault> {
        let published = self.published().await?;
        let url = self.fetch.url.as_str();
        let answer = self.ask(url).await?;
        if answer.status() != StatusCode::OK {
            return Err(refused(url, answer.status()));
        }
        if answer
            .content_length()
            .is_some_and(|length| length > self.fetch.most)
        {
            return Err(too_large(url, self.fetch.most));
        }
        self.pass_on(answer, published, stream).await
    }

    async fn pass_on(
        &self,
        mut answer: Response,
        published: Checksum,
        stream: &mut UnixStream,
    ) -> Result<Fetched, Fault> {
        let url = self.fetch.url.as_str();
        let (mut bytes, mut looking, mut head) = (0_u64, Looking::new(), Vec::new());
        while let Some(chunk) = self.next(&mut answer).await? {
            bytes = bytes.saturating_add(chunk.len() as u64);
            if bytes > self.fetch.most {
                return Err(too_large(url, self.fetch.most));
            }
            head.extend(chunk.iter().take(GZIP.len()));
            head.truncate(GZIP.len());
            if !GZIP.starts_with(&head) {
                return Err(no_archive(url, &answer));
            }
            for part in chunk.chunks(LONGEST_PART) {
                send(stream, part).await?;
                looking.at(part);
            }
        }
        if bytes == 0 {
            return Err(no_archive(url, &answer));
        }
        Ok(Fetched {
            published,
            version: looking.version(),
            bytes,
        })
    }

    /// What the publisher says the archive is: a SHA-256 where there is one, else a SHA-1.
    async fn published(&self) -> Result<Checksum, Fault> {
        for ending in ["sha256", "sha1"] {
            let url = format!("{}.{ending}", self.fetch.url);
            let mut answer = self.ask(&url).await?;
            if answer.status() != StatusCode::OK {
                continue;
            }
            let mut text = Vec::new();
            while let Some(chunk) = self.next(&mut answer).await? {
                text.extend(chunk.iter().take(MOST_CHECKSUM - text.len()));
                if text.len() >= MOST_CHECKSUM {
                    break;
                }
            }
            let text = String::from_utf8_lossy(&text);
            let word = text.split_whitespace().next().unwrap_or_default();
            // A page of words in its place is no checksum.
            if let Ok(checksum) = Checksum::parse(word)
                && checksum.ending() == ending
            {
                return Ok(checksum);
            }
        }
        let url = &self.fetch.url;
        Err(fault(
            &format!("There is no checksum beside `{url}`"),
            "it should be at the same address with `.sha256` or `.sha1` after it; or give an archive with `--archive FILE`",
        ))
    }

    /// The answer, after redirects that stay at home.
    async fn ask(&self, url: &str) -> Result<Response, Fault> {
        let mut url = Url::parse(url).map_err(|_| elsewhere(url, url))?;
        for _ in 0..=MOST_REDIRECTS {
            let answer = timeout(SILENCE, self.client.get(url.clone()).send());
            let Ok(answer) = answer.await else {
                return Err(unreached(self.fetch.url.host(), "it does not answer"));
            };
            let answer = answer.map_err(|error| self.failed(&error))?;
            if !answer.status().is_redirection() {
                return Ok(answer);
            }
            let location = answer.headers().get(LOCATION);
            let location = location.and_then(|text| text.to_str().ok()).unwrap_or("");
            let next = url.join(location).ok().filter(|next| self.is_home(next));
            url = next.ok_or_else(|| elsewhere(url.as_str(), location))?;
        }
        Err(elsewhere(url.as_str(), "itself, again and again"))
    }

    /// By HTTPS, of the same host or one below it, at the same port.
    fn is_home(&self, url: &Url) -> bool {
        let own = Url::parse(self.fetch.url.as_str()).ok();
        let port = own.and_then(|own| own.port_or_known_default());
        url.scheme() == "https"
            && url.host_str().is_some_and(|host| self.host.is(host))
            && url.port_or_known_default() == port
            && url.username().is_empty()
    }

    async fn next(&self, answer: &mut Response) -> Result<Option<Vec<u8>>, Fault> {
        let chunk = timeout(SILENCE, answer.chunk()).await;
        let Ok(chunk) = chunk else {
            return Err(broken_off(self.fetch.url.host(), "no more came"));
        };
        let chunk = chunk.map_err(|error| {
            let problem = transport::problem(&error);
            broken_off(self.fetch.url.host(), &problem.detail)
        })?;
        Ok(chunk.map(|chunk| chunk.to_vec()))
    }

    fn failed(&self, error: &reqwest::Error) -> Fault {
        of_problem(self.fetch.url.host(), &transport::problem(error))
    }
}

/// One part, with its length before it; nothing ends them.
pub(super) async fn send(stream: &mut UnixStream, part: &[u8]) -> Result<(), Fault> {
    let length = u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes();
    let sending = async {
        stream.write_all(&length).await?;
        stream.write_all(part).await
    };
    match timeout(SILENCE, sending).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(fault("Nobody takes what was fetched any more", "try again")),
    }
}

const OR_A_FILE: &str = "see whether this server reaches the internet (`curl -I https://wordpress.org/`), then try again; or give the archive with `--archive FILE`";

fn fault(title: &str, hint: &str) -> Fault {
    Fault::new(Code::WordpressUnfetched, shown(title, 300), hint)
}

fn of_problem(host: &str, problem: &Problem) -> Fault {
    if problem.kind == ProblemKind::Untrusted {
        let hint = "where it is a mirror of your own, name its authority in `wordpress.ca_file`; or give the archive with `--archive FILE`";
        return fault(&format!("The certificate of `{host}` is not trusted"), hint)
            .detail(shown(&problem.detail, 300));
    }
    unreached(host, &problem.detail)
}

fn unreached(host: &str, why: &str) -> Fault {
    fault(&format!("`{host}` cannot be reached"), OR_A_FILE).detail(shown(why, 300))
}

fn broken_off(host: &str, why: &str) -> Fault {
    let title = format!("The connection to `{host}` broke off before the archive was whole");
    fault(&title, OR_A_FILE).detail(shown(why, 300))
}

fn refused(url: &str, status: StatusCode) -> Fault {
    fault(
        &format!("There is no archive at `{url}`: it answered with status {status}"),
        "see `wordpress.archive_url` in the settings; or give the archive with `--archive FILE`",
    )
}

fn too_large(url: &str, most: u64) -> Fault {
    fault(
        &format!("What is at `{url}` is larger than {} MB", most >> 20),
        "no WordPress is as large: see `wordpress.archive_url` in the settings",
    )
}

fn no_archive(url: &str, answer: &Response) -> Fault {
    let kind = answer.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or("");
    fault(
        &format!("What is at `{url}` is no .tar.gz"),
        "see `wordpress.archive_url` in the settings; or give the archive with `--archive FILE`",
    )
    .detail(shown(kind, 100))
}

fn elsewhere(from: &str, to: &str) -> Fault {
    fault(
        &format!("`{from}` leads to another server, which is not followed: {to}"),
        "see `wordpress.archive_url` in the settings; or give the archive with `--archive FILE`",
    )
}

#[cfg(test)]
mod tests;
