//! Records in DNS that prove a name, and who may write them: a server that takes signed updates (RFC 2136, RFC 8945).
//!
//! Invariant: a name in DNS is plain text of letters, digits, `-`, `_` and dots; the secret of a key is shown by nothing.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::domain::authority::KeyText;
use crate::domain::name::Hostname;
use crate::domain::parsed_text;

const PORT: u16 = 53;

/// A name in DNS, without the dot at its end; unlike a hostname it may have underscores.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecordName(String);

/// The text is no such name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name in DNS has letters, digits, `-`, `_` and dots, and at most 253 characters")]
pub struct BadRecordName;

impl RecordName {
    /// Reads a name; upper case is folded, a dot at the end dropped.
    pub fn parse(text: &str) -> Result<Self, BadRecordName> {
        let text = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(is_plain);
        if text.len() <= 253 && text.split('.').all(is_label) {
            Ok(Self(text))
        } else {
            Err(BadRecordName)
        }
    }

    /// Where an authority looks for the proof of a name (RFC 8555, §8.4).
    pub fn of_challenge(name: &Hostname) -> Result<Self, BadRecordName> {
        Self::parse(&format!("_acme-challenge.{name}"))
    }
}

parsed_text!(RecordName, BadRecordName);

/// The value of a proof in DNS: 32 bytes in base64url.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProofText(String);

/// The text is no such value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the value of a proof in DNS has 43 letters, digits, `-` and `_`")]
pub struct BadProofText;

impl ProofText {
    /// Reads a value.
    pub fn parse(text: &str) -> Result<Self, BadProofText> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if text.len() == 43 && text.bytes().all(is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadProofText)
        }
    }
}

parsed_text!(ProofText, BadProofText);

/// A TXT record that proves a name while an order runs, and is to be gone afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofRecord {
    /// The zone it is in.
    pub zone: RecordName,
    /// Its name, after aliases were followed.
    pub name: RecordName,
    /// Its value.
    pub value: ProofText,
}

/// What a way into DNS is called here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DnsName(String);

/// The text is no such name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a way into DNS is named by 1 to 32 small letters, digits and `-`, a letter first")]
pub struct BadDnsName;

impl DnsName {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, BadDnsName> {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let begins = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        if begins && text.len() <= 32 && text.bytes().all(is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadDnsName)
        }
    }
}

parsed_text!(DnsName, BadDnsName);

/// A DNS server: an address or a name, and a port where it is not 53.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DnsServer(String);

/// The text is no such server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a DNS server is an address or a hostname, with `:PORT` where it is not 53")]
pub struct BadDnsServer;

impl DnsServer {
    /// Reads `192.0.2.1`, `2001:db8::1`, `ns1.example.org`, each with a port or without.
    pub fn parse(text: &str) -> Result<Self, BadDnsServer> {
        let host = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') => {
                port.parse::<u16>().map_err(|_| BadDnsServer)?;
                host
            }
            _ => text,
        };
        let is_known = text.parse::<SocketAddr>().is_ok()
            || host.parse::<IpAddr>().is_ok()
            || Hostname::parse(host).is_ok_and(|name| name.as_str() == host);
        if is_known {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadDnsServer)
        }
    }

    /// Its host and port, as they are looked up.
    #[must_use]
    pub fn host_and_port(&self) -> (String, u16) {
        if let Ok(address) = self.0.parse::<SocketAddr>() {
            return (address.ip().to_string(), address.port());
        }
        match self.0.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') => {
                (host.to_owned(), port.parse().unwrap_or(PORT))
            }
            _ => (self.0.clone(), PORT),
        }
    }
}

parsed_text!(DnsServer, BadDnsServer);

/// How updates are signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TsigAlgorithm {
    /// `hmac-sha256`
    #[default]
    #[serde(rename = "hmac-sha256")]
    Sha256,
    /// `hmac-sha512`
    #[serde(rename = "hmac-sha512")]
    Sha512,
}

impl TsigAlgorithm {
    /// Its name in the protocol.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Sha256 => "hmac-sha256",
            Self::Sha512 => "hmac-sha512",
        }
    }

    /// By that name; none for those that nobody should use any more.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        let all = [Self::Sha256, Self::Sha512];
        let word = word.trim().trim_end_matches('.').to_ascii_lowercase();
        all.into_iter().find(|one| one.word() == word)
    }
}

/// A key for updates, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateKey {
    /// What the server calls it.
    pub name: RecordName,
    /// How it signs.
    pub algorithm: TsigAlgorithm,
}

/// Where updates go, and what they are signed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateServer {
    /// The primary server of the zones.
    pub server: DnsServer,
    /// The key.
    pub key: UpdateKey,
    /// Its secret, in base64.
    pub secret: KeyText,
}

/// What `tsig-keygen` prints, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// The key; none where the text is a secret alone.
    pub key: Option<UpdateKey>,
    /// Its secret, in base64.
    pub secret: KeyText,
}

/// The text of a key file makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKeyFile {
    /// Neither a secret in base64 nor a `key` statement.
    #[error("it holds neither a secret in base64 nor what `tsig-keygen` prints")]
    Unreadable,
    /// MD5, SHA-1, or one that nobody knows.
    #[error(
        "the key is for another algorithm than hmac-sha256 and hmac-sha512: make one with `tsig-keygen -a hmac-sha256 NAME`"
    )]
    Algorithm,
}

impl KeyFile {
    /// Reads a secret in base64, or `key "NAME" { algorithm hmac-sha256; secret "…"; };`.
    pub fn parse(text: &str) -> Result<Self, BadKeyFile> {
        let words: Vec<&str> = text
            .split(|c: char| c.is_whitespace() || "{};\"".contains(c))
            .filter(|word| !word.is_empty())
            .collect();
        match words.as_slice() {
            [secret] => Ok(Self {
                key: None,
                secret: secret_of(secret)?,
            }),
            ["key", name, rest @ ..] => {
                let after = |key: &str| {
                    let at = rest.iter().position(|word| *word == key)?;
                    rest.get(at + 1).copied()
                };
                let algorithm = after("algorithm").ok_or(BadKeyFile::Unreadable)?;
                let algorithm = TsigAlgorithm::named(algorithm).ok_or(BadKeyFile::Algorithm)?;
                let name = RecordName::parse(name).map_err(|_| BadKeyFile::Unreadable)?;
                let secret = after("secret").ok_or(BadKeyFile::Unreadable)?;
                Ok(Self {
                    key: Some(UpdateKey { name, algorithm }),
                    secret: secret_of(secret)?,
                })
            }
            _ => Err(BadKeyFile::Unreadable),
        }
    }
}

fn secret_of(text: &str) -> Result<KeyText, BadKeyFile> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"+/=".contains(&b);
    let is_secret = (20..=512).contains(&text.len())
        && text.len().is_multiple_of(4)
        && text.bytes().all(is_plain);
    if is_secret {
        Ok(KeyText::new(text.to_owned()))
    } else {
        Err(BadKeyFile::Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_dns_are_plain_and_may_have_underscores() {
        let name = Hostname::parse("shop.example").unwrap();
        let own = RecordName::of_challenge(&name).unwrap();
        assert_eq!(own.as_str(), "_acme-challenge.shop.example");
        assert_eq!(
            RecordName::parse("A.Example.").unwrap().as_str(),
            "a.example"
        );
        let long = "a".repeat(64);
        for bad in ["", ".", "a..b", "a b", "*.a", "a\n", "a/b", long.as_str()] {
            assert!(RecordName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_server_is_an_address_or_a_name_with_a_port_or_without() {
        for (text, host, port) in [
            ("192.0.2.1", "192.0.2.1", 53),
            ("192.0.2.1:5353", "192.0.2.1", 5353),
            ("2001:db8::1", "2001:db8::1", 53),
            ("[2001:db8::1]:5353", "2001:db8::1", 5353),
            ("ns1.example.org", "ns1.example.org", 53),
            ("ns1.example.org:5353", "ns1.example.org", 5353),
        ] {
            let server = DnsServer::parse(text).unwrap();
            assert_eq!(server.host_and_port(), (host.to_owned(), port), "{text}");
        }
        for bad in [
            "",
            "ns1",
            "a b.example",
            "192.0.2.1:x",
            "https://a.example",
            ":53",
        ] {
            assert!(DnsServer::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_is_read_as_tsig_keygen_prints_it_and_as_a_secret_alone() {
        let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ=";
        let printed =
            format!("key \"lala-key\" {{\n\talgorithm hmac-sha512;\n\tsecret \"{secret}\";\n}};\n");
        let read = KeyFile::parse(&printed).unwrap();
        let key = read.key.unwrap();
        assert_eq!(
            (key.name.as_str(), key.algorithm),
            ("lala-key", TsigAlgorithm::Sha512)
        );
        assert_eq!(read.secret.reveal(), secret);
        assert_eq!(KeyFile::parse(&format!("{secret}\n")).unwrap().key, None);
        let old = printed.replace("sha512", "md5");
        assert_eq!(KeyFile::parse(&old).unwrap_err(), BadKeyFile::Algorithm);
        for bad in ["", "short", "key x {", "not base64 at all"] {
            assert_eq!(
                KeyFile::parse(bad).unwrap_err(),
                BadKeyFile::Unreadable,
                "{bad}"
            );
        }
        assert!(!format!("{:?}", KeyFile::parse(&printed)).contains(secret));
    }

    #[test]
    fn a_proof_is_43_characters_of_base64url() {
        assert!(ProofText::parse(&"a".repeat(43)).is_ok());
        for bad in [
            String::new(),
            "a".repeat(42),
            format!("{}=", "a".repeat(42)),
        ] {
            assert!(ProofText::parse(&bad).is_err(), "{bad}");
        }
        assert!(DnsName::parse("bind-1").is_ok());
        for bad in ["", "1a", "../x", "Bind", "a b"] {
            assert!(DnsName::parse(bad).is_err(), "{bad}");
        }
    }
}
