//! What a plan can do about the panel's own settings and its address.
//!
//! Invariant: the configuration file is never in a plan or in the journal, since secrets stand in it; only the values that change are.

use serde::{Deserialize, Serialize};

use crate::domain::certificate::leaf_of;
use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::domain::panel_setting::{PanelAddress, PanelPort, PanelSetting};
use crate::host::{Host, HostResult};
use crate::ops::panel;
use crate::ops::undo::{Before, Undo};
use crate::system::config::Config;
use crate::system::{config, config_edit, handshake, notify_vault, panel_certificate, panel_trial};

/// The web process has to be started first.
const SEEN_MILLIS: u64 = 20_000;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PanelStep {
    /// Change settings in the configuration file; everything else in it stays.
    Set {
        /// Which, with their new values.
        values: Vec<PanelSetting>,
    },
    /// Leave the secrets that are set where an undoing finds them.
    KeepSecrets {},
    /// From now on another address is tried.
    Try {
        /// The one that comes back.
        from: PanelAddress,
        /// The one that is tried.
        to: PanelAddress,
    },
    /// Try it for longer, counted from now.
    TryLonger {},
    /// Wait until the panel shows its certificate on a port.
    Await {
        /// Which.
        port: PanelPort,
    },
}

impl PanelStep {
    /// What it concerns.
    #[must_use]
    pub fn target(&self) -> String {
        match self {
            Self::Set { .. } => config::file().to_string(),
            Self::KeepSecrets {} => notify_vault::former_file().to_string(),
            Self::Try { .. } | Self::TryLonger {} => panel_trial::file().to_string(),
            Self::Await { port } => format!("port {}", port.number()),
        }
    }

    /// Captures the way back by looking.
    pub(super) fn look(&self, host: &dyn Host) -> HostResult<Undo> {
        Ok(match self {
            Self::Set { values } => Undo::SetConfig {
                values: config_edit::values(host, values)?,
            },
            Self::Try { .. } | Self::TryLonger {} => Undo::Restore {
                path: panel_trial::file(),
                before: Before::look(host, &panel_trial::file())?,
            },
            // Absent before: gone afterwards. What lies there from an earlier time is of no use to anybody.
            Self::KeepSecrets {} => panel::claim(host, &notify_vault::former_file())?,
            Self::Await { .. } => Undo::Nothing,
        })
    }

    /// Does it.
    pub(super) fn act(&self, host: &dyn Host) -> Result<(), Fault> {
        match self {
            Self::Set { values } => config_edit::put(host, values),
            Self::KeepSecrets {} => notify_vault::keep(host, &Config::read(host)?.notify),
            Self::Try { from, to } => panel_trial::begin(host, from, to),
            Self::TryLonger {} => panel_trial::prolong(host),
            Self::Await { port } => see(host, *port),
        }
    }
}

/// Shakes hands with the panel on a port of this machine.
fn see(host: &dyn Host, port: PanelPort) -> Result<(), Fault> {
    let silent = |why: &str| {
        Fault::new(
            Code::HostFailed,
            format!("the panel does not answer on port {}", port.number()),
            "everything is as before; see `systemctl status lalapanel.socket lalapanel-web`",
        )
        .detail(why)
    };
    let pem = panel_certificate::shown(host)?;
    let leaf = leaf_of(&String::from_utf8_lossy(&pem))
        .ok_or_else(|| silent("its certificate cannot be read"))?;
    let config = Config::read(host)?;
    let own = Hostname::parse("panel.invalid");
    let name = config.panel.hostname.or(own.ok());
    let name = name.ok_or_else(|| silent("it has no name"))?;
    handshake::see(host, &name, port.number(), &leaf, SEEN_MILLIS)?.map_err(|why| silent(&why))
}
