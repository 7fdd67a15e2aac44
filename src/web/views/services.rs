//! The services of this server and what version of everything runs.
//!
//! Invariant: shows only; starting and stopping are operations with a plan of their own.

use std::sync::Arc;

use poem::Response;
use sailfish::Template;

use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::StatusView;
use crate::web::page::{ICONS, Section};
use crate::web::refusal::Refusal;
use crate::web::visit::{Visit, show as respond, unexpected};
use crate::web::words::{self, Pill};

struct Service {
    name: String,
    state: String,
    pill: Pill,
}

#[derive(Template)]
#[template(path = "pages/services.html.stpl")]
struct Services {
    list: Vec<Service>,
    php: String,
    memory: String,
    view: StatusView,
}

/// `GET /services`.
pub(in crate::web) async fn show(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let Reply::Status(view) = visit.ask(Request::Status {}).await? else {
        return Err(unexpected());
    };
    let mut frame = visit.frame("Services", Section::Services).await;
    frame.command = Some("lalapanel status".to_owned());
    let versions: Vec<String> = view.php.iter().map(ToString::to_string).collect();
    let body = Services {
        list: view
            .services
            .iter()
            .map(|service| Service {
                name: service.name.clone(),
                state: service.state.clone(),
                pill: words::service_pill(service.healthy),
            })
            .collect(),
        php: versions.join(", "),
        memory: words::bytes(view.agent_memory),
        view,
    };
    Ok(respond(&frame, &body))
}
