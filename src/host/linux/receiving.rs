//! A file that comes over a Unix socket in parts, in bounded time and of bounded size.
//!
//! Invariant: what is not whole never gets the file's name, and no more than one part of it is in memory.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use crate::domain::path::HostPath;
use crate::host::linux::{exchange, files};
use crate::host::{HostError, HostResult, Receiving};

/// See [`crate::host::Host::receive`].
pub(super) fn receive(
    root: BorrowedFd<'_>,
    socket: &HostPath,
    bytes: &[u8],
    into: &HostPath,
    limits: Receiving,
) -> HostResult<Vec<u8>> {
    let deadline = Instant::now() + Duration::from_millis(limits.millis);
    let stream = ask(root, socket, bytes, deadline).map_err(|source| HostError::Silent {
        path: socket.clone(),
        source,
    })?;
    let mut peer = Peer { stream, deadline };
    let mut received = None;
    let replaced = files::replace(root, into, |directory, temporary| {
        let file = files::fresh(directory, temporary)?;
        let outcome = fill(&mut peer, file, limits, socket, into);
        let is_whole = outcome.is_ok();
        received = Some(outcome);
        // The error itself is told below.
        if is_whole { Ok(()) } else { Err(Errno::EIO) }
    });
    match received {
        Some(Ok(rest)) => replaced.map(|()| rest),
        Some(Err(error)) => Err(error),
        None => Err(replaced
            .err()
            .unwrap_or_else(|| HostError::Missing { path: into.clone() })),
    }
}

/// The parts into the file; what follows comes back.
fn fill(
    peer: &mut Peer,
    mut file: File,
    limits: Receiving,
    socket: &HostPath,
    into: &HostPath,
) -> HostResult<Vec<u8>> {
    let broken = |source| HostError::Broken {
        path: socket.clone(),
        source,
    };
    let unwritten = |source| files::io("writing", into, source);
    let (mut whole, mut buffer) = (0_u64, vec![0_u8; limits.part]);
    loop {
        let mut header = [0_u8; 4];
        peer.read_exact(&mut header).map_err(broken)?;
        let length = u32::from_be_bytes(header);
        if length == 0 {
            break;
        }
        whole = whole.saturating_add(u64::from(length));
        let part = usize::try_from(length).ok();
        let Some(part) = part.and_then(|length| buffer.get_mut(..length)) else {
            return Err(broken(ErrorKind::InvalidData.into()));
        };
        if whole > limits.most {
            return Err(broken(ErrorKind::FileTooLarge.into()));
        }
        peer.read_exact(part).map_err(broken)?;
        file.write_all(part).map_err(unwritten)?;
    }
    let mut rest = Vec::new();
    let most = u64::try_from(limits.rest).unwrap_or(u64::MAX);
    peer.take(most).read_to_end(&mut rest).map_err(broken)?;
    file.sync_all().map_err(unwritten)?;
    Ok(rest)
}

fn ask(
    root: BorrowedFd<'_>,
    socket: &HostPath,
    bytes: &[u8],
    deadline: Instant,
) -> std::io::Result<UnixStream> {
    let mut stream = exchange::connected(root, socket, deadline)?;
    stream.set_write_timeout(Some(exchange::left(deadline)?))?;
    stream.write_all(bytes)?;
    Ok(stream)
}

/// Whoever sends, for as long as there is time.
struct Peer {
    stream: UnixStream,
    deadline: Instant,
}

impl Read for Peer {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = exchange::left(self.deadline)?;
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixListener;

    const LIMITS: Receiving = Receiving {
        most: 10,
        part: 6,
        rest: 4,
        millis: 5000,
    };

    /// What comes back, what the file holds then, and how many names are in the directory.
    fn sent(bytes: &'static [u8]) -> (HostResult<Vec<u8>>, Option<String>, usize) {
        let scratch = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(scratch.path().join("s")).unwrap();
        let root = File::open(scratch.path()).unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut question = [0; 8];
            stream.read_exact(&mut question).unwrap();
            let _ = stream.write_all(bytes);
        });
        let (socket, into) = (HostPath::fixed("/s"), HostPath::fixed("/f"));
        let rest = receive(root.as_fd(), &socket, b"question", &into, LIMITS);
        server.join().unwrap();
        let text = files::read(root.as_fd(), &into, 99).ok();
        let text = text.map(|bytes| String::from_utf8(bytes).unwrap());
        let names = files::list(root.as_fd(), &HostPath::fixed("/x").parent()).unwrap();
        (rest, text, names.len())
    }

    #[test]
    fn parts_become_a_file_and_what_follows_is_returned() {
        let (rest, text, names) = sent(b"\0\0\0\x03one\0\0\0\x04four\0\0\0\0rest and more");
        assert_eq!(rest.unwrap(), b"rest");
        assert_eq!((text.as_deref(), names), (Some("onefour"), 2));
        let (rest, text, _) = sent(b"\0\0\0\0no");
        assert_eq!(
            (rest.unwrap().as_slice(), text.as_deref()),
            (b"no".as_slice(), Some(""))
        );
    }

    #[test]
    fn what_breaks_off_or_is_too_long_leaves_nothing() {
        for bytes in [
            b"\0\0\0\x03one".as_slice(),
            b"\0\0\0\x05one",
            b"\0\0",
            b"",
            b"\0\0\0\x07seven..\0\0\0\0",
            b"\0\0\0\x06sixsix\0\0\0\x05fives\0\0\0\0",
            b"\xff\xff\xff\xff",
        ] {
            let (rest, text, names) = sent(bytes);
            assert!(matches!(rest, Err(HostError::Broken { .. })), "{bytes:?}");
            assert_eq!((text, names), (None, 1), "{bytes:?}");
        }
    }

    #[test]
    fn a_peer_that_is_silent_for_too_long_leaves_nothing() {
        let scratch = tempfile::tempdir().unwrap();
        let _listener = UnixListener::bind(scratch.path().join("s")).unwrap();
        let root = File::open(scratch.path()).unwrap();
        let limits = Receiving {
            millis: 50,
            ..LIMITS
        };
        let (socket, into) = (HostPath::fixed("/s"), HostPath::fixed("/f"));
        let rest = receive(root.as_fd(), &socket, b"question", &into, limits);
        assert!(matches!(rest, Err(HostError::Broken { .. })));
        assert!(files::stat(root.as_fd(), &into).unwrap().is_none());
    }
}
