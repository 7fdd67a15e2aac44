//! What passes between two workers when a site is copied: a stream of names, modes and bytes, with no paths in it.
//!
//! Invariant: what is read here was written with another site's uid and is decoded as such: a name is one plain component,
//! nothing is longer than its limit, and what is not understood ends the copy.

use std::io::{Error, ErrorKind, Read, Result, Write};

/// Bytes of a file that are sent at a time.
pub(super) const CHUNK: usize = 64 * 1024;
/// Linux's limit for a name.
const NAME: usize = 255;
/// Linux's limit for where a link points.
const TARGET: usize = 4095;

/// One thing in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Parcel {
    /// A directory; what follows is in it, up to its `Leave`.
    Enter { name: Vec<u8>, mode: u32 },
    /// The end of the directory that was entered last.
    Leave,
    /// A file; its bytes follow as `Bytes`, ended by an empty one.
    File { name: Vec<u8>, mode: u32 },
    /// Some bytes of the file that was begun last.
    Bytes(Vec<u8>),
    /// A link that stays within the tree.
    Link { name: Vec<u8>, target: Vec<u8> },
    /// Everything was sent; so many things were left out.
    End { left_out: u64 },
}

impl Parcel {
    /// Writes it.
    pub(super) fn send(&self, to: &mut impl Write) -> Result<()> {
        match self {
            Self::Enter { name, mode } => named(to, b'd', name, *mode),
            Self::Leave => to.write_all(b"u"),
            Self::File { name, mode } => named(to, b'f', name, *mode),
            Self::Bytes(bytes) => {
                to.write_all(b"b")?;
                text(to, bytes)
            }
            Self::Link { name, target } => {
                to.write_all(b"l")?;
                text(to, name)?;
                text(to, target)
            }
            Self::End { left_out } => {
                to.write_all(b"e")?;
                to.write_all(&left_out.to_be_bytes())
            }
        }
    }

    /// Reads the next one.
    pub(super) fn receive(from: &mut impl Read) -> Result<Self> {
        let [kind] = exactly::<1>(from)?;
        Ok(match kind {
            b'd' => Self::Enter {
                name: name(from)?,
                mode: mode(from)?,
            },
            b'u' => Self::Leave,
            b'f' => Self::File {
                name: name(from)?,
                mode: mode(from)?,
            },
            b'b' => Self::Bytes(limited(from, CHUNK)?),
            b'l' => Self::Link {
                name: name(from)?,
                target: limited(from, TARGET)?,
            },
            b'e' => Self::End {
                left_out: u64::from_be_bytes(exactly(from)?),
            },
            _ => return Err(strange("a kind that does not exist")),
        })
    }
}

fn named(to: &mut impl Write, kind: u8, name: &[u8], mode: u32) -> Result<()> {
    to.write_all(&[kind])?;
    text(to, name)?;
    to.write_all(&mode.to_be_bytes())
}

fn text(to: &mut impl Write, bytes: &[u8]) -> Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| strange("a text that is too long"))?;
    to.write_all(&length.to_be_bytes())?;
    to.write_all(bytes)
}

fn limited(from: &mut impl Read, limit: usize) -> Result<Vec<u8>> {
    let length = u32::from_be_bytes(exactly(from)?);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > limit {
        return Err(strange("a text that is too long"));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn name(from: &mut impl Read) -> Result<Vec<u8>> {
    let name = limited(from, NAME)?;
    let is_plain = !matches!(name.as_slice(), b"" | b"." | b"..")
        && !name.iter().any(|byte| matches!(byte, 0 | b'/'));
    if is_plain {
        Ok(name)
    } else {
        Err(strange("a name that is none"))
    }
}

/// Never the bits that let a program run as somebody else.
fn mode(from: &mut impl Read) -> Result<u32> {
    Ok(u32::from_be_bytes(exactly(from)?) & 0o777)
}

fn exactly<const N: usize>(from: &mut impl Read) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn strange(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sent(parcel: &Parcel) -> Vec<u8> {
        let mut bytes = Vec::new();
        parcel.send(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_is_sent_is_what_is_received() {
        let (name, mode) = (b"a b\xff".to_vec(), 0o640);
        let parcels = [
            Parcel::Enter {
                name: name.clone(),
                mode,
            },
            Parcel::File {
                name: name.clone(),
                mode,
            },
            Parcel::Bytes(vec![7; CHUNK]),
            Parcel::Bytes(Vec::new()),
            Parcel::Leave,
            Parcel::Link {
                name,
                target: b"../x".to_vec(),
            },
            Parcel::End { left_out: 3 },
        ];
        let stream: Vec<u8> = parcels.iter().flat_map(sent).collect();
        let mut from = stream.as_slice();
        for parcel in &parcels {
            assert_eq!(&Parcel::receive(&mut from).unwrap(), parcel);
        }
        assert!(Parcel::receive(&mut from).is_err(), "nothing is left");
    }

    #[test]
    fn names_that_lead_elsewhere_and_bits_that_lend_rights_do_not_arrive() {
        for bad in [
            &b""[..],
            b".",
            b"..",
            b"a/b",
            b"/etc",
            b"a\0b",
            &[b'a'; 256],
        ] {
            let parcel = Parcel::File {
                name: bad.to_vec(),
                mode: 0o644,
            };
            assert!(Parcel::receive(&mut sent(&parcel).as_slice()).is_err());
        }
        let lending = Parcel::File {
            name: b"a".to_vec(),
            mode: 0o6755,
        };
        let received = Parcel::receive(&mut sent(&lending).as_slice()).unwrap();
        assert!(matches!(received, Parcel::File { mode: 0o755, .. }));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_and_never_more_than_there_are(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let mut from = bytes.as_slice();
            while let Ok(parcel) = Parcel::receive(&mut from) {
                prop_assert!(sent(&parcel).len() <= bytes.len());
            }
        }
    }
}
