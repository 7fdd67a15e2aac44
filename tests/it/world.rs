//! A machine in memory with the panel installed on it, and a state in memory.

use std::sync::Arc;

use lalapanel::domain::account::Actor;
use lalapanel::domain::certificate::{Chain, Source};
use lalapanel::domain::change::Change;
use lalapanel::domain::fault::Fault;
use lalapanel::domain::id::OperationId;
use lalapanel::domain::name::Hostname;
use lalapanel::domain::path::HostPath;
use lalapanel::domain::php::PhpVersion;
use lalapanel::domain::setting::Assignment;
use lalapanel::domain::site::{NewSite, NewSiteKind};
use lalapanel::domain::tls::TlsMode;
use lalapanel::host::Host;
use lalapanel::host::memory::MemoryHost;
use lalapanel::host::memory::machine::Machine;
use lalapanel::ops::change::{self, Begun};
use lalapanel::ops::engine::{Direction, Engine, Outcome};
use lalapanel::ops::plan::Plan;
use lalapanel::ops::state::State;
use lalapanel::ops::{database_import, database_site, graveyard, nginx, pairs};
use lalapanel::render;
use lalapanel::store::Store;

/// A machine, a state, and the means to change them.
pub(crate) struct World {
    pub(crate) host: MemoryHost,
    pub(crate) store: Store,
}

impl World {
    /// Debian with nginx, PHP 8.2, MariaDB and the panel.
    pub(crate) fn installed() -> Self {
        let mut machine = Machine::debian_with_web();
        for (path, text) in render::nginx::includes() {
            machine.tree.put_text(&path, text);
        }
        let globals = render::nginx::Globals {
            ipv6: true,
            default_on_80: true,
            default_on_80_v6: true,
            names_hash: true,
        };
        machine.tree.put_text(
            &render::nginx::globals_file(),
            &render::nginx::globals(globals),
        );
        machine
            .tree
            .put_text(&nginx::marker_file(), &render::nginx::marker(operation(0)));
        let host = MemoryHost::new(machine);
        for path in [
            "/var/www",
            "/var/log/lalapanel",
            "/run/lalapanel",
            "/run/lalapanel/php",
            "/etc/lalapanel",
            "/etc/lalapanel/php",
            "/var/lib/lalapanel",
        ] {
            host.make_dir(
                &HostPath::fixed(path),
                lalapanel::host::Owner::ROOT,
                lalapanel::host::Mode(0o755),
            )
            .unwrap();
        }
        let world = Self {
            host,
            store: Store::in_memory().unwrap(),
        };
        lalapanel::ops::nginx::reload(
            &world.host,
            lalapanel::domain::facts::ServiceManager::Systemd,
        )
        .unwrap();
        world
    }

    /// The same with one site of each kind.
    pub(crate) fn with_sites() -> Self {
        let world = Self::installed();
        world.run(1, &create("shop.example", php())).unwrap();
        world
            .run(
                2,
                &create("plain.example", NewSiteKind::Static { spa: false }),
            )
            .unwrap();
        world
    }

    pub(crate) fn engine(&self) -> Engine {
        Engine::new(Arc::new(self.host.clone()), self.store.clone())
    }

    /// Plans and runs a change to its end, as the agent does; `None` where there was nothing to do.
    pub(crate) fn run(&self, number: u64, change: &Change) -> Result<Option<Outcome>, Fault> {
        run(&self.engine(), number, change)
    }

    pub(crate) fn plan(&self, change: &Change) -> Result<Option<Plan>, Fault> {
        change::plan(&self.engine(), &[name("panel.example")], change)
    }

    /// What the agent does at its start.
    pub(crate) fn recover(&self) {
        let engine = self.engine();
        engine.recover(Direction::Back).unwrap();
        sweep(&engine);
    }

    pub(crate) fn state(&self) -> State {
        State::read(&self.store).unwrap()
    }

    /// Everything of the machine that an operation may not leave a trace in.
    pub(crate) fn machine(&self) -> Machine {
        let mut machine = self.host.machine().settled();
        // A user made again stands at the end of the list; the order means nothing.
        for file in ["/etc/passwd", "/etc/group"] {
            let path = HostPath::fixed(file);
            let text = machine.tree.text(&path).unwrap();
            let mut lines: Vec<&str> = text.lines().collect();
            lines.sort_unstable();
            machine.tree.put_text(&path, &lines.join("\n"));
        }
        without_chance(&mut machine);
        machine
    }
}

/// A placeholder is another one each time it is made; that it is one is all that counts.
fn without_chance(machine: &mut Machine) {
    let is_made = |path: &HostPath| path.parent().as_str().ends_with("-placeholder");
    let made: Vec<HostPath> = machine
        .tree
        .iter()
        .map(|(path, _)| path.clone())
        .filter(is_made)
        .collect();
    for path in made {
        let owner = machine.tree.stat(&path).unwrap().unwrap();
        machine.tree.put_text(&path, "made by chance");
        machine
            .tree
            .set_meta(&path, owner.owner, owner.mode)
            .unwrap();
    }
    for text in machine
        .nginx
        .iter_mut()
        .flat_map(|one| one.files.values_mut())
    {
        let chain = Chain::stored(text).and_then(|chain| chain.certificate(Source::Uploaded));
        if chain.is_ok_and(|one| one.issuer == "Lala Panel placeholder") {
            "made by chance".clone_into(text);
        }
    }
}

/// Plans and runs a change on an engine whose host may be a faulty one.
pub(crate) fn run(engine: &Engine, number: u64, change: &Change) -> Result<Option<Outcome>, Fault> {
    let begun = change::begin(
        engine,
        &[name("panel.example")],
        Actor::LocalRoot,
        change,
        None,
        operation(number),
    )?;
    let Begun::Running(record, pass) = begun else {
        return Ok(None);
    };
    let outcome = engine.run(&pass, &record);
    sweep(engine);
    Ok(Some(outcome))
}

/// Runs a change that ends well.
pub(crate) fn done(world: &World, number: u64, change: &Change) {
    let outcome = world.run(number, change).unwrap();
    assert_eq!(outcome, Some(Outcome::Done), "{change:?}");
}

/// Why a change is refused; the machine is as before.
pub(crate) fn refused(world: &World, change: &Change) -> Fault {
    let before = world.machine();
    let fault = world.run(90, change).expect_err("it should be refused");
    assert!(!fault.hint.is_empty());
    assert_eq!(world.machine().differences(&before), Vec::<String>::new());
    fault
}

pub(crate) fn sweep(engine: &Engine) {
    let _ = graveyard::sweep(engine.host(), engine.store());
    let _ = pairs::sweep(engine.host(), engine.store());
    let _ = graveyard::close(engine.host());
    let _ = pairs::close(engine.host());
    let _ = database_import::close(engine.host(), engine.store());
    let _ = database_site::close(engine.host(), engine.store());
}

pub(crate) fn operation(number: u64) -> OperationId {
    OperationId::from_parts(1_700_000_000_000 + number, [7; 10])
}

pub(crate) fn name(text: &str) -> Hostname {
    Hostname::parse(text).unwrap()
}

pub(crate) fn php() -> NewSiteKind {
    NewSiteKind::Php {
        php: Some(PhpVersion::new(8, 2)),
    }
}

pub(crate) fn create(hostname: &str, kind: NewSiteKind) -> Change {
    Change::SiteCreate(NewSite {
        hostname: name(hostname),
        aliases: Vec::new(),
        redirected: Vec::new(),
        kind,
        database: None,
        wordpress: None,
        tls: TlsMode::Off,
    })
}

/// A `site set` of these keys.
pub(crate) fn set(hostname: &str, values: &[(&str, &str)]) -> Change {
    let values = values
        .iter()
        .map(|(key, value)| Assignment::new(key, value).unwrap());
    Change::SiteSet {
        hostname: name(hostname),
        values: values.collect(),
    }
}

/// What a file of the machine says.
pub(crate) fn text(world: &World, file: &str) -> String {
    let file = HostPath::parse(file).unwrap();
    String::from_utf8(world.host.read(&file, 1 << 20).unwrap()).unwrap()
}
