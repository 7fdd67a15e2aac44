//! What is in the trash, as people see it.
//!
//! Invariant: like every view it holds no secret; times are UTC.

use serde::{Deserialize, Serialize};

use crate::domain::database::DatabaseName;
use crate::domain::id::SiteId;
use crate::domain::name::Hostname;
use crate::domain::site_name::SiteName;
use crate::domain::time::Timestamp;
use crate::domain::trash::TrashedSite;

/// What an operation moved to the trash: a site's number, or a database's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Trashed {
    /// This site.
    Site(SiteId),
    /// This database.
    Database(DatabaseName),
}

/// A site in the trash.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrashedView {
    /// What it is put back by: `s1001`, also the name of its Unix user.
    pub id: String,
    /// The same as a number.
    pub number: SiteId,
    /// The name it had.
    pub hostname: Hostname,
    /// The same as its owner would write it.
    pub hostname_unicode: String,
    /// `php`, `wordpress`, `laravel`, `static`, `proxy`, `redirect`.
    pub r#type: String,
    /// Its further names.
    pub aliases: Vec<SiteName>,
    /// When it was deleted.
    pub deleted: Timestamp,
    /// Until when it can be put back.
    pub until: Timestamp,
    /// Days left, begun ones counted as whole.
    pub days_left: u64,
}

impl TrashedView {
    /// As it is now.
    #[must_use]
    pub fn of(trashed: &TrashedSite, now: Timestamp) -> Self {
        let site = &trashed.site;
        Self {
            id: site.id.to_string(),
            number: site.id,
            hostname: site.hostname.clone(),
            hostname_unicode: site.hostname.unicode(),
            r#type: site.kind.word().to_owned(),
            aliases: site.aliases.clone(),
            deleted: trashed.deleted,
            until: trashed.until(),
            days_left: trashed.days_left(now),
        }
    }
}
