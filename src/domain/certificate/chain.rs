//! A certificate with the intermediates that browsers need, leaf first.
//!
//! Invariant: the leaf belongs to the key it was read with, each certificate is signed by the next one, and no root is in it.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::X509Name;

use crate::domain::certificate::key::PrivateKey;
use crate::domain::certificate::pem;
use crate::domain::certificate::refused::{Refused, Shape};
use crate::domain::certificate::{Certificate, Fingerprint, Source};
use crate::domain::secret::hex;
use crate::domain::site_name::SiteName;
use crate::domain::text::shown;
use crate::domain::time::Timestamp;

/// A chain is never larger.
const LIMIT: usize = 64 * 1024;
/// A file holds no more certificates.
const MOST: usize = 6;
/// What OpenSSL of Debian and Ubuntu asks for (security level 2).
const RSA_BITS: usize = 2048;

struct Link {
    der: Vec<u8>,
    text: String,
}

/// A certificate and its intermediates.
pub struct Chain {
    links: Vec<Link>,
    /// True where the file also brought the root, which was left out.
    had_root: bool,
    unrelated: usize,
}

impl Chain {
    /// Reads a PEM text, finds the certificate of this key, and puts those that sign it behind it, whatever their order was.
    pub fn parse(text: &str, key: &PrivateKey) -> Result<Self, Refused> {
        let mut links = links(text)?;
        let public = key.public()?;
        let mut leaf = None;
        for (number, link) in links.iter().enumerate() {
            if read(&link.der, number + 1)?.public_key().raw == public.as_slice() {
                leaf = leaf.or(Some(number));
            }
        }
        let leaf = links.remove(leaf.ok_or(Refused::OtherKey)?);
        Ok(Self::ordered(leaf, links))
    }

    /// Reads a chain as it was written by [`Chain::text`].
    pub fn stored(text: &str) -> Result<Self, Refused> {
        Ok(Self {
            links: links(text)?,
            had_root: false,
            unrelated: 0,
        })
    }

    fn ordered(leaf: Link, mut rest: Vec<Link>) -> Self {
        let mut links = vec![leaf];
        while let Some(last) = links.last() {
            let next = rest.iter().position(|link| signed_by(&last.der, &link.der));
            match next {
                Some(next) if !is_self_signed(&last.der) => links.push(rest.remove(next)),
                _ => break,
            }
        }
        let had_root =
            links.len() > 1 && links.last().is_some_and(|last| is_self_signed(&last.der));
        if had_root {
            links.pop();
        }
        Self {
            links,
            had_root,
            unrelated: rest.len(),
        }
    }

    /// Adds intermediates that are known from elsewhere, where the file did not bring them.
    #[must_use]
    pub fn completed(self, known: &str) -> Self {
        let Self {
            links: mut own,
            had_root,
            unrelated,
        } = self;
        if had_root || own.len() > 1 || own.is_empty() {
            return Self {
                links: own,
                had_root,
                unrelated,
            };
        }
        let leaf = own.remove(0);
        Self {
            unrelated,
            ..Self::ordered(leaf, links(known).unwrap_or_default())
        }
    }

    /// The file for nginx: leaf first.
    #[must_use]
    pub fn text(&self) -> String {
        self.links.iter().map(|link| link.text.as_str()).collect()
    }

    /// The intermediates alone.
    #[must_use]
    pub fn intermediates(&self) -> String {
        let rest = self.links.iter().skip(1);
        rest.map(|link| link.text.as_str()).collect()
    }

    /// The site's own certificate.
    #[must_use]
    pub fn leaf(&self) -> &[u8] {
        self.links.first().map_or(&[], |link| link.der.as_slice())
    }

    /// True where browsers may miss an intermediate: the file brought the certificate alone.
    #[must_use]
    pub fn may_be_incomplete(&self) -> bool {
        self.links.len() == 1 && !self.had_root && !is_self_signed(self.leaf())
    }

    /// How many certificates of the file have nothing to do with this one, and were left out.
    #[must_use]
    pub fn unrelated(&self) -> usize {
        self.unrelated
    }

    /// What the leaf says. Refused where no web server could use it.
    pub fn certificate(&self, source: Source) -> Result<Certificate, Refused> {
        for (number, link) in self.links.iter().enumerate() {
            refuse_weak(&read(&link.der, number + 1)?)?;
        }
        let leaf = read(self.leaf(), 1)?;
        let (names, addresses) = names_of(&leaf);
        if names.is_empty() && addresses.is_empty() {
            return Err(Refused::NoNames);
        }
        let usage = leaf.extended_key_usage().ok().flatten();
        if usage.is_some_and(|usage| !usage.value.any && !usage.value.server_auth) {
            return Err(Refused::NotForServers);
        }
        Ok(Certificate {
            names,
            addresses,
            issuer: in_words(leaf.issuer()),
            not_before: moment(leaf.validity().not_before.timestamp()),
            not_after: moment(leaf.validity().not_after.timestamp()),
            serial: hex(leaf.raw_serial()),
            fingerprint: fingerprint(self.leaf())?,
            self_signed: is_self_signed(self.leaf()),
            source,
        })
    }
}

/// The first certificate of a file, in DER; `None` where none can be read.
#[must_use]
pub fn leaf_of(text: &str) -> Option<Vec<u8>> {
    links(text).ok()?.into_iter().next().map(|link| link.der)
}

fn links(text: &str) -> Result<Vec<Link>, Refused> {
    if text.len() > LIMIT {
        return Err(Refused::TooLarge);
    }
    let mut links: Vec<Link> = Vec::new();
    for section in pem::sections(text) {
        match section.label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {}
            label if label.contains("PRIVATE KEY") => {
                return Err(Refused::NotOnlyCertificates(Shape::Key));
            }
            label if label.ends_with("CERTIFICATE REQUEST") => {
                return Err(Refused::NotOnlyCertificates(Shape::Request));
            }
            "PKCS7" | "CMS" => return Err(Refused::NotOnlyCertificates(Shape::Pkcs7)),
            _ => return Err(Refused::NotOnlyCertificates(Shape::Other)),
        }
        let number = links.len() + 1;
        let der = CertificateDer::from_pem_slice(section.text.as_bytes())
            .map_err(|_| Refused::Unreadable { number })?
            .to_vec();
        read(&der, number)?;
        if links.iter().all(|link| link.der != der) {
            let text = section.text.to_string();
            links.push(Link { der, text });
        }
    }
    match links.len() {
        0 => Err(Refused::NoCertificate),
        count if count > MOST => Err(Refused::TooLarge),
        _ => Ok(links),
    }
}

fn read(der: &[u8], number: usize) -> Result<X509Certificate<'_>, Refused> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(Refused::Unreadable { number }),
    }
}

fn signed_by(der: &[u8], issuer: &[u8]) -> bool {
    let (Ok(one), Ok(other)) = (read(der, 1), read(issuer, 1)) else {
        return false;
    };
    one.issuer().as_raw() == other.subject().as_raw()
        && one.verify_signature(Some(other.public_key())).is_ok()
}

fn is_self_signed(der: &[u8]) -> bool {
    signed_by(der, der)
}

fn refuse_weak(certificate: &X509Certificate<'_>) -> Result<(), Refused> {
    let weak = |why: String| Err(Refused::Weak { why });
    if let Ok(PublicKey::RSA(key)) = certificate.public_key().parsed()
        && key.key_size() < RSA_BITS
    {
        return weak(format!("a key of {} bits", key.key_size()));
    }
    // RFC 3279: md5WithRSAEncryption, sha1WithRSAEncryption, ecdsa-with-SHA1.
    let algorithm = certificate.signature_algorithm.algorithm.to_id_string();
    match algorithm.as_str() {
        "1.2.840.113549.1.1.4" => weak("signed with MD5".to_owned()),
        "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" => weak("signed with SHA-1".to_owned()),
        _ => Ok(()),
    }
}

/// Names that are no hostnames (a bare word, an address of mail) are nothing to a website and left out.
fn names_of(leaf: &X509Certificate<'_>) -> (Vec<SiteName>, Vec<std::net::IpAddr>) {
    let (mut names, mut addresses) = (Vec::new(), Vec::new());
    let extension = leaf.subject_alternative_name().ok().flatten();
    for name in extension
        .iter()
        .flat_map(|found| &found.value.general_names)
    {
        match name {
            GeneralName::DNSName(text) => names.extend(SiteName::parse(text).ok()),
            GeneralName::IPAddress(bytes) => addresses.extend(address(bytes)),
            _ => {}
        }
    }
    (names, addresses)
}

fn address(bytes: &[u8]) -> Option<std::net::IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(std::net::IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(std::net::IpAddr::from))
        .ok()
}

fn in_words(name: &X509Name<'_>) -> String {
    let common = name.iter_common_name().next();
    let organization = name.iter_organization().next();
    let text = common
        .or(organization)
        .and_then(|attribute| attribute.as_str().ok());
    shown(text.unwrap_or("nobody named"), 100)
}

fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_millis(
        u64::try_from(seconds)
            .unwrap_or_default()
            .saturating_mul(1000),
    )
}

fn fingerprint(der: &[u8]) -> Result<Fingerprint, Refused> {
    Fingerprint::parse(&hex(&Sha256::digest(der))).map_err(|_| Refused::Unreadable { number: 1 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::certificate::samples::{self, Authority};

    #[test]
    fn a_chain_in_any_order_comes_out_leaf_first_and_without_its_root() {
        let authority = Authority::new();
        let (leaf, key) = authority.issue(&["shop.example"], 90);
        let stranger = Authority::new();
        let wanted = format!("{leaf}{}", authority.intermediate());
        for file in [
            format!("{leaf}{}{}", authority.intermediate(), authority.root()),
            format!("{}{}{leaf}", authority.root(), authority.intermediate()),
            format!(
                "{}{leaf}{leaf}{}",
                stranger.root(),
                authority.intermediate()
            ),
        ] {
            let chain = Chain::parse(&file.replace('\n', "\r\n"), &key).unwrap();
            assert_eq!(chain.text(), wanted);
            assert!(!chain.may_be_incomplete());
        }
    }

    #[test]
    fn an_intermediate_that_is_missing_is_taken_from_what_is_known() {
        let authority = Authority::new();
        let (leaf, key) = authority.issue(&["shop.example"], 90);
        let alone = Chain::parse(&leaf, &key).unwrap();
        assert!(alone.may_be_incomplete());
        let other = Authority::new();
        let known = format!("{}{}", other.intermediate(), authority.intermediate());
        let chain = alone.completed(&known);
        assert_eq!(chain.text(), format!("{leaf}{}", authority.intermediate()));
        assert_eq!(chain.intermediates(), authority.intermediate());
        let alone = Chain::parse(&leaf, &key).unwrap();
        assert!(alone.completed(other.intermediate()).may_be_incomplete());
    }

    #[test]
    fn what_the_leaf_says_is_read() {
        let authority = Authority::new();
        let (leaf, key) = authority.issue(&["shop.example", "*.shop.example", "198.51.100.7"], 90);
        let chain = Chain::parse(&leaf, &key).unwrap();
        let certificate = chain.certificate(Source::Uploaded).unwrap();
        let names: Vec<String> = certificate.names.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["shop.example", "*.shop.example"]);
        assert_eq!(certificate.addresses.len(), 1);
        assert_eq!(certificate.issuer, "Sample Intermediate");
        assert!(certificate.is_current(samples::now()) && certificate.is_for_visitors());
        assert!(leaf_of(&leaf).is_some_and(|der| der == chain.leaf()));
    }

    #[test]
    fn a_certificate_that_signed_itself_is_one_without_being_for_visitors() {
        let (leaf, key) = samples::self_signed("shop.example");
        let chain = Chain::parse(&leaf, &key).unwrap();
        let certificate = chain.certificate(Source::Uploaded).unwrap();
        assert!(certificate.self_signed && !certificate.is_for_visitors());
        assert!(!chain.may_be_incomplete());
    }

    #[test]
    fn every_bad_file_has_its_sentence() {
        let authority = Authority::new();
        let (leaf, key) = authority.issue(&["shop.example"], 90);
        let refused = |text: &str| Chain::parse(text, &key).err().unwrap();
        assert_eq!(refused("hello"), Refused::NoCertificate);
        let (_, other) = authority.issue(&["shop.example"], 90);
        assert_eq!(Chain::parse(&leaf, &other).err(), Some(Refused::OtherKey));
        assert_eq!(
            refused(&format!("{leaf}{}", key.reveal())),
            Refused::NotOnlyCertificates(Shape::Key)
        );
        let cut = leaf.replacen("MII", "MIA", 1);
        assert_eq!(refused(&cut), Refused::Unreadable { number: 1 });
        let many: String = (0..7).map(|_| Authority::new().root().to_owned()).collect();
        assert_eq!(refused(&many), Refused::TooLarge);
        assert_eq!(refused(&"a".repeat(LIMIT + 1)), Refused::TooLarge);
        let pkcs7 = "-----BEGIN PKCS7-----\nQUJD\n-----END PKCS7-----\n";
        assert_eq!(refused(pkcs7), Refused::NotOnlyCertificates(Shape::Pkcs7));
        let (client, key) = authority.issue_for_clients("shop.example");
        let chain = Chain::parse(&client, &key).unwrap();
        assert_eq!(
            chain.certificate(Source::Uploaded).err(),
            Some(Refused::NotForServers)
        );
        let (nameless, key) = authority.issue(&[], 90);
        let chain = Chain::parse(&nameless, &key).unwrap();
        assert_eq!(
            chain.certificate(Source::Uploaded).err(),
            Some(Refused::NoNames)
        );
    }
}
