//! The way to an authority, and to whoever else the courier is sent to: HTTPS with our own name, time limits and roots.
//!
//! Invariant: nothing is sent but by HTTPS to the host that was named (or below it, where that was said), and no redirect is followed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::domain::authority::Authority;
use crate::domain::notify::may_be_told;
use crate::domain::order::{Problem, ProblemKind};

/// Where Debian and Ubuntu keep the roots an administrator trusts.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";
const CONNECT: Duration = Duration::from_secs(10);
const REQUEST: Duration = Duration::from_secs(30);

/// A client for one authority.
pub(super) fn http(authority: &Authority) -> Result<reqwest::Client, Problem> {
    let client = builder(
        authority.roots.as_deref(),
        "acme.ca_file",
        OneHost::of(authority.directory.host()),
    )?;
    let client = client.timeout(REQUEST).build();
    client.map_err(|error| unusable(&error))
}

/// A client for one host; `key` is the setting that `own` roots come from.
pub fn builder(
    own: Option<&str>,
    key: &str,
    host: OneHost,
) -> Result<reqwest::ClientBuilder, Problem> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?
        .with_root_certificates(roots(own, key)?)
        .with_no_client_auth();
    Ok(reqwest::Client::builder()
        .use_preconfigured_tls(tls)
        .user_agent(concat!("lalapanel/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .https_only(true)
        .no_proxy()
        .connect_timeout(CONNECT)
        .dns_resolver(Arc::new(host)))
}

fn unusable(error: &dyn std::error::Error) -> Problem {
    Problem::new(ProblemKind::Untrusted, &error.to_string())
}

/// The built-in roots, this server's, and those of the settings.
fn roots(own: Option<&str>, key: &str) -> Result<RootCertStore, Problem> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    roots.add_parsable_certificates(certificates(own, key)?);
    Ok(roots)
}

/// This server's roots, and those of the settings; what cannot be read as a root is left out.
pub fn certificates(own: Option<&str>, key: &str) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let is_root = |one: &CertificateDer<'static>| RootCertStore::empty().add(one.clone()).is_ok();
    let mut all: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(SYSTEM_ROOTS)
        .map(|system| system.flatten().filter(is_root).collect())
        .unwrap_or_default();
    let before = all.len();
    if let Some(own) = own {
        let certificates = CertificateDer::pem_slice_iter(own.as_bytes());
        all.extend(certificates.flatten().filter(is_root));
        if all.len() == before {
            let words = format!("the file named by `{key}` holds no certificate");
            return Err(Problem::new(ProblemKind::Untrusted, &words));
        }
    }
    Ok(all)
}

/// Looks up one host and nothing else, so that no answer can send us elsewhere by name.
#[derive(Debug, Clone)]
pub struct OneHost {
    name: String,
    and_below: bool,
}

impl OneHost {
    /// The host of an address, with or without a port.
    #[must_use]
    pub fn of(host: &str) -> Self {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        Self {
            name: name.to_ascii_lowercase(),
            and_below: false,
        }
    }

    /// And all names below it, which are its owner's as well.
    #[must_use]
    pub fn and_below(self) -> Self {
        Self {
            and_below: true,
            ..self
        }
    }

    /// Whether a name is it.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let above = name.strip_suffix(&self.name);
        match above {
            Some("") => true,
            Some(above) => self.and_below && above.ends_with('.'),
            None => false,
        }
    }
}

impl Resolve for OneHost {
    fn resolve(&self, name: Name) -> Resolving {
        let is_ours = self.is(name.as_str());
        let name = name.as_str().to_owned();
        Box::pin(async move {
            if !is_ours {
                return Err(format!("it names another server, {name}").into());
            }
            let found = tokio::net::lookup_host((name, 0)).await?;
            let found: Vec<SocketAddr> =
                found.filter(|address| may_be_told(address.ip())).collect();
            let found: Addrs = Box::new(found.into_iter());
            Ok(found)
        })
    }
}

/// Why a request did not come to an answer.
pub fn problem(cause: &(dyn std::error::Error + 'static)) -> Problem {
    let chain: Vec<String> = std::iter::successors(cause.source(), |cause| (*cause).source())
        .map(ToString::to_string)
        .collect();
    let last = chain.last().cloned();
    let detail = last.unwrap_or_else(|| cause.to_string());
    let kind = match cause.downcast_ref::<reqwest::Error>() {
        Some(error) if error.is_timeout() => ProblemKind::Slow,
        Some(_) if chain.iter().any(|link| link.contains("certificate")) => ProblemKind::Untrusted,
        Some(error) if error.is_decode() => ProblemKind::Garbled,
        Some(error) if error.is_connect() || error.is_request() => ProblemKind::Unreachable,
        Some(error) if error.is_body() => ProblemKind::Unreachable,
        _ => ProblemKind::Garbled,
    };
    Problem::new(kind, &detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_of_other_servers_are_not_looked_up() {
        let resolver = OneHost::of("CA.example:14000");
        let refused = resolver.resolve("evil.example".parse().unwrap()).await;
        assert!(refused.err().unwrap().to_string().contains("evil.example"));
    }

    #[test]
    fn names_below_are_the_same_host_only_where_that_was_said() {
        let one = OneHost::of("wordpress.org");
        assert!(one.is("WordPress.org") && !one.is("downloads.wordpress.org"));
        let all = one.and_below();
        assert!(all.is("wordpress.org") && all.is("downloads.wordpress.org"));
        for other in ["evilwordpress.org", "wordpress.org.evil.example", "org", ""] {
            assert!(!all.is(other), "{other}");
        }
        assert!(OneHost::of("[::1]:443").is("[::1]"));
    }
}
