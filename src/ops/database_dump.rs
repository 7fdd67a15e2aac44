//! Watches a dump on its way into a database: how much, how long a line, whether there is room, and how it ends.
//!
//! Invariant: nothing of it is kept but its last bytes, and nothing of it is understood here: MariaDB says what it means.

use std::io::{Error, Read, Result, Write};

use crate::domain::fault::{Code, Fault};
use crate::domain::path::HostPath;
use crate::host::Host;

/// No statement may be longer in MariaDB; the client holds a line whole, some times over.
const LONGEST_LINE: u64 = 64 << 20;
/// How often the room is looked at.
const LOOK_EVERY: u64 = 16 << 20;
/// What stays free: MariaDB needs room for what it does besides.
pub(super) const RESERVE: u64 = 512 << 20;
pub(super) const DATA: &str = "/var/lib/mysql";
const END: &[u8] = b"-- Dump completed";
/// The last line, with a date and some blank lines.
const TAIL: usize = 256;

/// Passes a dump on.
pub(super) struct Watched<'a> {
    from: &'a mut dyn Read,
    /// What is seen of it.
    pub(super) watch: Watch<'a>,
}

/// Looks at a dump piece by piece.
pub(super) struct Watch<'a> {
    host: &'a dyn Host,
    /// How many bytes have come.
    pub(super) bytes: u64,
    looked: u64,
    line: u64,
    lines: u64,
    tail: Vec<u8>,
    /// Why it was ended.
    pub(super) refused: Option<Fault>,
}

impl<'a> Watched<'a> {
    pub(super) fn new(host: &'a dyn Host, from: &'a mut dyn Read) -> Self {
        let watch = Watch::new(host);
        Self { from, watch }
    }
}

impl<'a> Watch<'a> {
    pub(super) fn new(host: &'a dyn Host) -> Self {
        Self {
            host,
            bytes: 0,
            looked: 0,
            line: 0,
            lines: 1,
            tail: Vec::new(),
            refused: None,
        }
    }

    /// True where its end has been seen.
    pub(super) fn is_whole(&self) -> bool {
        self.tail.windows(END.len()).any(|part| part == END)
    }

    fn refuse(&mut self, fault: Fault) -> Error {
        let error = Error::other(fault.title.clone());
        self.refused = Some(fault);
        error
    }

    fn room(&mut self) -> Result<()> {
        if self.bytes < self.looked + LOOK_EVERY && self.looked > 0 {
            return Ok(());
        }
        self.looked = self.bytes.max(1);
        let data = HostPath::fixed(DATA);
        match self.host.space(&data) {
            Ok(space) if space.free < RESERVE => Err(self.refuse(Fault::new(
                Code::DiskFull,
                "less than 512 MB are free where MariaDB keeps its data",
                "free some space (`df -h /var/lib/mysql`), then try again",
            ))),
            _ => Ok(()),
        }
    }

    fn measure(&mut self, bytes: &[u8]) -> Result<()> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line += u64::try_from(piece.len()).unwrap_or(u64::MAX);
            if self.line > LONGEST_LINE {
                let number = self.lines;
                return Err(self.refuse(Fault::new(
                    Code::DatabaseUnloaded,
                    format!("line {number} of the dump is longer than 64 MiB"),
                    "write the dump with shorter lines: `mariadb-dump --net-buffer-length=1M`",
                )));
            }
            if piece.ends_with(b"\n") {
                self.line = 0;
                self.lines += 1;
            }
        }
        Ok(())
    }
}

impl Watch<'_> {
    fn see(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.measure(bytes)?;
        self.tail.extend_from_slice(
            bytes
                .get(bytes.len().saturating_sub(TAIL)..)
                .unwrap_or_default(),
        );
        let surplus = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..surplus);
        Ok(())
    }
}

/// A copy of what passes.
impl Write for Watch<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.room()?;
        self.see(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Read for Watched<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        self.watch.room()?;
        let count = match self.from.read(into) {
            Ok(count) => count,
            Err(error) => {
                return Err(self.watch.refuse(
                    Fault::new(
                        Code::DatabaseUnloaded,
                        "the dump broke off on its way; the database is as before",
                        "import it again",
                    )
                    .detail(error.to_string()),
                ));
            }
        };
        self.watch.see(into.get(..count).unwrap_or_default())?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;

    fn watched(mut from: &mut dyn Read) -> (bool, u64, Option<Code>) {
        let host = MemoryHost::new(Machine::debian());
        let mut watched = Watched::new(&host, &mut from);
        let _ = std::io::copy(&mut watched, &mut std::io::sink());
        let watch = watched.watch;
        let code = watch.refused.as_ref().map(|fault| fault.code);
        (watch.is_whole(), watch.bytes, code)
    }

    #[test]
    fn a_dump_is_whole_by_its_last_line_with_or_without_a_date() {
        for end in [
            "-- Dump completed\n",
            "-- Dump completed on 2026-01-01 12:00:00\n",
            "-- Dump completed",
            "-- Dump completed\n\n\n",
        ] {
            let text = format!("{}{end}", "INSERT;\n".repeat(9000));
            let expected = (true, text.len() as u64, None);
            assert_eq!(watched(&mut text.as_bytes()), expected);
        }
        let cut = format!("-- Dump completed\n{}", "INSERT;\n".repeat(90));
        assert!(!watched(&mut cut.as_bytes()).0);
    }

    #[test]
    fn one_endless_line_is_refused_before_it_is_held() {
        let mut endless = std::io::repeat(b'x').take(1 << 30);
        let (whole, bytes, code) = watched(&mut endless);
        assert_eq!((whole, code), (false, Some(Code::DatabaseUnloaded)));
        assert!(bytes < LONGEST_LINE + (1 << 20), "{bytes}");
        let lines = b"0123456789\n".repeat(100_000);
        let mut many = std::iter::repeat_n(lines, 70).flatten();
        let mut text = vec![0; 70 * 1_100_000];
        text.fill_with(|| many.next().unwrap());
        assert_eq!(watched(&mut text.as_slice()).2, None, "many lines are fine");
    }

    #[test]
    fn what_breaks_off_on_its_way_is_said_so() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> Result<usize> {
                Err(std::io::ErrorKind::UnexpectedEof.into())
            }
        }
        assert_eq!(watched(&mut Broken).2, Some(Code::DatabaseUnloaded));
    }
}
