//! The extra repository's source of packages (deb822) and its key.
//!
//! Invariant: the key is the one of the fingerprint below and no other; a test computes it from the embedded bytes.

use crate::domain::path::HostPath;

/// How its Release file calls it.
pub const ORIGIN: &str = "deb.sury.org";
/// The one key it may be signed by.
pub const FINGERPRINT: &str = "15058500A0235D97F5D10063B188E2B695BD4743";
/// That key, as Debian's own package `extrepo-offline-data` 1.0.7 has it; it ends on 4 February 2028.
pub const KEY: &str = include_str!("../../packaging/keys/deb.sury.org.asc");
/// Debian releases that it is used for.
pub const SUITES: &[&str] = &["bookworm", "trixie"];
/// What a person should know before it is turned on.
pub const EXPLANATION: &[&str] = &[
    "packages.sury.org is run by Ondřej Surý, who also maintains PHP in Debian. It is not Debian: neither its security team nor its long-term support covers it.",
    "apt accepts it only by the key 15058500A0235D97F5D10063B188E2B695BD4743, which is part of this program and ends on 4 February 2028, and only for this source.",
    "Its PHP-FPM reports to telemetry.sury.org over DNS at every start (php.net warns of it since March 2026). A line `0.0.0.0 telemetry.sury.org` in `/etc/hosts` is meant to stop that; Lala does not write it for you.",
    "It also has newer builds of the distribution's own PHP and of some libraries. `apt-get upgrade` takes them; Debian's automatic upgrades leave this repository out, so its security fixes come when you run `apt-get upgrade`.",
];

/// Where the key lies: apt reads an armoured key by its ending.
#[must_use]
pub fn key_file() -> HostPath {
    HostPath::fixed("/etc/apt/keyrings/lalapanel-php.asc")
}

/// Where the source lies.
#[must_use]
pub fn source_file() -> HostPath {
    HostPath::fixed("/etc/apt/sources.list.d/lalapanel-php.sources")
}

/// The source for a Debian release.
#[must_use]
pub fn source(suite: &str) -> String {
    format!(
        "# {}\n\
         Types: deb\n\
         URIs: https://packages.sury.org/php/\n\
         Suites: {suite}\n\
         Components: main\n\
         Signed-By: {}\n",
        super::OWNED,
        key_file()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::hex;
    use crate::render::golden;
    use sha1::{Digest, Sha1};

    #[test]
    fn the_file_is_the_golden_one() {
        golden::check("php-repository.sources", &source("trixie"));
    }

    /// Bytes of an armoured text (RFC 9580, section 6.2): what stands between the empty line and the checksum.
    fn unarmoured(text: &str) -> Vec<u8> {
        let body = text.split_once("\n\n").unwrap().1;
        let lines = body
            .lines()
            .take_while(|line| !line.starts_with(['=', '-']));
        let mut bytes = Vec::new();
        let (mut bits, mut held) = (0_u32, 0_u32);
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for letter in lines.flat_map(str::bytes).filter(|letter| *letter != b'=') {
            let value = alphabet.iter().position(|known| *known == letter).unwrap();
            bits = bits << 6 | u32::try_from(value).unwrap();
            held += 6;
            if held >= 8 {
                held -= 8;
                bytes.push(u8::try_from(bits >> held & 0xff).unwrap());
            }
        }
        bytes
    }

    /// Tag and content of every packet (RFC 9580, section 4.2), in both forms of headers.
    fn packets(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
        let mut found = Vec::new();
        while let Some((&first, rest)) = bytes.split_first() {
            let number = |count: usize| {
                let digits = rest.iter().take(count);
                digits.fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte))
            };
            let (tag, skip, length) = if first & 0x40 == 0 {
                let skip = 1 << (first & 3);
                (first >> 2 & 15, skip, number(skip))
            } else {
                match rest[0] {
                    short @ 0..=191 => (first & 63, 1, usize::from(short)),
                    two @ 192..=223 => (
                        first & 63,
                        2,
                        (usize::from(two) - 192) * 256 + usize::from(rest[1]) + 192,
                    ),
                    _ => panic!("a longer packet than keys have"),
                }
            };
            found.push((tag, &rest[skip..skip + length]));
            bytes = &rest[skip + length..];
        }
        found
    }

    #[test]
    fn the_embedded_key_is_the_one_of_the_fingerprint_and_stands_alone() {
        let bytes = unarmoured(KEY);
        let keys: Vec<&[u8]> = packets(&bytes)
            .into_iter()
            .filter(|(tag, _)| *tag == 6)
            .map(|(_, content)| content)
            .collect();
        assert_eq!(keys.len(), 1, "one primary key");
        // RFC 9580, section 5.5.4.2: a version 4 fingerprint is the SHA-1 of 0x99, two bytes of length and the packet.
        let length = u16::try_from(keys[0].len()).unwrap().to_be_bytes();
        let mut digest = Sha1::new();
        digest.update([0x99]);
        digest.update(length);
        digest.update(keys[0]);
        assert_eq!(hex(&digest.finalize()).to_uppercase(), FINGERPRINT);
        assert!(EXPLANATION.concat().contains(FINGERPRINT));
    }

    #[test]
    fn the_key_is_believed_for_its_own_source_only() {
        let text = source("bookworm");
        assert!(text.contains("Signed-By: /etc/apt/keyrings/lalapanel-php.asc\n"));
        assert!(text.contains("URIs: https://"), "{text}");
    }
}
