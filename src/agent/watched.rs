//! What somebody waits for: the news of an operation, or of a log.
//!
//! Invariant: only the requests named here are answered later than at once.

use crate::domain::id::OperationId;
use crate::domain::log::{LogFile, LogFilter, LogPlace};
use crate::domain::name::Hostname;
use crate::rpc::protocol::Request;

/// What a follower waits for.
#[derive(Debug, Clone)]
pub enum Watched {
    /// Steps of an operation.
    Operation {
        /// Which.
        id: OperationId,
        /// The last sequence seen.
        after: u64,
    },
    /// Lines of a log.
    Log(LogTail),
}

/// Lines of a log that are waited for.
#[derive(Debug, Clone)]
pub struct LogTail {
    /// Whose.
    pub hostname: Hostname,
    /// Which.
    pub file: LogFile,
    /// Only such records.
    pub filter: LogFilter,
    /// The place seen last.
    pub after: Option<LogPlace>,
    /// Every record, however many there are.
    pub whole: bool,
}

impl Watched {
    /// None for a request that is answered at once.
    pub(super) fn of(request: &Request) -> Option<Self> {
        match request {
            Request::OperationFollow { id, after } => Some(Self::Operation {
                id: *id,
                after: *after,
            }),
            Request::LogFollow {
                hostname,
                file,
                filter,
                after,
                whole,
            } => Some(Self::Log(LogTail {
                hostname: hostname.clone(),
                file: *file,
                filter: filter.clone(),
                after: *after,
                whole: *whole,
            })),
            _ => None,
        }
    }
}
