//! Ranges of addresses in CIDR notation (RFC 4632, RFC 4291).
//!
//! Invariant: no bit is set behind the prefix, so a range is written in one way only.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A range such as `192.0.2.0/24`; a single address is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Why a text is not a range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadNetwork {
    /// Not an address, not a prefix.
    #[error("write an address or a range, such as 192.0.2.7 or 192.0.2.0/24")]
    Form,
    /// Bits behind the prefix.
    #[error("this range begins at {0}; write it like that")]
    Bits(String),
}

impl Network {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, BadNetwork> {
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| BadNetwork::Form)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => most,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse::<u8>().map_err(|_| BadNetwork::Form)?
            }
            Some(_) => return Err(BadNetwork::Form),
        };
        if prefix > most {
            return Err(BadNetwork::Form);
        }
        let first = first_of(address, prefix);
        if first == address {
            Ok(Self { address, prefix })
        } else {
            Err(BadNetwork::Bits(format!("{first}/{prefix}")))
        }
    }

    /// True for the range of all addresses.
    #[must_use]
    pub fn is_everything(self) -> bool {
        self.prefix == 0
    }
}

fn first_of(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(four) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4((u32::from(four) & mask).into())
        }
        IpAddr::V6(six) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6((u128::from(six) & mask).into())
        }
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let whole = if self.address.is_ipv4() { 32 } else { 128 };
        if self.prefix == whole {
            write!(f, "{}", self.address)
        } else {
            write!(f, "{}/{}", self.address, self.prefix)
        }
    }
}

impl TryFrom<String> for Network {
    type Error = BadNetwork;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_strictly_and_written_in_one_way() {
        for (typed, stored) in [
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7/32", "192.0.2.7"),
            ("192.0.2.0/24", "192.0.2.0/24"),
            ("2001:DB8::/32", "2001:db8::/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ] {
            assert_eq!(Network::parse(typed).unwrap().to_string(), stored);
        }
        assert!(Network::parse("::/0").unwrap().is_everything());
        assert_eq!(
            Network::parse("192.0.2.7/24"),
            Err(BadNetwork::Bits("192.0.2.0/24".to_owned()))
        );
        for bad in [
            "",
            "192.0.2",
            "192.0.2.0/33",
            "192.0.2.0/",
            "192.0.2.0/+8",
            "all",
            "192.0.2.0/24;",
        ] {
            assert!(Network::parse(bad).is_err(), "{bad}");
        }
    }
}
