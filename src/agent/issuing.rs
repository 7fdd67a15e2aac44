//! One certificate from order to installation: has it ordered, puts it down, has it installed, and decides when it goes on.
//!
//! Invariant: before an order begins it is written down when it would be begun again; a certificate for trying never takes the
//! place of one that browsers trust.

use crate::acme::{Jitter, retry};
use crate::agent::authorities::{self, Authorities, none_left};
use crate::agent::dns;
use crate::agent::holder::{Holder, PanelHolder};
use crate::agent::operations::Operations;
use crate::agent::ordering::{self, Ordering, Stopped};
use crate::domain::account::Actor;
use crate::domain::authority::{Authority, DirectoryUrl};
use crate::domain::certificate::{Certificate, PrivateKey, Source};
use crate::domain::change::Change;
use crate::domain::fault::{Code, Fault};
use crate::domain::issuance::{Asked, Attempt, Closed, Issuance};
use crate::domain::order::{Moment, Problem, ProblemKind};
use crate::domain::site::Site;
use crate::domain::time::Timestamp;
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
        let mut jitter = Jitter::new(ordering::seed(self.host())?);
        issuance.closed.retain(|one| one.until > began);
        let authorities = Authorities::read(self.host(), self.settings, self.test);
        let ended = match &authorities {
            Ok(authorities) => self.attempt(authorities, &mut attempt, &mut issuance, &mut jitter),
            Err(fault) => Err(fault.clone().into()),
        };
        match ended {
            Ok(certificate) => {
                attempt.installed = certificate.is_some();
                self.succeeded(
                    &mut issuance,
                    &before,
                    certificate.as_ref().zip(attempt.authority.as_ref()),
                    &mut jitter,
                );
            }
            Err(stopped) => {
                issuance.next = before.next;
                let authority = attempt.authority.as_ref();
                let fault = if self.test {
                    stopped.told(authority, None)
                } else {
                    let usable = authorities.as_ref().ok();
                    self.put_off(&mut issuance, &stopped.problem(), usable, &mut jitter);
                    stopped.told(authority, issuance.next)
                };
                let of = authorities.as_ref().ok().zip(authority);
                attempt.failure = Some(match of {
                    Some((all, authority)) => all.with_keys(fault, authority),
                    None => fault,
                });
            }
        }
        issuance.last = Some(attempt);
        store.put_issuance(self.holder.id(), &issuance)?;
        Ok(())
    }

    fn succeeded(
        &self,
        issuance: &mut Issuance,
        before: &Issuance,
        issued: Option<(&Certificate, &DirectoryUrl)>,
        jitter: &mut Jitter,
    ) {
        let Some((certificate, authority)) = issued else {
            issuance.next = before.next;
            return;
        };
        issuance.failures = 0;
        issuance.refusals = 0;
        issuance.asked = None;
        issuance.closed_until = None;
        issuance.issuer = (!self.test).then(|| authority.clone());
        issuance.next = Some(renewals::renewal(certificate, jitter.below(u64::MAX)));
    }

    /// To when it goes on. A try at an authority for trying counts for nothing.
    fn put_off(
        &self,
        issuance: &mut Issuance,
        problem: &Problem,
        authorities: Option<&Authorities>,
        jitter: &mut Jitter,
    ) {
        let now = self.host().now();
        issuance.failures = issuance.failures.saturating_add(1);
        if problem.kind.is_the_authoritys() {
            issuance.refusals = issuance.refusals.saturating_add(1);
        }
        let usual = Problem::new(ProblemKind::Busy, "");
        let usual = retry::next(now, issuance.failures, &usual, jitter);
        let closed = authorities.and_then(|all| {
            let each = all.usable();
            let each = each.map(|one| issuance.closed_at(&one.directory, now));
            // Where one of them is open, it is not waited for the others.
            let each: Option<Vec<Timestamp>> = each.collect();
            each?.into_iter().min()
        });
        issuance.closed_until = closed;
        let goes_on = renewals::is_wanted(self.holder.shown(), Some(issuance));
        issuance.next = goes_on.then(|| closed.unwrap_or(usual).max(usual));
    }

    /// What was installed; nothing where it was only tried.
    fn attempt(
        &self,
        authorities: &Authorities,
        attempt: &mut Attempt,
        issuance: &mut Issuance,
        jitter: &mut Jitter,
    ) -> Result<Option<Certificate>, Stopped> {
        let (authority, (chain, key)) = self.ordered(authorities, attempt, issuance, jitter)?;
        if self.test
            && let Some(why) = self.holder.refuses_tests()
        {
            note(attempt, format!("not installed: {why}"));
            return Ok(None);
        }
        let source = self.source(authority);
        let certificate = match self.holder {
            Holder::Site(site) => self.put_for_site(site, &chain, &key, source)?,
            Holder::Panel(panel) => self.put_for_panel(panel, &chain, &key, source)?,
        };
        Ok(Some(certificate))
    }

    /// By the first authority that issues it.
    fn ordered<'o>(
        &self,
        authorities: &'o Authorities,
        attempt: &mut Attempt,
        issuance: &mut Issuance,
        jitter: &mut Jitter,
    ) -> Result<(&'o Authority, (String, PrivateKey)), Stopped> {
        let (first, now) = (&authorities.first, self.host().now());
        let second = authorities.second();
        let is_open = |one: &Authority| issuance.closed_at(&one.directory, now).is_none();
        let is_passed_over =
            !is_open(first) && matches!(&second, Some(Ok(second)) if is_open(second));
        if is_passed_over {
            note(
                attempt,
                format!("{} allows no more for now", first.directory.name()),
            );
        } else {
            let stopped = match self.at(first, attempt, issuance) {
                Ok(made) => return Ok((first, made)),
                Err(stopped) => stopped,
            };
            self.close(first, &stopped, issuance, jitter);
            let shown = self.holder.shown().certificate;
            let goes_on = match &stopped {
                Stopped::Outside(problem) => authorities.goes_on(problem.kind, issuance, shown),
                Stopped::Here(_) => false,
            };
            if !goes_on {
                return Err(stopped);
            }
        }
        let second = second.ok_or_else(none_left)??;
        if let Some(until) = issuance.closed_at(&second.directory, now) {
            let words = format!("it allows no more tries: retry after {until}");
            attempt.authority = Some(second.directory.clone());
            return Err(Stopped::Outside(Problem::new(ProblemKind::Limited, &words)));
        }
        note(
            attempt,
            format!("{} is asked instead", second.directory.name()),
        );
        match self.at(second, attempt, issuance) {
            Ok(made) => Ok((second, made)),
            Err(stopped) => {
                self.close(second, &stopped, issuance, jitter);
                Err(stopped)
            }
        }
    }

    /// By this authority. After a failure, one for trying goes first: so no mistake of ours counts against the real one.
    fn at(
        &self,
        authority: &Authority,
        attempt: &mut Attempt,
        issuance: &mut Issuance,
    ) -> Result<(String, PrivateKey), Stopped> {
        let left = &mut issuance.left_in_dns;
        if issuance.failures > 0
            && !self.test
            && let Some(trial) = authorities::trial(authority)
        {
            self.ordering(&trial)?.run(attempt, left)?;
        }
        self.ordering(authority)?.run(attempt, left)
    }

    /// Where it allows no more, remembers until when.
    fn close(
        &self,
        authority: &Authority,
        stopped: &Stopped,
        issuance: &mut Issuance,
        jitter: &mut Jitter,
    ) {
        let problem = stopped.problem();
        if self.test || problem.kind != ProblemKind::Limited {
            return;
        }
        let failures = issuance.failures.saturating_add(1);
        issuance.closed.push(Closed {
            authority: authority.directory.clone(),
            until: retry::next(self.host().now(), failures, &problem, jitter),
        });
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

/// One more moment of it.
fn note(attempt: &mut Attempt, what: String) {
    attempt.moments.push(Moment {
        after: attempt.moments.last().map_or(0, |last| last.after),
        what,
    });
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
