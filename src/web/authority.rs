//! Which names this panel answers to, and which paths it reads at all (security.md H-1, H-2).
//!
//! Invariant: no address is ever built from `Host`; a request for a name we were not given goes no further.

use std::net::{IpAddr, SocketAddr};

use poem::http::uri::Authority;
use poem::http::{HeaderMap, Uri, header};

use crate::web::refusal::Refusal;

/// The names and addresses by which people may open the panel.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    hosts: Vec<String>,
    addresses: Vec<IpAddr>,
}

impl Names {
    /// From the configuration: hostnames and addresses mixed, as text.
    pub(super) fn new(hosts: &[String]) -> Self {
        let mut names = Self::default();
        for host in hosts {
            match address(host) {
                Some(address) => names.addresses.push(address),
                None => names.hosts.push(host.to_ascii_lowercase()),
            }
        }
        names
    }

    /// The `host[:port]` of the request, if it is one of ours.
    ///
    /// An address is ours when the connection really came to it: no rebound name can do that.
    pub(super) fn check(
        &self,
        headers: &HeaderMap,
        uri: &Uri,
        local: Option<SocketAddr>,
    ) -> Result<String, Refusal> {
        let named = single_host(headers)?;
        let authority = match (uri.authority(), named) {
            (Some(line), Some(host)) if !line.as_str().eq_ignore_ascii_case(host.as_str()) => {
                return Err(Refusal::BAD_REQUEST);
            }
            (Some(line), _) => line.clone(),
            (None, Some(host)) => host,
            (None, None) => return Err(Refusal::BAD_REQUEST),
        };
        // Whatever follows the host is a port, or somebody else's name behind ours.
        let has_more = authority.as_str().len() > authority.host().len();
        if authority.as_str().contains('@') || has_more && authority.port().is_none() {
            return Err(Refusal::BAD_REQUEST);
        }
        if self.has(authority.host(), local) {
            Ok(authority.as_str().to_ascii_lowercase())
        } else {
            Err(Refusal::MISDIRECTED)
        }
    }

    fn has(&self, host: &str, local: Option<SocketAddr>) -> bool {
        let here = local.map(|socket| socket.ip().to_canonical());
        match address(host) {
            Some(asked) => {
                here == Some(asked)
                    || self.addresses.contains(&asked)
                    || here.is_some_and(|here| is_behind(here, asked))
            }
            None if host.eq_ignore_ascii_case("localhost") => {
                here.is_some_and(|here| here.is_loopback())
            }
            None => self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host)),
        }
    }
}

/// True where a public address may lead here: clouds give a machine a private address and translate a public one to it,
/// which the machine cannot see. Names stay refused, and only a name can be rebound.
fn is_behind(here: IpAddr, asked: IpAddr) -> bool {
    is_private(here) && !is_private(asked) && !asked.is_loopback() && !asked.is_unspecified()
}

/// RFC 1918 and RFC 6598.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            v4.is_private() || first == 100 && (64..128).contains(&second)
        }
        IpAddr::V6(_) => false,
    }
}

/// The path, if it holds only what paths of ours hold: nothing encoded, nothing that climbs, nothing doubled.
pub(super) fn plain_path(uri: &Uri) -> Result<String, Refusal> {
    let path = uri.path();
    let plain = path.len() <= 1024
        && path.starts_with('/')
        && path.bytes().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.' | b'~' | b'+')
        });
    let climbs = path.contains("//") || path.contains("/.");
    if plain && !climbs {
        Ok(path.to_owned())
    } else {
        Err(Refusal::BAD_REQUEST)
    }
}

fn single_host(headers: &HeaderMap) -> Result<Option<Authority>, Refusal> {
    let mut all = headers.get_all(header::HOST).iter();
    let Some(first) = all.next() else {
        return Ok(None);
    };
    if all.next().is_some() {
        return Err(Refusal::BAD_REQUEST);
    }
    Authority::try_from(first.as_bytes())
        .map(Some)
        .map_err(|_| Refusal::BAD_REQUEST)
}

fn address(host: &str) -> Option<IpAddr> {
    host.trim_matches(['[', ']'])
        .parse::<IpAddr>()
        .ok()
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(host: &str, local: &str) -> bool {
        let names = Names::new(&["Panel.Example".to_owned(), "203.0.113.9".to_owned()]);
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        names
            .check(&headers, &Uri::from_static("/"), local.parse().ok())
            .is_ok()
    }

    #[test]
    fn only_our_own_names_and_addresses_are_answered() {
        let local = "198.51.100.7:8443";
        for good in [
            "panel.example",
            "panel.example:8443",
            "PANEL.example:8443",
            "198.51.100.7:8443",
            "203.0.113.9:8443",
        ] {
            assert!(asked(good, local), "{good}");
        }
        for bad in [
            "evil.example",
            "198.51.100.8",
            "localhost:8443",
            "panel.example.evil.example",
            "a@panel.example",
            "panel.example:8443.evil.example",
            "panel.example:",
            "panel.example:99999",
        ] {
            assert!(!asked(bad, local), "{bad}");
        }
        assert!(asked("localhost:8443", "127.0.0.1:8443"));
        assert!(asked("[::1]:8443", "[::1]:8443"));
        assert!(asked("192.0.2.1:8443", "[::ffff:192.0.2.1]:8443"));
    }

    #[test]
    fn a_translated_public_address_is_answered_and_a_name_never() {
        assert!(asked("203.0.113.7:8443", "10.0.0.5:8443"));
        assert!(asked("203.0.113.7:8443", "100.64.0.5:8443"));
        assert!(!asked("203.0.113.7:8443", "198.51.100.10:8443"));
        assert!(!asked("10.0.0.6:8443", "10.0.0.5:8443"));
        assert!(!asked("rebound.example:8443", "10.0.0.5:8443"));
    }

    #[test]
    fn two_hosts_or_a_mismatch_are_refused() {
        let names = Names::new(&["panel.example".to_owned()]);
        let mut headers = HeaderMap::new();
        headers.append(header::HOST, "panel.example".parse().unwrap());
        let elsewhere = Uri::from_static("https://evil.example/");
        assert!(names.check(&headers, &elsewhere, None).is_err());
        headers.append(header::HOST, "panel.example".parse().unwrap());
        assert!(names.check(&headers, &Uri::from_static("/"), None).is_err());
        assert!(
            names
                .check(&HeaderMap::new(), &Uri::from_static("/"), None)
                .is_err()
        );
    }

    #[test]
    fn paths_that_climb_or_hide_are_not_read() {
        for bad in [
            "/a//b",
            "/../etc",
            "/./a",
            "/sites/..%2f",
            "/%00",
            "/a;b",
            "/a%5cb",
            "/sites/.git",
            "/a%2fb",
        ] {
            assert!(plain_path(&bad.parse().unwrap()).is_err(), "{bad}");
        }
        assert_eq!(
            plain_path(&"/sites/xn--bcher-kva.example".parse().unwrap()).unwrap(),
            "/sites/xn--bcher-kva.example"
        );
    }
}
