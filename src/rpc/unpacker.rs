//! Unpacks a dump on its way to the agent, by what is in it and not by its name. Done by whoever was given it, never by the agent.
//!
//! Invariant: nobody holds more of it than what the format needs to go back to, however much it comes to.

use std::io::{Cursor, Read};

use flate2::read::MultiGzDecoder;

/// The SQL in what is plain, or packed by gzip or zstd.
pub fn unpacked(mut from: Box<dyn Read>) -> std::io::Result<Box<dyn Read>> {
    let mut start = Vec::new();
    (&mut from).take(4).read_to_end(&mut start)?;
    let kind = start.clone();
    let whole = Cursor::new(start).chain(from);
    Ok(match kind.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(whole)),
        [0x28, 0xb5, 0x2f, 0xfd] => Box::new(zstd::Decoder::new(whole)?),
        _ => Box::new(whole),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::domain::dump_format::DumpFormat;
    use crate::rpc::packer::Packer;

    #[test]
    fn what_is_packed_is_known_by_its_first_bytes() {
        let text = "CREATE TABLE t (x INT);\n".repeat(5000);
        for format in DumpFormat::ALL {
            let mut packer = Packer::new(format, Vec::new()).unwrap();
            packer.write_all(text.as_bytes()).unwrap();
            let packed = packer.finish().unwrap();
            let mut back = String::new();
            let from = Cursor::new(packed.clone());
            let read = unpacked(Box::new(from)).unwrap().read_to_string(&mut back);
            assert_eq!(read.unwrap(), text.len());
            assert_eq!(back, text);
            if format != DumpFormat::Plain {
                let cut = Cursor::new(packed[..packed.len() / 2].to_vec());
                let read = unpacked(Box::new(cut)).unwrap().read_to_string(&mut back);
                assert!(read.is_err(), "{format:?} cut in the middle");
            }
        }
        let mut nothing = String::new();
        let mut empty = unpacked(Box::new(std::io::empty())).unwrap();
        assert_eq!(empty.read_to_string(&mut nothing).unwrap(), 0);
    }
}
