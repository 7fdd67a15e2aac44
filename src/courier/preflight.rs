//! A look from here before an authority is asked: does each name exist, and does this server answer for it?
//!
//! Invariant: only what is certain ends an order; what cannot be seen from here (a firewall, a network that does not lead back) is
//! left to the authority. Of an answer nothing but its number and its server's name is kept.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::acme::challenge::{ChallengeToken, PATH, Tokens};
use crate::acme::order::Diary;
use crate::domain::name::Hostname;
use crate::domain::order::{Problem, ProblemKind};
use crate::domain::site_name::SiteName;
use crate::domain::text;

/// For the look-up of a name, and for the answer of an address.
const WITHIN: Duration = Duration::from_secs(3);
/// An answer is read no further.
const LONGEST: usize = 4096;
/// Addresses of a name that are asked.
const MOST: usize = 4;
/// A server's name is cut here.
const SERVER: usize = 40;

/// Looks at all names at once; the first certain problem comes back.
pub(super) async fn look(
    names: &[SiteName],
    tokens: &Tokens,
    seed: u64,
    diary: &Diary,
) -> Result<(), Problem> {
    let Some(token) = ChallengeToken::parse(&format!("lalapanel-preflight-{seed:016x}")) else {
        return Ok(());
    };
    let answer = format!("{seed:016x}");
    let _offered = tokens.offer(token, answer.clone());
    let mut looks = JoinSet::new();
    for name in names {
        let (name, answer) = (name.clone(), answer.clone());
        looks.spawn(async move {
            let looked = one(name.hostname(), &answer).await;
            looked.map_err(|found| found.of(&name))
        });
    }
    let mut found = None;
    while let Some(looked) = looks.join_next().await {
        if let Ok(Err(problem)) = looked {
            found = found.or(Some(problem));
        }
    }
    match found {
        None => {
            diary.note("seen from here, nothing speaks against it");
            Ok(())
        }
        Some(problem) => {
            diary.note(format!("seen from here: {problem}"));
            Err(problem)
        }
    }
}

async fn one(name: &Hostname, answer: &str) -> Result<(), Problem> {
    let addresses: Vec<SocketAddr> =
        match timeout(WITHIN, tokio::net::lookup_host((name.as_str(), 80))).await {
            Ok(Ok(addresses)) => addresses.take(MOST).collect(),
            Ok(Err(error)) if is_unknown(&error.to_string()) => {
                let words = "DNS says that there is no such name, or that it has no address";
                return Err(Problem::new(ProblemKind::Dns, words));
            }
            Ok(Err(_)) | Err(_) => return Ok(()),
        };
    for address in addresses {
        let head = timeout(WITHIN, ask(address, name, answer)).await;
        if let Ok(Ok(head)) = head
            && let Some(words) = other(&head, answer)
        {
            let detail = format!("{} answered {words}", address.ip());
            return Err(Problem::new(ProblemKind::Response, &detail));
        }
    }
    Ok(())
}

/// The resolver's two ways (glibc's and musl's) of saying that a name is certainly not there.
pub(super) fn is_unknown(words: &str) -> bool {
    ["not known", "No address associated", "does not resolve"]
        .iter()
        .any(|known| words.contains(known))
}

async fn ask(address: SocketAddr, name: &Hostname, token: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!(
        "GET {PATH}lalapanel-preflight-{token} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: lalapanel/{}\r\nConnection: close\r\n\r\n",
        env!("CARGO_PKG_VERSION")
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    let limit = u64::try_from(LONGEST).unwrap_or(u64::MAX);
    stream.take(limit).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// `404, as "Apache"` where it is certainly not this server that answered. Redirects are the authority's to follow, and what a
/// server in trouble or a guard against robots says tells nothing.
fn other(answer: &str, wanted: &str) -> Option<String> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?;
    let is_certain = matches!(status, "200" | "404" | "410" | "421");
    if !is_certain || (status == "200" && body.contains(wanted)) {
        return None;
    }
    let server = head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case("server").then(|| value.trim())
    });
    let status = text::shown(status, SERVER);
    Some(match server {
        Some(server) => format!("{status}, as \"{}\"", text::shown(server, SERVER)),
        None => status,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_that_is_certainly_not_ours_speaks_against_it() {
        let with = |status: &str, rest: &str| format!("HTTP/1.1 {status}\r\n{rest}\r\n\r\nabc");
        assert_eq!(other(&with("200 OK", "Server: x"), "abc"), None);
        assert_eq!(
            other(&with("200 OK", "server: Apache"), "other").unwrap(),
            "200, as \"Apache\""
        );
        assert_eq!(
            other(&with("404 Not Found", "A: b"), "other").unwrap(),
            "404"
        );
        for unclear in ["301 Moved", "403 Forbidden", "502 Bad Gateway"] {
            assert_eq!(other(&with(unclear, "A: b"), "other"), None);
        }
        assert_eq!(other("SSH-2.0-OpenSSH", "abc"), None);
    }

    #[test]
    fn a_resolver_that_is_in_trouble_itself_speaks_against_nothing() {
        assert!(is_unknown(
            "failed to lookup address information: Name or service not known"
        ));
        assert!(is_unknown(
            "failed to lookup address information: Name does not resolve"
        ));
        assert!(!is_unknown(
            "failed to lookup address information: Try again"
        ));
        assert!(!is_unknown("Temporary failure in name resolution"));
    }
}
