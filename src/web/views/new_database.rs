//! A new database: the form, and beside it what will happen.
//!
//! Invariant: what is shown beside the form is the agent's plan for exactly what the form says; only that plan can be run.

use std::sync::Arc;

use poem::Response;
use poem::http::StatusCode;
use sailfish::Template;

use crate::domain::change::Change;
use crate::domain::database::DatabaseName;
use crate::domain::id::OperationId;
use crate::domain::name::Hostname;
use crate::domain::text::shown;
use crate::rpc::protocol::{Reply, Request};
use crate::web::page::{ICONS, Problem, html, problem_at};
use crate::web::plan::{self, Attempt, ShownPlan};
use crate::web::refusal::Refusal;
use crate::web::views::database_change::{CHANGED, CHECK, Said, begun, hash, password_is_kept};
use crate::web::views::databases::new_frame;
use crate::web::visit::{Visit, unexpected};
use crate::web::words;

#[derive(Template)]
#[template(path = "pages/new_database.html.stpl")]
struct New {
    token: String,
    operation: String,
    name: String,
    site: String,
    /// The sites it may belong to: address and name.
    sites: Vec<(String, String)>,
    /// A password was typed before, and is kept until the button is pressed.
    kept: bool,
    plan: Option<ShownPlan>,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
    live: bool,
}

/// `/databases/new-database`: a hyphen is in no name, so this is none.
pub(in crate::web) async fn create(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let operation = plan::operation_of(&visit)?;
    if !visit.posted {
        return new_sheet(&visit, operation, None, Said::nothing()).await;
    }
    let live = visit.form.has("live");
    let change = match wanted(&visit, operation)? {
        Ok(change) => change,
        Err(problems) => {
            let mut said = Said::problems(problems);
            if live {
                said.status = StatusCode::OK;
            }
            return new_sheet(&visit, operation, None, said).await;
        }
    };
    let attempt = if live {
        plan::preview(&visit, change.clone()).await?
    } else {
        plan::attempt(&visit, change.clone()).await?
    };
    let said = match attempt {
        Attempt::Began(id) => return begun(&visit, id, &change),
        Attempt::Unchanged => Said::nothing(),
        Attempt::Check { plan, changed } => Said {
            plan: Some(*plan),
            notice: (!live).then_some(if changed { CHANGED } else { CHECK }),
            ..Said::nothing()
        },
        Attempt::Refused(fault) => {
            let mut said = Said::refused(&fault);
            if live {
                said.status = StatusCode::OK;
            }
            said
        }
    };
    new_sheet(&visit, operation, Some(change), said).await
}

/// The change a form asks for, or what is to be put right in it.
fn wanted(visit: &Visit, operation: OperationId) -> Result<Result<Change, Vec<Problem>>, Refusal> {
    let mut problems = Vec::new();
    let mut at = |field, text: &str| {
        problems.push(Problem {
            field,
            text: words::sentence_of(text),
        });
    };
    let typed = visit.form.text("name");
    let name = match DatabaseName::parse(typed) {
        Ok(name) => Some(name),
        Err(_) if typed.is_empty() => {
            at("name", "Type a name. For example: shop_db");
            None
        }
        Err(bad) => {
            at("name", &bad.to_string());
            None
        }
    };
    let site = visit.form.text("site");
    let hostname = match Hostname::parse(site) {
        Ok(hostname) => Some(hostname),
        Err(_) if site.is_empty() => None,
        Err(bad) => {
            at("site", &bad.to_string());
            None
        }
    };
    let hash = hash(visit, operation)?;
    if let Err(text) = &hash {
        at("password", text);
    }
    Ok(match (name, hash) {
        (Some(name), Ok(hash)) if problems.is_empty() => Ok(Change::DatabaseCreate {
            name,
            hostname,
            hash,
        }),
        _ => Err(problems),
    })
}

async fn new_sheet(
    visit: &Visit,
    operation: OperationId,
    change: Option<Change>,
    said: Said,
) -> Result<Response, Refusal> {
    let Reply::Sites(sites) = visit.ask(Request::SiteList {}).await? else {
        return Err(unexpected());
    };
    let mut frame = new_frame(visit).await;
    frame.command = Some(change.map_or_else(
        || "lalapanel db create shop_db".to_owned(),
        |change| words::command(&change),
    ));
    let sent = if visit.posted {
        &visit.form
    } else {
        &visit.query
    };
    let body = New {
        token: frame.token.clone(),
        operation: operation.to_string(),
        name: shown(sent.text("name"), 64),
        site: shown(sent.text("site"), 253),
        sites: sites
            .iter()
            .map(|site| (site.hostname.to_string(), site.hostname_unicode.clone()))
            .collect(),
        kept: password_is_kept(visit, operation)?,
        plan: said.plan,
        notice: said.notice,
        problems: said.problems,
        live: visit.form.has("live"),
    };
    Ok(html(said.status, &frame, &body))
}
