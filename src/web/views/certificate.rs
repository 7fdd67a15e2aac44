//! Certificates: all of them on one page, a site's own with the form that brings one, and the page that installs it.
//!
//! Invariant: a key that was sent goes on to the agent and is gone; no page, address or form ever holds it again.

use std::sync::Arc;

use poem::Response;
use poem::http::StatusCode;
use sailfish::Template;

use crate::domain::certificate::{Fingerprint, PrivateKey, Source};
use crate::domain::change::Change;
use crate::domain::fault::{Code, Fault};
use crate::domain::site_name::SiteName;
use crate::rpc::certificate_view::CertificateView;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::SiteView;
use crate::web::page::{ICONS, Problem, Section, html, problem_at, see_other};
use crate::web::refusal::{Refusal, belongs_to_the_form, status_of};
use crate::web::views::certificate_order::{self, Order};
use crate::web::views::change::{self, sentence};
use crate::web::views::site::{find, site_frame};
use crate::web::visit::{Visit, show as respond, unexpected};
use crate::web::words::{self, Pill};

/// The page of the panel's own.
pub(super) const PANEL: &str = "/certificates/panel";
/// From so many days on a certificate needs somebody.
const SOON_DAYS: u64 = 7;

pub(super) struct Row {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) pill: Pill,
    pub(super) issuer: String,
    /// The authority it came from; empty where it came from none.
    pub(super) authority: String,
    pub(super) until: String,
    pub(super) left: String,
    pub(super) names: String,
    pub(super) note: String,
    /// Empty for a site.
    pub(super) about: &'static str,
}

#[derive(Template)]
#[template(path = "pages/certificates.html.stpl")]
struct All {
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "pages/certificate.html.stpl")]
struct One {
    host: String,
    name: String,
    tab: &'static str,
    row: Row,
    view: CertificateView,
    order: Order,
    still: bool,
    lead: String,
    serial: String,
    fingerprint: String,
    uncovered: String,
    /// Why a name with a star is among them.
    needs_dns: Option<&'static str>,
    /// The certificate as it was pasted; the key never comes back.
    typed: String,
    token: String,
    problems: Vec<Problem>,
}

/// `GET /certificates`.
pub(in crate::web) async fn list(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let Reply::Certificates(views) = visit.ask(Request::CertificateList {}).await? else {
        return Err(unexpected());
    };
    let mut frame = visit.frame("Certificates", Section::Certificates).await;
    frame.command = Some("lalapanel cert list".to_owned());
    let rows = views.iter().map(row).collect();
    Ok(respond(&frame, &All { rows }))
}

/// `/sites/{host}/certificate`.
pub(in crate::web) async fn show(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let site = find(&visit, visit.hostname()?).await?;
    if !visit.posted {
        return sheet(&visit, &site, None).await;
    }
    let request = Request::CertificateDeposit {
        hostname: site.hostname.clone(),
        chain: sent(&visit, "chain").to_owned(),
        key: PrivateKey::typed(sent(&visit, "key").to_owned()),
    };
    match visit.ask(request).await {
        Ok(Reply::Deposited(put)) => Ok(see_other(&format!(
            "/sites/{}/certificate/install/{}",
            site.hostname,
            put.certificate.fingerprint.as_str()
        ))),
        Ok(_) => Err(unexpected()),
        Err(Refusal::Fault(fault)) if belongs(&fault) => sheet(&visit, &site, Some(&fault)).await,
        Err(refusal) => Err(refusal),
    }
}

fn belongs(fault: &Fault) -> bool {
    fault.code == Code::CertificateRefused || belongs_to_the_form(fault)
}

/// A file goes before what was pasted.
fn sent<'v>(visit: &'v Visit, field: &str) -> &'v str {
    let file = visit.form.raw(&format!("{field}_file"));
    if file.trim().is_empty() {
        visit.form.raw(field)
    } else {
        file
    }
}

/// `/sites/{host}/certificate/install/{fingerprint}`.
pub(in crate::web) async fn install(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let fingerprint = visit.part(1).map(Fingerprint::parse);
    let Some(Ok(fingerprint)) = fingerprint else {
        return Err(Refusal::NOT_FOUND);
    };
    let path = format!("certificate/install/{}", fingerprint.as_str());
    let change = Change::CertificateInstall {
        hostname: visit.hostname()?,
        fingerprint,
        source: Source::Uploaded,
    };
    change::install_certificate(&visit, change, path).await
}

async fn sheet(visit: &Visit, site: &SiteView, fault: Option<&Fault>) -> Result<Response, Refusal> {
    let hostname = site.hostname.clone();
    let Reply::Certificate(view) = visit.ask(Request::CertificateShow { hostname }).await? else {
        return Err(unexpected());
    };
    let mut frame = site_frame(visit, site, Some("Certificate")).await;
    frame.command = Some(format!("lalapanel cert issue {}", site.hostname));
    let order = certificate_order::of(&view);
    let still = visit.query.has("still");
    if order.running && !still && fault.is_none() {
        frame.refresh = Some(format!("/sites/{}/certificate", site.hostname));
    }
    let certificate = view.certificate.as_ref();
    let uncovered: Vec<String> = view.uncovered.iter().map(SiteName::unicode).collect();
    let body = One {
        host: site.hostname.to_string(),
        name: site.hostname_unicode.clone(),
        tab: "certificate",
        row: row(&view),
        order,
        still,
        lead: lead(&view),
        serial: certificate.map_or_else(String::new, |one| one.serial.clone()),
        fingerprint: certificate.map_or_else(String::new, |one| one.fingerprint.shown()),
        uncovered: uncovered.join(", "),
        needs_dns: view
            .needs_dns()
            .map(|_| "A name with a star has to be proved in DNS: first add one of the"),
        typed: typed(visit),
        token: frame.token.clone(),
        problems: fault.map(problem).into_iter().collect(),
        view: *view,
    };
    let status = fault.map_or(StatusCode::OK, status_of);
    Ok(html(status, &frame, &body))
}

/// What was pasted comes back, unless a key was pasted into the wrong field.
fn typed(visit: &Visit) -> String {
    let text = visit.form.raw("chain");
    if text.contains("PRIVATE KEY") {
        return String::new();
    }
    crate::domain::text::written_out(&text.replace("\r\n", "\n"))
}

fn problem(fault: &Fault) -> Problem {
    let about_key = fault.title.contains(" key") && !fault.title.contains("certificate file");
    Problem {
        field: if about_key { "key" } else { "chain" },
        text: sentence(fault),
    }
}

fn lead(view: &CertificateView) -> String {
    match (view.state.as_str(), view.has_ended) {
        ("off", _) => "The site answers over plain HTTP. With a certificate, visitors are sent to HTTPS.".to_owned(),
        ("placeholder", _) => "The site answers over HTTPS with a certificate that it signed itself: browsers warn, so visitors stay on plain HTTP.".to_owned(),
        (_, true) => "The certificate has ended: browsers warn every visitor. Get a new one.".to_owned(),
        _ if view.https_only => "Visitors are sent to HTTPS.".to_owned(),
        _ => "Browsers do not trust this certificate, so visitors stay on plain HTTP.".to_owned(),
    }
}

fn pill(view: &CertificateView) -> Pill {
    let order = view.order.as_ref();
    let last = order.and_then(|order| order.last.as_ref());
    let failing = last.is_some_and(|last| last.failure.is_some());
    let (kind, icon, word) = match (view.state.as_str(), view.days_left) {
        _ if order.is_some_and(|order| order.running) => ("run", "loader-circle", "Ordering"),
        ("off" | "placeholder", _) if failing => ("bad", "octagon-x", "Not issued"),
        ("off", _) => ("off", "circle-minus", "Plain HTTP"),
        ("placeholder", _) => ("warn", "clock", "Placeholder"),
        ("test", _) => ("warn", "triangle-alert", "For trying only"),
        (_, None) => ("bad", "octagon-x", "Ended"),
        (_, Some(days)) if days <= SOON_DAYS => ("warn", "triangle-alert", "Ends soon"),
        (_, Some(_)) => ("ok", "circle-check", "Good"),
    };
    Pill { kind, icon, word }
}

pub(super) fn row(view: &CertificateView) -> Row {
    let certificate = view.certificate.as_ref();
    let names = certificate.map_or_else(Vec::new, |one| {
        one.names.iter().map(SiteName::unicode).collect::<Vec<_>>()
    });
    Row {
        name: view.hostname.unicode(),
        path: if view.panel {
            PANEL.to_owned()
        } else {
            format!("/sites/{}/certificate", view.hostname)
        },
        about: if view.panel { "This panel" } else { "" },
        pill: pill(view),
        authority: view.authority.clone().unwrap_or_default(),
        issuer: certificate.map_or_else(|| "Signed by itself".to_owned(), |one| one.issuer.clone()),
        until: certificate.map_or_else(String::new, |one| words::moment(one.not_after)),
        left: match view.days_left {
            _ if view.has_ended => "ended".to_owned(),
            Some(days) => words::count(days, "day"),
            None => "–".to_owned(),
        },
        names: names.join(", "),
        note: certificate_order::note(view.order.as_ref()),
    }
}
