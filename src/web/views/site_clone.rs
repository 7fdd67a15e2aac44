//! A clone of a site: the name it gets, and what will happen.
//!
//! Invariant: `GET` never changes anything; `POST` applies only the plan that was on screen.

use std::sync::Arc;

use poem::Response;
use poem::http::StatusCode;
use sailfish::Template;

use crate::domain::change::Change;
use crate::domain::name::Hostname;
use crate::domain::text::shown;
use crate::rpc::view::SiteView;
use crate::web::page::{ICONS, Problem, html, problem_at, see_other};
use crate::web::plan::{self, Attempt, ShownPlan};
use crate::web::refusal::{Refusal, status_of};
use crate::web::views::change::sentence;
use crate::web::views::site::{find, site_frame};
use crate::web::visit::Visit;
use crate::web::words;

#[derive(Template)]
#[template(path = "pages/clone.html.stpl")]
struct Sheet {
    host: String,
    name: String,
    typed: String,
    databases: Option<String>,
    with_databases: bool,
    token: String,
    operation: String,
    plan: Option<ShownPlan>,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
}

/// `/sites/{host}/clone`.
pub(in crate::web) async fn show(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let site = find(&visit, visit.hostname()?).await?;
    if !visit.posted {
        return sheet(&visit, &site, None, StatusCode::OK, None, None).await;
    }
    let name = match Hostname::parse(visit.form.text("name").trim()) {
        Ok(name) => name,
        Err(reason) => {
            let text = format!("{reason}. Write it like copy.example");
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return sheet(&visit, &site, None, status, None, Some(text)).await;
        }
    };
    let change = Change::SiteClone {
        hostname: site.hostname.clone(),
        name,
        databases: with_databases(&visit),
    };
    match plan::attempt(&visit, change.clone()).await? {
        Attempt::Began(id) => Ok(see_other(&format!("/operations/{id}"))),
        Attempt::Unchanged => sheet(&visit, &site, Some(change), StatusCode::OK, None, None).await,
        Attempt::Check { plan, changed } => {
            let plan = Some((*plan, changed));
            sheet(&visit, &site, Some(change), StatusCode::OK, plan, None).await
        }
        Attempt::Refused(fault) => {
            let text = Some(sentence(&fault));
            sheet(&visit, &site, Some(change), status_of(&fault), None, text).await
        }
    }
}

fn with_databases(visit: &Visit) -> bool {
    visit.form.text("databases") == "1"
}

async fn sheet(
    visit: &Visit,
    site: &SiteView,
    change: Option<Change>,
    status: StatusCode,
    plan: Option<(ShownPlan, bool)>,
    problem: Option<String>,
) -> Result<Response, Refusal> {
    let mut frame = site_frame(visit, site, Some("Clone")).await;
    frame.command = Some(change.map_or_else(
        || format!("lalapanel site clone {} NEW", site.hostname),
        |change| words::command(&change),
    ));
    let (plan, changed) = plan.map_or((None, false), |(plan, changed)| (Some(plan), changed));
    let field = "name";
    let body = Sheet {
        host: site.hostname.to_string(),
        name: site.hostname_unicode.clone(),
        typed: shown(visit.form.text("name"), 253),
        databases: (!site.databases.is_empty()).then(|| site.databases.join(", ")),
        with_databases: with_databases(visit),
        token: frame.token.clone(),
        operation: plan::operation_of(visit)?.to_string(),
        plan,
        notice: changed
            .then_some("What would happen is different now. Please check it, then press Clone"),
        problems: problem
            .map(|text| Problem { field, text })
            .into_iter()
            .collect(),
    };
    Ok(html(status, &frame, &body))
}
