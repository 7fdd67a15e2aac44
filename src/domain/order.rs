//! What happens to an order at a certificate authority: its moments, and why it failed.
//!
//! Invariant: words of the authority are kept as text of bounded length, without control characters; nothing here is a secret.

use serde::{Deserialize, Serialize};

use crate::domain::site_name::SiteName;
use crate::domain::text;

/// Words of an authority are cut here.
const LONGEST: usize = 1000;

/// What kind of trouble it is: decides the sentence people read, and when to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// Nobody answers at the authority.
    Unreachable,
    /// It answers too slowly.
    Slow,
    /// Its own certificate is not trusted here.
    Untrusted,
    /// What it says is not the protocol.
    Garbled,
    /// It is out of order, or wants to be left alone for a moment.
    Busy,
    /// It allows no more for now.
    Limited,
    /// It wants an account made by other means.
    BindingMissing,
    /// It does not know that account.
    BindingRefused,
    /// It does not know our account, or does not let it do this.
    Account,
    /// Its terms have changed.
    Terms,
    /// It kept refusing our numbers used once.
    Nonce,
    /// A name does not exist in DNS, or DNS does not answer.
    Dns,
    /// It could not connect to port 80 of the name.
    Connection,
    /// Something else answered for the name.
    Response,
    /// The record for the proof could not be written into DNS.
    Unwritten,
    /// Not every server of the zone shows that record.
    Unspread,
    /// The authority did not find that record.
    Unseen,
    /// The CAA record of the name forbids it.
    Caa,
    /// It issues nothing for this name.
    Name,
    /// It offers no proof that we can give.
    Proof,
    /// It refuses the request for the certificate.
    Request,
    /// The order was not done in time.
    Late,
    /// It says no, for another reason.
    Refused,
}

impl ProblemKind {
    /// True where another authority may do better: it is not about this server, its network, or a name's records.
    #[must_use]
    pub fn is_the_authoritys(self) -> bool {
        match self {
            Self::Dns
            | Self::Connection
            | Self::Response
            | Self::Unwritten
            | Self::Unspread
            | Self::Unseen => false,
            Self::Unreachable
            | Self::Slow
            | Self::Untrusted
            | Self::Garbled
            | Self::Busy
            | Self::Limited
            | Self::BindingMissing
            | Self::BindingRefused
            | Self::Account
            | Self::Terms
            | Self::Nonce
            | Self::Caa
            | Self::Name
            | Self::Proof
            | Self::Request
            | Self::Late
            | Self::Refused => true,
        }
    }
}

/// Why an order failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// What kind.
    pub kind: ProblemKind,
    /// The name it is about, where it is about one.
    #[serde(default)]
    pub name: Option<SiteName>,
    /// The authority's own words, or the system's.
    pub detail: String,
}

impl Problem {
    /// A problem in somebody's own words.
    #[must_use]
    pub fn new(kind: ProblemKind, detail: &str) -> Self {
        Self {
            kind,
            name: None,
            detail: text::shown(detail, LONGEST),
        }
    }

    /// The same, about a name.
    #[must_use]
    pub fn of(mut self, name: &SiteName) -> Self {
        self.name = Some(name.clone());
        self
    }
}

/// Something that happened while an order ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// Milliseconds since it began.
    pub after: u64,
    /// What.
    pub what: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_an_authority_are_bounded_and_plain() {
        let long = format!("\u{1b}[31m{}", "x".repeat(5000));
        let problem = Problem::new(ProblemKind::Refused, &long);
        assert_eq!(problem.detail.chars().count(), LONGEST);
        assert!(!problem.detail.contains('\u{1b}'));
    }
}
