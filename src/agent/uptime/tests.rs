//! Looking from outside, on a machine in memory whose courier answers what the test says.
//!
//! Invariant: the clock is set, never waited for.

use super::*;
use crate::domain::name::Hostname;
use crate::domain::path::HostPath;
use crate::domain::site_kind::SiteKind;
use crate::host::memory::MemoryHost;
use crate::host::memory::machine::Machine;
use crate::host::memory::systemd::Running;
use crate::rpc::courier::SOCKET;

const UP: &str = r#"{"Ok":{"looked":[{"met":"answer","status":200,"millis":40}]}}"#;
const DOWN: &str = r#"{"Ok":{"looked":[{"met":"unreachable","status":0,"millis":3}]}}"#;
const UNKNOWN: &str = r#"{"Ok":{"looked":[{"met":"unknown","status":0,"millis":0}]}}"#;
const EVERY: u32 = 300;

struct Scene {
    host: MemoryHost,
    store: Store,
    engine: Engine,
    uptime: Uptime,
}

impl Scene {
    fn new() -> Self {
        let host = MemoryHost::new(Machine::debian());
        host.set_now(Timestamp::from_millis(1_700_000_000_000));
        host.change(|machine| {
            let socket = Running {
                unit: String::new(),
                configuration: String::new(),
                sockets: vec![HostPath::fixed(SOCKET)],
            };
            let unit = "lalapanel-courier.socket".to_owned();
            machine.running.insert(unit, socket);
        });
        let store = Store::in_memory().unwrap();
        let hostname = Hostname::parse("shop.example").unwrap();
        let kind = SiteKind::Static { spa: false };
        let site = Site::new(SiteId::FIRST, hostname, kind, host.now());
        store.put_site(&site).unwrap();
        Self {
            engine: Engine::new(Arc::new(host.clone()), store.clone()),
            host,
            store,
            uptime: Uptime::default(),
        }
    }

    /// A whole interval passes, with every turn in it.
    fn interval(&self, returns: &str) {
        self.host
            .change(|machine| returns.clone_into(&mut machine.courier_returns));
        for _ in 0..PARTS {
            let later = self.host.now().plus_seconds(u64::from(EVERY) / PARTS);
            self.host.set_now(later);
            self.uptime.look(&self.engine, EVERY).unwrap();
        }
    }

    fn view(&self) -> UptimeView {
        let views = self.uptime.view(&self.engine, EVERY, None).unwrap();
        views.sites.into_iter().next().unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut Site)) {
        let mut site = self.store.sites().unwrap()[0].clone();
        change(&mut site);
        self.store.put_site(&site).unwrap();
    }
}

#[test]
fn a_site_that_never_answered_is_not_called_failing() {
    let scene = Scene::new();
    assert_eq!(scene.view().standing, Standing::Unseen);
    scene.interval(DOWN);
    assert_eq!(scene.view().standing, Standing::Waiting);
    scene.interval(UP);
    assert_eq!(scene.view().standing, Standing::Up);
    scene.interval(DOWN);
    let down = scene.view();
    assert_eq!(down.standing, Standing::Down);
    assert_eq!(down.since, Some(down.last.unwrap().at));
    assert_eq!(down.uptime.day, Some(3_333));
    assert_eq!(down.mean_millis, Some(40));
}

#[test]
fn each_is_looked_at_once_in_an_interval_and_what_tells_nothing_changes_nothing() {
    let scene = Scene::new();
    for _ in 0..3 {
        scene.interval(UP);
    }
    scene.interval(UNKNOWN);
    let site = scene.store.sites().unwrap()[0].clone();
    let all = scene
        .uptime
        .view(&scene.engine, EVERY, Some(&site))
        .unwrap();
    let view = &all.sites[0];
    assert_eq!(view.looks.len(), 4);
    assert_eq!(view.standing, Standing::Up);
    assert_eq!(view.since, Some(view.looks[0].at));
    assert_eq!(view.uptime.year, Some(10_000));
}

#[test]
fn nobody_looks_where_people_do_not_want_it_and_where_no_pages_are_served() {
    let scene = Scene::new();
    scene.interval(UP);
    scene.change(|site| site.settings.serving = Serving::Maintenance);
    scene.interval(DOWN);
    assert_eq!(scene.view().standing, Standing::Off);
    scene.change(|site| site.settings.serving = Serving::Live);
    assert_eq!(scene.view().standing, Standing::Up);
    scene.change(|site| site.settings.web.uptime_path = None);
    scene.interval(DOWN);
    assert_eq!(
        (scene.view().standing, scene.view().url),
        (Standing::Off, None)
    );
    scene.change(|site| site.enabled = false);
    assert_eq!(scene.view().standing, Standing::Off);
}

#[test]
fn a_courier_that_does_not_answer_says_nothing_about_a_site() {
    let scene = Scene::new();
    scene.interval(UP);
    scene.host.change(|machine| machine.running.clear());
    let mut faults = 0;
    for _ in 0..PARTS {
        let later = scene.host.now().plus_seconds(u64::from(EVERY) / PARTS);
        scene.host.set_now(later);
        faults += u32::from(scene.uptime.look(&scene.engine, EVERY).is_err());
    }
    assert_eq!(faults, 1);
    assert_eq!(scene.view().standing, Standing::Up);
}

#[test]
fn what_was_seen_is_known_after_a_restart_and_days_add_up() {
    let mut scene = Scene::new();
    scene.interval(UP);
    for _ in 0..300 {
        scene.interval(DOWN);
    }
    scene
        .uptime
        .write_down(&scene.store, scene.host.now())
        .unwrap();
    let before = scene.view();
    scene.uptime = Uptime::default();
    let after = scene.view();
    assert_eq!(after.standing, Standing::Down);
    assert_eq!((after.uptime, after.last), (before.uptime, before.last));
    // More than a day ago, so it is known from the days alone.
    assert_eq!(after.uptime.day, Some(0));
    assert!(after.uptime.week.unwrap() > 0);
    let days = scene.store.days(SiteId::FIRST).unwrap();
    assert_eq!(
        days.iter().map(|day| u32::from(day.looks)).sum::<u32>(),
        301
    );
}

#[test]
fn a_site_that_is_gone_leaves_nothing() {
    let scene = Scene::new();
    for _ in 0..3 {
        scene.interval(UP);
    }
    assert!(!scene.store.looks(SiteId::FIRST).unwrap().is_empty());
    assert_eq!(scene.store.keep_looks_of(&[]).unwrap(), 1);
    assert!(scene.store.looks(SiteId::FIRST).unwrap().is_empty());
}
