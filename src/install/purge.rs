//! `uninstall --purge`: delete the sites, then take back every step of every installation, newest first.
//!
//! Invariant: only what the journal says was done is taken back, so the host ends as it was found; started again after
//! a crash, it goes on where it stopped.

use std::path::Path;
use std::sync::Arc;

use crate::domain::account::Actor;
use crate::domain::change::Change;
use crate::domain::fault::{Code, Fault};
use crate::domain::id::OperationId;
use crate::domain::path::HostPath;
use crate::host::{Host, HostError, Mode, Node, Owner};
use crate::install::console::Console;
use crate::install::journal::Journal;
use crate::install::options::RemoveOptions;
use crate::install::remove::agree;
use crate::install::report::{Removed, Report};
use crate::ops::act::{self, Context, must};
use crate::ops::change::{self, Begun};
use crate::ops::engine::{Direction, Engine, Outcome};
use crate::ops::event::{Event, What};
use crate::ops::plan::Plan;
use crate::ops::progress::Progress;
use crate::ops::state::State;
use crate::ops::undo::{Before, Undo};
use crate::ops::{authority_keys, database_trash, dns_ways, graveyard, pairs, trash, view};
use crate::render;
use crate::rpc::blocking::BlockingClient;
use crate::rpc::client::SOCKET;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::{PlanStepView, PlanView};
use crate::store::{OperationRecord, Store};
use crate::system::{notify_vault, service, service::Verb};

const TRIES: u32 = 3;
/// nginx keeps a page two directories deep.
const CACHE_DEPTH: u32 = 3;

/// Empties the page cache. Its directories are nginx's: each becomes root's before anything in it is removed, so that
/// nobody changes what is about to be removed.
fn empty(host: &dyn Host, directory: &HostPath, depth: u32) -> Result<(), Fault> {
    if host.stat(directory)?.is_none() || depth == 0 {
        return Ok(());
    }
    host.set_meta(directory, Owner::ROOT, Mode(0o700))?;
    for name in host.list(directory)? {
        let path = directory.join(&name);
        let is_directory = host
            .stat(&path)?
            .is_some_and(|meta| meta.node == Node::Directory);
        if is_directory {
            empty(host, &path, depth - 1)?;
        }
        host.remove(&path)?;
    }
    Ok(())
}

fn state_file() -> HostPath {
    HostPath::fixed("/var/lib/lalapanel/state.redb")
}

/// Removes everything, or shows what would be removed.
pub(super) fn everything(
    host: &Arc<dyn Host>,
    options: RemoveOptions,
    console: &mut dyn Console,
) -> Result<Report, Fault> {
    if options.plan {
        return shown(host).map(|plan| Report::Planned(Box::new(plan)));
    }
    agree(
        options,
        "Delete all sites with their files, and everything that came with the panel?",
        console,
    )?;
    let journal = Journal::open(host)?;
    stop_panel(host.as_ref())?;
    let sites = match delete_sites(host, console) {
        Ok(sites) => sites,
        Err(fault) => {
            start_panel(host.as_ref());
            return Err(fault);
        }
    };
    let cache = render::nginx_shared::cache_directory();
    empty(host.as_ref(), &cache, CACHE_DEPTH)?;
    // Written by the first site with TLS, and by an authority's first answer; nginx forgets port 443 with the rest.
    let issued = crate::system::panel_certificate::issued_file();
    for path in render::nginx_tls::files().into_iter().chain([issued]) {
        remove(host.as_ref(), &path)?;
    }
    let mut notes = Vec::new();
    for record in journal.installations()? {
        take_back(host.as_ref(), &journal, &record, console, &mut notes)?;
    }
    remove(host.as_ref(), &state_file())?;
    journal.discard()?;
    if let Some(note) = kept(host.as_ref(), "/var/lib/mysql") {
        notes.push(note);
    }
    Ok(Report::Removed(Removed {
        purged: true,
        sites,
        notes,
    }))
}

/// The state is one process's alone: the agent lets go of it.
fn stop_panel(host: &dyn Host) -> Result<(), Fault> {
    let services = service::manager(host)?;
    for unit in render::panel::units(services) {
        let state = service::state(host, services, unit)?;
        if state.active {
            for command in service::commands(services, Verb::Stop, unit) {
                must(host, &command)?;
            }
        }
    }
    Ok(())
}

/// Why its failure is not told: the fault that is on its way is the one to read.
fn start_panel(host: &dyn Host) {
    let Ok(services) = service::manager(host) else {
        return;
    };
    for unit in render::panel::units(services).iter().rev() {
        for command in service::commands(services, Verb::Start, unit) {
            let _ = host.run(&command);
        }
    }
}

fn delete_sites(host: &Arc<dyn Host>, console: &mut dyn Console) -> Result<Vec<String>, Fault> {
    if host.stat(&state_file())?.is_none() {
        return Ok(Vec::new());
    }
    let store = Store::open(Path::new(state_file().as_str()))?;
    let engine = Engine::new(host.clone(), store);
    engine.recover(Direction::Back)?;
    let state = State::read(engine.store())?;
    let mut deleted = Vec::new();
    for hostname in state.sites.iter().map(|site| site.hostname.clone()) {
        console.say(&format!("deleting {hostname}"));
        deleted.push(hostname.to_string());
        let now = true;
        delete(&engine, &Change::SiteDelete { hostname, now })?;
    }
    for site in state.trash.into_iter().map(|trashed| trashed.site) {
        console.say(&format!("emptying the trash: {}", site.hostname));
        delete(&engine, &trash::end_of(site))?;
    }
    for database in State::read(engine.store())?.trashed_databases {
        console.say(&format!("emptying the trash: {}", database.name));
        delete(&engine, &database_trash::end_of(database))?;
    }
    graveyard::sweep(host.as_ref(), engine.store())?;
    graveyard::close(host.as_ref())?;
    pairs::sweep(host.as_ref(), engine.store())?;
    pairs::close(host.as_ref())?;
    authority_keys::destroy(host.as_ref())?;
    dns_ways::destroy(host.as_ref())?;
    Ok(notify_vault::destroy(host.as_ref()).map(|()| deleted)?)
}

fn delete(engine: &Engine, change: &Change) -> Result<(), Fault> {
    let mut random = [0_u8; 10];
    engine.host().random(&mut random)?;
    let id = OperationId::from_parts(engine.host().now().millis(), random);
    let Begun::Running(record, pass) =
        change::begin(engine, &[], Actor::LocalRoot, change, None, id)?
    else {
        return Ok(());
    };
    match engine.run(&pass, &record) {
        Outcome::Done => Ok(()),
        Outcome::Undone(fault) | Outcome::Stuck(fault) => Err(fault),
    }
}

fn progress(journal: &Journal, id: OperationId) -> Result<Progress, Fault> {
    let events = journal.engine().store().events::<Event>(id)?;
    Ok(Progress::read(&events))
}

fn take_back(
    host: &dyn Host,
    journal: &Journal,
    record: &OperationRecord<Plan>,
    console: &mut dyn Console,
    notes: &mut Vec<String>,
) -> Result<(), Fault> {
    let context = Context::new(host, record.id);
    for (index, undo) in progress(journal, record.id)?.to_undo() {
        let planned = record.plan.steps.get(index);
        if undo != Undo::Nothing && planned.is_some_and(|planned| !planned.step.is_for_undoing()) {
            let title = record
                .plan
                .steps
                .get(index)
                .map_or("", |planned| planned.title.as_str());
            console.say(&format!("taking back: {title}"));
        }
        notes.extend(undone(&undo, &context)?);
        let event = Event {
            at: host.now(),
            what: What::Undone { step: index },
        };
        journal.engine().store().append(record.id, &event)?;
    }
    Ok(())
}

/// Takes one step back; a directory that others put something into stays, and is named.
fn undone(undo: &Undo, context: &Context<'_>) -> Result<Option<String>, Fault> {
    if let Undo::Restore {
        path,
        before: Before::Absent,
    } = undo
        && let Some(note) = occupied(context.host, path)?
    {
        return Ok(Some(note));
    }
    let mut tries = 0;
    loop {
        tries += 1;
        match act::undo(undo, context) {
            Ok(()) => return Ok(None),
            Err(_) if tries < TRIES => context.host.pause(300),
            Err(fault) => return Err(stuck(undo, &fault)),
        }
    }
}

/// Empties our own directory of sockets; of any other one with something in it, says that it stays.
fn occupied(host: &dyn Host, path: &HostPath) -> Result<Option<String>, Fault> {
    let meta = host.stat(path)?;
    if !meta.is_some_and(|meta| meta.node == Node::Directory) {
        return Ok(None);
    }
    if HostPath::fixed("/run/lalapanel").contains(path) {
        for name in host.list(path)? {
            remove(host, &path.join(&name))?;
        }
    }
    let names = host.list(path)?;
    let first = names.first();
    Ok(first.map(|name| format!("`{path}` stays: `{name}` in it is not the panel's")))
}

fn remove(host: &dyn Host, path: &HostPath) -> Result<(), Fault> {
    match host.remove(path) {
        Ok(()) | Err(HostError::NotEmpty { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn stuck(undo: &Undo, cause: &Fault) -> Fault {
    let by_hand = view::by_hand(undo).unwrap_or_default();
    Fault::new(
        Code::OperationStuck,
        "a step of the installation could not be taken back",
        format!(
            "run `{by_hand}` by hand, then `lalapanel uninstall --purge` again: it goes on there"
        ),
    )
    .detail(if cause.detail.is_empty() {
        cause.title.clone()
    } else {
        format!("{}: {}", cause.title, cause.detail)
    })
}

fn kept(host: &dyn Host, path: &'static str) -> Option<String> {
    let found = host.stat(&HostPath::fixed(path)).ok().flatten();
    let program = host
        .stat(&HostPath::fixed("/usr/sbin/mariadbd"))
        .ok()
        .flatten();
    (found.is_some() && program.is_none()).then(|| {
        format!("`{path}` stays: removing a package deletes no databases, nor their user `mysql`")
    })
}

fn shown(host: &Arc<dyn Host>) -> Result<PlanView, Fault> {
    let mut steps: Vec<PlanStepView> = sites()
        .into_iter()
        .map(|name| step(format!("Delete {name} with its files"), name))
        .collect();
    if let Some(journal) = Journal::existing(host)? {
        for record in journal.installations()? {
            for (index, undo) in progress(&journal, record.id)?.to_undo() {
                let title = record
                    .plan
                    .steps
                    .get(index)
                    .map_or("", |planned| planned.title.as_str());
                if let Some(line) = view::by_hand(&undo) {
                    steps.push(PlanStepView {
                        command: Some(line),
                        ..step(format!("Take back: {title}"), String::new())
                    });
                }
            }
        }
    }
    steps.push(step(
        "Remove the state and the journal".to_owned(),
        "/var/lib/lalapanel".to_owned(),
    ));
    steps.push(step(
        "Remove the program".to_owned(),
        crate::ops::panel::program().to_string(),
    ));
    Ok(PlanView {
        title: "Remove Lala Panel with all its sites, and leave the server as it was found"
            .to_owned(),
        hash: String::new(),
        steps,
        notes: Vec::new(),
    })
}

fn step(title: String, target: String) -> PlanStepView {
    PlanStepView {
        title,
        target,
        command: None,
        diff: None,
    }
}

/// As the agent says; where it does not run, the sites are found when they are deleted.
fn sites() -> Vec<String> {
    let answer = BlockingClient::connect(Path::new(SOCKET))
        .and_then(|mut client| client.call(Request::SiteList {}));
    match answer {
        Ok(Reply::Sites(sites)) => sites.iter().map(|site| site.hostname.to_string()).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;
    use crate::host::{Mode, Owner};

    fn absent(path: &'static str) -> Undo {
        Undo::Restore {
            path: HostPath::fixed(path),
            before: Before::Absent,
        }
    }

    fn host_with(directory: &'static str, file: Option<&'static str>) -> MemoryHost {
        let host = MemoryHost::new(Machine::debian());
        let path = HostPath::fixed(directory);
        let _ = host.make_dir(&path.parent(), Owner::ROOT, Mode(0o755));
        host.make_dir(&path, Owner::ROOT, Mode(0o755)).unwrap();
        if let Some(name) = file {
            host.write(&path.join(name), b"x", Owner::ROOT, Mode(0o600))
                .unwrap();
        }
        host
    }

    fn take_back(host: &MemoryHost, undo: &Undo) -> Option<String> {
        let operation = OperationId::from_parts(1, [0; 10]);
        undone(undo, &Context::new(host, operation)).unwrap()
    }

    #[test]
    fn what_others_put_into_our_directory_stays_and_is_named() {
        let host = host_with("/etc/lalapanel", Some("notes.txt"));
        let note = take_back(&host, &absent("/etc/lalapanel")).unwrap();
        assert!(note.contains("notes.txt"));
        let path = HostPath::fixed("/etc/lalapanel/notes.txt");
        assert!(host.stat(&path).unwrap().is_some());
    }

    #[test]
    fn sockets_left_behind_go_with_their_directory() {
        let host = host_with("/run/lalapanel", Some("agent.sock"));
        assert_eq!(take_back(&host, &absent("/run/lalapanel")), None);
        let path = HostPath::fixed("/run/lalapanel");
        assert!(host.stat(&path).unwrap().is_none());
    }

    #[test]
    fn an_empty_directory_goes_without_a_word() {
        let host = host_with("/var/log/lalapanel", None);
        assert_eq!(take_back(&host, &absent("/var/log/lalapanel")), None);
        assert_eq!(take_back(&host, &absent("/var/log/lalapanel")), None);
    }
}
