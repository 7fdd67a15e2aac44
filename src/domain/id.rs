//! Numbers and names this panel mints itself; nothing typed by a person becomes one.
//!
//! Invariant: files, units and Unix users on the host are named by these, so no name can be `..` or `-rf`.

use std::fmt;

use serde::{Deserialize, Serialize};
use ulid::Ulid;

/// The number of a site, minted once and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SiteId(u32);

impl SiteId {
    /// Stands for the panel itself where numbers of sites are asked for; no site ever has it.
    pub const PANEL: Self = Self(0);
    /// The first number handed out; four digits, so that unit names align in lists.
    pub const FIRST: Self = Self(1001);
    /// The Unix ids of sites start here: above people (1000…) and below the sub-id ranges of Debian and Ubuntu.
    const UID_BASE: u32 = 20_000;

    /// A number read from the state or from the host.
    #[must_use]
    pub fn new(number: u32) -> Self {
        Self(number)
    }

    /// The bare number.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }

    /// The number after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The Unix user and group id of the site.
    #[must_use]
    pub fn uid(self) -> u32 {
        Self::UID_BASE.saturating_add(self.0)
    }
}

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}", self.0)
    }
}

/// The number of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub u32);

/// The name of one operation, sortable by time; it is also the idempotency key of the form that started it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OperationId(Ulid);

/// The text is not a ULID.
#[derive(Debug, thiserror::Error)]
#[error("an operation id has 26 letters and digits")]
pub struct BadOperationId;

impl OperationId {
    /// Makes an id of a time in milliseconds since 1970 and ten random bytes.
    #[must_use]
    pub fn from_parts(millis: u64, random: [u8; 10]) -> Self {
        let mut wide = [0_u8; 16];
        for (to, from) in wide.iter_mut().skip(6).zip(random) {
            *to = from;
        }
        Self(Ulid::from_parts(millis, u128::from_be_bytes(wide)))
    }

    /// Reads an id as people copy it.
    pub fn parse(text: &str) -> Result<Self, BadOperationId> {
        Ulid::from_string(text)
            .map(Self)
            .map_err(|_| BadOperationId)
    }

    /// When the id was made, in milliseconds since 1970.
    #[must_use]
    pub fn millis(self) -> u64 {
        self.0.timestamp_ms()
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for OperationId {
    type Error = BadOperationId;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<OperationId> for String {
    fn from(id: OperationId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_id_round_trips_and_sorts_by_time() {
        let a = OperationId::from_parts(1_700_000_000_000, [7; 10]);
        let b = OperationId::from_parts(1_700_000_000_001, [0; 10]);
        assert_eq!(OperationId::parse(&a.to_string()).unwrap(), a);
        assert_eq!(a.millis(), 1_700_000_000_000);
        assert!(a.to_string() < b.to_string());
        assert!(OperationId::parse("../../etc/passwd").is_err());
    }

    #[test]
    fn a_site_has_its_own_unix_id() {
        assert_eq!(SiteId::FIRST.to_string(), "s1001");
        assert_ne!(SiteId::FIRST.uid(), SiteId::FIRST.next().uid());
    }
}
