//! One question and one answer over a Unix socket, in bounded time.
//!
//! Invariant: connecting, sending and receiving share one deadline; a socket is reached by handle, never through a link.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::fcntl::{OFlag, openat};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, connect, setsockopt, socket, sockopt,
};
use nix::sys::stat::Mode;
use nix::sys::time::{TimeVal, TimeValLike};

use crate::domain::path::HostPath;
use crate::host::walk::{self, Trust};
use crate::host::{HostError, HostResult};

/// See [`crate::host::Host::exchange`].
pub(super) fn exchange(
    root: BorrowedFd<'_>,
    path: &HostPath,
    bytes: &[u8],
    limit: usize,
    millis: u64,
) -> HostResult<Vec<u8>> {
    let deadline = Instant::now() + Duration::from_millis(millis);
    talk(root, path, bytes, limit, deadline).map_err(|source| HostError::Silent {
        path: path.clone(),
        source,
    })
}

fn talk(
    root: BorrowedFd<'_>,
    path: &HostPath,
    bytes: &[u8],
    limit: usize,
    deadline: Instant,
) -> std::io::Result<Vec<u8>> {
    let mut stream = connected(root, path, deadline)?;
    stream.set_write_timeout(Some(left(deadline)?))?;
    stream.write_all(bytes)?;
    let mut answer = Vec::new();
    let mut buffer = [0_u8; 8192];
    while answer.len() < limit {
        let read = left(deadline)
            .and_then(|left| stream.set_read_timeout(Some(left)))
            .and_then(|()| stream.read(&mut buffer));
        match read {
            Ok(0) => break,
            Ok(count) => answer.extend(buffer.iter().take(count)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // What came before the deadline counts; silence is an error.
            Err(error) if answer.is_empty() => return Err(error),
            Err(_) => break,
        }
    }
    answer.truncate(limit);
    Ok(answer)
}

pub(super) fn left(deadline: Instant) -> std::io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        Err(ErrorKind::TimedOut.into())
    } else {
        Ok(left)
    }
}

/// Why not `UnixStream::connect`: it waits for ever while the backlog is full, it follows links, and a path below a test's
/// directory can be longer than the 107 bytes of a socket address; the handle's `/proc` name is short.
pub(super) fn connected(
    root: BorrowedFd<'_>,
    path: &HostPath,
    deadline: Instant,
) -> std::io::Result<UnixStream> {
    let (directory, name) =
        walk::parent(root, path, Trust::Plain).map_err(std::io::Error::other)?;
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let handle = openat(directory.as_fd(), name, flags, Mode::empty())?;
    let socket = socket(
        AddressFamily::Unix,
        SockType::Stream,
        SockFlag::SOCK_CLOEXEC,
        None,
    )?;
    let micros = i64::try_from(left(deadline)?.as_micros()).unwrap_or(i64::MAX);
    setsockopt(
        &socket,
        sockopt::SendTimeout,
        &TimeVal::microseconds(micros),
    )?;
    let address = UnixAddr::new(format!("/proc/self/fd/{}", handle.as_raw_fd()).as_str())?;
    connect(socket.as_raw_fd(), &address)?;
    Ok(UnixStream::from(socket))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    fn with_server(
        serve: impl FnOnce(UnixListener) + Send + 'static,
        millis: u64,
    ) -> HostResult<Vec<u8>> {
        let scratch = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(scratch.path().join("s")).unwrap();
        let root = std::fs::File::open(scratch.path()).unwrap();
        let server = std::thread::spawn(move || serve(listener));
        let answer = exchange(root.as_fd(), &HostPath::fixed("/s"), b"question", 6, millis);
        server.join().unwrap();
        answer
    }

    #[test]
    fn an_answer_is_read_until_the_peer_closes_or_the_limit_is_reached() {
        let answer = with_server(
            |listener| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut question = [0; 8];
                stream.read_exact(&mut question).unwrap();
                stream.write_all(&question).unwrap();
            },
            5000,
        );
        assert_eq!(answer.unwrap(), b"questi");
    }

    #[test]
    fn a_peer_that_says_nothing_in_time_is_silent() {
        let (done, wait) = std::sync::mpsc::channel::<()>();
        let server = move |listener: UnixListener| {
            let accepted = listener.accept().unwrap();
            let _ = wait.recv_timeout(Duration::from_millis(300));
            drop(accepted);
        };
        let answer = with_server(server, 30);
        assert!(matches!(answer, Err(HostError::Silent { .. })));
        drop(done);
    }
}
