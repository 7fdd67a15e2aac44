//! Settings of the panel itself, and the address that is being tried.
//!
//! Invariant: a new address is kept only by somebody who came by it; whoever did not is led there.

use std::sync::Arc;

use poem::Response;
use poem::http::StatusCode;
use sailfish::Template;

use crate::domain::change::Change;
use crate::domain::panel_setting::{PanelSetting, TrialVerb};
use crate::domain::text::shown;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::settings::{SettingsView, TrialView};
use crate::web::page::{ICONS, Problem, Section, html, problem_at, see_other};
use crate::web::plan::{self, Attempt, ShownPlan};
use crate::web::refusal::{Refusal, status_of};
use crate::web::views::change::sentence;
use crate::web::visit::{Visit, unexpected};
use crate::web::words;

/// A field: its key, its name in the form, its label, its help.
const FIELDS: [(&str, &str, &str, &str); 7] = [
    (
        "panel.hostname",
        "hostname",
        "Name of this panel",
        "As in panel.example.org; empty for the server's address. It gets a certificate of its own.",
    ),
    (
        "panel.port",
        "port",
        "Port",
        "The sites have 80 and 443, SSH has 22.",
    ),
    (
        "acme.email",
        "email",
        "E-mail address for certificate authorities",
        "May be empty. It is given to the authority with the next account.",
    ),
    (
        "acme.directory",
        "directory",
        "Directory of the certificate authority",
        "Empty for Let's Encrypt.",
    ),
    (
        "acme.fallback_directory",
        "fallback_directory",
        "Directory of a second certificate authority",
        "Asked where the first one fails; the first gets the next order again. May be empty.",
    ),
    (
        "acme.fallback_after",
        "fallback_after",
        "Failures before the second authority is asked",
        "From 1 to 12; empty for 3. One that allows no more for now is not waited for.",
    ),
    (
        "panel.trusted_proxies",
        "proxies",
        "Trusted proxies",
        "Addresses with commas between. Only what stands before this panel: their word about where a person comes from is believed.",
    ),
];

struct Field {
    name: &'static str,
    label: &'static str,
    help: &'static str,
    typed: String,
}

struct Tried {
    url: String,
    until: String,
    /// The person came by it.
    here: bool,
}

#[derive(Template)]
#[template(path = "pages/panel_settings.html.stpl")]
struct Sheet {
    fields: Vec<Field>,
    tried: Option<Tried>,
    token: String,
    operation: String,
    plan: Option<ShownPlan>,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
}

#[derive(Default)]
struct Beside {
    status: StatusCode,
    plan: Option<ShownPlan>,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
}

/// `/settings`.
pub(in crate::web) async fn show(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let view = look(&visit).await?;
    if !visit.posted {
        return sheet(&visit, &view, None, Beside::default()).await;
    }
    let (values, problems) = typed(&visit);
    if !problems.is_empty() {
        let beside = Beside {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            problems,
            ..Beside::default()
        };
        return sheet(&visit, &view, None, beside).await;
    }
    let change = Change::PanelSet { values };
    let beside = match plan::attempt(&visit, change.clone()).await? {
        Attempt::Began(id) => return Ok(see_other(&format!("/operations/{id}"))),
        Attempt::Unchanged => Beside {
            notice: Some("Everything is that way already. There is nothing to do."),
            ..Beside::default()
        },
        Attempt::Check { plan, changed } => Beside {
            plan: Some(*plan),
            notice: changed
                .then_some("What would happen is different now. Please check it, then press Save"),
            ..Beside::default()
        },
        Attempt::Refused(fault) => Beside {
            status: status_of(&fault),
            problems: vec![Problem {
                field: "main",
                text: sentence(&fault),
            }],
            ..Beside::default()
        },
    };
    sheet(&visit, &view, Some(change), beside).await
}

/// `POST /settings/{verb}`: what becomes of the address that is tried.
pub(in crate::web) async fn decide(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let word = visit.part(0).unwrap_or_default();
    let Some(verb) = TrialVerb::ALL.into_iter().find(|verb| verb.word() == word) else {
        return Err(Refusal::NOT_FOUND);
    };
    let view = look(&visit).await?;
    let came_by_it = view
        .trial
        .as_ref()
        .is_some_and(|trial| is_here(&visit, trial));
    if verb == TrialVerb::Keep && !came_by_it {
        return Ok(see_other("/settings"));
    }
    let request = Request::Apply {
        change: Change::PanelTrial { verb },
        plan: None,
        operation: Some(plan::operation_of(&visit)?),
    };
    match visit.ask(request).await? {
        Reply::Began { .. } if verb == TrialVerb::Longer => Ok(see_other("/settings")),
        Reply::Began { operation } => Ok(see_other(&format!("/operations/{operation}"))),
        Reply::Unchanged {} => Ok(see_other("/settings")),
        _ => Err(unexpected()),
    }
}

async fn look(visit: &Visit) -> Result<SettingsView, Refusal> {
    match visit.ask(Request::SettingsShow {}).await? {
        Reply::Settings(view) => Ok(*view),
        _ => Err(unexpected()),
    }
}

/// Only fields that differ are sent; what somebody else has changed meanwhile stays.
fn typed(visit: &Visit) -> (Vec<PanelSetting>, Vec<Problem>) {
    let (mut values, mut problems) = (Vec::new(), Vec::new());
    for (key, name, ..) in FIELDS {
        if !visit.form.holds(name) {
            continue;
        }
        match PanelSetting::parse(key, visit.form.raw(name)) {
            Ok(value) => values.push(value),
            Err(bad) => problems.push(Problem {
                field: name,
                text: words::sentence_of(&bad.to_string()),
            }),
        }
    }
    (values, problems)
}

/// By the name and the port that are tried.
fn is_here(visit: &Visit, trial: &TrialView) -> bool {
    let named = trial.hostname.as_ref();
    visit.port == Some(trial.port)
        && named.is_none_or(|wanted| visit.host.eq_ignore_ascii_case(wanted.as_str()))
}

fn tried(visit: &Visit, trial: &TrialView) -> Tried {
    let name = match &trial.hostname {
        Some(name) => name.to_string(),
        None => shown(&visit.host, 253),
    };
    Tried {
        url: format!("https://{name}:{}/settings", trial.port),
        until: words::clock(trial.until),
        here: is_here(visit, trial),
    }
}

async fn sheet(
    visit: &Visit,
    view: &SettingsView,
    change: Option<Change>,
    beside: Beside,
) -> Result<Response, Refusal> {
    let mut frame = visit.frame("Settings", Section::Settings).await;
    frame.command = Some(change.map_or_else(
        || "lalapanel settings show".to_owned(),
        |change| words::command(&change),
    ));
    let rows = view.rows();
    let field = |(key, name, label, help): (&str, &'static str, _, _)| {
        let now = rows.iter().find(|(known, _)| *known == key);
        let now = now.map_or("", |(_, text)| text.as_str());
        let text = if visit.form.holds(name) {
            visit.form.text(name)
        } else {
            now
        };
        Field {
            name,
            label,
            help,
            typed: shown(text, 2048),
        }
    };
    let body = Sheet {
        fields: FIELDS.into_iter().map(field).collect(),
        tried: view.trial.as_ref().map(|trial| tried(visit, trial)),
        token: frame.token.clone(),
        operation: plan::operation_of(visit)?.to_string(),
        plan: beside.plan,
        notice: beside.notice,
        problems: beside.problems,
    };
    Ok(html(beside.status, &frame, &body))
}
