//! What the web process must know of time and chance: the present moment, fresh tokens, ids for forms.
//!
//! Invariant: nothing is decided by this clock; it dates pages and ids, and the agent checks every end of life itself.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::id::OperationId;
use crate::domain::secret::Token;
use crate::domain::time::Timestamp;
use crate::web::refusal::Refusal;

/// The present moment.
pub(super) fn now() -> Timestamp {
    #[expect(
        clippy::disallowed_methods,
        reason = "this floor may not see the Host port, and pages say when they were made"
    )]
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// A fresh token for a visitor who has no session yet.
pub(super) fn token() -> Result<Token, Refusal> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| Refusal::INTERNAL)?;
    Ok(Token::from_random(bytes))
}

/// A fresh id for the operation a form may start.
pub(super) fn operation() -> Result<OperationId, Refusal> {
    let mut bytes = [0; 10];
    getrandom::fill(&mut bytes).map_err(|_| Refusal::INTERNAL)?;
    Ok(OperationId::from_parts(now().millis(), bytes))
}
