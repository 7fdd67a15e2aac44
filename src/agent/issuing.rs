//! One certificate from order to installation: has it ordered, puts it down, has it installed, and decides when it goes on.
//!
//! Invariant: before an order begins it is written down when it would be begun again; a certificate for trying never takes the
//! place of one that browsers trust.

use crate::acme::{Jitter, retry};
use crate::agent::dns;
use crate::agent::holder::{Holder, PanelHolder};
use crate::agent::operations::Operations;
use crate::agent::ordering::{self, Ordering, Stopped};
use crate::domain::account::Actor;
use crate::domain::authority::Authority;
use crate::domain::certificate::{Certificate, PrivateKey, Source};
use crate::domain::change::Change;
use crate::domain::dns::ProofRecord;
use crate::domain::fault::{Code, Fault};
use crate::domain::issuance::{Asked, Attempt, Issuance};
use crate::domain::order::{Moment, ProblemKind};
use crate::domain::site::Site;
use crate::host::Host;
use crate::ops::{pairs, panel_pair};
use crate::rpc::protocol::Reply;
use crate::rpc::view::OperationState;
use crate::schedule::renewals;
use crate::system::config::Acme;

/// An order that a crash cut off is begun again after so long: longer than one takes.
const AGAIN_SECONDS: u64 = 900;
/// For other operations to end first, and for the installation.
const INSTALL_MILLIS: u64 = 120_000;
const LOOK_MILLIS: u64 = 200;

/// One certificate on its way.
pub(super) struct Issuing<'a> {
    operations: &'a Operations,
    settings: &'a Acme,
    holder: &'a Holder,
    test: bool,
}

impl<'a> Issuing<'a> {
    /// For a site or the panel; `test` has it done by an authority for trying.
    pub(super) fn new(
        operations: &'a Operations,
        settings: &'a Acme,
        holder: &'a Holder,
        test: bool,
    ) -> Self {
        Self {
            operations,
            settings,
            holder,
            test,
        }
    }

    fn host(&self) -> &dyn Host {
        self.operations.engine().host()
    }

    /// To its end, which is remembered whatever it is.
    pub(super) fn run(&self) -> Result<(), Fault> {
        let store = self.operations.engine().store();
        let began = self.host().now();
        let mut issuance = store.issuance(self.holder.id())?.unwrap_or_default();
        let before = issuance.clone();
        let shown = self.holder.shown();
        if !shown.auto && !self.test {
            let certificate = shown.certificate;
            issuance.asked = Some(Asked {
                in_place_of: certificate.map(|one| one.fingerprint.clone()),
            });
        }
        issuance.next = Some(began.plus_seconds(AGAIN_SECONDS));
        store.put_issuance(self.holder.id(), &issuance)?;
        let mut attempt = Attempt {
            began,
            authority: None,
            names: Vec::new(),
            moments: Vec::new(),
            installed: false,
            failure: None,
        };
        let ended = self.attempt(before.failures, &mut attempt, &mut issuance.left_in_dns);
        let mut jitter = Jitter::new(ordering::seed(self.host())?);
        match ended {
            Ok(certificate) => {
                attempt.installed = certificate.is_some();
                Self::succeeded(&mut issuance, &before, certificate.as_ref(), &mut jitter);
            }
            Err(stopped) => {
                let failure = self.failed(&mut issuance, &before, stopped, &attempt, &mut jitter);
                attempt.failure = Some(failure);
            }
        }
        issuance.last = Some(attempt);
        store.put_issuance(self.holder.id(), &issuance)?;
        Ok(())
    }

    fn succeeded(
        issuance: &mut Issuance,
        before: &Issuance,
        certificate: Option<&Certificate>,
        jitter: &mut Jitter,
    ) {
        let Some(certificate) = certificate else {
            issuance.next = before.next;
            return;
        };
        issuance.failures = 0;
        issuance.asked = None;
        issuance.closed_until = None;
        issuance.next = Some(renewals::renewal(certificate, jitter.below(u64::MAX)));
    }

    /// A try at an authority for trying counts for nothing.
    fn failed(
        &self,
        issuance: &mut Issuance,
        before: &Issuance,
        stopped: Stopped,
        attempt: &Attempt,
        jitter: &mut Jitter,
    ) -> Fault {
        let authority = attempt.authority.as_ref();
        if self.test {
            issuance.next = before.next;
            return stopped.told(authority, None);
        }
        let problem = stopped.problem();
        issuance.failures = issuance.failures.saturating_add(1);
        let next = retry::next(self.host().now(), issuance.failures, &problem, jitter);
        let is_closed = problem.kind == ProblemKind::Limited;
        issuance.closed_until = is_closed.then_some(next);
        let goes_on = renewals::is_wanted(self.holder.shown(), Some(issuance));
        issuance.next = goes_on.then_some(next);
        stopped.told(authority, issuance.next)
    }

    /// What was installed; nothing where it was only tried. After a failure, an authority for trying goes first: so no mistake of
    /// ours counts against the real one.
    fn attempt(
        &self,
        failures: u32,
        attempt: &mut Attempt,
        left: &mut Vec<ProofRecord>,
    ) -> Result<Option<Certificate>, Stopped> {
        let authority = ordering::authority(self.host(), self.settings, self.test)?;
        if failures > 0
            && !self.test
            && let Some(trial) = ordering::trial(&authority)
        {
            self.ordering(&trial)?.run(attempt, left)?;
        }
        let (chain, key) = self.ordering(&authority)?.run(attempt, left)?;
        if self.test
            && let Some(why) = self.holder.refuses_tests()
        {
            attempt.moments.push(Moment {
                after: attempt.moments.last().map_or(0, |last| last.after),
                what: format!("not installed: {why}"),
            });
            return Ok(None);
        }
        let source = self.source(&authority);
        let certificate = match self.holder {
            Holder::Site(site) => self.put_for_site(site, &chain, &key, source)?,
            Holder::Panel(panel) => self.put_for_panel(panel, &chain, &key, source)?,
        };
        Ok(Some(certificate))
    }

    fn put_for_site(
        &self,
        site: &Site,
        chain: &str,
        key: &PrivateKey,
        source: Source,
    ) -> Result<Certificate, Fault> {
        let now = self.host().now();
        let put = pairs::deposit(self.host(), site, chain, key, source.clone(), now)?;
        self.install(
            site,
            &Change::CertificateInstall {
                hostname: site.hostname.clone(),
                fingerprint: put.certificate.fingerprint.clone(),
                source,
            },
        )?;
        Ok(put.certificate)
    }

    /// While no operation runs: one of them may be about to change where the panel is reached.
    fn put_for_panel(
        &self,
        panel: &PanelHolder,
        chain: &str,
        key: &PrivateKey,
        source: Source,
    ) -> Result<Certificate, Fault> {
        let _pass = self.operations.engine().enter(INSTALL_MILLIS)?;
        panel_pair::install(self.host(), panel.place(), chain, key, source)
    }

    fn ordering<'o>(&'o self, authority: &'o Authority) -> Result<Ordering<'o>, Fault> {
        let ordering = Ordering::new(self.operations.engine(), authority, self.holder.names());
        Ok(ordering
            .look_first(!self.settings.skip_preflight)
            .by_dns(dns::work(self.host(), self.holder)?))
    }

    fn source(&self, authority: &Authority) -> Source {
        Source::Acme {
            ca: authority.directory.name().to_owned(),
            test: self.test,
        }
    }

    /// By an operation like any other, which people find in the list.
    fn install(&self, site: &Site, change: &Change) -> Result<(), Fault> {
        let mut waited = 0;
        let id = loop {
            match self.operations.apply(&Actor::Panel, change, None, None) {
                Ok(Reply::Began { operation }) => break operation,
                Ok(_) => return Ok(()),
                Err(fault) if fault.code == Code::OperationBusy && waited < INSTALL_MILLIS => {}
                Err(fault) => return Err(fault),
            }
            self.host().pause(LOOK_MILLIS);
            waited += LOOK_MILLIS;
        };
        loop {
            let view = self.operations.show(id)?;
            if view.summary.state.is_final() {
                return match view.summary.state {
                    OperationState::Done => Ok(()),
                    _ => Err(view.fault.unwrap_or_else(|| uninstalled(site))),
                };
            }
            if waited >= INSTALL_MILLIS {
                return Err(uninstalled(site));
            }
            self.host().pause(LOOK_MILLIS);
            waited += LOOK_MILLIS;
        }
    }
}

fn uninstalled(site: &Site) -> Fault {
    Fault::new(
        Code::CertificateUnissued,
        format!(
            "the certificate of {} is here and could not be installed",
            site.hostname
        ),
        "see `lalapanel op list` for the operation that failed",
    )
}
