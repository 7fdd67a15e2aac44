//! The addresses of this machine, from the kernel's own tables.
//!
//! Invariant: looking only; a table that is missing means no address of that family.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::host::Host;
use crate::system::files;

/// Every address that others can reach this machine by, as far as it knows: no loopback, no link-local.
#[must_use]
pub fn own(host: &dyn Host) -> Vec<IpAddr> {
    let v4 = ipv4(&files::text_or_empty(host, "/proc/net/fib_trie"));
    let v6 = ipv6(&files::text_or_empty(host, "/proc/net/if_inet6"));
    let mut all: Vec<IpAddr> = v4.into_iter().map(IpAddr::V4).collect();
    all.extend(v6.into_iter().map(IpAddr::V6));
    all.sort();
    all.dedup();
    all
}

/// What resolv.conf(5) allows.
const MOST_RESOLVERS: usize = 3;

/// The DNS servers this machine asks.
#[must_use]
pub fn resolvers(host: &dyn Host) -> Vec<IpAddr> {
    named(&files::text_or_empty(host, "/etc/resolv.conf"))
}

fn named(text: &str) -> Vec<IpAddr> {
    let found = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let is_one = words.next() == Some("nameserver");
        words.next().filter(|_| is_one)?.parse().ok()
    });
    found.take(MOST_RESOLVERS).collect()
}

/// Lines `|-- 198.51.100.7` followed by `/32 host LOCAL`.
fn ipv4(table: &str) -> Vec<Ipv4Addr> {
    let mut found = Vec::new();
    let mut last = None;
    for line in table.lines() {
        if let Some((_, address)) = line.split_once("|-- ") {
            last = address.trim().parse::<Ipv4Addr>().ok();
        } else if line.trim() == "/32 host LOCAL" {
            found.extend(last.filter(|a| !a.is_loopback() && !a.is_link_local()));
        }
    }
    found
}

/// Lines of 32 hexadecimal digits, index, prefix length, scope (0x20 is link-local), flags and name.
fn ipv6(table: &str) -> Vec<Ipv6Addr> {
    let address = |line: &str| {
        let digits = line.split_whitespace().next()?;
        let number = u128::from_str_radix(digits, 16).ok()?;
        Some(Ipv6Addr::from(number))
    };
    table
        .lines()
        .filter_map(address)
        .filter(|a| {
            !a.is_loopback()
                && a.segments()
                    .first()
                    .is_some_and(|first| first & 0xffc0 != 0xfe80)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_addresses_are_read_and_loopback_is_not_one() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 127.0.0.1\n        /32 host LOCAL\n     |-- 198.51.100.0\n        /24 link UNICAST\n     |-- 198.51.100.10\n        /32 host LOCAL\n     |-- 198.51.100.255\n        /32 link BROADCAST\n";
        assert_eq!(ipv4(trie), [Ipv4Addr::new(198, 51, 100, 10)]);
        let inet6 = "fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n20010db8005100000000000000000010 04 40 00 82     eth0\n00000000000000000000000000000001 01 80 10 80       lo\n";
        assert_eq!(
            ipv6(inet6),
            ["2001:db8:51::10".parse::<Ipv6Addr>().unwrap()]
        );
    }

    #[test]
    fn dns_servers_are_those_of_the_system() {
        let text = "# by hand\nsearch example.org\nnameserver 127.0.0.53\nnameserver  2001:db8::1\nnameserver x\n";
        let found: Vec<String> = named(text).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["127.0.0.53", "2001:db8::1"]);
        assert_eq!(named(""), Vec::<IpAddr>::new());
    }
}
