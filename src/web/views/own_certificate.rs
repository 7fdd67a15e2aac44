//! The panel's own certificate: what browsers are shown of it, the last order, and the button that begins one.
//!
//! Invariant: an order begins by the form alone, and whatever comes of it the panel stays reachable.

use std::sync::Arc;

use poem::Response;
use sailfish::Template;

use crate::rpc::certificate_view::CertificateView;
use crate::rpc::protocol::{Reply, Request};
use crate::web::page::{ICONS, Section, see_other};
use crate::web::refusal::Refusal;
use crate::web::views::certificate::{PANEL, Row, row};
use crate::web::views::certificate_order::{self, Order};
use crate::web::visit::{Visit, show as respond, unexpected};

#[derive(Template)]
#[template(path = "pages/own_certificate.html.stpl")]
struct Own {
    row: Option<Row>,
    order: Option<Order>,
    lead: String,
    serial: String,
    fingerprint: String,
    is_issued: bool,
    still: bool,
    token: String,
}

/// `GET /certificates/panel`.
pub(in crate::web) async fn show(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let view = find(&visit).await?;
    let mut frame = visit
        .frame("Certificate of this panel", Section::Certificates)
        .await;
    let order = view.as_ref().map(certificate_order::of);
    let still = visit.query.has("still");
    if order.as_ref().is_some_and(|order| order.running) && !still {
        frame.refresh = Some(PANEL.to_owned());
    }
    let name = view.as_ref().map(|view| &view.hostname);
    frame.command = name.map(|name| format!("lalapanel cert issue {name}"));
    let certificate = view.as_ref().and_then(|view| view.certificate.as_ref());
    let body = Own {
        row: view.as_ref().map(row),
        order,
        lead: view.as_ref().map_or_else(String::new, lead),
        serial: certificate.map_or_else(String::new, |one| one.serial.clone()),
        fingerprint: certificate.map_or_else(String::new, |one| one.fingerprint.shown()),
        is_issued: view.as_ref().is_some_and(|view| view.state == "issued"),
        still,
        token: frame.token.clone(),
    };
    Ok(respond(&frame, &body))
}

/// `POST /certificates/panel/issue`.
pub(in crate::web) async fn issue(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let Some(view) = find(&visit).await? else {
        return Err(Refusal::NOT_FOUND);
    };
    let request = Request::CertificateIssue {
        hostname: view.hostname,
        staging: false,
    };
    match visit.ask(request).await? {
        Reply::Done {} => Ok(see_other(PANEL)),
        _ => Err(unexpected()),
    }
}

async fn find(visit: &Visit) -> Result<Option<CertificateView>, Refusal> {
    match visit.ask(Request::CertificateList {}).await? {
        Reply::Certificates(views) => Ok(views.into_iter().find(|view| view.panel)),
        _ => Err(unexpected()),
    }
}

fn lead(view: &CertificateView) -> String {
    let name = view.hostname.unicode();
    match view.state.as_str() {
        "issued" if view.has_ended => {
            format!("The certificate for {name} has ended: browsers warn. Get a new one.")
        }
        "issued" => format!("Browsers trust this panel under the name {name}."),
        "uploaded" => format!(
            "Somebody put this certificate in place by hand. It is left alone until you get one for {name}."
        ),
        _ => format!(
            "The panel shows a certificate that it signed itself, so browsers warn. Once it has one for {name}, they do not."
        ),
    }
}
