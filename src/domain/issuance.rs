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
    /// Until when the authority allows no more, whoever asks.
    #[serde(default)]
    pub closed_until: Option<Timestamp>,
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
