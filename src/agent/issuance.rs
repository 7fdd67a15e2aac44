//! Whose certificate is due: begins orders when asked and when their time has come.
//!
//! Invariant: one order at a time for a site, and only so many at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::agent::issuing::Issuing;
use crate::agent::operations::Operations;
use crate::agent::ordering;
use crate::domain::fault::{Code, Fault};
use crate::domain::id::SiteId;
use crate::domain::name::Hostname;
use crate::domain::site::Site;
use crate::domain::time::Timestamp;
use crate::host::Host;
use crate::ops::state::State;
use crate::rpc::issuance::IssuanceView;
use crate::rpc::protocol::{Answer, Reply};
use crate::schedule::{Jobs, renewals};
use crate::system::config::Acme;

/// What is due is looked for no later than after so long, and no sooner.
const LONGEST_PAUSE: u64 = 60_000;
const SHORTEST_PAUSE: u64 = 1_000;

/// Gets certificates. Clones share everything.
#[derive(Clone)]
pub(super) struct Issuer {
    operations: Operations,
    settings: Arc<Acme>,
    jobs: Jobs,
    ended: Arc<Notify>,
}

impl Issuer {
    /// With the settings of `[acme]`.
    #[must_use]
    pub(super) fn new(operations: Operations, settings: Acme) -> Self {
        Self {
            operations,
            settings: Arc::new(settings),
            jobs: Jobs::default(),
            ended: Arc::default(),
        }
    }

    /// Begins what is due, for as long as it is polled: when its time has come, when an order has ended and when something was
    /// changed. `log` is told what keeps it from that.
    pub(super) async fn keep(self, log: fn(&str)) {
        let mut news = self.operations.engine().news();
        loop {
            news.borrow_and_update();
            let issuer = self.clone();
            let looked = tokio::task::spawn_blocking(move || issuer.tick()).await;
            let pause = match looked {
                Ok(Ok(pause)) => pause,
                Ok(Err(fault)) => {
                    log(&fault.title);
                    LONGEST_PAUSE
                }
                Err(_) => LONGEST_PAUSE,
            };
            tokio::time::sleep(Duration::from_millis(SHORTEST_PAUSE)).await;
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(pause)) => {}
                () = self.ended.notified() => {}
                _ = news.changed() => {}
            }
        }
    }

    fn host(&self) -> &dyn Host {
        self.operations.engine().host()
    }

    /// Begins an order for a site now; `test` has it done by an authority for trying.
    pub(super) fn issue(&self, hostname: &Hostname, test: bool) -> Answer {
        let store = self.operations.engine().store();
        let state = State::read(store)?;
        let site = state.site(hostname)?.clone();
        ordering::authority(self.host(), &self.settings, test)?;
        let issuance = store.issuance(site.id)?.unwrap_or_default();
        match issuance.closed_until {
            Some(until) if until > self.host().now() && !test => Err(closed(hostname, until)),
            _ if self.begin(site, test) => Ok(Reply::Done {}),
            _ => Err(running(hostname)),
        }
    }

    /// Has orders begun where the certificate is due, or whether it is or not; for which sites comes back.
    pub(super) fn renew(&self, hostname: Option<&Hostname>, force: bool) -> Answer {
        let store = self.operations.engine().store();
        let state = State::read(store)?;
        let sites = match hostname {
            Some(hostname) => vec![state.site(hostname)?],
            None => state.sites.iter().collect(),
        };
        let now = self.host().now();
        let mut begun = Vec::new();
        for site in sites {
            let mut issuance = store.issuance(site.id)?;
            let due = renewals::next(site, issuance.as_ref(), now);
            if !site.enabled || !due.is_some_and(|due| force || due <= now) {
                continue;
            }
            let kept = issuance.get_or_insert_default();
            if kept.closed_until.is_none_or(|until| until <= now) && !self.is_running(site) {
                kept.next = Some(now);
                store.put_issuance(site.id, kept)?;
                begun.push(site.hostname.clone());
            }
        }
        self.ended.notify_one();
        Ok(Reply::Issuing(begun))
    }

    /// How it stands with a site; none where nothing was ever tried nor is to be.
    pub(super) fn view(&self, site: &Site) -> Result<Option<IssuanceView>, Fault> {
        let store = self.operations.engine().store();
        let issuance = store.issuance(site.id)?;
        let now = self.host().now();
        let next = renewals::next(site, issuance.as_ref(), now);
        let is_due = site.enabled && next.is_some_and(|next| next <= now);
        let running = is_due || self.is_running(site);
        let issuance = issuance.unwrap_or_default();
        let is_empty = next.is_none() && issuance.last.is_none() && !running;
        Ok((!is_empty).then_some(IssuanceView {
            running,
            next,
            failures: issuance.failures,
            last: issuance.last,
        }))
    }

    fn is_running(&self, site: &Site) -> bool {
        self.jobs.is_running(&name(site.id))
    }

    /// Begins what is due, and says in how many milliseconds something will be.
    fn tick(&self) -> Result<u64, Fault> {
        let store = self.operations.engine().store();
        let (sites, now) = (store.sites()?, self.host().now());
        let trash = store.trash()?;
        store.keep_issuances(|id| {
            sites.iter().any(|site| site.id == id) || trash.iter().any(|one| one.site.id == id)
        })?;
        let mut pause = LONGEST_PAUSE;
        for site in sites.iter().filter(|site| site.enabled) {
            let issuance = store.issuance(site.id)?;
            let Some(due) = renewals::next(site, issuance.as_ref(), now) else {
                continue;
            };
            if due > now {
                pause = pause.min(due.millis_since(now));
            } else if self.jobs.count() < renewals::AT_ONCE {
                self.begin(site.clone(), false);
            }
        }
        Ok(pause)
    }

    fn begin(&self, site: Site, test: bool) -> bool {
        let issuer = self.clone();
        let ended = self.ended.clone();
        self.jobs.start(
            &name(site.id),
            move || {
                let errand = Issuing::new(&issuer.operations, &issuer.settings, &site, test);
                let _ = errand.run();
            },
            move || ended.notify_one(),
        )
    }
}

fn name(site: SiteId) -> String {
    format!("certificate of {site}")
}

fn running(hostname: &Hostname) -> Fault {
    Fault::new(
        Code::OperationBusy,
        format!("a certificate for {hostname} is being ordered already"),
        format!("see `lalapanel cert show {hostname}` for how it goes"),
    )
}

fn closed(hostname: &Hostname, until: Timestamp) -> Fault {
    Fault::new(
        Code::OperationBusy,
        format!("the authority allows no more tries for {hostname} until {until}"),
        "wait until then: Lala tries again by itself",
    )
}
