//! How much of a dump has passed, said now and then where a person watches.
//!
//! Invariant: what passes is passed on as it is.

use std::io::{Read, Write};

use crate::cli::output::Output;

/// How many bytes lie between two lines.
const STEP: u64 = 4 << 20;

/// Passes on what is read or written, and counts it.
pub(super) struct Watched<'a, T> {
    inner: T,
    output: &'a mut Output,
    bytes: u64,
    told: u64,
}

impl<'a, T> Watched<'a, T> {
    pub(super) fn new(inner: T, output: &'a mut Output) -> Self {
        Self {
            inner,
            output,
            bytes: 0,
            told: 0,
        }
    }

    fn count(&mut self, bytes: usize) {
        self.bytes += u64::try_from(bytes).unwrap_or_default();
        if self.bytes >= self.told + STEP {
            self.told = self.bytes;
            let line = format!("{} of SQL so far", amount(self.bytes));
            self.output.unfinished(&line);
        }
    }
}

impl<T: Write> Write for Watched<'_, T> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.count(count);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Read for Watched<'_, T> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(into)?;
        self.count(count);
        Ok(count)
    }
}

/// `3.4 MB`.
pub(super) fn amount(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let (mut whole, mut rest, mut unit) = (bytes, 0, "B");
    for next in UNITS {
        if whole < 1000 {
            break;
        }
        (rest, whole, unit) = (whole % 1000 / 100, whole / 1000, next);
    }
    format!("{whole}.{rest} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_told_with_one_digit_behind_the_point() {
        for (bytes, words) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (12_345, "12.3 kB"),
            (999_999, "999.9 kB"),
            (1_073_741_824, "1.0 GB"),
            (5_000_000_000_000, "5.0 TB"),
        ] {
            assert_eq!(amount(bytes), words);
        }
    }
}
