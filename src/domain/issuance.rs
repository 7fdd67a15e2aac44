//! What the panel remembers about getting a certificate for a site: how it went last, and when it goes on.
//!
//! Invariant: written before an order begins, so that one cut off by a crash is begun again.

use serde::{Deserialize, Serialize};

use crate::domain::authority::DirectoryUrl;
use crate::domain::certificate::Fingerprint;
use crate::domain::dns::ProofRecord;
use crate::domain::fault::Fault;
use crate::domain::order::Moment;
use crate::domain::renewal_info::Advice;
use crate::domain::site_name::SiteName;
use crate::domain::time::Timestamp;

/// One site's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuance {
    /// Failures in a row.
    pub failures: u32,
    /// When it goes on: the next try, or the renewal.
    pub next: Option<Timestamp>,
    /// Until when no authority allows more, whoever asks.
    #[serde(default)]
    pub closed_until: Option<Timestamp>,
    /// Failures in a row that were an authority's, not this server's or a name's.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refusals: u32,
    /// Authorities that allow no more for now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<Closed>,
    /// Who issued what is shown; none where nobody did, or a version before this one had it done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<DirectoryUrl>,
    /// Asked for by somebody, for a site that does not get its certificates from the panel yet.
    #[serde(default)]
    pub asked: Option<Asked>,
    /// When the authority would have it renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<Advice>,
    /// Records of proofs that could not be removed from DNS yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_in_dns: Vec<ProofRecord>,
    /// The last try that came to an end.
    pub last: Option<Attempt>,
}

/// An authority that allows no more for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// Which.
    pub authority: DirectoryUrl,
    /// Until when.
    pub until: Timestamp,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Issuance {
    /// Until when an authority allows no more; none where it does.
    #[must_use]
    pub fn closed_at(&self, authority: &DirectoryUrl, now: Timestamp) -> Option<Timestamp> {
        let closed = self.closed.iter().filter(|one| one.authority == *authority);
        closed
            .map(|one| one.until)
            .filter(|until| *until > now)
            .max()
    }
}

/// A certificate was asked for where the panel sees to none: it goes on trying for as long as nothing else was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// What the site showed then; none for plain HTTP.
    pub in_place_of: Option<Fingerprint>,
}

/// One try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// When it began.
    pub began: Timestamp,
    /// Where; none where the settings name none that can be used.
    pub authority: Option<DirectoryUrl>,
    /// For which names.
    pub names: Vec<SiteName>,
    /// What happened.
    pub moments: Vec<Moment>,
    /// Whether the site shows what came of it.
    #[serde(default)]
    pub installed: bool,
    /// Why it failed; none where it did not.
    pub failure: Option<Fault>,
}
