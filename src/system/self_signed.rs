//! Certificates that sign themselves: shown by a site until it has one that browsers trust.
//!
//! Invariant: the key is made here and handed to whoever writes it into root's own file; nothing else of it leaves.

use rcgen::{
    CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, SanType,
};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use crate::domain::name::Hostname;
use crate::domain::time::Timestamp;
use crate::system::panel_certificate::CertificateError;

/// Nobody trusts it, so nobody counts; it must only never end.
const DAYS: i64 = 3650;

/// A certificate with its key.
pub struct SelfSigned {
    /// PEM.
    pub certificate: String,
    /// PEM, PKCS 8.
    pub key: Zeroizing<String>,
}

/// Makes one for a site's own name.
pub fn placeholder(hostname: &Hostname, now: Timestamp) -> Result<SelfSigned, CertificateError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut parameters = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, "Lala Panel placeholder");
    parameters.distinguished_name = subject;
    let name = hostname.as_str().try_into().map(SanType::DnsName);
    parameters.subject_alt_names = name.into_iter().collect();
    let seconds = i64::try_from(now.millis() / 1000).unwrap_or_default();
    let now = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    // A day back: the clock of a fresh server may be set right later.
    parameters.not_before = now - Duration::DAY;
    parameters.not_after = now + Duration::days(DAYS);
    let certificate = parameters.self_signed(&key)?;
    Ok(SelfSigned {
        certificate: certificate.pem(),
        key: Zeroizing::new(key.serialize_pem()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::certificate::{Chain, PrivateKey, Source};

    #[test]
    fn a_placeholder_names_its_site_and_is_not_for_visitors() {
        let hostname = Hostname::parse("shop.example").unwrap();
        let now = Timestamp::from_millis(1_800_000_000_000);
        let made = placeholder(&hostname, now).unwrap();
        let key = PrivateKey::typed(made.key.to_string());
        let chain = Chain::parse(&made.certificate, &key).unwrap();
        let certificate = chain.certificate(Source::Uploaded).unwrap();
        assert!(certificate.covers(&hostname.into()) && certificate.is_current(now));
        assert!(!certificate.is_for_visitors());
    }
}
