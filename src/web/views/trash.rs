//! Sites in the trash: put one back, under its old name or another, or delete it for good.
//!
//! Invariant: `GET` never changes anything; `POST` applies only the plan that was on screen.

use std::sync::Arc;

use poem::Response;
use poem::http::StatusCode;
use sailfish::Template;

use crate::domain::change::Change;
use crate::domain::name::Hostname;
use crate::domain::text::shown;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::trash::TrashedView;
use crate::web::page::{ICONS, Problem, Section, html, problem_at, see_other};
use crate::web::plan::{self, Attempt, ShownPlan};
use crate::web::refusal::{Refusal, status_of};
use crate::web::views::change::sentence;
use crate::web::visit::{Visit, unexpected};
use crate::web::words;

#[derive(Template)]
#[template(path = "pages/trash.html.stpl")]
struct Sheet {
    id: String,
    name: String,
    until: String,
    /// True for the end of the site, false for its way back.
    for_good: bool,
    token: String,
    operation: String,
    typed: String,
    hostname: String,
    plan: Option<ShownPlan>,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
}

/// `/trash/{id}/restore`.
pub(in crate::web) async fn restore(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let site = find(&visit).await?;
    let typed = visit.form.text("hostname").trim();
    let text = if visit.posted {
        typed
    } else {
        site.hostname.as_str()
    };
    match Hostname::parse(text) {
        Ok(hostname) => {
            let change = Change::SiteRestore {
                site: site.number,
                hostname,
            };
            run(&visit, &site, change, false).await
        }
        Err(reason) => {
            let problem = Problem {
                field: "hostname",
                text: format!("{reason}. Write it like shop.example"),
            };
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            sheet(&visit, &site, false, status, (None, None), vec![problem]).await
        }
    }
}

/// `/trash/{id}/delete`.
pub(in crate::web) async fn delete(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let site = find(&visit).await?;
    let change = Change::SiteDiscard {
        site: site.number,
        hostname: site.hostname.clone(),
    };
    run(&visit, &site, change, true).await
}

async fn find(visit: &Visit) -> Result<TrashedView, Refusal> {
    let Reply::Trash(trash) = visit.ask(Request::SiteTrash {}).await? else {
        return Err(unexpected());
    };
    let id = visit.part(0).unwrap_or_default();
    let found = trash.into_iter().find(|site| site.id == id);
    found.ok_or(Refusal::NOT_FOUND)
}

async fn run(
    visit: &Visit,
    site: &TrashedView,
    change: Change,
    for_good: bool,
) -> Result<Response, Refusal> {
    let mut problems = Vec::new();
    let mut status = StatusCode::OK;
    if for_good && visit.posted && !is_name_of(site, visit.form.text("confirm")) {
        status = StatusCode::UNPROCESSABLE_ENTITY;
        problems.push(Problem {
            field: "confirm",
            text: format!("The name does not match. Type {}", site.hostname_unicode),
        });
    }
    let attempt = if visit.posted && problems.is_empty() {
        plan::attempt(visit, change).await?
    } else {
        plan::preview(visit, change).await?
    };
    let shown = match attempt {
        Attempt::Began(id) => return Ok(see_other(&format!("/operations/{id}"))),
        Attempt::Unchanged => (None, Some("There is nothing to do.")),
        Attempt::Check { plan, changed } => {
            let words = "What would happen is different now. Please check it, then confirm again";
            (Some(*plan), changed.then_some(words))
        }
        Attempt::Refused(fault) => {
            status = status_of(&fault);
            problems.push(Problem {
                field: if for_good { "main" } else { "hostname" },
                text: sentence(&fault),
            });
            (None, None)
        }
    };
    sheet(visit, site, for_good, status, shown, problems).await
}

fn is_name_of(site: &TrashedView, typed: &str) -> bool {
    let typed = typed.trim().to_lowercase();
    typed == site.hostname.as_str() || typed == site.hostname_unicode.to_lowercase()
}

async fn sheet(
    visit: &Visit,
    site: &TrashedView,
    for_good: bool,
    status: StatusCode,
    (plan, notice): (Option<ShownPlan>, Option<&'static str>),
    problems: Vec<Problem>,
) -> Result<Response, Refusal> {
    let (title, command) = if for_good {
        (
            "Delete for good",
            format!("lalapanel site delete {} --now", site.id),
        )
    } else {
        ("Put it back", format!("lalapanel site restore {}", site.id))
    };
    let title = format!("{title} · {}", site.hostname_unicode);
    let mut frame = visit.frame(title, Section::Sites).await;
    frame.crumbs.push(("Sites".to_owned(), "/sites".to_owned()));
    frame.command = Some(command);
    let hostname = if visit.posted {
        shown(visit.form.text("hostname"), 253)
    } else {
        site.hostname_unicode.clone()
    };
    let body = Sheet {
        id: site.id.clone(),
        name: site.hostname_unicode.clone(),
        until: words::moment(site.until),
        for_good,
        token: frame.token.clone(),
        operation: plan::operation_of(visit)?.to_string(),
        typed: shown(visit.form.text("confirm"), 253),
        hostname,
        plan,
        notice,
        problems,
    };
    Ok(html(status, &frame, &body))
}
