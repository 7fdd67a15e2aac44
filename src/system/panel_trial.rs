//! The file that says which address of the panel is being tried, and until when.
//!
//! Invariant: while there is none, the panel is where its configuration file says; what is in it is no secret.

use crate::domain::fault::{Code, Fault};
use crate::domain::panel_setting::{LONGER_SECONDS, PanelAddress, TRIAL_SECONDS, Trial};
use crate::domain::path::HostPath;
use crate::host::{Host, HostError, Mode, Owner};

const LIMIT: usize = 16 * 1024;

/// Where it is.
#[must_use]
pub fn file() -> HostPath {
    HostPath::fixed("/var/lib/lalapanel/address-trial.json")
}

/// What is tried now. One that cannot be read is none: the panel's own address counts.
pub fn now(host: &dyn Host) -> Result<Option<Trial>, Fault> {
    match host.read(&file(), LIMIT) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(HostError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Begins to try one.
pub fn begin(host: &dyn Host, from: &PanelAddress, to: &PanelAddress) -> Result<(), Fault> {
    let trial = Trial {
        from: from.clone(),
        to: to.clone(),
        until: host.now().plus_seconds(TRIAL_SECONDS),
    };
    put(host, &trial)
}

/// Tries it for longer.
pub fn prolong(host: &dyn Host) -> Result<(), Fault> {
    let Some(trial) = now(host)? else {
        return Err(none());
    };
    let until = host.now().plus_seconds(LONGER_SECONDS);
    put(host, &Trial { until, ..trial })
}

/// There is nothing to keep and nothing to put back.
#[must_use]
pub fn none() -> Fault {
    Fault::new(
        Code::SettingInvalid,
        "no new address of the panel is being tried",
        "see `lalapanel settings show` for the one it has",
    )
}

fn put(host: &dyn Host, trial: &Trial) -> Result<(), Fault> {
    let text = serde_json::to_vec(trial).unwrap_or_default();
    host.write(&file(), &text, Owner::ROOT, Mode(0o600))
        .map_err(Fault::from)
}
