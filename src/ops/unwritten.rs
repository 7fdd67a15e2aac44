//! Why operations failed whose end could not be written, kept in memory until it can be.
//!
//! Invariant: only words for people are here; what has to be undone is in the journal alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::fault::Fault;
use crate::domain::id::OperationId;
use crate::store::{Ending, Status};

/// The faults of operations that are still open. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Unwritten(Arc<Mutex<BTreeMap<OperationId, Fault>>>);

impl Unwritten {
    /// Of one that was undone: where it got stuck is looked at anew each time.
    pub(super) fn keep(&self, id: OperationId, ending: Ending) {
        let Some(fault) = ending.fault.filter(|_| ending.status == Status::Undone) else {
            return;
        };
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.insert(id, fault);
    }

    pub(super) fn take(&self, id: OperationId) -> Option<Fault> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.remove(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::Actor;
    use crate::domain::fault::Code;
    use crate::domain::path::HostPath;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;
    use crate::host::{Mode, Owner};
    use crate::ops::engine::{Direction, Engine};
    use crate::ops::plan::{Plan, PlannedStep};
    use crate::ops::step::Step;
    use crate::store::small_disk;

    fn plan() -> Plan {
        let step = Step::MakeDirectory {
            path: HostPath::fixed("/srv/new"),
            owner: Owner::ROOT,
            mode: Mode(0o755),
        };
        let title = "Make it".to_owned();
        Plan::new("Create it", "site create").steps(vec![PlannedStep { title, step }])
    }

    #[test]
    fn an_operation_that_a_full_disk_ended_says_so_once_there_is_space() {
        let (store, disk) = small_disk::store();
        let host = MemoryHost::new(Machine::debian());
        let engine = Engine::new(Arc::new(host), store.clone());
        let id = OperationId::from_parts(1, [1; 10]);
        let pass = engine.enter(0).unwrap();
        let record = engine.begin(&pass, id, Actor::LocalRoot, plan()).unwrap();
        disk.set_full(true);
        let _ = engine.run(&pass, &record);
        drop(pass);
        disk.set_full(false);
        engine.recover(Direction::Back).unwrap();
        let ended = engine.record(id).unwrap();
        assert_eq!(ended.status, Status::Undone);
        assert_eq!(ended.fault.unwrap().code, Code::DiskFull);
    }
}
