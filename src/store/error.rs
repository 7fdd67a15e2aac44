//! What can go wrong with the state, and what a person does about it.
//!
//! Invariant: no value of the state is in an error; table names and system messages are.

use std::path::PathBuf;

use crate::domain::account::AccountName;
use crate::domain::fault::{Code, Fault};
use crate::domain::id::{AccountId, OperationId, SiteId};
use crate::domain::name::Hostname;

/// The state could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the file.
    #[error("another process has `{path}` open")]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// A later version of the panel wrote the file.
    #[error("the state has schema {found}, and this version knows up to {known}")]
    Newer {
        /// What the file says.
        found: u64,
        /// What this binary knows.
        known: u64,
    },
    /// The file could not be opened.
    #[error("the state file `{path}` could not be opened")]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's own words.
        #[source]
        source: std::io::Error,
    },
    /// The database failed.
    #[error("the state could not be {doing}")]
    Database {
        /// `opened`, `read`, `changed`.
        doing: &'static str,
        /// Its own words.
        #[source]
        source: Box<redb::Error>,
    },
    /// A value is not of the shape its table promises.
    #[error("a value in table `{table}` is not of the shape it should be")]
    Shape {
        /// The table.
        table: &'static str,
        /// What does not fit.
        #[source]
        source: serde_json::Error,
    },
    /// A hostname belongs to another site.
    #[error("`{hostname}` belongs to site {site}")]
    HostnameTaken {
        /// The name.
        hostname: Hostname,
        /// Who has it.
        site: SiteId,
    },
    /// An operation with this id was begun before.
    #[error("operation {id} was begun before")]
    OperationExists {
        /// Which.
        id: OperationId,
    },
    /// No operation has this id.
    #[error("there is no operation {id}")]
    OperationMissing {
        /// Which.
        id: OperationId,
    },
    /// An account with this name exists.
    #[error("the account `{name}` exists")]
    AccountTaken {
        /// The name.
        name: AccountName,
    },
    /// No account has this number.
    #[error("there is no account {}", .id.0)]
    AccountMissing {
        /// The number.
        id: AccountId,
    },
    /// The only account that is left was to be deleted.
    #[error("the last account stays")]
    LastAccount,
    /// It may not sign in.
    #[error("the account is disabled")]
    AccountDisabled,
    /// A token of this name exists.
    #[error("there is a token of this name")]
    TokenTaken,
    /// No token has this name.
    #[error("there is no token of this name")]
    TokenMissing,
    /// The one-time link is unknown, used or too old.
    #[error("the one-time link is not valid")]
    LinkInvalid,
    /// The chain of audit entries does not hold.
    #[error("the audit trail is broken at entry {number}: {what}")]
    AuditBroken {
        /// The first entry that is wrong.
        number: u64,
        /// In which way.
        what: &'static str,
    },
}

/// The result of reading or changing the state.
pub type StoreResult<T> = Result<T, StoreError>;

impl StoreError {
    /// True where the disk was full.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        let io = match self {
            Self::Open { source, .. } => source,
            Self::Database { source, .. } => match source.as_ref() {
                redb::Error::Io(io) => io,
                _ => return false,
            },
            _ => return false,
        };
        matches!(
            io.kind(),
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
        )
    }

    /// True where redb asks for the file to be closed and opened again.
    pub(super) fn wants_reopening(&self) -> bool {
        matches!(self, Self::Database { source, .. }
            if matches!(source.as_ref(), redb::Error::Io(_) | redb::Error::PreviousIo))
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        let title = error.to_string();
        if error.is_disk_full() {
            return Self::new(
                Code::DiskFull,
                "No space is left for the panel's state",
                "free some space below /var/lib, then try again",
            );
        }
        match error {
            StoreError::Newer { .. } => Self::new(
                Code::StateNewer,
                title,
                "install that version of Lala Panel again, or restore the state file of this one",
            ),
            StoreError::HostnameTaken { .. } => Self::new(
                Code::HostnameTaken,
                title,
                "choose another hostname, or remove it from that site first",
            ),
            StoreError::OperationMissing { .. } => Self::new(
                Code::OperationNotFound,
                title,
                "see `lalapanel op list` for the operations there are",
            ),
            StoreError::OperationExists { id } => Self::new(
                Code::OperationBusy,
                title,
                format!("follow it with `lalapanel op show {id}`"),
            ),
            StoreError::AccountTaken { .. } => {
                Self::new(Code::NameTaken, title, "choose another name")
            }
            StoreError::AccountMissing { .. } => Self::new(
                Code::AccountNotFound,
                title,
                "see `lalapanel account list` for the accounts there are",
            ),
            StoreError::LastAccount => Self::new(
                Code::LastOwner,
                "The last account that may sign in stays",
                "create another account first, or enable one",
            ),
            // Told as a wrong password is: a stranger learns nothing of accounts.
            StoreError::AccountDisabled => Self::new(
                Code::LoginRefused,
                "The name or the password is not right",
                "try again; if the password is lost, run `lalapanel admin link` as root on the server",
            ),
            StoreError::TokenTaken => Self::new(
                Code::TokenTaken,
                title,
                "choose another name, or revoke that one first",
            ),
            StoreError::TokenMissing => Self::new(
                Code::TokenNotFound,
                title,
                "see `lalapanel token list` for the tokens there are",
            ),
            StoreError::LinkInvalid => Self::new(
                Code::SetupClosed,
                "This link is not valid any more",
                "make a new one with `lalapanel admin link` as root on the server",
            ),
            StoreError::AuditBroken { .. } => Self::new(
                Code::AuditBroken,
                title,
                "compare with the copy in the system log (`journalctl -u lalapanel-agent -g 'audit entry'`) and find out who changed the state file",
            ),
            StoreError::Locked { .. } => Self::new(
                Code::StateFailed,
                title,
                "stop the other `lalapanel agent` first",
            ),
            StoreError::Open { source, .. } => {
                Self::new(Code::StateFailed, title, RESTORE).detail(source.to_string())
            }
            StoreError::Database { source, .. } => {
                Self::new(Code::StateFailed, title, RESTORE).detail(source.to_string())
            }
            StoreError::Shape { .. } => Self::new(Code::StateFailed, title, RESTORE),
        }
    }
}

const RESTORE: &str =
    "see the log of lalapanel-agent; if the file is damaged, restore it from a backup";
