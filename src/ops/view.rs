//! Shows plans and operations to people: the same words in the browser and on the command line.
//!
//! Invariant: showing a plan only reads.

use similar::TextDiff;

use crate::domain::fault::Fault;
use crate::domain::name::Hostname;
use crate::domain::panel_setting::PanelSetting;
use crate::domain::time::Timestamp;
use crate::host::{Host, Node};
use crate::ops::event::{Event, What};
use crate::ops::plan::{Plan, PlannedStep};
use crate::ops::progress::Progress;
use crate::ops::step::Step;
use crate::ops::undo::{Before, Undo};
use crate::render;
use crate::rpc::trash::Trashed;
use crate::rpc::view::{
    OperationState, OperationStepView, OperationSummary, OperationView, PlanStepView, PlanView,
    StepState,
};
use crate::store::{Effect, OperationRecord, Status};
use crate::system::{config, users};

/// A file longer than this is not shown as a diff.
const DIFF_LIMIT: usize = 256 * 1024;

/// A plan with its diffs against the machine as it is now.
#[must_use]
pub fn plan(plan: &Plan, host: &dyn Host) -> PlanView {
    PlanView {
        title: plan.title.clone(),
        hash: plan.hash(),
        steps: plan
            .steps
            .iter()
            .filter(|planned| !planned.step.is_for_undoing())
            .map(|planned| step(planned, host))
            .collect(),
        notes: plan.notes.clone(),
    }
}

fn step(planned: &PlannedStep, host: &dyn Host) -> PlanStepView {
    let diff = match &planned.step {
        Step::WriteFile { path, .. } | Step::RemoveFile { path }
            if render::nginx::holds_hashes(path) || render::handbook::paths().contains(path) =>
        {
            None
        }
        Step::WriteFile { path, text, .. } => {
            Some(unified(path.as_str(), &present(host, path), text))
        }
        Step::RemoveFile { path } => Some(unified(path.as_str(), &present(host, path), "")),
        _ => None,
    };
    PlanStepView {
        title: planned.title.clone(),
        target: planned.step.target(),
        command: super::service::shown(&planned.step),
        diff: diff.filter(|text| !text.is_empty()),
    }
}

fn present(host: &dyn Host, path: &crate::domain::path::HostPath) -> String {
    let is_file =
        matches!(host.stat(path), Ok(Some(meta)) if matches!(meta.node, Node::File { .. }));
    if !is_file {
        return String::new();
    }
    host.read(path, DIFF_LIMIT)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

/// A unified diff with three lines around each change.
#[must_use]
pub fn unified(name: &str, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .header(name, name)
        .to_string()
}

/// One line for a list, of an operation whose plan cannot be read.
#[must_use]
pub fn header<P>(record: &OperationRecord<P>) -> OperationSummary {
    OperationSummary {
        id: record.id,
        title: record.title.clone(),
        change: record.change.clone(),
        hostname: record.hostname.clone(),
        renamed_from: None,
        actor: record.actor.to_string(),
        state: state(record.status, &Progress::default()),
        began: record.began,
        ended: record.ended,
        done: 0,
        steps: 0,
    }
}

/// One line for a list.
#[must_use]
pub fn summary(record: &OperationRecord<Plan>, events: &[(u64, Event)]) -> OperationSummary {
    let progress = Progress::read(events);
    let shown: Vec<usize> = shown(&record.plan).collect();
    let done = shown.iter().filter(|index| progress.is_done(**index));
    let (hostname, renamed_from) = named(record);
    OperationSummary {
        hostname,
        renamed_from,
        state: state(record.status, &progress),
        done: count(done.count()),
        steps: count(shown.len()),
        ..header(record)
    }
}

/// Under which name the site is found now, and under which it was before a renaming that is done.
fn named(record: &OperationRecord<Plan>) -> (Option<Hostname>, Option<Hostname>) {
    match &record.plan.effect {
        Effect::PutSite(site)
            if record.status == Status::Done
                && record.change == "site rename"
                && record.hostname.as_ref() != Some(&site.hostname) =>
        {
            (Some(site.hostname.clone()), record.hostname.clone())
        }
        _ => (record.hostname.clone(), None),
    }
}

/// Those of a list, newest first, that are about the site of this name, also from when it had another.
pub fn history(operations: &mut Vec<OperationSummary>, hostname: &Hostname) {
    let mut name = hostname.clone();
    operations.retain(|operation| {
        let is_about = operation.hostname.as_ref() == Some(&name);
        if let (true, Some(before)) = (is_about, &operation.renamed_from) {
            name = before.clone();
        }
        is_about
    });
}

fn state(status: Status, progress: &Progress) -> OperationState {
    match status {
        Status::Open if progress.is_failed() => OperationState::Undoing,
        Status::Open => OperationState::Working,
        Status::Done => OperationState::Done,
        Status::Undone => OperationState::Undone,
        Status::Stuck => OperationState::Stuck,
    }
}

/// One operation in full.
#[must_use]
pub fn operation(record: &OperationRecord<Plan>, events: &[(u64, Event)]) -> OperationView {
    let mut steps: Vec<OperationStepView> = record.plan.steps.iter().map(waiting).collect();
    let mut fault = record.fault.clone();
    let mut recovered = false;
    for (_, event) in events {
        apply(&mut steps, event, &mut fault);
        recovered |= matches!(event.what, What::Recovering {});
    }
    let steps = shown(&record.plan).filter_map(|index| steps.get(index).cloned());
    OperationView {
        summary: summary(record, events),
        sequence: events.last().map_or(0, |(sequence, _)| *sequence),
        steps: steps.collect(),
        fault,
        remaining: if record.status == Status::Stuck {
            remaining(&Progress::read(events))
        } else {
            Vec::new()
        },
        recovered,
        trashed: match &record.plan.effect {
            _ if record.status != Status::Done => None,
            Effect::TrashSite(gone) => Some(Trashed::Site(gone.site.id)),
            Effect::PutDatabase(gone) if gone.deleted.is_some() => {
                Some(Trashed::Database(gone.name.clone()))
            }
            _ => None,
        },
    }
}

/// The places of the steps that people see.
fn shown(plan: &Plan) -> impl Iterator<Item = usize> {
    let places = plan.steps.iter().enumerate();
    places
        .filter(|(_, planned)| !planned.step.is_for_undoing())
        .map(|(index, _)| index)
}

fn waiting(planned: &PlannedStep) -> OperationStepView {
    OperationStepView {
        title: planned.title.clone(),
        target: planned.step.target(),
        state: StepState::Waiting,
        began: None,
        ended: None,
        note: None,
    }
}

fn apply(steps: &mut [OperationStepView], event: &Event, fault: &mut Option<Fault>) {
    let (index, state) = match &event.what {
        What::Started { step, .. } => (*step, StepState::Working),
        What::Done { step, note } => {
            if let Some(step) = steps.get_mut(*step) {
                step.note.clone_from(note);
            }
            (*step, StepState::Done)
        }
        What::Failed { step, fault: cause } => {
            *fault = fault.clone().or_else(|| Some(cause.clone()));
            (*step, StepState::Failed)
        }
        What::UndoFailed { step, .. } => (*step, StepState::Failed),
        What::Undone { step } => (*step, StepState::Undone),
        What::Recovering {} | What::Finished {} | What::RolledBack {} => return,
    };
    let Some(step) = steps.get_mut(index) else {
        return;
    };
    // The step that failed keeps its word when it is taken back: people look for it.
    if step.state == StepState::Failed && state == StepState::Undone {
        return;
    }
    step.state = state;
    mark(step, state, event.at);
}

fn mark(step: &mut OperationStepView, state: StepState, at: Timestamp) {
    match state {
        StepState::Working => step.began = Some(at),
        _ => step.ended = Some(at),
    }
}

/// What a person must do by hand where undoing failed: one line each, newest step first.
fn remaining(progress: &Progress) -> Vec<String> {
    progress
        .to_undo()
        .iter()
        .filter_map(|(_, undo)| by_hand(undo))
        .collect()
}

/// How a person would take a step back.
pub fn by_hand(undo: &Undo) -> Option<String> {
    Some(match undo {
        Undo::Nothing => return None,
        Undo::Restore {
            path,
            before: Before::Absent,
        } => format!("rm -d '{path}'"),
        Undo::Restore {
            path,
            before: Before::Link { target },
        } => format!("ln -sfn '{target}' '{path}'"),
        Undo::Restore {
            path,
            before: Before::Directory { owner, mode },
        } => format!(
            "install -d -o {} -g {} -m {:o} '{path}'",
            owner.uid, owner.gid, mode.0
        ),
        Undo::Restore {
            path,
            before: Before::Meta { owner, mode },
        } => format!(
            "chown {}:{} '{path}'; chmod {:o} '{path}'",
            owner.uid, owner.gid, mode.0
        ),
        Undo::Restore { path, .. } => format!("# put back the former content of {path}"),
        Undo::RemoveSiteDirectory { base, name, .. } => format!("rm -r '{}'", base.join(name)),
        Undo::MoveBack { from, to } => format!("mv -n '{from}' '{to}'"),
        Undo::DeleteUser(user) => format!("userdel {}", user.name),
        Undo::CreateUser(user) => users::create_command(&user.name, user.id, &user.home).shown(),
        Undo::MoveHome { name, to, .. } => users::home_command(name, to).shown(),
        Undo::Job(job) => format!("# undo in {}: {:?}", job.base, job.act),
        Undo::Service { unit, was, .. } => format!(
            "systemctl {} {unit}",
            if was.active { "start" } else { "stop" }
        ),
        Undo::ReloadService { services, unit } => super::service::reload_line(*services, unit),
        Undo::ReloadUnits => "systemctl daemon-reload".to_owned(),
        Undo::ReloadNginx { services } => super::service::reload_line(*services, "nginx"),
        Undo::RestartService { unit, .. } => format!("systemctl restart {unit}"),
        Undo::DropDatabase { name } => {
            format!("mariadb -e 'DROP DATABASE IF EXISTS {name}'")
        }
        Undo::DropDatabaseUser { user } => {
            format!("mariadb -e 'DROP USER IF EXISTS {user}@localhost'")
        }
        Undo::DropJobUsers { users } => {
            let users: Vec<String> = users.iter().map(ToString::to_string).collect();
            format!("mariadb -e \"DROP USER IF EXISTS {}\"", users.join(", "))
        }
        Undo::CreateDatabaseUser { user, .. } => {
            format!("# make the database user {user} again with `lalapanel db user add`")
        }
        Undo::GrantDatabaseUser { user, grants } => {
            format!("# give {user} these and no others: {}", grants.join("; "))
        }
        Undo::SetDatabasePassword { user, .. } => {
            format!("# give the database user {user} its former password")
        }
        Undo::LockDatabaseUser { user, locked } => {
            let word = if *locked { "LOCK" } else { "UNLOCK" };
            format!("mariadb -e 'ALTER USER {user}@localhost ACCOUNT {word}'")
        }
        Undo::SwapDatabaseBack { name, import, .. } => format!(
            "# move the tables of `lalapanel-before-{import}-{name}` to `{name}` with RENAME TABLE"
        ),
        Undo::SetConfig { values } => {
            let of = |value: &PanelSetting| format!("{} = {}", value.key(), value.text());
            let values: Vec<String> = values.iter().map(of).collect();
            format!("# in {}: {}", config::file(), values.join(", "))
        }
        Undo::All { undos } => {
            let lines: Vec<String> = undos.iter().filter_map(by_hand).collect();
            lines.join("; ")
        }
        Undo::InstallPackages { names } => format!("apt-get install {}", names.join(" ")),
        Undo::RemovePackages { names } if !names.is_empty() => {
            format!("apt-get purge {}", names.join(" "))
        }
        Undo::RemovePackages { .. } => {
            "# remove the packages that this operation installed (see /var/log/apt/history.log)"
                .to_owned()
        }
    })
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
