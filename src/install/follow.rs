//! Runs an operation of the journal while somebody watches.
//!
//! Invariant: watching never changes how the operation goes; a terminal that went away does not stop it.

use std::thread;
use std::time::Duration;

use crate::domain::fault::Fault;
use crate::domain::id::OperationId;
use crate::host::Host;
use crate::install::console::Console;
use crate::install::journal::Journal;
use crate::ops::engine::{Direction, Outcome};
use crate::ops::event::{Event, What};
use crate::ops::plan::{Plan, PlannedStep};
use crate::store::OperationRecord;

const LOOK: Duration = Duration::from_millis(100);

/// Runs a begun operation to its end.
pub(super) fn run(
    journal: &Journal,
    record: &OperationRecord<Plan>,
    console: &mut dyn Console,
) -> Result<Outcome, Fault> {
    let pass = journal.engine().enter(0)?;
    watch(journal, record, console, || {
        Ok(journal.engine().run(&pass, record))
    })
}

/// Takes an interrupted operation up where it stopped.
pub(super) fn take_up(
    journal: &Journal,
    id: OperationId,
    console: &mut dyn Console,
) -> Result<Outcome, Fault> {
    let record = journal.engine().record(id)?;
    let pass = journal.engine().enter(0)?;
    watch(journal, &record, console, || {
        journal.engine().take_up(&pass, id, Direction::Forward)
    })
}

fn watch(
    journal: &Journal,
    record: &OperationRecord<Plan>,
    console: &mut dyn Console,
    work: impl FnOnce() -> Result<Outcome, Fault> + Send,
) -> Result<Outcome, Fault> {
    let mut watcher = Watcher::new(journal.engine().host(), record);
    watcher.skip(&events(journal, record.id)?);
    thread::scope(|scope| {
        let worker = scope.spawn(work);
        while !worker.is_finished() {
            watcher.tell(&events(journal, record.id).unwrap_or_default(), console);
            thread::sleep(LOOK);
        }
        watcher.tell(&events(journal, record.id).unwrap_or_default(), console);
        worker.join().unwrap_or_else(|_| Err(died()))
    })
}

fn died() -> Fault {
    Fault::new(
        crate::domain::fault::Code::HostFailed,
        "the installation ended unexpectedly",
        "run the same command again: it goes on where it stopped",
    )
}

fn events(journal: &Journal, id: OperationId) -> Result<Vec<(u64, Event)>, Fault> {
    journal.engine().store().events(id).map_err(Fault::from)
}

struct Watcher<'a> {
    host: &'a dyn Host,
    /// Number and title of a step; none for one that people are not shown.
    shown: Vec<Option<(usize, &'a str)>>,
    count: usize,
    began: u64,
    step_began: u64,
    working: Option<usize>,
    told: u64,
}

impl<'a> Watcher<'a> {
    fn new(host: &'a dyn Host, record: &'a OperationRecord<Plan>) -> Self {
        let mut count = 0;
        let mut number = |planned: &'a PlannedStep| {
            (!planned.step.is_for_undoing()).then(|| {
                count += 1;
                (count, planned.title.as_str())
            })
        };
        let shown = record.plan.steps.iter().map(&mut number).collect();
        let now = host.now().millis();
        Self {
            host,
            shown,
            count,
            began: now,
            step_began: now,
            working: None,
            told: 0,
        }
    }

    /// What happened before a crash is not told again.
    fn skip(&mut self, events: &[(u64, Event)]) {
        self.told = events.last().map_or(0, |(sequence, _)| *sequence);
    }

    fn tell(&mut self, events: &[(u64, Event)], console: &mut dyn Console) {
        let told = self.told;
        for (sequence, event) in events.iter().filter(|(sequence, _)| *sequence > told) {
            self.event(event, console);
            self.told = *sequence;
        }
        if let Some(step) = self.working.filter(|_| console.is_live()) {
            let seconds = self.host.now().millis().saturating_sub(self.step_began) / 1000;
            if let Some(line) = self.line(step) {
                console.pass(&format!("{line} … {seconds} s"));
            }
        }
    }

    fn event(&mut self, event: &Event, console: &mut dyn Console) {
        match &event.what {
            What::Started { step, .. } => {
                self.working = Some(*step);
                self.step_began = event.at.millis();
            }
            What::Done { step, .. } => {
                self.working = None;
                let elapsed = self.elapsed(event);
                self.say(*step, &format!(" ({elapsed})"), console);
            }
            What::Failed { step, fault } => {
                self.working = None;
                self.say(*step, &format!(": failed: {}", fault.title), console);
                console.say("undoing what was done");
            }
            What::Recovering {} => console.say("going on where it was interrupted"),
            What::Undone { step } => self.say(*step, ": undone", console),
            What::UndoFailed { step, fault } => {
                let what = format!(": could not be undone: {}", fault.title);
                self.say(*step, &what, console);
            }
            What::Finished {} | What::RolledBack {} => {}
        }
    }

    fn line(&self, step: usize) -> Option<String> {
        let (number, title) = self.shown.get(step).copied().flatten()?;
        Some(format!("[{number}/{}] {title}", self.count))
    }

    fn say(&self, step: usize, what: &str, console: &mut dyn Console) {
        if let Some(line) = self.line(step) {
            console.say(&format!("{line}{what}"));
        }
    }

    /// Since the beginning: what people compare with their patience.
    fn elapsed(&self, event: &Event) -> String {
        let millis = event.at.millis().saturating_sub(self.began);
        format!("{}.{} s", millis / 1000, millis % 1000 / 100)
    }
}
