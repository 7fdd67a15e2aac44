//! Deleted sites and databases in the trash: nobody reaches them, all of it can be put back until its time is over.
//!
//! Invariant: how long the trash keeps something is said here and nowhere else; a clock that was set back never shortens it.

use serde::{Deserialize, Serialize};

use crate::domain::site::Site;
use crate::domain::time::Timestamp;

/// How many days the trash keeps a site or a database.
pub const DAYS: u64 = 7;

const DAY_SECONDS: u64 = 24 * 60 * 60;

/// Until when something that was deleted then can be put back.
#[must_use]
pub fn until(deleted: Timestamp) -> Timestamp {
    deleted.plus_seconds(DAYS * DAY_SECONDS)
}

/// Days left of that, begun ones counted as whole.
#[must_use]
pub fn days_left(deleted: Timestamp, now: Timestamp) -> u64 {
    until(deleted)
        .millis_since(now)
        .div_ceil(DAY_SECONDS * 1000)
        .min(DAYS)
}

/// A site in the trash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrashedSite {
    /// As it was when it was deleted; its names are free for others.
    pub site: Site,
    /// When it was deleted.
    pub deleted: Timestamp,
}

impl TrashedSite {
    /// Until when it can be put back.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        until(self.deleted)
    }

    /// True once its time is over.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until() <= now
    }

    /// Days left, begun ones counted as whole.
    #[must_use]
    pub fn days_left(&self, now: Timestamp) -> u64 {
        days_left(self.deleted, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::SiteId;
    use crate::domain::name::Hostname;
    use crate::domain::site::SiteKind;

    #[test]
    fn a_site_stays_for_seven_days_and_not_a_millisecond_longer() {
        let deleted = Timestamp::from_millis(1_700_000_000_000);
        let trashed = TrashedSite {
            site: Site::new(
                SiteId::FIRST,
                Hostname::parse("shop.example").unwrap(),
                SiteKind::Static { spa: false },
                deleted,
            ),
            deleted,
        };
        let end = deleted.plus_seconds(7 * 86_400);
        assert_eq!((trashed.until(), trashed.days_left(deleted)), (end, 7));
        let last = Timestamp::from_millis(end.millis() - 1);
        assert!(!trashed.is_over(last) && trashed.is_over(end));
        assert_eq!((trashed.days_left(last), trashed.days_left(end)), (1, 0));
        let set_back = Timestamp::from_millis(1);
        assert!(!trashed.is_over(set_back));
        assert_eq!(trashed.days_left(set_back), 7);
    }
}
