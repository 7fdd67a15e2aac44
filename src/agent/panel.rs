//! How people reach the panel from outside: its address, and the fingerprint of its certificate.
//!
//! Invariant: no address is ever built from what a browser sent.

use sha2::{Digest, Sha256};

use crate::domain::fault::{Code, Fault};
use crate::domain::path::HostPath;
use crate::domain::secret::Token;
use crate::host::Host;

/// The certificate of the panel.
const CERTIFICATE: &str = "/var/lib/lalapanel/panel/panel.crt";
const CERTIFICATE_LIMIT: usize = 64 * 1024;

/// The panel's public address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panel {
    /// Its name, or the server's address where it has none.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl Panel {
    /// The address of the page that takes a one-time link.
    #[must_use]
    pub fn start_url(&self, link: &Token) -> String {
        let (host, port) = (&self.host, self.port);
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.clone()
        };
        format!("https://{host}:{port}/start?link={}", link.reveal())
    }
}

/// SHA-256 of the panel's certificate, as browsers show it.
pub fn fingerprint(host: &dyn Host) -> Result<String, Fault> {
    let missing = || {
        Fault::new(
            Code::HostFailed,
            "The panel's certificate could not be read",
            "run `lalapanel install` again; it makes a missing certificate anew",
        )
    };
    let pem = host
        .read(&HostPath::fixed(CERTIFICATE), CERTIFICATE_LIMIT)
        .map_err(|_| missing())?;
    let der = first_certificate(&pem).ok_or_else(missing)?;
    let digest = Sha256::digest(&der);
    let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    Ok(pairs.join(":"))
}

fn first_certificate(pem: &[u8]) -> Option<Vec<u8>> {
    use rustls_pki_types::pem::PemObject as _;
    rustls_pki_types::CertificateDer::from_pem_slice(pem)
        .ok()
        .map(|der| der.to_vec())
}
