//! The journal of installing: a state file of its own, so that the agent and an installation never wait for each other.
//!
//! Invariant: it is kept until `uninstall --purge` has taken back everything that is written in it.

use std::path::Path;
use std::sync::Arc;

use crate::domain::account::Actor;
use crate::domain::fault::{Code, Fault};
use crate::domain::id::OperationId;
use crate::domain::path::HostPath;
use crate::host::{Host, Mode, Owner};
use crate::ops::engine::Engine;
use crate::ops::plan::Plan;
use crate::store::{OperationRecord, Status, Store, StoreError};

/// The word of installing in the journal.
pub(super) const INSTALL: &str = "install";
/// The word of removing the panel alone.
pub(super) const UNINSTALL: &str = "uninstall";
/// More installations than this are not looked back at.
const MOST: usize = 10_000;

/// Where the panel keeps everything.
pub(super) fn home() -> HostPath {
    HostPath::fixed("/var/lib/lalapanel")
}

/// Where the journal is.
pub(super) fn file() -> HostPath {
    home().join("install.redb")
}

/// An open journal. Whoever has it is the only one who installs.
pub(super) struct Journal {
    host: Arc<dyn Host>,
    engine: Engine,
}

impl Journal {
    /// Opens it, making it and its directory where needed.
    pub(super) fn open(host: &Arc<dyn Host>) -> Result<Self, Fault> {
        if host.stat(&home())?.is_none() {
            host.make_dir(&home(), Owner::ROOT, Mode(0o700))?;
        }
        let store = Store::open(Path::new(file().as_str())).map_err(|error| match error {
            StoreError::Locked { .. } => Fault::new(
                Code::InstallRunning,
                "another installation is running",
                "wait until it has ended, then try again",
            ),
            error => error.into(),
        })?;
        Ok(Self::over(host, store))
    }

    /// The one that is there; `None` where nothing was ever installed.
    pub(super) fn existing(host: &Arc<dyn Host>) -> Result<Option<Self>, Fault> {
        match host.stat(&file())? {
            Some(_) => Self::open(host).map(Some),
            None => Ok(None),
        }
    }

    fn over(host: &Arc<dyn Host>, store: Store) -> Self {
        Self {
            host: host.clone(),
            engine: Engine::new(host.clone(), store),
        }
    }

    /// Runs its operations.
    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Writes a new operation into it.
    pub(super) fn begin(&self, plan: Plan) -> Result<OperationRecord<Plan>, Fault> {
        let mut random = [0_u8; 10];
        self.host.random(&mut random)?;
        let id = OperationId::from_parts(self.host.now().millis(), random);
        let pass = self.engine.enter(0)?;
        self.engine.begin(&pass, id, Actor::LocalRoot, plan)
    }

    /// Installations that left something on the host, newest first.
    pub(super) fn installations(&self) -> Result<Vec<OperationRecord<Plan>>, Fault> {
        let all = self.engine.store().recent::<Plan>(MOST)?;
        let left = all
            .into_iter()
            .filter(|record| record.change == INSTALL && record.status != Status::Undone);
        Ok(left.collect())
    }

    /// Interrupted ones.
    pub(super) fn unfinished(&self) -> Result<Vec<OperationId>, Fault> {
        self.engine.store().unfinished().map_err(Fault::from)
    }

    /// Closes and removes it where nothing in it is left to be taken back, and its directory where that is empty.
    pub(super) fn drop_if_empty(self) -> Result<(), Fault> {
        if self.installations()?.is_empty() {
            self.discard()?;
        }
        Ok(())
    }

    /// Closes and removes it.
    pub(super) fn discard(self) -> Result<(), Fault> {
        let host = self.host.clone();
        drop(self);
        host.remove(&file())?;
        match host.remove(&home()) {
            Ok(()) | Err(crate::host::HostError::NotEmpty { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
