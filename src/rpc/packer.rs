//! Packs a stream of SQL on its way into a file or a browser. Done by whoever wants it packed, never by the agent.
//!
//! Invariant: what was given is only whole once `finish` has ended well.

use std::io::{Result, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::domain::dump_format::DumpFormat;

/// Fast: a dump is large and most of it is text.
const GZIP: u32 = 4;
const ZSTD: i32 = 3;

/// Packs what is written.
pub enum Packer<W: Write> {
    /// Not at all.
    Plain(W),
    /// By gzip.
    Gzip(GzEncoder<W>),
    /// By zstd.
    Zstd(zstd::Encoder<'static, W>),
}

impl<W: Write> Packer<W> {
    /// A packer into `to`.
    pub fn new(format: DumpFormat, to: W) -> Result<Self> {
        Ok(match format {
            DumpFormat::Plain => Self::Plain(to),
            DumpFormat::Gzip => Self::Gzip(GzEncoder::new(to, Compression::new(GZIP))),
            DumpFormat::Zstd => {
                let mut encoder = zstd::Encoder::new(to, ZSTD)?;
                encoder.include_checksum(true)?;
                Self::Zstd(encoder)
            }
        })
    }

    /// What it writes into.
    pub fn inside(&mut self) -> &mut W {
        match self {
            Self::Plain(to) => to,
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
        }
    }

    /// Writes the end, and gives back what it wrote into.
    pub fn finish(self) -> Result<W> {
        match self {
            Self::Plain(to) => Ok(to),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Packer<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match self {
            Self::Plain(to) => to.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> Result<()> {
        match self {
            Self::Plain(to) => to.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_is_packed_comes_out_the_same() {
        let text = "INSERT INTO t VALUES (1);\n".repeat(9000);
        for format in DumpFormat::ALL {
            let mut packer = Packer::new(format, Vec::new()).unwrap();
            packer.write_all(text.as_bytes()).unwrap();
            let packed = packer.finish().unwrap();
            let mut back = String::new();
            let from = packed.as_slice();
            let read = match format {
                DumpFormat::Plain => { from }.read_to_string(&mut back),
                DumpFormat::Gzip => flate2::read::GzDecoder::new(from).read_to_string(&mut back),
                DumpFormat::Zstd => zstd::Decoder::new(from).unwrap().read_to_string(&mut back),
            };
            assert_eq!(read.unwrap(), text.len());
            assert_eq!(back, text);
            assert_eq!(packed.len() < text.len() / 10, format != DumpFormat::Plain);
        }
    }
}
