//! What the journal keeps of an operation.
//!
//! Invariant: the plan is kept apart from the header, so lists and endings never depend on the shape of a plan.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::domain::account::Actor;
use crate::domain::database::{Database, DatabaseName};
use crate::domain::fault::Fault;
use crate::domain::id::{OperationId, SiteId};
use crate::domain::name::Hostname;
use crate::domain::site::Site;
use crate::domain::time::Timestamp;
use crate::domain::trash::TrashedSite;

/// The plan type of a reader who does not look at plans.
pub type Unread = IgnoredAny;

/// How an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Begun, and without an end.
    Open,
    /// Everything was done.
    Done,
    /// Everything was undone.
    Undone,
    /// An undo failed; a person is needed.
    Stuck,
}

/// One operation, with a plan of the engine's own type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationRecord<P> {
    /// Its id.
    pub id: OperationId,
    /// In words: `Create shop.example`.
    pub title: String,
    /// The word of the change: `site create`.
    pub change: String,
    /// The site concerned.
    pub hostname: Option<Hostname>,
    /// Who asked.
    pub actor: Actor,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How it stands.
    pub status: Status,
    /// Why it was undone or is stuck.
    pub fault: Option<Fault>,
    /// True where a restarted agent brought it to its end.
    pub recovered: bool,
    /// What was to be done.
    pub plan: P,
}

/// How an operation ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// `Done`, `Undone` or `Stuck`.
    pub status: Status,
    /// When.
    pub ended: Timestamp,
    /// Why it was not done.
    pub fault: Option<Fault>,
    /// True where a restarted agent brought it to its end.
    pub recovered: bool,
}

/// What the end of an operation changes in the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing.
    None,
    /// A site is new or different.
    PutSite(Box<Site>),
    /// A site goes to the trash.
    TrashSite(Box<TrashedSite>),
    /// A site is gone, from the sites or from the trash.
    RemoveSite(SiteId),
    /// A database is new or different.
    PutDatabase(Box<Database>),
    /// A database is deleted; it is dropped once the operation has ended.
    DropDatabase(DatabaseName),
    /// Several.
    All(Vec<Effect>),
}

impl Effect {
    /// The site that will be new or different.
    #[must_use]
    pub fn site(&self) -> Option<&Site> {
        match self {
            Self::PutSite(site) => Some(site),
            Self::All(effects) => effects.iter().find_map(Self::site),
            _ => None,
        }
    }
}

/// Everything of an operation but its plan, as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) id: OperationId,
    title: String,
    change: String,
    pub(super) hostname: Option<Hostname>,
    actor: Actor,
    began: Timestamp,
    pub(super) ended: Option<Timestamp>,
    pub(super) status: Status,
    pub(super) fault: Option<Fault>,
    pub(super) recovered: bool,
}

impl Header {
    pub(super) fn of<P>(record: &OperationRecord<P>) -> Self {
        Self {
            id: record.id,
            title: record.title.clone(),
            change: record.change.clone(),
            hostname: record.hostname.clone(),
            actor: record.actor.clone(),
            began: record.began,
            ended: record.ended,
            status: record.status,
            fault: record.fault.clone(),
            recovered: record.recovered,
        }
    }

    pub(super) fn with<P>(self, plan: P) -> OperationRecord<P> {
        OperationRecord {
            id: self.id,
            title: self.title,
            change: self.change,
            hostname: self.hostname,
            actor: self.actor,
            began: self.began,
            ended: self.ended,
            status: self.status,
            fault: self.fault,
            recovered: self.recovered,
            plan,
        }
    }
}
