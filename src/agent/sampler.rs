//! Looks at the machine once a minute, for all who watch it.
//!
//! Invariant: one look a minute however many watch; what is not yet written down is ten minutes at most.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::fault::Fault;
use crate::domain::path::HostPath;
use crate::domain::sample::{Range, Sample, Step};
use crate::domain::site::Site;
use crate::domain::time::Timestamp;
use crate::ops::engine::Engine;
use crate::rpc::monitor::{MonitorView, PhpProcesses};
use crate::system::machine::{self, Traffic, Work};
use crate::system::processes;

/// So many are written down together: no fsync for every minute.
const TOGETHER: usize = 10;
/// Where they cannot be written down (a full disk), no more are held.
const MOST: usize = 180;

/// The one sampler. Clones share it.
#[derive(Clone)]
pub struct Sampler {
    engine: Engine,
    inside: Arc<Mutex<Inside>>,
}

#[derive(Default)]
struct Inside {
    before: Option<Before>,
    /// Not written down yet, the oldest first.
    held: Vec<(Step, Sample)>,
    /// The minutes of this hour.
    hour: Vec<Sample>,
}

/// Counters as they were at the last look.
#[derive(Clone, Copy)]
struct Before {
    at: Timestamp,
    work: Option<Work>,
    traffic: Option<Traffic>,
}

impl Sampler {
    /// Over the machine and the state; what is known of this hour is taken up.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        let since = Step::Hour.beginning(engine.host().now());
        let hour = engine.store().samples(Step::Minute, since);
        let hour = hour.unwrap_or_default();
        let sampler = Self {
            inside: Arc::new(Mutex::new(Inside {
                hour,
                ..Inside::default()
            })),
            engine,
        };
        let (_, before) = sampler.figures(None);
        sampler.inside().before = Some(before);
        sampler
    }

    /// One look, to be taken every minute.
    pub fn look(&self) -> Result<(), Fault> {
        let before = self.inside().before;
        let (sample, now) = self.figures(before);
        let due = {
            let mut inside = self.inside();
            inside.before = Some(now);
            inside.take(sample);
            inside.held.len() >= TOGETHER
        };
        if due { self.write_down() } else { Ok(()) }
    }

    /// Writes down what is not; to be called at the end as well.
    pub fn write_down(&self) -> Result<(), Fault> {
        let held = self.inside().held.clone();
        if held.is_empty() {
            return Ok(());
        }
        self.engine.store().put_samples(&held)?;
        self.inside().held.drain(..held.len());
        Ok(())
    }

    /// What was seen.
    pub fn view(&self, range: Range) -> Result<MonitorView, Fault> {
        let (now, step) = (self.engine.host().now(), range.step());
        let since = now.millis().saturating_sub(range.seconds() * 1000);
        let since = Timestamp::from_millis(since);
        let mut samples = self.engine.store().samples(step, since)?;
        {
            let inside = self.inside();
            let held = inside.held.iter().filter(|(of, _)| *of == step);
            samples.extend(held.map(|(_, sample)| *sample));
            // The hour that is not over yet.
            if let (Step::Hour, Some(first)) = (step, inside.hour.first()) {
                samples.push(Sample::mean(Step::Hour.beginning(first.at), &inside.hour));
            }
        }
        samples.retain(|sample| sample.at >= since && sample.at <= now);
        samples.sort_by_key(|sample| sample.at);
        samples.dedup_by_key(|sample| sample.at);
        let host = self.engine.host();
        Ok(MonitorView {
            range,
            step_seconds: step.seconds(),
            since,
            until: now,
            processors: machine::processors(host),
            memory: machine::memory(host),
            disk: machine::disk(host),
            samples,
            php: self.php()?,
        })
    }

    fn php(&self) -> Result<Vec<PhpProcesses>, Fault> {
        let found = processes::php(self.engine.host());
        let sites = self.engine.store().sites()?;
        let of = |site: &Site| {
            let together = found.get(&site.id.uid())?;
            Some(PhpProcesses {
                hostname: site.hostname.clone(),
                processes: together.number,
                most: site.settings.php.children,
                memory: together.memory,
            })
        };
        let mut php: Vec<PhpProcesses> = sites.iter().filter_map(of).collect();
        php.sort_by_key(|one| std::cmp::Reverse(one.memory));
        Ok(php)
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn figures(&self, before: Option<Before>) -> (Sample, Before) {
        let host = self.engine.host();
        let now = Before {
            at: host.now(),
            work: machine::work(host),
            traffic: machine::traffic(host),
        };
        let space = host.space(&HostPath::fixed(machine::SITES)).ok();
        let mut sample = Sample {
            load: machine::load_hundredths(host).map(u64::from),
            memory: machine::memory(host).map(|usage| usage.used),
            disk: space.map(|space| space.total.saturating_sub(space.free)),
            inodes: space
                .map(|space| space.inodes)
                .filter(|left| *left != u64::MAX),
            ..Sample::empty(now.at)
        };
        if let Some(before) = before {
            let millis = now.at.millis_since(before.at);
            sample.cpu = both(before.work, now.work).and_then(|(then, now)| now.share_since(then));
            let rates = both(before.traffic, now.traffic)
                .and_then(|(then, now)| now.rates_since(then, millis));
            sample.received = rates.map(|(received, _)| received);
            sample.sent = rates.map(|(_, sent)| sent);
        }
        (sample, now)
    }
}

fn both<T>(one: Option<T>, other: Option<T>) -> Option<(T, T)> {
    Some((one?, other?))
}

impl Inside {
    /// Holds a sample; with the first of an hour the one before is summed up.
    fn take(&mut self, sample: Sample) {
        let of_hour = |sample: &Sample| Step::Hour.beginning(sample.at);
        if let Some(first) = self.hour.first().copied()
            && of_hour(&first) != of_hour(&sample)
        {
            let mean = Sample::mean(of_hour(&first), &self.hour);
            self.held.push((Step::Hour, mean));
            self.hour.clear();
        }
        self.hour.push(sample);
        self.held.push((Step::Minute, sample));
        let over = self.held.len().saturating_sub(MOST);
        self.held.drain(..over);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Host as _;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;
    use crate::store::Store;

    fn scene() -> (MemoryHost, Store, Sampler) {
        let host = MemoryHost::new(Machine::debian());
        let store = Store::in_memory().unwrap();
        let sampler = again(&host, &store);
        (host, store, sampler)
    }

    fn again(host: &MemoryHost, store: &Store) -> Sampler {
        Sampler::new(Engine::new(Arc::new(host.clone()), store.clone()))
    }

    fn put(host: &MemoryHost, path: &str, text: &str) {
        let path = HostPath::parse(path).unwrap();
        host.change(|machine| machine.tree.put_text(&path, text));
    }

    fn minutes(host: &MemoryHost, sampler: &Sampler, number: u64) {
        for _ in 0..number {
            host.set_now(host.now().plus_seconds(60));
            sampler.look().unwrap();
        }
    }

    #[test]
    fn a_look_tells_what_happened_since_the_one_before() {
        let (host, _, _) = scene();
        put(
            &host,
            "/proc/stat",
            "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1\n",
        );
        put(
            &host,
            "/proc/1/net/dev",
            "h\nh\n lo: 9 0 0 0 0 0 0 0 9 0\neth0: 1000 0 0 0 0 0 0 0 500 0\n",
        );
        let sampler = again(&host, &Store::in_memory().unwrap());
        put(
            &host,
            "/proc/stat",
            "cpu  150 0 150 900 0 0 0 0 0 0\ncpu0 1\n",
        );
        put(
            &host,
            "/proc/1/net/dev",
            "h\nh\n lo: 99 0 0 0 0 0 0 0 99 0\neth0: 61000 0 0 0 0 0 0 0 6500 0\n",
        );
        minutes(&host, &sampler, 1);
        let view = sampler.view(Range::Hour).unwrap();
        let [sample] = view.samples.as_slice() else {
            panic!("{:?}", view.samples)
        };
        assert_eq!(
            (sample.cpu, sample.received, sample.sent),
            (Some(5_000), Some(1_000), Some(100))
        );
    }

    #[test]
    fn what_is_held_is_seen_and_a_restart_loses_ten_minutes_at_most() {
        let (host, store, sampler) = scene();
        minutes(&host, &sampler, 25);
        assert_eq!(sampler.view(Range::Hour).unwrap().samples.len(), 25);
        assert!(
            again(&host, &store)
                .view(Range::Hour)
                .unwrap()
                .samples
                .len()
                >= 20
        );
        sampler.write_down().unwrap();
        assert_eq!(
            again(&host, &store)
                .view(Range::Hour)
                .unwrap()
                .samples
                .len(),
            25
        );
    }

    #[test]
    fn an_hour_that_is_over_is_summed_up_and_the_one_that_goes_on_is_shown() {
        let (host, store, sampler) = scene();
        minutes(&host, &sampler, 130);
        sampler.write_down().unwrap();
        let hours = store
            .samples(Step::Hour, Timestamp::from_millis(0))
            .unwrap();
        assert!((2..=3).contains(&hours.len()), "{}", hours.len());
        let shown = sampler.view(Range::Week).unwrap().samples;
        assert_eq!(shown.len(), hours.len() + 1);
    }
}
