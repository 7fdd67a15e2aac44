//! Start, stop or restart a service of this server.
//!
//! Invariant: nothing is started with a configuration that the program itself refuses; what runs then stays running.

use crate::domain::facts::ServiceManager;
use crate::domain::fault::{Code, Fault};
use crate::domain::service::{Service, ServiceVerb};
use crate::domain::text::shown;
use crate::host::Host;
use crate::ops::plan::Plan;
use crate::ops::site_parts::Steps;
use crate::ops::state::State;
use crate::ops::step::{ServiceAct, Step};
use crate::system::{self, mariadb, nginx};

/// What a plan for a service is made of.
pub struct ServiceFacts {
    services: ServiceManager,
    state: system::service::State,
    /// What the program finds wrong with its configuration.
    complaint: Option<String>,
}

/// Looks at a service; at its configuration where that is going to be read.
pub fn look(host: &dyn Host, service: Service, verb: ServiceVerb) -> Result<ServiceFacts, Fault> {
    let services = system::service::manager(host)?;
    let complaint = match (verb, service) {
        (ServiceVerb::Stop, _) | (_, Service::Web) => None,
        (_, Service::Nginx) => nginx::complaint(host, None)?,
        (_, Service::Mariadb) => mariadb::complaint(host)?,
    };
    Ok(ServiceFacts {
        services,
        state: system::service::state(host, services, service.unit())?,
        complaint,
    })
}

/// Plans it; `None` where it is so already.
pub fn plan(
    service: Service,
    verb: ServiceVerb,
    state: &State,
    facts: &ServiceFacts,
) -> Result<Option<Plan>, Fault> {
    let unit = service.unit();
    if facts.services == ServiceManager::Sysv && service == Service::Web {
        return Err(Fault::new(
            Code::ServiceRefused,
            "without systemd the panel is one process with its agent",
            "restart it on this server: `service lalapanel restart`",
        ));
    }
    let running = facts.state.active;
    if verb == ServiceVerb::Start && running || verb == ServiceVerb::Stop && !running {
        return Ok(None);
    }
    if let Some(complaint) = &facts.complaint {
        return Err(Fault::new(
            Code::ServiceRefused,
            format!("{unit} does not accept its own configuration"),
            "correct the line below, then try again; what runs now was not touched",
        )
        .detail(shown(complaint, 400)));
    }
    if facts.state.masked && verb != ServiceVerb::Stop {
        return Err(Fault::new(
            Code::ServiceRefused,
            format!("{unit} is masked: somebody forbade to start it"),
            format!("run `systemctl unmask {unit}` if it may start again"),
        ));
    }
    let (word, act) = match verb {
        ServiceVerb::Start => ("Start", ServiceAct::Start),
        ServiceVerb::Stop => ("Stop", ServiceAct::Stop),
        ServiceVerb::Restart => ("Restart", ServiceAct::Restart),
    };
    let mut steps = Steps::default();
    let step = Step::Service {
        services: facts.services,
        unit: unit.to_owned(),
        act,
    };
    steps.add(format!("{word} {unit}"), step);
    let change = format!("service {}", verb.word());
    let plan = Plan::new(format!("{word} {unit}"), change).steps(steps.into_list());
    Ok(Some(match note(service, verb, state) {
        Some(note) => plan.note(note),
        None => plan,
    }))
}

/// What people notice of it.
fn note(service: Service, verb: ServiceVerb, state: &State) -> Option<String> {
    let sites = state.sites.iter().filter(|site| site.enabled).count();
    Some(match (service, verb) {
        (_, ServiceVerb::Start) => return None,
        (Service::Nginx, ServiceVerb::Stop) => format!(
            "None of the {sites} sites that are online answers until nginx is started again; neither does any other site of this server's nginx."
        ),
        (Service::Nginx, ServiceVerb::Restart) => {
            "Sites do not answer for a moment, and downloads that run are cut off.".to_owned()
        }
        (Service::Mariadb, ServiceVerb::Stop) => {
            "Sites that use a database show an error until MariaDB is started again.".to_owned()
        }
        (Service::Mariadb, ServiceVerb::Restart) => {
            "Sites that use a database show an error for a few seconds.".to_owned()
        }
        (Service::Web, ServiceVerb::Stop) => {
            "This panel starts by itself at the next visit; on this server `systemctl stop lalapanel.socket` keeps it away.".to_owned()
        }
        (Service::Web, ServiceVerb::Restart) => {
            "The panel is away for a second; who is signed in stays signed in.".to_owned()
        }
    })
}
