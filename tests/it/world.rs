//! A machine in memory with the panel installed on it, and a state in memory.

use std::sync::Arc;

use lalapanel::domain::account::Actor;
use lalapanel::domain::change::Change;
use lalapanel::domain::fault::Fault;
use lalapanel::domain::id::OperationId;
use lalapanel::domain::name::Hostname;
use lalapanel::domain::path::HostPath;
use lalapanel::domain::php::PhpVersion;
use lalapanel::domain::site::{NewSite, NewSiteKind};
use lalapanel::host::Host;
use lalapanel::host::memory::MemoryHost;
use lalapanel::host::memory::machine::Machine;
use lalapanel::ops::change::{self, Begun};
use lalapanel::ops::engine::{Direction, Engine, Outcome};
use lalapanel::ops::plan::Plan;
use lalapanel::ops::state::State;
use lalapanel::ops::{graveyard, nginx};
use lalapanel::render;
use lalapanel::store::Store;

/// A machine, a state, and the means to change them.
pub struct World {
    pub host: MemoryHost,
    pub store: Store,
}

impl World {
    /// Debian with nginx, PHP 8.2, MariaDB and the panel.
    pub fn installed() -> Self {
        let mut machine = Machine::debian_with_web();
        for (path, text) in render::nginx::includes() {
            machine.tree.put_text(&path, text);
        }
        let globals = render::nginx::Globals::default();
        machine
            .tree
            .put_text(&render::nginx::globals_file(), &render::nginx::globals(globals));
        machine
            .tree
            .put_text(&nginx::marker_file(), &render::nginx::marker(operation(0)));
        let host = MemoryHost::new(machine);
        for path in ["/var/www", "/var/log/lalapanel", "/run/lalapanel", "/run/lalapanel/php", "/etc/lalapanel", "/etc/lalapanel/php", "/var/lib/lalapanel"] {
            host.make_dir(&HostPath::fixed(path), lalapanel::host::Owner::ROOT, lalapanel::host::Mode(0o755)).unwrap();
        }
        let world = Self {
            host,
            store: Store::in_memory().unwrap(),
        };
        lalapanel::ops::nginx::reload(&world.host, lalapanel::domain::facts::ServiceManager::Systemd).unwrap();
        world
    }

    /// The same with one site of each kind.
    pub fn with_sites() -> Self {
        let world = Self::installed();
        world.run(1, &create("shop.example", php())).unwrap();
        world.run(2, &create("plain.example", NewSiteKind::Static {})).unwrap();
        world
    }

    pub fn engine(&self) -> Engine {
        Engine::new(Arc::new(self.host.clone()), self.store.clone())
    }

    /// Plans and runs a change to its end, as the agent does; `None` where there was nothing to do.
    pub fn run(&self, number: u64, change: &Change) -> Result<Option<Outcome>, Fault> {
        run(&self.engine(), number, change)
    }

    pub fn plan(&self, change: &Change) -> Result<Option<Plan>, Fault> {
        change::plan(&self.engine(), &[name("panel.example")], change)
    }

    /// What the agent does at its start.
    pub fn recover(&self) {
        let engine = self.engine();
        engine.recover(Direction::Back).unwrap();
        sweep(&engine);
    }

    pub fn state(&self) -> State {
        State::read(&self.store).unwrap()
    }

    /// Everything of the machine that an operation may not leave a trace in.
    pub fn machine(&self) -> Machine {
        self.host.machine().settled()
    }
}

/// Plans and runs a change on an engine whose host may be a faulty one.
pub fn run(engine: &Engine, number: u64, change: &Change) -> Result<Option<Outcome>, Fault> {
    let begun = change::begin(engine, &[name("panel.example")], Actor::LocalRoot, change, None, operation(number))?;
    let Begun::Running(record, pass) = begun else {
        return Ok(None);
    };
    let outcome = engine.run(&pass, &record);
    sweep(engine);
    Ok(Some(outcome))
}

pub fn sweep(engine: &Engine) {
    let state = State::read(engine.store()).unwrap();
    let _ = graveyard::sweep(engine.host(), &state);
}

pub fn operation(number: u64) -> OperationId {
    OperationId::from_parts(1_700_000_000_000 + number, [7; 10])
}

pub fn name(text: &str) -> Hostname {
    Hostname::parse(text).unwrap()
}

pub fn php() -> NewSiteKind {
    NewSiteKind::Php { php: Some(PhpVersion::new(8, 2)) }
}

pub fn create(hostname: &str, kind: NewSiteKind) -> Change {
    Change::SiteCreate(NewSite {
        hostname: name(hostname),
        aliases: Vec::new(),
        kind,
    })
}
