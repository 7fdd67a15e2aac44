//! Looks into an archive of WordPress on its way for the version it calls itself.
//!
//! Invariant: what is unpacked for that is thrown away at once, and is bounded; nothing of an archive can make it fail.

use std::io::Write;

use flate2::write::GzDecoder;

use crate::domain::archive::WordpressVersion;

/// As `wp-includes/version.php` has it, since version 1.5.
const BEFORE: &[u8] = b"\n$wp_version = '";
/// Longer than a version.
const TAIL: usize = 64;
/// A WordPress has 80 MB; after so much nothing is looked at any more.
const MOST: u64 = 200 << 20;

/// Sees an archive go by.
pub(super) struct Looking(Option<GzDecoder<Seen>>);

/// The end of what went by, and the version once it was there.
#[derive(Default)]
struct Seen {
    tail: Vec<u8>,
    count: u64,
    version: Option<WordpressVersion>,
}

impl Looking {
    /// Nothing seen yet.
    pub(super) fn new() -> Self {
        Self(Some(GzDecoder::new(Seen::default())))
    }

    /// The next part of the archive.
    pub(super) fn at(&mut self, part: &[u8]) {
        let goes_on = self.0.as_mut().is_some_and(|decoder| {
            let seen = decoder.get_ref();
            let is_wanted = seen.version.is_none() && seen.count < MOST;
            is_wanted && decoder.write_all(part).is_ok()
        });
        let found = self.version();
        if !goes_on && found.is_none() {
            self.0 = None;
        }
    }

    /// What was found.
    pub(super) fn version(&self) -> Option<WordpressVersion> {
        self.0.as_ref()?.get_ref().version.clone()
    }
}

impl Write for Seen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.count = self.count.saturating_add(bytes.len() as u64);
        self.tail.extend_from_slice(bytes);
        if self.version.is_none() {
            self.version = found(&self.tail);
        }
        let gone = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..gone);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn found(text: &[u8]) -> Option<WordpressVersion> {
    let at = text.windows(BEFORE.len()).position(|part| part == BEFORE)?;
    let rest = text.get(at.checked_add(BEFORE.len())?..)?;
    let end = rest.iter().position(|byte| *byte == b'\'')?;
    WordpressVersion::parse(std::str::from_utf8(rest.get(..end)?).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn seen(text: &[u8], part: usize) -> Option<String> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        let packed = encoder.finish().unwrap();
        let mut looking = Looking::new();
        packed.chunks(part).for_each(|part| looking.at(part));
        looking.version().map(|version| version.to_string())
    }

    #[test]
    fn the_version_is_found_wherever_the_parts_end() {
        let mut text = b"x".repeat(100_000);
        text.extend(b"\n */\n$wp_version = '6.8.2';\n");
        text.extend(b"y".repeat(100_000));
        for part in [1, 7, 100, 1 << 20] {
            assert_eq!(seen(&text, part).as_deref(), Some("6.8.2"));
        }
    }

    #[test]
    fn what_is_no_archive_or_says_no_version_has_none() {
        assert_eq!(seen(b"nothing here", 5), None);
        assert_eq!(seen(b"\n$wp_version = '<script>';", 5), None);
        let mut looking = Looking::new();
        looking.at(b"no gzip at all");
        looking.at(b"more");
        assert_eq!(looking.version(), None);
    }
}
