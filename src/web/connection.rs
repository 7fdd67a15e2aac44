//! How many connections there are (security.md H-4).
//!
//! Invariant: nobody holds more than a share of them, whatever addresses a network has. How long one is kept: `timed`.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use poem::http::uri::Scheme;
use poem::listener::Acceptor;
use poem::web::{LocalAddr, RemoteAddr};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Connections in all.
const MOST: usize = 512;
/// Connections of one IPv4 address or one IPv6 /64.
const MOST_EACH: usize = 64;
/// Connections of one IPv6 /48: half of all, so that one customer of a provider cannot hold every place.
const MOST_WIDE: usize = MOST / 2;

#[derive(Default)]
struct Counts {
    all: usize,
    each: HashMap<Network, usize>,
}

/// Accepts connections from one socket, up to the limits.
pub(super) struct Limited {
    listeners: Vec<TcpListener>,
    counts: Arc<Mutex<Counts>>,
}

impl Limited {
    pub(super) fn new(listeners: Vec<TcpListener>) -> Self {
        Self {
            listeners,
            counts: Arc::default(),
        }
    }
}

impl Acceptor for Limited {
    type Io = Counted;

    fn local_addr(&self) -> Vec<LocalAddr> {
        let addresses = self
            .listeners
            .iter()
            .filter_map(|one| one.local_addr().ok());
        addresses.map(|address| LocalAddr(address.into())).collect()
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        loop {
            let accepted = std::future::poll_fn(|context| {
                let mut accepted = self.listeners.iter().map(|one| one.poll_accept(context));
                let ready = accepted.find(Poll::is_ready);
                ready.unwrap_or(Poll::Pending)
            });
            let Ok((stream, peer)) = accepted.await else {
                // Out of descriptors, or the client has gone: poem would ask again at once and spin.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let Some(place) = Place::take(&self.counts, peer.ip()) else {
                continue;
            };
            let Ok(local) = stream.local_addr() else {
                continue;
            };
            let _ = stream.set_nodelay(true);
            let io = Counted {
                stream,
                _place: place,
            };
            return Ok((
                io,
                LocalAddr(local.into()),
                RemoteAddr(peer.into()),
                Scheme::HTTPS,
            ));
        }
    }
}

/// What connections are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Network {
    /// One address of IPv4.
    Four(Ipv4Addr),
    /// A /64 of IPv6: what one machine has.
    Six64([u16; 4]),
    /// A /48 of IPv6: what one customer of a provider may have.
    Six48([u16; 3]),
}

impl Network {
    /// The networks an address is in.
    fn of(address: IpAddr) -> Vec<Self> {
        match address.to_canonical() {
            IpAddr::V4(four) => vec![Self::Four(four)],
            IpAddr::V6(six) => {
                let [a, b, c, d, ..] = six.segments();
                vec![Self::Six64([a, b, c, d]), Self::Six48([a, b, c])]
            }
        }
    }

    fn most(self) -> usize {
        match self {
            Self::Four(_) | Self::Six64(_) => MOST_EACH,
            Self::Six48(_) => MOST_WIDE,
        }
    }
}

/// A place among the connections, given back when dropped.
struct Place {
    counts: Arc<Mutex<Counts>>,
    networks: Vec<Network>,
}

impl Place {
    fn take(counts: &Arc<Mutex<Counts>>, address: IpAddr) -> Option<Self> {
        let networks = Network::of(address);
        let mut held = counts.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |network: &Network| {
            let own = held.each.get(network).copied().unwrap_or(0);
            own >= network.most()
        };
        if held.all >= MOST || networks.iter().any(is_full) {
            return None;
        }
        held.all += 1;
        for network in &networks {
            *held.each.entry(*network).or_insert(0) += 1;
        }
        Some(Self {
            counts: Arc::clone(counts),
            networks,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        held.all = held.all.saturating_sub(1);
        for network in &self.networks {
            if let Some(own) = held.each.get_mut(network) {
                *own = own.saturating_sub(1);
            }
        }
        held.each.retain(|_, own| *own > 0);
    }
}

/// A connection that counts while it lives.
pub(super) struct Counted {
    stream: TcpStream,
    _place: Place,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn taken(counts: &Arc<Mutex<Counts>>, addresses: &[String]) -> Vec<Place> {
        addresses
            .iter()
            .filter_map(|address| Place::take(counts, address.parse().unwrap()))
            .collect()
    }

    #[test]
    fn one_network_gets_its_share_and_gives_it_back() {
        let counts = Arc::default();
        let one: Vec<String> = (1..=MOST_EACH + 5)
            .map(|host| format!("2001:db8::{host:x}"))
            .collect();
        let places = taken(&counts, &one);
        assert_eq!(places.len(), MOST_EACH);
        let mapped = Place::take(&counts, "::ffff:192.0.2.1".parse().unwrap()).unwrap();
        let four = Network::Four(Ipv4Addr::new(192, 0, 2, 1));
        assert_eq!(mapped.networks, [four]);
        drop((places, mapped));
        assert!(Place::take(&counts, "2001:db8::1".parse().unwrap()).is_some());
        let held = counts.lock().unwrap();
        assert!(held.each.is_empty() && held.all == 0);
    }

    #[test]
    fn one_48_gets_half_of_all_places_whatever_it_makes_of_its_64s() {
        let counts = Arc::default();
        let many: Vec<String> = (0..MOST)
            .map(|subnet| format!("2001:db8:1:{subnet:x}::1"))
            .collect();
        let places = taken(&counts, &many);
        assert_eq!(places.len(), MOST_WIDE);
        assert!(Place::take(&counts, "2001:db8:2::1".parse().unwrap()).is_some());
        assert!(Place::take(&counts, "192.0.2.1".parse().unwrap()).is_some());
    }
}
