//! The passwords that attackers try first: 139 974 of them, as a set of hashes in the binary.
//!
//! Invariant: whatever is on the list is found. What is not on it is found by chance once in 32 768 look-ups.
//!
//! `packaging/common-passwords` writes the set and says how it is coded; SECURITY.md says where the list is from.

use sha2::{Digest, Sha256};

const SET: &[u8] = include_bytes!("common_passwords.gcs");
/// How many entries, and how many low bits a difference has.
const HEADER: usize = 5;
/// After that, where each of the 256 parts begins: four bytes each.
const STARTS: usize = 256 * 4;

/// Is this, letter for letter, on the list? It is kept in lower case.
pub(super) fn has(text: &str) -> bool {
    let hash = Sha256::digest(text.as_bytes());
    let first = hash.first().copied().unwrap_or_default();
    let start = hash
        .iter()
        .take(8)
        .fold(0, |number, byte| number << 8 | u64::from(*byte));
    let Some(part) = Part::of(first) else {
        return false;
    };
    let wanted = part.scale(start);
    part.take_while(|value| *value <= wanted)
        .any(|value| value == wanted)
}

/// The values of all entries whose hashes begin with one byte, the least first.
struct Part {
    count: u64,
    low_bits: u32,
    coded: &'static [u8],
    at: usize,
    value: u64,
}

impl Part {
    fn of(first: u8) -> Option<Self> {
        let (header, rest) = SET.split_at_checked(HEADER)?;
        let (starts, coded) = rest.split_at_checked(STARTS)?;
        let [a, b, c, d, low_bits] = *header else {
            return None;
        };
        let start = |part: usize| {
            let bytes: [u8; 4] = starts.get(part * 4..part * 4 + 4)?.try_into().ok()?;
            usize::try_from(u32::from_be_bytes(bytes)).ok()
        };
        let from = start(first.into())?;
        let to = start(usize::from(first) + 1).unwrap_or(coded.len());
        let mut part = Self {
            count: u32::from_be_bytes([a, b, c, d]).into(),
            low_bits: low_bits.into(),
            coded: coded.get(from..to)?,
            at: 0,
            value: 0,
        };
        part.value = part.scale(u64::from(first) << 56);
        Some(part)
    }

    /// Where the first eight bytes of a hash stand among `0..count * 2^low_bits`.
    fn scale(&self, start: u64) -> u64 {
        let span = u128::from(self.count) << self.low_bits;
        u64::try_from((u128::from(start) * span) >> 64).unwrap_or(u64::MAX)
    }

    fn bit(&mut self) -> Option<u64> {
        let byte = self.coded.get(self.at / 8)?;
        let bit = (byte >> (7 - self.at % 8)) & 1;
        self.at += 1;
        Some(bit.into())
    }
}

impl Iterator for Part {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let mut difference = 0;
        while self.bit()? == 1 {
            difference += 1;
        }
        for _ in 0..self.low_bits {
            difference = (difference << 1) | self.bit()?;
        }
        self.value += difference;
        Some(self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_long_and_whole() {
        let parts: Vec<Part> = (0..=255).map(|first| Part::of(first).unwrap()).collect();
        let said = parts[0].count;
        let ends: Vec<u64> = parts.iter().skip(1).map(|part| part.value).collect();
        let mut found = 0;
        for (part, end) in parts.into_iter().zip(ends.into_iter().chain([u64::MAX])) {
            let values: Vec<u64> = part.collect();
            assert!(values.is_sorted() && values.iter().all(|value| *value <= end));
            found += values.len() as u64;
        }
        assert_eq!(found, said);
        assert!(found >= 100_000, "{found}");
        assert!(SET.len() < 350_000, "{}", SET.len());
    }

    #[test]
    fn what_is_on_the_list_is_found() {
        for common in [
            "123456",
            "password",
            "qwerty",
            "dragon",
            "iloveyou",
            "1qaz2wsx3edc",
            "123qweasdzxc",
            "sonyericsson",
            "leavemealone",
        ] {
            assert!(has(common), "{common}");
        }
    }

    #[test]
    fn next_to_nothing_else_is_found() {
        let found = (0..30_000)
            .filter(|number| has(&format!("nobody types this: {number}")))
            .count();
        // One in 32 768 each, so about one; six would be one chance in two thousand, and the texts never change.
        assert!(found < 6, "{found}");
    }
}
