//! Looks at each site from outside, through the courier, and knows how they stand.
//!
//! Invariant: looks are spread over their interval, some at a time; where the courier does not answer, nothing is said about any
//! site. What is not yet written down is ten minutes at most.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::agent::operations::Operations;
use crate::domain::fault::Fault;
use crate::domain::id::SiteId;
use crate::domain::setting::Serving;
use crate::domain::site::Site;
use crate::domain::time::Timestamp;
use crate::domain::tls::TlsMode;
use crate::domain::uptime::{Day, Look, Shares};
use crate::host::Host;
use crate::ops::engine::Engine;
use crate::rpc::courier::{Errand, MOST_SIGHTS, Report, Seen, Sight};
use crate::rpc::uptime::{Standing, UptimeView, UptimesView};
use crate::schedule::Jobs;
use crate::store::Store;
use crate::system::courier;

/// The interval is cut into so many parts, and each site has one.
const PARTS: u64 = 10;
/// What is held is written down after so long.
const HELD_MILLIS: u64 = 600_000;
/// Where it cannot be written down, no more is held.
const MOST_HELD: usize = 20_000;

/// What is known of sites. Clones share it.
#[derive(Clone, Default)]
pub struct Uptime(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    /// None for a site that nobody looked at yet.
    known: BTreeMap<SiteId, Option<Known>>,
    /// Not written down yet, the oldest first.
    looks: Vec<(SiteId, Look)>,
    /// Days that are over, not written down yet.
    days: Vec<(SiteId, Day)>,
    written: Option<Timestamp>,
}

/// Looks for as long as it is polled. `log` is told what keeps it from that.
///
/// On a thread of its own: at the agent's end nobody waits for a site.
pub(super) async fn keep(operations: Operations, log: fn(&str)) {
    const PAUSE: u64 = 60;
    let jobs = Jobs::default();
    loop {
        let (tell, told) = oneshot::channel();
        let looker = operations.clone();
        let job = move || {
            // What somebody changed in the file counts without a restart.
            looker.settings().refresh(looker.engine().host());
            let every = looker.settings().now().uptime.every_seconds;
            let _ = tell.send(looker.uptime().look(looker.engine(), every.seconds()));
        };
        jobs.start("uptime", job, || ());
        let pause = match told.await {
            Ok(Ok(pause)) => pause,
            Ok(Err(fault)) => {
                log(&fault.title);
                PAUSE
            }
            Err(_) => PAUSE,
        };
        tokio::time::sleep(Duration::from_secs(pause)).await;
    }
}

/// What is known of one site.
#[derive(Clone, Copy)]
struct Known {
    last: Look,
    /// Since when it stands as it does.
    since: Timestamp,
    /// The last look that told anything: it answered.
    is_up: bool,
    was_up: bool,
    today: Day,
    shares: Shares,
}

/// What is looked at of a site; none where nobody is to look.
fn sight(site: &Site) -> Option<Sight> {
    if !site.enabled || site.settings.serving != Serving::Live {
        return None;
    }
    Some(Sight {
        hostname: site.hostname.clone(),
        https: site.tls.mode != TlsMode::Off,
        path: site.settings.web.uptime_path.clone()?,
    })
}

impl Uptime {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at those whose turn it is; after how many seconds somebody is next.
    pub fn look(&self, engine: &Engine, every: u32) -> Result<u64, Fault> {
        const PAUSE: u64 = 60;
        if every == 0 {
            return Ok(PAUSE);
        }
        let (store, host) = (engine.store(), engine.host());
        let part = (u64::from(every) / PARTS).max(1);
        let turn = host.now().millis() / 1000 / part % PARTS;
        let sites = store.sites()?;
        let mut due = Vec::new();
        for site in sites.iter() {
            let is_turn = u64::from(site.id.number()) % PARTS == turn;
            if let (true, Some(sight)) = (is_turn, sight(site)) {
                due.push((site.id, sight));
            }
        }
        for some in due.chunks(MOST_SIGHTS) {
            let sights = some.iter().map(|(_, sight)| sight.clone()).collect();
            let Report::Looked(seen) = courier::send(host, &Errand::Look { sights })? else {
                return Err(courier::beside_the_point());
            };
            let now = host.now();
            for ((site, _), seen) in some.iter().zip(seen) {
                self.take(store, *site, seen, now)?;
            }
        }
        let is_due = {
            let inside = self.inside();
            let written = inside.written.unwrap_or(host.now());
            !inside.looks.is_empty() && host.now().millis_since(written) >= HELD_MILLIS
        };
        if is_due {
            self.write_down(store, host.now())?;
            let mut kept: Vec<SiteId> = sites.iter().map(|site| site.id).collect();
            kept.extend(store.trash()?.iter().map(|trashed| trashed.site.id));
            store.keep_looks_of(&kept)?;
            self.inside().known.retain(|site, _| kept.contains(site));
        } else {
            self.inside().written.get_or_insert(host.now());
        }
        Ok(part - host.now().millis() / 1000 % part)
    }

    /// Writes down what is not; to be called at the end as well.
    pub fn write_down(&self, store: &Store, now: Timestamp) -> Result<(), Fault> {
        let (looks, days) = {
            let inside = self.inside();
            let mut days = inside.days.clone();
            let today = inside.known.iter();
            days.extend(today.filter_map(|(site, known)| Some((*site, known.as_ref()?.today))));
            (inside.looks.clone(), days)
        };
        if looks.is_empty() {
            return Ok(());
        }
        store.put_looks(&looks, &days)?;
        let mut inside = self.inside();
        inside.looks.drain(..looks.len());
        inside.days.clear();
        inside.written = Some(now);
        Ok(())
    }

    fn take(&self, store: &Store, site: SiteId, seen: Seen, at: Timestamp) -> Result<(), Fault> {
        let look = Look {
            at,
            met: seen.met,
            status: seen.status,
            millis: seen.millis,
        };
        let known = self.known(store, site)?;
        let mut inside = self.inside();
        let today = known.map_or_else(|| Day::of(at), |known| known.today);
        let mut known = known.unwrap_or(Known {
            last: look,
            since: at,
            is_up: false,
            was_up: false,
            today,
            shares: Shares::default(),
        });
        if Day::of(at).at != today.at {
            inside.days.push((site, today));
            known.today = Day::of(at);
        }
        known.today.add(&look);
        known.last = look;
        if let Some(is_up) = look.is_up() {
            if is_up != known.is_up {
                known.since = at;
            }
            known.is_up = is_up;
            known.was_up |= is_up;
        }
        inside.looks.push((site, look));
        let over = inside.looks.len().saturating_sub(MOST_HELD);
        inside.looks.drain(..over);
        inside.known.insert(site, Some(known));
        drop(inside);
        let (looks, days) = (self.looks(store, site)?, self.days(store, site)?);
        let shares = Shares::of(&looks, &days, at);
        if let Some(Some(known)) = self.inside().known.get_mut(&site) {
            known.shares = shares;
        }
        Ok(())
    }

    /// What is known of a site, also from before this process began.
    fn known(&self, store: &Store, site: SiteId) -> Result<Option<Known>, Fault> {
        if let Some(known) = self.inside().known.get(&site) {
            return Ok(*known);
        }
        let (looks, days) = (store.looks(site)?, store.days(site)?);
        let Some(last) = looks.last().copied() else {
            self.inside().known.insert(site, None);
            return Ok(None);
        };
        let telling = || looks.iter().filter(|look| look.is_up().is_some());
        let is_up = telling()
            .next_back()
            .is_some_and(|look| look.is_up() == Some(true));
        let same = telling()
            .rev()
            .take_while(|look| look.is_up() == Some(is_up))
            .last();
        let today = days.iter().rfind(|day| day.at == Day::of(last.at).at);
        let known = Known {
            last,
            since: same.map_or(last.at, |look| look.at),
            is_up,
            was_up: is_up || days.iter().any(|day| day.up > 0),
            today: today.copied().unwrap_or_else(|| Day::of(last.at)),
            shares: Shares::of(&looks, &days, last.at),
        };
        self.inside().known.insert(site, Some(known));
        Ok(Some(known))
    }

    fn looks(&self, store: &Store, site: SiteId) -> Result<Vec<Look>, Fault> {
        let mut looks = store.looks(site)?;
        let inside = self.inside();
        let held = inside.looks.iter().filter(|(of, _)| *of == site);
        looks.extend(held.map(|(_, look)| *look));
        Ok(looks)
    }

    /// The days before this one, and this one.
    fn days(&self, store: &Store, site: SiteId) -> Result<Vec<Day>, Fault> {
        let mut days = store.days(site)?;
        let inside = self.inside();
        days.extend(
            inside
                .days
                .iter()
                .filter(|(of, _)| *of == site)
                .map(|(_, day)| *day),
        );
        let today = inside.known.get(&site).copied().flatten();
        let today = today.map(|known| known.today);
        days.retain(|day| today.is_none_or(|today| day.at != today.at));
        days.extend(today);
        Ok(days)
    }

    /// How sites stand; with the single looks where it is one.
    pub fn view(
        &self,
        engine: &Engine,
        every: u32,
        only: Option<&Site>,
    ) -> Result<UptimesView, Fault> {
        let (store, host) = (engine.store(), engine.host());
        let view = |site: &Site| self.of(store, host, every, site);
        let sites = match only {
            Some(site) => {
                let mut view = view(site)?;
                view.looks = self.looks(store, site.id)?;
                let now = host.now();
                view.looks
                    .retain(|look| now.millis_since(look.at) <= 24 * 3_600_000);
                vec![view]
            }
            None => store.sites()?.iter().map(view).collect::<Result<_, _>>()?,
        };
        Ok(UptimesView {
            every_seconds: every,
            sites,
        })
    }

    fn of(
        &self,
        store: &Store,
        host: &dyn Host,
        every: u32,
        site: &Site,
    ) -> Result<UptimeView, Fault> {
        let sight = sight(site).filter(|_| every > 0);
        let known = self.known(store, site.id)?;
        // What was seen long ago says nothing about now.
        let fresh = known
            .filter(|known| host.now().millis_since(known.last.at) <= 3 * u64::from(every) * 1000);
        let standing = match (&sight, fresh) {
            (None, _) => Standing::Off,
            (Some(_), None) => Standing::Unseen,
            (Some(_), Some(known)) if known.is_up => Standing::Up,
            (Some(_), Some(known)) if known.was_up => Standing::Down,
            (Some(_), Some(_)) => Standing::Waiting,
        };
        Ok(UptimeView {
            hostname: site.hostname.clone(),
            hostname_unicode: site.hostname.unicode(),
            url: sight.as_ref().map(Sight::url),
            standing,
            since: matches!(standing, Standing::Up | Standing::Down)
                .then_some(fresh.map(|known| known.since))
                .flatten(),
            last: known.map(|known| known.last),
            uptime: known.map_or_else(Shares::default, |known| known.shares),
            mean_millis: known
                .filter(|known| known.today.up > 0)
                .map(|known| known.today.millis),
            looks: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests;
