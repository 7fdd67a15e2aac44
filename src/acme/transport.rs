//! The way to an authority: HTTPS with our own name, time limits and roots.
//!
//! Invariant: nothing is sent but by HTTPS to the host of the directory, no redirect is followed, and every request ends in time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::domain::authority::Authority;
use crate::domain::order::{Problem, ProblemKind};

/// Where Debian and Ubuntu keep the roots an administrator trusts.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";
const CONNECT: Duration = Duration::from_secs(10);
const REQUEST: Duration = Duration::from_secs(30);

/// A client for one authority.
pub(super) fn http(authority: &Authority) -> Result<reqwest::Client, Problem> {
    let unusable =
        |error: &dyn std::error::Error| Problem::new(ProblemKind::Untrusted, &error.to_string());
    let provider = Arc::new(aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?
        .with_root_certificates(roots(authority.roots.as_deref())?)
        .with_no_client_auth();
    reqwest::Client::builder()
        .use_preconfigured_tls(tls)
        .user_agent(concat!("lalapanel/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .https_only(true)
        .no_proxy()
        .connect_timeout(CONNECT)
        .timeout(REQUEST)
        .dns_resolver(Arc::new(OneHost::of(authority)))
        .build()
        .map_err(|error| unusable(&error))
}

/// The built-in roots, this server's, and those of the settings.
fn roots(own: Option<&str>) -> Result<RootCertStore, Problem> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Ok(system) = CertificateDer::pem_file_iter(SYSTEM_ROOTS) {
        roots.add_parsable_certificates(system.flatten());
    }
    let before = roots.len();
    if let Some(own) = own {
        let certificates = CertificateDer::pem_slice_iter(own.as_bytes());
        roots.add_parsable_certificates(certificates.flatten());
        if roots.len() == before {
            let words = "the file named by `acme.ca_file` holds no certificate";
            return Err(Problem::new(ProblemKind::Untrusted, words));
        }
    }
    Ok(roots)
}

/// Looks up the directory's host and nothing else, so that no answer can send us elsewhere by name.
struct OneHost(String);

impl OneHost {
    fn of(authority: &Authority) -> Self {
        let host = authority.directory.host();
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        Self(name.to_ascii_lowercase())
    }
}

impl Resolve for OneHost {
    fn resolve(&self, name: Name) -> Resolving {
        let is_ours = name.as_str().eq_ignore_ascii_case(&self.0);
        let name = name.as_str().to_owned();
        Box::pin(async move {
            if !is_ours {
                return Err(format!("the authority names another server, {name}").into());
            }
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name, 0)).await?.collect();
            let found: Addrs = Box::new(found.into_iter());
            Ok(found)
        })
    }
}

/// Why a request did not come to an answer.
pub(super) fn problem(cause: &(dyn std::error::Error + 'static)) -> Problem {
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
        let resolver = OneHost("ca.example".to_owned());
        let refused = resolver.resolve("evil.example".parse().unwrap()).await;
        assert!(refused.err().unwrap().to_string().contains("evil.example"));
    }
}
