//! Looks at sites as a visitor does: by their name in DNS, through the network, with a browser's trust.
//!
//! Invariant: what fails is asked once more before it is told; of an answer nothing but its status is read, and no redirect is followed.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::task::JoinSet;

use crate::acme::transport::{self, OneHost};
use crate::courier::preflight::is_unknown;
use crate::domain::fault::Fault;
use crate::domain::notify::may_be_told;
use crate::domain::order::ProblemKind;
use crate::domain::uptime::Met;
use crate::rpc::courier::{Report, Return, Seen, Sight};

/// For one answer.
const WITHIN: Duration = Duration::from_secs(10);
/// What failed is asked again after so long.
const PAUSE: Duration = Duration::from_secs(5);

/// Looks at all of them at once.
pub(super) async fn look(sights: &[Sight]) -> Return {
    let client = client()?;
    let mut looks = JoinSet::new();
    for (place, sight) in sights.iter().enumerate() {
        let (client, url) = (client.clone(), sight.url());
        looks.spawn(async move { (place, twice(&client, &url).await) });
    }
    let mut seen = vec![Seen::UNKNOWN; sights.len()];
    while let Some(looked) = looks.join_next().await {
        if let Ok((place, found)) = looked
            && let Some(at) = seen.get_mut(place)
        {
            *at = found;
        }
    }
    Ok(Report::Looked(seen))
}

fn client() -> Result<Client, Fault> {
    let problem = |problem: crate::domain::order::Problem| {
        Fault::new(
            crate::domain::fault::Code::CourierUnreachable,
            "Sites cannot be looked at from outside",
            "see whether `/etc/ssl/certs/ca-certificates.crt` can be read",
        )
        .detail(problem.detail)
    };
    let builder = transport::builder(None, "", OneHost::of("")).map_err(problem)?;
    builder
        .https_only(false)
        .dns_resolver(Arc::new(Names))
        .pool_max_idle_per_host(0)
        .connect_timeout(WITHIN)
        .timeout(WITHIN)
        .user_agent(concat!(
            "lalapanel/",
            env!("CARGO_PKG_VERSION"),
            " (uptime)"
        ))
        .build()
        .map_err(|error| problem(transport::problem(&error)))
}

async fn twice(client: &Client, url: &str) -> Seen {
    let first = once(client, url).await;
    if first.met == Met::Answer {
        return first;
    }
    tokio::time::sleep(PAUSE).await;
    once(client, url).await
}

async fn once(client: &Client, url: &str) -> Seen {
    let begun = Instant::now();
    let answer = client.get(url).send().await;
    let millis = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
    match answer {
        Ok(answer) => Seen {
            met: if answer.status().is_server_error() {
                Met::ServerError
            } else {
                Met::Answer
            },
            status: answer.status().as_u16(),
            millis,
        },
        Err(error) => Seen {
            met: why(&error),
            status: 0,
            millis,
        },
    }
}

fn why(error: &reqwest::Error) -> Met {
    let mut chain = std::iter::successors(error.source(), |cause| (*cause).source());
    let unresolved = chain.find_map(|cause| cause.downcast_ref::<Unresolved>());
    match (unresolved, transport::problem(error).kind) {
        (Some(Unresolved::NoName), _) => Met::NoName,
        (Some(Unresolved::Unknown), _) => Met::Unknown,
        (None, ProblemKind::Slow) => Met::Slow,
        (None, ProblemKind::Untrusted) => Met::Untrusted,
        (None, ProblemKind::Garbled) => Met::Garbled,
        (None, _) if is_garbled(error) => Met::Garbled,
        (None, _) => Met::Unreachable,
    }
}

/// hyper's own word for an answer that is no HTTP.
fn is_garbled(error: &reqwest::Error) -> bool {
    let mut chain = std::iter::successors(error.source(), |cause| (*cause).source());
    chain.any(|cause| cause.to_string().contains("invalid HTTP"))
}

/// Why a name has no address.
#[derive(Debug, Clone, Copy, thiserror::Error)]
enum Unresolved {
    #[error("DNS knows no address of that name")]
    NoName,
    #[error("DNS does not answer")]
    Unknown,
}

/// Looks up what is asked, as this server's resolver has it.
struct Names;

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await;
            let found = found.map_err(|error| {
                if is_unknown(&error.to_string()) {
                    Unresolved::NoName
                } else {
                    Unresolved::Unknown
                }
            })?;
            let found: Vec<SocketAddr> =
                found.filter(|address| may_be_told(address.ip())).collect();
            if found.is_empty() {
                return Err(Unresolved::NoName.into());
            }
            let found: Addrs = Box::new(found.into_iter());
            Ok(found)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// A server that answers each connection with the next of these, and its address.
    async fn server(answers: Vec<&'static str>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut asked = [0; 2048];
                let _ = stream.read(&mut asked).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        format!("http://{address}/")
    }

    async fn seen(answers: Vec<&'static str>) -> Seen {
        let url = server(answers).await;
        once(&client().unwrap(), &url).await
    }

    #[tokio::test]
    async fn any_answer_but_a_failure_of_the_server_is_one() {
        for (answer, met, status) in [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                Met::Answer,
                200,
            ),
            (
                "HTTP/1.1 302 Found\r\nLocation: http://[::1]:1/\r\nContent-Length: 0\r\n\r\n",
                Met::Answer,
                302,
            ),
            (
                "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n",
                Met::Answer,
                401,
            ),
            (
                "HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n",
                Met::ServerError,
                502,
            ),
            ("SSH-2.0-OpenSSH_9.2\r\n", Met::Garbled, 0),
        ] {
            let seen = seen(vec![answer]).await;
            assert_eq!((seen.met, seen.status), (met, status), "{answer}");
        }
    }

    #[tokio::test]
    async fn what_failed_once_and_then_answers_is_up() {
        let fine = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        let url = server(vec!["HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", fine]).await;
        assert_eq!(twice(&client().unwrap(), &url).await.met, Met::Answer);
    }

    #[tokio::test]
    async fn where_nobody_listens_and_where_no_name_is_are_told_apart() {
        let client = client().unwrap();
        let closed = once(&client, "http://127.0.0.1:1/").await;
        assert_eq!(closed.met, Met::Unreachable);
        let nameless = once(&client, "http://no-such-name.invalid/").await;
        assert!(matches!(nameless.met, Met::NoName | Met::Unknown));
    }
}
