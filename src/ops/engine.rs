//! Runs plans: journal, act, and on any failure the way back.
//!
//! Invariant: one operation at a time; no act before its undo is durable; an operation ends as done, undone or stuck,
//! and one that a crash left open is taken up again before anything else runs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::domain::account::Actor;
use crate::domain::fault::{Code, Fault};
use crate::domain::id::OperationId;
use crate::host::Host;
use crate::ops::act::{self, Context};
use crate::ops::drift;
use crate::ops::event::{Event, What};
use crate::ops::gate::{Gate, Pass};
use crate::ops::plan::Plan;
use crate::ops::progress::Progress;
use crate::ops::undo::Undo;
use crate::ops::unwritten::Unwritten;
use crate::store::{Effect, Ending, OperationRecord, Status, Store, Unread};

/// How often taking a step back is tried before a person is called.
const UNDO_TRIES: u32 = 3;

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// Everything is done.
    Done,
    /// Everything is undone.
    Undone(Fault),
    /// A person is needed.
    Stuck(Fault),
}

/// Which way an interrupted operation is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Undo what was done.
    Back,
    /// Go on where it stopped; on failure, undo.
    Forward,
}

/// The executor.
#[derive(Clone)]
pub struct Engine {
    host: Arc<dyn Host>,
    store: Store,
    gate: Gate,
    news: watch::Sender<u64>,
    unwritten: Unwritten,
}

impl Engine {
    /// An engine over a machine and a state.
    #[must_use]
    pub fn new(host: Arc<dyn Host>, store: Store) -> Self {
        Self {
            host,
            store,
            gate: Gate::default(),
            news: watch::Sender::new(0),
            unwritten: Unwritten::default(),
        }
    }

    /// The machine.
    #[must_use]
    pub fn host(&self) -> &dyn Host {
        self.host.as_ref()
    }

    /// The state.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Wakes whoever follows an operation; the number only ever grows.
    #[must_use]
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Waits for the engine to be free; whoever holds the pass is the one who plans and runs.
    pub fn enter(&self, millis: u64) -> Result<Pass, Fault> {
        self.gate.enter(millis).ok_or_else(|| {
            Fault::new(
                Code::OperationBusy,
                "another operation is still running",
                "wait until it has ended (`lalapanel op list`), then try again",
            )
        })
    }

    /// Writes the operation into the journal. From here on it has an id, a page and an end.
    pub fn begin(
        &self,
        _pass: &Pass,
        id: OperationId,
        actor: Actor,
        plan: Plan,
    ) -> Result<OperationRecord<Plan>, Fault> {
        let record = OperationRecord {
            id,
            title: plan.title.clone(),
            change: plan.change.clone(),
            hostname: plan.hostname.clone(),
            actor,
            began: self.host.now(),
            ended: None,
            status: Status::Open,
            fault: None,
            recovered: false,
            plan,
        };
        if let Some(site) = record.plan.effect.site() {
            self.store.retire_site_id(site.id)?;
        }
        self.store.begin(&record)?;
        self.tell();
        Ok(record)
    }

    /// Runs a begun operation to its end.
    #[must_use]
    pub fn run(&self, _pass: &Pass, record: &OperationRecord<Plan>) -> Outcome {
        self.go_on(record, &mut Progress::default())
    }

    /// Takes up every operation that a crash left open. To be called before the first request is answered.
    pub fn recover(&self, direction: Direction) -> Result<Vec<(OperationId, Outcome)>, Fault> {
        let pass = self.enter(60_000)?;
        self.take_up_all(&pass, direction)
    }

    /// The same for whoever holds the engine. An operation that cannot even be read becomes stuck: the others go on.
    pub fn take_up_all(
        &self,
        pass: &Pass,
        direction: Direction,
    ) -> Result<Vec<(OperationId, Outcome)>, Fault> {
        let mut outcomes = Vec::new();
        for id in self.store.unfinished()? {
            let outcome = self.take_up(pass, id, direction).unwrap_or_else(|fault| {
                let stuck = self.ending(Status::Stuck, Some(fault.clone()), &Progress::default());
                self.end(id, What::Recovering {}, stuck);
                Outcome::Stuck(fault)
            });
            outcomes.push((id, outcome));
        }
        Ok(outcomes)
    }

    /// Takes up one open or stuck operation.
    pub fn take_up(
        &self,
        _pass: &Pass,
        id: OperationId,
        direction: Direction,
    ) -> Result<Outcome, Fault> {
        let record = self.record(id)?;
        let events = self.store.events::<Event>(id)?;
        let mut progress = Progress::read(&events);
        progress.recovering();
        self.note(id, What::Recovering {});
        if direction == Direction::Forward && !progress.is_failed() {
            return Ok(self.go_on(&record, &mut progress));
        }
        let known = progress.fault().or_else(|| self.unwritten.take(id));
        let fault = known.unwrap_or_else(|| interrupted(id));
        Ok(self.go_back(&record, &mut progress, fault))
    }

    /// One operation with its plan.
    pub fn record(&self, id: OperationId) -> Result<OperationRecord<Plan>, Fault> {
        self.store.operation(id)?.ok_or_else(|| {
            Fault::new(
                Code::OperationNotFound,
                format!("there is no operation {id}"),
                "see `lalapanel op list`",
            )
        })
    }

    fn go_on(&self, record: &OperationRecord<Plan>, progress: &mut Progress) -> Outcome {
        let context = Context::new(self.host(), record.id);
        for (index, planned) in record.plan.steps.iter().enumerate() {
            if progress.is_done(index) {
                continue;
            }
            let result = self
                .start(record.id, index, &planned.step, progress, &context)
                .and_then(|()| act::act(&planned.step, &context))
                .and_then(|()| self.acted(record.id, index, context.said()));
            match result {
                Ok(()) => progress.done(index),
                Err(fault) => {
                    let fault = fault.in_operation(record.id);
                    self.note(
                        record.id,
                        What::Failed {
                            step: index,
                            fault: fault.clone(),
                        },
                    );
                    return self.go_back(record, progress, fault);
                }
            }
        }
        let finished = self.event(What::Finished {});
        match self.store.finish(
            record.id,
            &finished,
            &drift::remembered(&record.plan),
            self.ending(Status::Done, None, progress),
        ) {
            Ok(_) => {
                self.tell();
                Outcome::Done
            }
            // The disk may have taken the end and failed only to say so: what is written down counts.
            Err(_) if self.is_done(record.id) => Outcome::Done,
            Err(error) => {
                self.go_back(record, progress, Fault::from(error).in_operation(record.id))
            }
        }
    }

    fn is_done(&self, id: OperationId) -> bool {
        let written = self.store.operation::<Unread>(id);
        matches!(written, Ok(Some(record)) if record.status == Status::Done)
    }

    /// Makes the way back durable before the act. A step taken up again keeps what was captured the first time.
    fn start(
        &self,
        id: OperationId,
        index: usize,
        step: &crate::ops::step::Step,
        progress: &mut Progress,
        context: &Context<'_>,
    ) -> Result<(), Fault> {
        if progress.undo_of(index).is_some() {
            return Ok(());
        }
        let undo = act::look(step, context)?;
        self.append(
            id,
            What::Started {
                step: index,
                undo: undo.clone(),
            },
        )?;
        progress.started(index, undo);
        Ok(())
    }

    fn go_back(
        &self,
        record: &OperationRecord<Plan>,
        progress: &mut Progress,
        fault: Fault,
    ) -> Outcome {
        let context = Context::new(self.host(), record.id);
        for (index, undo) in progress.to_undo() {
            if let Err(cause) = self.take_back(&undo, &context) {
                let stuck = stuck(record, index, &cause);
                let end = self.ending(Status::Stuck, Some(stuck.clone()), progress);
                self.end(
                    record.id,
                    What::UndoFailed {
                        step: index,
                        fault: cause,
                    },
                    end,
                );
                return Outcome::Stuck(stuck);
            }
            progress.undone(index);
            self.note(record.id, What::Undone { step: index });
        }
        let end = self.ending(Status::Undone, Some(fault.clone()), progress);
        self.end(record.id, What::RolledBack {}, end);
        Outcome::Undone(fault)
    }

    fn take_back(&self, undo: &Undo, context: &Context<'_>) -> Result<(), Fault> {
        let mut tries = 0;
        loop {
            tries += 1;
            match act::undo(undo, context) {
                Ok(()) => return Ok(()),
                Err(_) if tries < UNDO_TRIES => self.host.pause(200),
                Err(fault) => return Err(fault),
            }
        }
    }

    /// Why not an error: when even the end cannot be written, the operation stays open and the next start takes it up.
    fn end(&self, id: OperationId, what: What, ending: Ending) {
        let (event, why) = (self.event(what), ending.clone());
        if self
            .store
            .finish(id, &event, &Effect::None, ending)
            .is_err()
        {
            self.unwritten.keep(id, why);
        }
        self.tell();
    }

    fn ending(&self, status: Status, fault: Option<Fault>, progress: &Progress) -> Ending {
        Ending {
            status,
            ended: self.host.now(),
            fault,
            recovered: progress.is_recovered(),
        }
    }

    fn append(&self, id: OperationId, what: What) -> Result<(), Fault> {
        self.store.append(id, &self.event(what))?;
        self.tell();
        Ok(())
    }

    fn acted(&self, id: OperationId, step: usize, note: Option<String>) -> Result<(), Fault> {
        self.append_soon(id, What::Done { step, note })
    }

    /// `Done` need not be durable: a step that acted counts as begun until then, and undoing or acting again is safe.
    fn append_soon(&self, id: OperationId, what: What) -> Result<(), Fault> {
        self.store.append_soon(id, &self.event(what))?;
        self.tell();
        Ok(())
    }

    /// An entry that only reports: on the way back nothing depends on it, since undoing twice is safe.
    fn note(&self, id: OperationId, what: What) {
        let _ = self.store.append_soon(id, &self.event(what));
        self.tell();
    }

    fn event(&self, what: What) -> Event {
        Event {
            at: self.host.now(),
            what,
        }
    }

    fn tell(&self) {
        self.news
            .send_modify(|number| *number = number.wrapping_add(1));
    }
}

fn interrupted(id: OperationId) -> Fault {
    Fault::new(
        Code::HostFailed,
        "the server or the agent stopped in the middle of it",
        "everything was undone; start it again",
    )
    .in_operation(id)
}

fn stuck(record: &OperationRecord<Plan>, index: usize, cause: &Fault) -> Fault {
    let title = record
        .plan
        .steps
        .get(index)
        .map_or("a step", |planned| planned.title.as_str());
    Fault::new(
        Code::OperationStuck,
        format!("a step could not be undone: {title}"),
        format!(
            "run the commands shown by `lalapanel op show {}`, then choose Check again",
            record.id
        ),
    )
    .detail(if cause.detail.is_empty() {
        cause.title.clone()
    } else {
        format!("{}: {}", cause.title, cause.detail)
    })
    .in_operation(record.id)
}
