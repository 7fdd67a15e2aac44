//! Answers authorised requests about the server: reads are looked up, changes become operations.
//!
//! Invariant: whoever gets here has passed `policy`; what is asked arrives as parsed types only.

use crate::agent::database_sizes::Sizes;
use crate::agent::fetching::Fetcher;
use crate::agent::issuance::Issuer;
use crate::agent::notifier::Notifier;
use crate::agent::operations::Operations;
use crate::agent::sampler::Sampler;
use crate::agent::{certificates, databases, dns, doctor, logs, overview, php};
use crate::domain::account::Actor;
use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::domain::setting;
use crate::domain::site::Site;
use crate::ops::drift;
use crate::ops::state::State;
use crate::ops::view::history;
use crate::render;
use crate::rpc::nginx_view::{DriftView, NginxView};
use crate::rpc::protocol::{Answer, Reply, Request};
use crate::rpc::trash::TrashedView;
use crate::rpc::view::{SiteOptions, SiteView};
use crate::system::facts;

/// How many operations a site's page shows.
const SITE_OPERATIONS: u32 = 200;

/// Everything about the server itself; accounts and sessions are answered before.
#[derive(Clone)]
pub struct Dispatch {
    operations: Operations,
    issuer: Issuer,
    fetcher: Fetcher,
    sizes: Sizes,
    sampler: Sampler,
    notifier: Notifier,
}

impl Dispatch {
    /// Over the operations, with their settings.
    #[must_use]
    pub fn new(operations: Operations) -> Self {
        let issuer = Issuer::new(operations.clone());
        let wordpress = operations.settings().now().wordpress.clone();
        let fetcher = Fetcher::new(operations.engine().clone(), wordpress);
        let sampler = Sampler::new(operations.engine().clone());
        let notifier = Notifier::new(operations.clone(), issuer.clone());
        Self {
            operations,
            issuer,
            fetcher,
            sizes: Sizes::default(),
            sampler,
            notifier,
        }
    }

    /// Who looks at the machine every minute.
    pub(super) fn sampler(&self) -> &Sampler {
        &self.sampler
    }

    /// Who tells people what needs somebody.
    pub(super) fn notifier(&self) -> &Notifier {
        &self.notifier
    }

    /// Who gets certificates.
    pub(super) fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The operations.
    #[must_use]
    pub fn operations(&self) -> &Operations {
        &self.operations
    }

    /// Answers one request. Blocks: to be called on a thread for that.
    pub fn handle(&self, actor: &Actor, request: Request) -> Answer {
        match request {
            Request::Status {} => overview::status(&self.operations).map(Reply::Status),
            Request::Home {} => overview::home(&self.operations, &self.issuer)
                .map(|view| Reply::Home(Box::new(view))),
            Request::SiteList {} => self.sites(),
            Request::SiteTrash {} => self.trash(),
            Request::SiteShow { hostname } => self.site(&hostname),
            Request::SiteNginx { hostname } => self.nginx(&hostname),
            Request::ForeignSites {} => Ok(Reply::Foreign(overview::foreign(&self.operations))),
            Request::SiteOptions {} => self.options(),
            Request::WordpressFetch {} => self.fetcher.fetch(),
            Request::LogRead {
                hostname,
                file,
                filter,
                lines,
                before,
            } => logs::read(
                self.operations.engine(),
                &hostname,
                file,
                &filter,
                lines,
                before,
            ),
            Request::CertificateList {} => {
                certificates::list(self.operations.engine(), &self.issuer).map(Reply::Certificates)
            }
            Request::CertificateShow { hostname } => {
                certificates::show(self.operations.engine(), &self.issuer, &hostname)
                    .map(|view| Reply::Certificate(Box::new(view)))
            }
            Request::CertificateDeposit {
                hostname,
                chain,
                key,
            } => certificates::deposit(self.operations.engine(), &hostname, &chain, &key)
                .map(|view| Reply::Deposited(Box::new(view))),
            Request::CertificateIssue { .. }
            | Request::CertificatePlan { .. }
            | Request::CertificateRenew { .. } => self.order(request),
            Request::CertificateDiscard {
                hostname,
                fingerprint,
            } => certificates::discard(self.operations.engine(), &hostname, &fingerprint)
                .map(|()| Reply::Done {}),
            Request::DnsList {}
            | Request::DnsPut { .. }
            | Request::DnsProgram { .. }
            | Request::DnsRemove { .. } => dns::answer(self.operations.engine(), request),
            Request::PhpList {} => {
                php::view(self.operations.engine()).map(|view| Reply::Php(Box::new(view)))
            }
            Request::DatabaseList {} => {
                databases::list(self.operations.engine(), &self.sizes).map(Reply::Databases)
            }
            Request::DatabaseShow { name } => databases::show(self.operations.engine(), &name)
                .map(|view| Reply::Database(Box::new(view))),
            Request::DatabaseDiscard { name, import } => {
                databases::discard(self.operations.engine(), &name, &import)
                    .map(|()| Reply::Done {})
            }
            Request::Preview { change } => self.operations.preview(&change),
            Request::Apply {
                change,
                plan,
                operation,
            } => self
                .operations
                .apply(actor, &change, plan.as_deref(), operation),
            Request::OperationList { limit } => self.operations.list(limit).map(Reply::Operations),
            Request::OperationShow { id } => self
                .operations
                .show(id)
                .map(|view| Reply::Operation(Box::new(view))),
            Request::OperationCheck { id } => self.operations.check(id),
            Request::Doctor {} => Ok(Reply::Doctor(doctor::examine(
                &self.operations,
                &self.issuer,
            ))),
            Request::SettingsShow {} => {
                let view = self.operations.settings();
                let view = view.view(self.operations.engine().host())?;
                Ok(Reply::Settings(Box::new(view)))
            }
            Request::Monitor { range } => {
                let view = self.sampler.view(range)?;
                Ok(Reply::Monitor(Box::new(view)))
            }
            Request::Uptime { hostname } => self.uptime(hostname.as_ref()),
            Request::NotifyStatus {} => {
                let view = self.notifier.view()?;
                Ok(Reply::Notify(Box::new(view)))
            }
            Request::NotifyStage { secrets, kept } => self.notifier.stage(secrets, kept.as_ref()),
            Request::NotifyTest {} => self.notifier.try_out(),
            _ => Err(misdirected()),
        }
    }

    fn order(&self, request: Request) -> Answer {
        match request {
            Request::CertificateIssue { hostname, staging } => {
                self.issuer.issue(&hostname, staging)
            }
            Request::CertificatePlan {
                hostname,
                staging,
                dns,
            } => self.issuer.plan(&hostname, staging, dns),
            Request::CertificateRenew { hostname, force } => {
                self.issuer.renew(hostname.as_ref(), force)
            }
            _ => Err(misdirected()),
        }
    }

    fn uptime(&self, hostname: Option<&Hostname>) -> Answer {
        let engine = self.operations.engine();
        let state = State::read(engine.store())?;
        let only = hostname.map(|hostname| state.site(hostname)).transpose()?;
        let every = self.operations.settings().now().uptime.every_seconds;
        let uptime = self.operations.uptime();
        let view = uptime.view(engine, every.seconds(), only)?;
        Ok(Reply::Uptime(Box::new(view)))
    }

    fn sites(&self) -> Answer {
        let state = State::read(self.operations.engine().store())?;
        let views = state.sites.iter().map(|site| view(site, &state));
        Ok(Reply::Sites(views.collect()))
    }

    fn trash(&self) -> Answer {
        let engine = self.operations.engine();
        let (trash, now) = (engine.store().trash()?, engine.host().now());
        let views = trash.iter().map(|trashed| TrashedView::of(trashed, now));
        Ok(Reply::Trash(views.collect()))
    }

    fn site(&self, hostname: &Hostname) -> Answer {
        let engine = self.operations.engine();
        let state = State::read(engine.store())?;
        let site = state.site(hostname)?;
        let mut shown = view(site, &state);
        shown.operations = self.operations.list(SITE_OPERATIONS)?;
        history(&mut shown.operations, &site.hostname);
        shown.operations.truncate(10);
        let drift = drift::of_site(engine.host(), site)?;
        let drift = drift.iter().map(|one| DriftView {
            path: one.path.clone(),
            diff: one.diff(),
            left: one.is_left(site),
        });
        shown.drift = drift.collect();
        let visitors = &site.settings.access.visitors;
        shown.visitors = visitors.iter().map(|one| one.name.clone()).collect();
        shown.settings = setting::fields()
            .filter(|field| field.applies(site))
            .map(|field| (field.key.to_owned(), field.read(site)))
            .collect();
        Ok(Reply::Site(Box::new(shown)))
    }

    fn nginx(&self, hostname: &Hostname) -> Answer {
        let engine = self.operations.engine();
        let state = State::read(engine.store())?;
        let site = state.site(hostname)?;
        let abilities = facts::abilities(engine.host())?;
        Ok(Reply::Nginx(Box::new(NginxView {
            hostname: site.hostname.clone(),
            path: site.nginx_file(),
            text: render::nginx::site(site, abilities),
            snippet: site.snippet.to_string(),
        })))
    }

    fn options(&self) -> Answer {
        let mut php = facts::installed_php(self.operations.engine().host())?;
        php.reverse();
        let archive = self.fetcher.view()?;
        Ok(Reply::SiteOptions(SiteOptions { php, archive }))
    }
}

fn view(site: &Site, state: &State) -> SiteView {
    SiteView {
        hostname: site.hostname.clone(),
        hostname_unicode: site.hostname.unicode(),
        r#type: site.kind.word().to_owned(),
        php: site.kind.php(),
        aliases: site.aliases.clone(),
        redirected_names: site.redirected.clone(),
        enabled: site.enabled,
        serving: site.settings.serving,
        document_root: site.document_root(),
        user: site.user().to_string(),
        tls: certificates::tls(site),
        databases: state
            .databases_of(site.id)
            .map(|database| database.name.to_string())
            .collect(),
        created: site.created,
        settings: std::collections::BTreeMap::new(),
        visitors: Vec::new(),
        operations: Vec::new(),
        drift: Vec::new(),
    }
}

/// A request that another part answers: reaching this is a mistake of ours, told as such.
pub(super) fn misdirected() -> Fault {
    Fault::new(
        Code::RequestInvalid,
        "this request is not answered here",
        "report it with the version of the panel",
    )
}
