//! How it stands with getting a certificate, for people.
//!
//! Invariant: no secret: an order's moments and an authority's words hold none.

use serde::{Deserialize, Serialize};

use crate::domain::authority::DirectoryUrl;
use crate::domain::certificate::{Certificate, Source};
use crate::domain::issuance::Attempt;
use crate::domain::time::Timestamp;

/// One site's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IssuanceView {
    /// True while an order runs.
    pub running: bool,
    /// When it goes on by itself: the next try, or the renewal.
    pub next: Option<Timestamp>,
    /// Failures in a row.
    pub failures: u32,
    /// Who issued what is shown, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<DirectoryUrl>,
    /// The last try that came to an end.
    pub last: Option<Attempt>,
}

/// The name of the authority that issued a certificate to the panel; none for one that came by other means.
#[must_use]
pub fn authority(
    certificate: Option<&Certificate>,
    order: Option<&IssuanceView>,
) -> Option<String> {
    let Source::Acme { ca, .. } = &certificate?.source else {
        return None;
    };
    let remembered = order.and_then(|order| order.issuer.as_ref());
    let name = remembered.map_or(ca.as_str(), DirectoryUrl::name);
    (!name.is_empty()).then(|| name.to_owned())
}
