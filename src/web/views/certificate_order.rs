//! What a site's page says about getting its certificate: the last order, the next, and the button that begins one.
//!
//! Invariant: an order begins by a form alone, never by looking at a page; a failure is a sentence with what to do.

use std::sync::Arc;

use poem::Response;

use crate::domain::authority::DirectoryUrl;
use crate::domain::issuance::Attempt;
use crate::domain::site_name::SiteName;
use crate::rpc::certificate_view::CertificateView;
use crate::rpc::issuance::IssuanceView;
use crate::rpc::protocol::{Reply, Request};
use crate::web::page::see_other;
use crate::web::refusal::Refusal;
use crate::web::visit::{Visit, unexpected};
use crate::web::words;

/// Why the last order came to nothing.
pub(super) struct Failure {
    pub(super) title: String,
    pub(super) hint: String,
    pub(super) detail: String,
}

/// The section of the page.
pub(super) struct Order {
    pub(super) running: bool,
    pub(super) failure: Option<Failure>,
    /// `Let's Encrypt, 23 November 2026, 09:14 UTC`.
    pub(super) last: String,
    pub(super) next: String,
    pub(super) moments: Vec<(String, String)>,
    pub(super) button: &'static str,
    /// What becomes of the present one.
    pub(super) present: String,
}

/// `POST /sites/{host}/certificate/issue`.
pub(in crate::web) async fn issue(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let hostname = visit.hostname()?;
    let page = format!("/sites/{hostname}/certificate");
    let request = Request::CertificateIssue {
        hostname,
        staging: false,
    };
    match visit.ask(request).await? {
        Reply::Done {} => Ok(see_other(&page)),
        _ => Err(unexpected()),
    }
}

/// From what the agent knows.
pub(super) fn of(view: &CertificateView) -> Order {
    let order = view.order.as_ref();
    let last = order.and_then(|order| order.last.as_ref());
    let failure = last.and_then(|last| last.failure.as_ref());
    let is_issued = view.state == "issued";
    Order {
        running: order.is_some_and(|order| order.running),
        failure: failure.map(|fault| Failure {
            title: words::sentence_of(&fault.title),
            hint: words::sentence_of(&fault.hint),
            detail: fault.detail.clone(),
        }),
        last: last.map_or_else(String::new, told),
        next: order
            .and_then(|order| order.next)
            .map_or_else(String::new, words::moment),
        moments: last.map_or_else(Vec::new, moments),
        button: match (failure.is_some(), is_issued) {
            (true, _) => "Check again",
            (false, true) => "Renew it now",
            (false, false) => "Get a certificate",
        },
        present: present(view),
    }
}

/// One line for the list of all certificates.
pub(super) fn note(order: Option<&IssuanceView>) -> String {
    let Some(order) = order else {
        return String::new();
    };
    let failure = order.last.as_ref().and_then(|last| last.failure.as_ref());
    match (failure, order.next) {
        _ if order.running => "An order is running".to_owned(),
        (Some(fault), Some(next)) => format!(
            "{}. Next try: {}",
            words::sentence_of(&fault.title),
            words::moment(next)
        ),
        (Some(fault), None) => words::sentence_of(&fault.title),
        (None, Some(next)) => format!("Next renewal: {}", words::moment(next)),
        (None, None) => String::new(),
    }
}

fn told(last: &Attempt) -> String {
    let authority = last.authority.as_ref().map(DirectoryUrl::name);
    let names: Vec<String> = last.names.iter().map(SiteName::unicode).collect();
    let mut parts = vec![words::moment(last.began)];
    parts.extend(authority.map(str::to_owned));
    if !names.is_empty() {
        parts.push(names.join(", "));
    }
    parts.join(" · ")
}

fn moments(last: &Attempt) -> Vec<(String, String)> {
    let one = |moment: &crate::domain::order::Moment| {
        (
            words::duration(moment.after),
            words::sentence_of(&moment.what),
        )
    };
    last.moments.iter().map(one).collect()
}

fn present(view: &CertificateView) -> String {
    match &view.certificate {
        Some(certificate) if !view.has_ended => format!(
            "The present certificate stays in use until {}.",
            words::moment(certificate.not_after)
        ),
        _ => "The site stays up, over plain HTTP.".to_owned(),
    }
}
