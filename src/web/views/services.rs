//! The services of this server and what version of everything runs.
//!
//! Invariant: `GET` never changes anything; starting and stopping are operations with a plan of their own.

use std::sync::Arc;

use poem::Response;
use sailfish::Template;

use crate::domain::change::Change;
use crate::domain::service::{Service as ServiceName, ServiceVerb};
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::StatusView;
use crate::web::page::{ICONS, Section};
use crate::web::refusal::Refusal;
use crate::web::views::server_change::{self, Place, Words};
use crate::web::visit::{Visit, show as respond, unexpected};
use crate::web::words::{self, Pill};

const PLACE: Place = Place {
    section: Section::Services,
    name: "Services",
    path: "/services",
};

struct Service {
    name: String,
    state: String,
    pill: Pill,
    /// What can be done with it: a verb and its words.
    verbs: Vec<(&'static str, &'static str)>,
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
    frame.command = Some("lalapanel service list".to_owned());
    let versions: Vec<String> = view.php.iter().map(ToString::to_string).collect();
    let body = Services {
        list: view
            .services
            .iter()
            .map(|service| Service {
                name: service.name.clone(),
                state: service.state.clone(),
                pill: words::service_pill(service.healthy),
                verbs: verbs(&service.name, service.state == "active"),
            })
            .collect(),
        php: versions.join(", "),
        memory: words::bytes(view.agent_memory),
        view,
    };
    Ok(respond(&frame, &body))
}

fn verbs(name: &str, active: bool) -> Vec<(&'static str, &'static str)> {
    match (ServiceName::parse(name), active) {
        (Ok(ServiceName::Web), true) => vec![("restart", "Restart…")],
        (Err(_), _) | (Ok(ServiceName::Web), false) => Vec::new(),
        (Ok(_), true) => vec![("restart", "Restart…"), ("stop", "Stop…")],
        (Ok(_), false) => vec![("start", "Start…")],
    }
}

/// `/services/{name}/{verb}`.
pub(in crate::web) async fn change(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let service = visit.part(0).and_then(|name| ServiceName::parse(name).ok());
    let verb = |word: &str| {
        ServiceVerb::ALL
            .into_iter()
            .find(|verb| verb.word() == word)
    };
    let verb = visit.part(1).and_then(verb);
    let (Some(service), Some(verb)) = (service, verb) else {
        return Err(Refusal::NOT_FOUND);
    };
    let unit = service.unit();
    let words = match verb {
        ServiceVerb::Start => Words {
            heading: format!("Start {unit}"),
            busy: "Starting…",
            consequence: format!("{unit} is started, if it accepts its configuration."),
        },
        ServiceVerb::Stop => Words {
            heading: format!("Stop {unit}"),
            busy: "Stopping…",
            consequence: format!(
                "{unit} stays away until somebody starts it, or the server boots."
            ),
        },
        ServiceVerb::Restart => Words {
            heading: format!("Restart {unit}"),
            busy: "Restarting…",
            consequence: format!(
                "{unit} is stopped and started again, if it accepts its configuration."
            ),
        },
    };
    server_change::run(&visit, Change::Service { service, verb }, words, &PLACE).await
}
