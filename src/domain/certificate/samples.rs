//! An authority with an intermediate, made for tests.
//!
//! Invariant: test code only; its keys exist as long as the test.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, SanType,
};
use time::{Duration, OffsetDateTime};

use super::{Certificate, Chain, PrivateKey, Source};
use crate::domain::time::Timestamp;

/// The time of tests.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000)
}

pub(crate) struct Authority {
    root: String,
    intermediate: String,
    issuer: Issuer<'static, KeyPair>,
}

fn parameters(name: &str, days: i64) -> CertificateParams {
    let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.not_before = now - Duration::HOUR;
    parameters.not_after = now + Duration::days(days) - Duration::HOUR;
    parameters
}

fn authority(name: &str) -> CertificateParams {
    let mut parameters = parameters(name, 3650);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters
}

fn with_names(mut parameters: CertificateParams, names: &[&str]) -> CertificateParams {
    parameters.subject_alt_names = names
        .iter()
        .map(|name| match name.parse() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName((*name).try_into().unwrap()),
        })
        .collect();
    parameters
}

fn private(key: &KeyPair) -> PrivateKey {
    PrivateKey::typed(key.serialize_pem())
}

/// As this project writes PEM: without carriage returns.
fn text(certificate: &rcgen::Certificate) -> String {
    certificate.pem().replace('\r', "")
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let parameters = authority("Sample Root");
        let root = text(&parameters.self_signed(&key).unwrap());
        let issuer = Issuer::new(parameters, key);
        let key = KeyPair::generate().unwrap();
        let parameters = authority("Sample Intermediate");
        let intermediate = text(&parameters.signed_by(&key, &issuer).unwrap());
        Self {
            root,
            intermediate,
            issuer: Issuer::new(parameters, key),
        }
    }

    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    pub(crate) fn intermediate(&self) -> &str {
        &self.intermediate
    }

    /// A certificate of the intermediate, good for so many days from [`now`] on, with its key.
    pub(crate) fn issue(&self, names: &[&str], days: i64) -> (String, PrivateKey) {
        self.sign(&with_names(parameters("site", days), names))
    }

    pub(crate) fn issue_for_clients(&self, name: &str) -> (String, PrivateKey) {
        let mut parameters = with_names(parameters("client", 90), &[name]);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(&parameters)
    }

    fn sign(&self, parameters: &CertificateParams) -> (String, PrivateKey) {
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        (text(&certificate), private(&key))
    }
}

pub(crate) fn self_signed(name: &str) -> (String, PrivateKey) {
    let key = KeyPair::generate().unwrap();
    let parameters = with_names(parameters("site", 90), &[name]);
    let certificate = parameters.self_signed(&key).unwrap();
    (text(&certificate), private(&key))
}

/// A certificate that was uploaded.
pub(crate) fn certificate(names: &[&str], days: i64) -> Certificate {
    let (leaf, key) = Authority::new().issue(names, days);
    let chain = Chain::parse(&leaf, &key).unwrap();
    chain.certificate(Source::Uploaded).unwrap()
}
