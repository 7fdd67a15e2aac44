//! The private key of a certificate.
//!
//! Invariant: `Debug` shows nothing, memory is wiped on drop, and the only way out is `reveal`, for the file of root's alone.
//! It crosses the agent's socket like a password does; no plan, journal, view or log has a place for it.

use std::fmt;

use rcgen::{KeyPair, PublicKeyData as _};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::domain::certificate::pem;
use crate::domain::certificate::refused::{Refused, Shape};

/// An RSA key of 16384 bits has 13 KB.
const LIMIT: usize = 32 * 1024;

/// A private key as text, checked only once it is used.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PrivateKey(Zeroizing<String>);

impl PrivateKey {
    /// Takes what was uploaded, pasted or made; length is capped by the frame that carried it.
    #[must_use]
    pub fn typed(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Makes a new one: P-256, PKCS 8.
    pub fn generate() -> Result<Self, rcgen::Error> {
        let pair = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        Ok(Self(Zeroizing::new(pair.serialize_pem())))
    }

    /// The one key block in it, alone, as it goes into the file. Encrypted ones are refused: nginx has nobody to ask.
    pub fn checked(&self) -> Result<Self, Refused> {
        let (text, pair) = self.only()?;
        drop(pair);
        Ok(Self(text))
    }

    /// The key as rcgen signs with it.
    pub fn pair(&self) -> Result<KeyPair, Refused> {
        Ok(self.only()?.1)
    }

    /// The public half, as certificates hold it.
    pub fn public(&self) -> Result<Vec<u8>, Refused> {
        Ok(self.only()?.1.subject_public_key_info())
    }

    /// The text itself, for the file of root's alone.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    fn only(&self) -> Result<(Zeroizing<String>, KeyPair), Refused> {
        if self.0.len() > LIMIT {
            return Err(Refused::UnreadableKey);
        }
        let mut keys = Vec::new();
        for section in pem::sections(&self.0) {
            match section.label.as_str() {
                "ENCRYPTED PRIVATE KEY" => return Err(Refused::Encrypted),
                label if label.ends_with("PRIVATE KEY") && section.has_headers => {
                    return Err(Refused::Encrypted);
                }
                label if label.ends_with("PRIVATE KEY") => keys.push(section.text),
                // Which curve it is, said twice: openssl writes it in front of the key.
                "EC PARAMETERS" => {}
                label if label.ends_with("CERTIFICATE") => {
                    return Err(Refused::NotOnlyAKey(Shape::Certificate));
                }
                "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
                    return Err(Refused::NotOnlyAKey(Shape::Request));
                }
                _ => return Err(Refused::NotOnlyAKey(Shape::Other)),
            }
        }
        let mut keys = keys.into_iter();
        match (keys.next(), keys.next()) {
            (Some(text), None) => {
                let pair = read(&text)?;
                Ok((text, pair))
            }
            (None, _) => Err(Refused::NoKey),
            (Some(_), Some(_)) => Err(Refused::NotOnlyAKey(Shape::Key)),
        }
    }
}

fn read(text: &str) -> Result<KeyPair, Refused> {
    let der = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| Refused::UnreadableKey)?;
    KeyPair::try_from(&der).map_err(|_| Refused::UnreadableKey)
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENCRYPTED: &str =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nQUJD\n-----END ENCRYPTED PRIVATE KEY-----\n";
    const OLD: &str = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,AA\n\nQUJD\n-----END RSA PRIVATE KEY-----\n";

    #[test]
    fn a_key_is_hidden_and_comes_out_alone() {
        let key = PrivateKey::generate().unwrap();
        assert_eq!(format!("{key:?}"), "PrivateKey(hidden)");
        let wrapped = format!(
            "-----BEGIN EC PARAMETERS-----\nQQ==\n-----END EC PARAMETERS-----\n{}",
            key.reveal().replace('\n', "\r\n")
        );
        let checked = PrivateKey::typed(wrapped).checked().unwrap();
        assert_eq!(checked.reveal().trim(), key.reveal().trim());
        assert_eq!(checked.public().unwrap(), key.public().unwrap());
    }

    #[test]
    fn a_key_with_a_passphrase_is_refused_with_the_command_that_takes_it_off() {
        for text in [ENCRYPTED, OLD] {
            let refused = PrivateKey::typed(text.to_owned()).checked().unwrap_err();
            assert_eq!(refused, Refused::Encrypted);
            assert!(refused.hint().contains("openssl pkey"));
        }
    }

    #[test]
    fn what_is_no_key_is_named() {
        let refused = |text: &str| PrivateKey::typed(text.to_owned()).checked().unwrap_err();
        assert_eq!(refused(""), Refused::NoKey);
        assert_eq!(
            refused("-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n"),
            Refused::UnreadableKey
        );
        let request =
            "-----BEGIN CERTIFICATE REQUEST-----\nQUJD\n-----END CERTIFICATE REQUEST-----\n";
        assert_eq!(refused(request), Refused::NotOnlyAKey(Shape::Request));
        let two = PrivateKey::generate().unwrap().reveal().repeat(2);
        assert_eq!(refused(&two), Refused::NotOnlyAKey(Shape::Key));
        assert_eq!(refused(&"A".repeat(40_000)), Refused::UnreadableKey);
    }
}
