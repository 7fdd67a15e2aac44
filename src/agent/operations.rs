//! Changes on their way: begin, run on a thread of their own, be followed, be looked at again.
//!
//! Invariant: whoever asks gets an id at once; the work goes on whether anybody watches or not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::agent::clock::Clock;
use crate::agent::live::LiveSettings;
use crate::agent::pulse::Pulse;
use crate::agent::uptime::Uptime;
use crate::domain::account::Actor;
use crate::domain::change::Change;
use crate::domain::fault::Fault;
use crate::domain::id::OperationId;
use crate::domain::name::Hostname;
use crate::domain::time::Timestamp;
use crate::ops::change::{self, Begun};
use crate::ops::engine::{Direction, Engine};
use crate::ops::event::Event;
use crate::ops::{
    database_import, database_site, database_trash, graveyard, log_sizes, pairs, trash, view,
};
use crate::rpc::nginx_view::ForeignView;
use crate::rpc::protocol::{Answer, Reply};
use crate::rpc::view::{Finding, OperationSummary, OperationView};
use crate::store::{OperationRecord, Status, Unread};

/// How long a follower waits without news.
const FOLLOW: Duration = Duration::from_secs(15);
/// Lists are never longer.
const LIST_CAP: u32 = 500;
/// How often the trash is looked at.
const TRASH_SECONDS: u64 = 3600;

/// Begins, runs and shows operations.
#[derive(Clone)]
pub struct Operations {
    engine: Engine,
    settings: LiveSettings,
    pulse: Pulse<Finding>,
    foreign: Pulse<ForeignView>,
    ended: Arc<Mutex<BTreeMap<OperationId, OperationSummary>>>,
    broom: Arc<Mutex<()>>,
    trash_looked_at: Arc<Mutex<Option<Timestamp>>>,
    clock: Arc<Mutex<Clock>>,
    uptime: Uptime,
}

impl Operations {
    /// Over an engine, with the settings of the panel.
    #[must_use]
    pub fn new(engine: Engine, settings: LiveSettings) -> Self {
        // Where that cannot be read, it is as on a new server.
        let seen = engine.store().clock_seen().unwrap_or_default();
        Self {
            clock: Arc::new(Mutex::new(Clock::last_seen(seen))),
            engine,
            settings,
            pulse: Pulse::default(),
            foreign: Pulse::default(),
            ended: Arc::default(),
            broom: Arc::default(),
            trash_looked_at: Arc::default(),
            uptime: Uptime::default(),
        }
    }

    /// The settings of the panel.
    #[must_use]
    pub fn settings(&self) -> &LiveSettings {
        &self.settings
    }

    /// The panel's own names, which no site may have.
    fn names(&self) -> Vec<Hostname> {
        self.settings.names(self.engine.host())
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// How sites look from outside.
    #[must_use]
    pub fn uptime(&self) -> &Uptime {
        &self.uptime
    }

    /// The quick health checks.
    #[must_use]
    pub fn pulse(&self) -> &Pulse<Finding> {
        &self.pulse
    }

    /// The servers of nginx that are not ours.
    #[must_use]
    pub fn foreign(&self) -> &Pulse<ForeignView> {
        &self.foreign
    }

    /// What would happen.
    pub fn preview(&self, change: &Change) -> Answer {
        match change::plan(&self.engine, &self.names(), change)? {
            None => Ok(Reply::Unchanged {}),
            Some(plan) => Ok(Reply::Plan(Box::new(view::plan(&plan, self.engine.host())))),
        }
    }

    /// Begins it and answers at once.
    pub fn apply(
        &self,
        actor: &Actor,
        change: &Change,
        seen: Option<&str>,
        id: Option<OperationId>,
    ) -> Answer {
        let id = match id {
            Some(id) => id,
            None => self.new_id()?,
        };
        match change::begin(&self.engine, &self.names(), actor.clone(), change, seen, id)? {
            Begun::Unchanged => Ok(Reply::Unchanged {}),
            Begun::Before(operation) => Ok(Reply::Began { operation }),
            Begun::Running(record, pass) => {
                let engine = self.engine.clone();
                let broom = self.broom.clone();
                let settings = change.is_of_the_panel().then(|| self.settings.clone());
                thread::spawn(move || {
                    let _ = engine.run(&pass, &record);
                    if let Some(settings) = settings {
                        settings.refresh(engine.host());
                    }
                    // Emptying a large site takes long, and nobody has to wait for it.
                    drop(pass);
                    sweep(&engine, &broom);
                });
                Ok(Reply::Began { operation: id })
            }
        }
    }

    /// A fresh id.
    pub fn new_id(&self) -> Result<OperationId, Fault> {
        let mut random = [0_u8; 10];
        self.engine.host().random(&mut random)?;
        Ok(OperationId::from_parts(
            self.engine.host().now().millis(),
            random,
        ))
    }

    /// One operation in full.
    pub fn show(&self, id: OperationId) -> Result<OperationView, Fault> {
        let record = self.engine.record(id)?;
        let events = self.engine.store().events::<Event>(id)?;
        Ok(view::operation(&record, &events))
    }

    /// The same, once there is news after `after`.
    pub async fn follow(&self, id: OperationId, after: u64) -> Answer {
        let mut news = self.engine.news();
        let deadline = tokio::time::Instant::now() + FOLLOW;
        loop {
            news.borrow_and_update();
            let view = self.show(id)?;
            if view.sequence > after || view.summary.state.is_final() {
                return Ok(Reply::Operation(Box::new(view)));
            }
            if tokio::time::timeout_at(deadline, news.changed())
                .await
                .is_err()
            {
                return Ok(Reply::Operation(Box::new(view)));
            }
        }
    }

    /// The newest first. What has ended never changes and is remembered, so that lists do not read plans again.
    pub fn list(&self, limit: u32) -> Result<Vec<OperationSummary>, Fault> {
        let records = self
            .engine
            .store()
            .recent::<Unread>(limit.min(LIST_CAP) as usize)?;
        Ok(records.iter().map(|record| self.summary(record)).collect())
    }

    fn summary(&self, record: &OperationRecord<Unread>) -> OperationSummary {
        let id = record.id;
        let is_final = matches!(record.status, Status::Done | Status::Undone);
        if is_final && let Some(known) = self.ended().get(&id) {
            return known.clone();
        }
        // A plan of another version cannot be read; its header can, and lists go on.
        let summary = self
            .show(id)
            .map_or_else(|_| view::header(record), |view| view.summary);
        if is_final {
            let mut ended = self.ended();
            ended.insert(id, summary.clone());
            while ended.len() > LIST_CAP as usize {
                ended.pop_first();
            }
        }
        summary
    }

    fn ended(&self) -> MutexGuard<'_, BTreeMap<OperationId, OperationSummary>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at a stuck operation again, after a person ran what was missing.
    pub fn check(&self, id: OperationId) -> Answer {
        let pass = self.engine.enter(1000)?;
        if self.engine.record(id)?.status == Status::Stuck {
            self.engine.take_up(&pass, id, Direction::Back)?;
        }
        drop(pass);
        Ok(Reply::Operation(Box::new(self.show(id)?)))
    }

    /// Takes up what a crash left, then destroys what deleted sites left.
    pub fn recover(&self) -> Result<usize, Fault> {
        let endings = self.engine.recover(Direction::Back)?;
        sweep(&self.engine, &self.broom);
        Ok(endings.len())
    }

    /// Between operations: takes up what could not be ended (a full disk kept its end from the journal), and sweeps.
    pub fn tidy(&self) -> Result<(), Fault> {
        if self.engine.enter(0).is_err() {
            return Ok(());
        }
        self.recover()?;
        self.end_trash()
    }

    /// Has logs that have grown large rotated. To be called now and then; may take a while.
    pub fn hold_logs(&self) -> Result<bool, Fault> {
        log_sizes::hold(self.engine.host(), &self.engine.store().sites()?)
    }

    /// Ends the sites and databases whose time in the trash is over. Each is an operation like any other, so that people find it in the list.
    ///
    /// Why not each time: one that cannot be ended would fill the list with its tries.
    fn end_trash(&self) -> Result<(), Fault> {
        let now = self.engine.host().now();
        let is_trusted = {
            let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
            clock.look(now)
        };
        let mut last = self
            .trash_looked_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| now >= last && now < last.plus_seconds(TRASH_SECONDS)) {
            return Ok(());
        }
        *last = Some(now);
        self.engine.store().see_clock(now)?;
        if !is_trusted {
            return Ok(());
        }
        let mut due = trash::due(self.engine.store(), now)?;
        due.extend(database_trash::due(self.engine.store(), now)?);
        for change in due {
            self.apply(&Actor::Panel, &change, None, None)?;
        }
        Ok(())
    }

    /// Operations that wait for a person.
    pub fn stuck(&self) -> Result<Vec<OperationId>, Fault> {
        self.engine.store().stuck().map_err(Fault::from)
    }
}

/// Why its failure is not the operation's: the site is gone either way, the next sweep finds what is left, and the doctor
/// names it. Where somebody sweeps already, that is enough.
fn sweep(engine: &Engine, broom: &Mutex<()>) {
    if let Ok(_held) = broom.try_lock() {
        let _ = graveyard::sweep(engine.host(), engine.store());
        let _ = pairs::sweep(engine.host(), engine.store());
        if let Ok(_pass) = engine.enter(0) {
            let _ = graveyard::close(engine.host());
            let _ = pairs::close(engine.host());
            let _ = database_import::close(engine.host(), engine.store());
            let _ = database_site::close(engine.host(), engine.store());
        }
    }
}
