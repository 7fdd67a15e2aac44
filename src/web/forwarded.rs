//! Whom a proxy of ours speaks for.
//!
//! Invariant: nothing a visitor wrote into `X-Forwarded-For` is believed, only what our own proxies added on the right.

use std::net::{IpAddr, SocketAddr};

/// From the right, the first entry that is no proxy of ours. What cannot be read was still written by our proxy: what
/// stands left of it is the visitor's own word and is not believed.
pub(super) fn client(told: &[&str], trusted: &[IpAddr]) -> Option<IpAddr> {
    for entry in told.iter().rev() {
        let address = address(entry.trim())?;
        if !trusted.contains(&address) {
            return Some(address);
        }
    }
    None
}

/// `203.0.113.5`, `203.0.113.5:51000`, `[2001:db8::1]:51000`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.parse::<IpAddr>().ok();
    bare.or_else(|| text.parse::<SocketAddr>().ok().map(|both| both.ip()))
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_our_own_proxies_wrote_is_believed() {
        let ours: Vec<IpAddr> = vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        for (told, believed) in [
            (vec!["198.51.100.9"], Some("198.51.100.9")),
            (vec!["203.0.113.66", " 198.51.100.9 "], Some("198.51.100.9")),
            (
                vec!["198.51.100.9", "192.0.2.1", "2001:db8::1"],
                Some("198.51.100.9"),
            ),
            (vec!["198.51.100.9:51000"], Some("198.51.100.9")),
            (vec!["[2001:db8::9]:51000"], Some("2001:db8::9")),
            (vec!["::ffff:198.51.100.9"], Some("198.51.100.9")),
            // An entry nobody can read hides what a visitor put left of it.
            (vec!["203.0.113.66", "unknown"], None),
            (vec![], None),
        ] {
            let found = client(&told, &ours).map(|address| address.to_string());
            assert_eq!(found.as_deref(), believed, "{told:?}");
        }
    }
}
