//! Puts the panel's former address back once the time for trying a new one is over.
//!
//! Invariant: whatever became of the agent meanwhile, a trial that nobody kept ends; at its start as well as in between.

use std::time::Duration;

use crate::agent::operations::Operations;
use crate::domain::account::Actor;
use crate::domain::change::Change;
use crate::domain::fault::Fault;
use crate::domain::panel_setting::{LONGER_SECONDS, TrialVerb};
use crate::system::panel_trial;

/// Once it is being put back, or could not be: its own events are no reason to begin it anew.
const AGAIN: Duration = Duration::from_secs(30);

/// Looks for as long as it is polled. `log` is told what keeps it from putting an address back.
pub(super) async fn keep(operations: Operations, log: fn(&str)) {
    let mut news = operations.engine().news();
    loop {
        news.borrow_and_update();
        let looking = operations.clone();
        let looked = tokio::task::spawn_blocking(move || look(&looking)).await;
        let left = match looked {
            Ok(Ok(Found::Nothing)) => None,
            Ok(Ok(Found::Left(left))) => Some(left),
            other => {
                if let Ok(Err(fault)) = other {
                    log(&fault.title);
                }
                tokio::time::sleep(AGAIN).await;
                continue;
            }
        };
        tokio::select! {
            () = tokio::time::sleep(left.unwrap_or_default()), if left.is_some() => {}
            changed = news.changed() => if changed.is_err() { return },
        }
    }
}

/// What a look found.
enum Found {
    /// Nothing is tried.
    Nothing,
    /// It may go on for so long.
    Left(Duration),
    /// It was over, and is being put back.
    Begun,
}

/// Ends what is over; says how long what is tried now may go on.
fn look(operations: &Operations) -> Result<Found, Fault> {
    let host = operations.engine().host();
    let Some(trial) = panel_trial::now(host)? else {
        return Ok(Found::Nothing);
    };
    // A clock that was put back does not keep it for ever.
    let left = trial
        .until
        .millis_since(host.now())
        .min(LONGER_SECONDS * 1000);
    if left > 0 {
        return Ok(Found::Left(Duration::from_millis(left)));
    }
    let verb = TrialVerb::Back;
    operations.apply(&Actor::Panel, &Change::PanelTrial { verb }, None, None)?;
    Ok(Found::Begun)
}
