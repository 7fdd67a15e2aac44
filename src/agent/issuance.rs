//! Whose certificate is due: begins orders when asked and when their time has come.
//!
//! Invariant: one order at a time for a site, and only so many at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::agent::advising;
use crate::agent::authorities::Authorities;
use crate::agent::dns;
use crate::agent::holder::{Holder, PanelHolder};
use crate::agent::issuing::Issuing;
use crate::agent::issuing_plan;
use crate::agent::operations::Operations;
use crate::domain::dns::DnsName;
use crate::domain::fault::{Code, Fault};
use crate::domain::id::SiteId;
use crate::domain::issuance::Issuance;
use crate::domain::name::Hostname;
use crate::domain::site::Site;
use crate::domain::time::Timestamp;
use crate::host::Host;
use crate::ops::state::State;
use crate::rpc::issuance::IssuanceView;
use crate::rpc::protocol::{Answer, Reply};
use crate::schedule::renewals::Shown;
use crate::schedule::{Jobs, renewals};
use crate::system::config::{Config, Panel};

/// What is due is looked for no later than after so long, and no sooner.
const LONGEST_PAUSE: u64 = 60_000;
const SHORTEST_PAUSE: u64 = 1_000;
/// Authorities ask not to be asked about everything in one second.
const QUESTIONS_AT_ONCE: usize = 2;

/// Gets certificates. Clones share everything.
#[derive(Clone)]
pub(super) struct Issuer {
    operations: Operations,
    jobs: Jobs,
    /// Questions to authorities about when to renew.
    questions: Jobs,
    ended: Arc<Notify>,
}

impl Issuer {
    /// With the settings that the operations have.
    #[must_use]
    pub(super) fn new(operations: Operations) -> Self {
        Self {
            operations,
            jobs: Jobs::default(),
            questions: Jobs::default(),
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

    /// The settings of this moment.
    fn settings(&self) -> Arc<Config> {
        self.operations.settings().now()
    }

    fn host(&self) -> &dyn Host {
        self.operations.engine().host()
    }

    /// The panel, where it has a name.
    pub(super) fn panel(&self) -> Result<Option<PanelHolder>, Fault> {
        let config = self.settings();
        let Panel { hostname, port, .. } = &config.panel;
        let look = |name| PanelHolder::look(self.host(), name, *port, &config.acme);
        hostname.as_ref().map(look).transpose()
    }

    /// The panel, if this is its name.
    pub(super) fn panel_named(&self, hostname: &Hostname) -> Result<Option<PanelHolder>, Fault> {
        if self.settings().panel.hostname.as_ref() == Some(hostname) {
            self.panel()
        } else {
            Ok(None)
        }
    }

    fn holder(&self, hostname: &Hostname) -> Result<Holder, Fault> {
        if let Some(panel) = self.panel_named(hostname)? {
            return Ok(Holder::Panel(Box::new(panel)));
        }
        let state = State::read(self.operations.engine().store())?;
        Ok(Holder::Site(Box::new(state.site(hostname)?.clone())))
    }

    fn holders(&self) -> Result<Vec<Holder>, Fault> {
        let sites = self.operations.engine().store().sites()?;
        let sites = sites
            .iter()
            .map(|site| Holder::Site(Box::new(site.clone())));
        let panel = self.panel()?.map(|panel| Holder::Panel(Box::new(panel)));
        Ok(sites.chain(panel).collect())
    }

    /// What is remembered.
    fn known(&self, holder: &Holder) -> Result<Option<Issuance>, Fault> {
        let issuance = self.operations.engine().store().issuance(holder.id())?;
        Ok(holder.own(issuance))
    }

    /// Begins an order now; `test` has it done by an authority for trying.
    pub(super) fn issue(&self, hostname: &Hostname, test: bool) -> Answer {
        let holder = self.holder(hostname)?;
        self.ready(&holder, test)?;
        if self.begin(holder, test) {
            Ok(Reply::Done {})
        } else {
            Err(running(hostname))
        }
    }

    /// What it would do; everything that `issue` refuses is refused here as well.
    pub(super) fn plan(&self, hostname: &Hostname, test: bool, dns: Option<DnsName>) -> Answer {
        let holder = self.holder(hostname)?;
        let (authorities, issuance) = self.ready(&holder, test)?;
        let wanted = issuing_plan::Wanted {
            holder,
            authorities,
            issuance,
            test,
        };
        let plan = wanted.plan(self.host(), dns)?;
        Ok(Reply::Plan(Box::new(plan)))
    }

    /// Whom an order may go to, and what is remembered of those before.
    fn ready(&self, holder: &Holder, test: bool) -> Result<(Authorities, Issuance), Fault> {
        let authorities = Authorities::read(self.host(), &self.settings().acme, test)?;
        let issuance = self.known(holder)?.unwrap_or_default();
        match issuance.closed_until {
            Some(until) if until > self.host().now() && !test => {
                Err(closed(holder.hostname(), until))
            }
            _ => Ok((authorities, issuance)),
        }
    }

    /// Has orders begun where the certificate is due, or whether it is or not; for which names comes back.
    pub(super) fn renew(&self, hostname: Option<&Hostname>, force: bool) -> Answer {
        let store = self.operations.engine().store();
        let holders = match hostname {
            Some(hostname) => vec![self.holder(hostname)?],
            None => self.holders()?,
        };
        let now = self.host().now();
        let mut begun = Vec::new();
        for holder in holders {
            let mut issuance = self.known(&holder)?;
            let due = renewals::next(holder.shown(), issuance.as_ref(), now);
            if !holder.is_enabled() || !due.is_some_and(|due| force || due <= now) {
                continue;
            }
            let kept = issuance.get_or_insert_default();
            let is_open = kept.closed_until.is_none_or(|until| until <= now);
            if is_open && !self.jobs.is_running(&name(holder.id())) {
                kept.next = Some(now);
                store.put_issuance(holder.id(), kept)?;
                begun.push(holder.hostname().clone());
            }
        }
        self.ended.notify_one();
        Ok(Reply::Issuing(begun))
    }

    /// How it stands with a site; none where nothing was ever tried nor is to be.
    pub(super) fn view(&self, site: &Site) -> Result<Option<IssuanceView>, Fault> {
        let issuance = self.operations.engine().store().issuance(site.id)?;
        Ok(self.seen(site.id, site.into(), site.enabled, issuance))
    }

    /// How it stands with the panel.
    pub(super) fn panel_view(&self, panel: &PanelHolder) -> Result<Option<IssuanceView>, Fault> {
        let issuance = self.operations.engine().store().issuance(SiteId::PANEL)?;
        let issuance = panel.own(issuance);
        Ok(self.seen(SiteId::PANEL, panel.shown(), true, issuance))
    }

    fn seen(
        &self,
        id: SiteId,
        shown: Shown<'_>,
        enabled: bool,
        issuance: Option<Issuance>,
    ) -> Option<IssuanceView> {
        let now = self.host().now();
        let next = renewals::next(shown, issuance.as_ref(), now);
        let is_due = enabled && next.is_some_and(|next| next <= now);
        let running = is_due || self.jobs.is_running(&name(id));
        let issuance = issuance.unwrap_or_default();
        let is_empty = next.is_none() && issuance.last.is_none() && !running;
        (!is_empty).then_some(IssuanceView {
            running,
            next,
            failures: issuance.failures,
            issuer: issuance.issuer,
            last: issuance.last,
        })
    }

    /// Begins what is due, and says in how many milliseconds something will be.
    fn tick(&self) -> Result<u64, Fault> {
        let store = self.operations.engine().store();
        let (holders, now) = (self.holders()?, self.host().now());
        let trash = store.trash()?;
        store.keep_issuances(|id| {
            id == SiteId::PANEL
                || holders.iter().any(|one| one.id() == id)
                || trash.iter().any(|one| one.site.id == id)
        })?;
        let mut known = store.issuances()?;
        let mut pause = LONGEST_PAUSE;
        for holder in holders {
            let issuance = holder.own(known.remove(&holder.id()));
            if dns::is_unclean(issuance.as_ref()) {
                self.clean(&holder);
            }
            let next = renewals::next(holder.shown(), issuance.as_ref(), now);
            let Some(due) = next.filter(|_| holder.is_enabled()) else {
                continue;
            };
            let question = advising::due(&holder, issuance.as_ref(), now);
            if due > now {
                pause = pause.min(due.millis_since(now));
                if question.is_some_and(|question| question <= now) {
                    self.question(holder);
                }
            } else if self.jobs.count() < renewals::AT_ONCE {
                self.begin(holder, false);
            }
        }
        Ok(pause)
    }

    /// Removes what an order left in DNS, while none runs.
    fn clean(&self, holder: &Holder) {
        let (issuer, id) = (self.clone(), holder.id());
        if self.jobs.is_running(&name(id)) {
            return;
        }
        let hostname = holder.hostname().clone();
        self.questions.start(
            &name(id),
            move || {
                if let Ok(holder) = issuer.holder(&hostname) {
                    let _ = dns::clean(issuer.operations.engine(), &holder);
                }
            },
            || {},
        );
    }

    /// Asks the authority when it would have the certificate renewed; a failure leaves the usual time.
    fn question(&self, holder: Holder) {
        if self.questions.count() >= QUESTIONS_AT_ONCE {
            return;
        }
        let issuer = self.clone();
        let ended = self.ended.clone();
        self.questions.start(
            &name(holder.id()),
            move || {
                let engine = issuer.operations.engine();
                let _ = advising::ask(engine, &issuer.settings().acme, &holder);
            },
            move || ended.notify_one(),
        );
    }

    fn begin(&self, holder: Holder, test: bool) -> bool {
        let issuer = self.clone();
        let ended = self.ended.clone();
        self.jobs.start(
            &name(holder.id()),
            move || {
                let config = issuer.settings();
                let errand = Issuing::new(&issuer.operations, &config.acme, &holder, test);
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

#[cfg(test)]
mod tests;
