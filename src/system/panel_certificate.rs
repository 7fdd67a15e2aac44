//! The panel's own certificate, signed by itself: browsers warn once, and the fingerprint tells whether the warning is harmless.
//! One that an authority issued lies beside it and goes before it.
//!
//! Invariant: the key is made here and is root's; the web process alone may read it, and nothing of it is shown.

use std::net::IpAddr;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use crate::domain::path::HostPath;
use crate::domain::time::Timestamp;
use crate::host::{Host, HostError, HostResult, Mode, Owner};

/// Browsers refuse certificates of their own users' trust that live longer than 825 days (Apple, 2019), and the last
/// second counts as another day (RFC 5280, 4.1.2.5).
const DAYS: i64 = 820;
/// A chain of six with its key, and a bit.
const LIMIT: usize = 128 * 1024;
/// Where the key begins behind its chain.
const KEY_MARK: &str = "-----BEGIN PRIVATE";
/// The web process reads a key by its group.
pub const LENT: Mode = Mode(0o640);

/// A certificate with its key.
pub struct PanelCertificate {
    /// PEM.
    pub certificate: String,
    /// PEM, PKCS 8.
    pub key: Zeroizing<String>,
}

/// It could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// rcgen refused.
    #[error("the panel's certificate could not be made")]
    Make(#[from] rcgen::Error),
    /// The file holds no certificate.
    #[error("the panel's certificate could not be read")]
    Read,
}

/// Where the certificate is.
#[must_use]
pub fn certificate_file() -> HostPath {
    directory().join("panel.crt")
}

/// Where the key is.
#[must_use]
pub fn key_file() -> HostPath {
    directory().join("panel.key")
}

/// Where the chain that an authority issued is, with its key behind it: one file, so that they are never of two pairs.
#[must_use]
pub fn issued_file() -> HostPath {
    directory().join("issued.pem")
}

/// The chain that an authority issued, without its key; none where there is none.
pub fn issued(host: &dyn Host) -> HostResult<Option<String>> {
    match host.read(&issued_file(), LIMIT) {
        Ok(bytes) => {
            let bytes = Zeroizing::new(bytes);
            let text = String::from_utf8_lossy(&bytes);
            let chain = text.split(KEY_MARK).next().unwrap_or_default();
            Ok(Some(chain.to_owned()))
        }
        Err(HostError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What visitors of the panel are shown, as PEM: what an authority issued, otherwise what signed itself.
pub fn shown(host: &dyn Host) -> HostResult<Vec<u8>> {
    match issued(host)? {
        Some(chain) => Ok(chain.into_bytes()),
        None => host.read(&certificate_file(), LIMIT),
    }
}

/// Where all of them are.
#[must_use]
pub fn directory() -> HostPath {
    HostPath::fixed("/var/lib/lalapanel/panel")
}

/// Lets the group of the web process read the keys, and nobody else. Nothing happens where one of them does not exist yet.
pub fn lend(host: &dyn Host, group: Option<u32>) -> HostResult<()> {
    for path in [key_file(), issued_file()] {
        let (Some(gid), Some(meta)) = (group, host.stat(&path)?) else {
            continue;
        };
        let owner = Owner { uid: 0, gid };
        if meta.owner != owner || meta.mode != LENT {
            host.set_meta(&path, owner, LENT)?;
        }
    }
    Ok(())
}

/// Makes a certificate for a name and the machine's addresses.
pub fn make(
    name: &str,
    addresses: &[IpAddr],
    now: Timestamp,
) -> Result<PanelCertificate, CertificateError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut parameters = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject.push(
        DnType::OrganizationName,
        "Lala Panel, signed by this server itself",
    );
    parameters.distinguished_name = subject;
    // A name that is no DNS name (a host called `my_server`) is left out; the address remains.
    parameters.subject_alt_names = name.try_into().map(SanType::DnsName).into_iter().collect();
    parameters
        .subject_alt_names
        .extend(addresses.iter().copied().map(SanType::IpAddress));
    let seconds = i64::try_from(now.millis() / 1000).unwrap_or_default();
    let now = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    // An hour back, for visitors whose clock is behind.
    parameters.not_before = now - Duration::HOUR;
    parameters.not_after = now + Duration::days(DAYS);
    let certificate = parameters.self_signed(&key)?;
    Ok(PanelCertificate {
        certificate: certificate.pem(),
        key: Zeroizing::new(key.serialize_pem()),
    })
}

/// SHA-256 of a certificate as browsers show it: `AB:CD:…`.
pub fn fingerprint(pem: &[u8]) -> Result<String, CertificateError> {
    let der = CertificateDer::from_pem_slice(pem).map_err(|_| CertificateError::Read)?;
    let bytes = Sha256::digest(&der);
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    Ok(pairs.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;

    #[test]
    fn the_key_is_lent_to_the_web_process_and_to_nobody_else() {
        let host = MemoryHost::new(Machine::debian());
        lend(&host, Some(999)).unwrap();
        assert_eq!(host.stat(&key_file()).unwrap(), None);
        let directory = directory();
        for path in [directory.parent(), directory] {
            host.make_dir(&path, Owner::ROOT, Mode(0o711)).unwrap();
        }
        host.write(&key_file(), b"key", Owner::ROOT, Mode(0o600))
            .unwrap();
        for (group, wanted) in [(None, (0, 0o600)), (Some(999), (999, 0o640))] {
            lend(&host, group).unwrap();
            let meta = host.stat(&key_file()).unwrap().unwrap();
            assert_eq!((meta.owner.gid, meta.mode.0), wanted);
            assert_eq!(meta.owner.uid, 0);
        }
    }

    #[test]
    fn a_certificate_names_the_host_and_its_addresses_and_has_a_fingerprint() {
        let addresses = [
            "198.51.100.7".parse().unwrap(),
            "2001:db8::7".parse().unwrap(),
        ];
        let made = make(
            "panel.example",
            &addresses,
            Timestamp::from_millis(1_700_000_000_000),
        )
        .unwrap();
        assert!(made.key.contains("BEGIN PRIVATE KEY"));
        let der = CertificateDer::from_pem_slice(made.certificate.as_bytes()).unwrap();
        let has = |wanted: &[u8]| der.windows(wanted.len()).any(|window| window == wanted);
        assert!(has(b"panel.example") && has(&[198, 51, 100, 7]));
        let print = fingerprint(made.certificate.as_bytes()).unwrap();
        assert_eq!((print.len(), print.matches(':').count()), (95, 31));
        assert!(fingerprint(b"nothing").is_err());
    }

    #[test]
    fn a_host_without_a_dns_name_still_gets_a_certificate() {
        assert!(make("größe", &[], Timestamp::from_millis(0)).is_ok());
    }
}
