//! What nginx reads of a site: its owner's own directives in an editor, the plan beside it, and the site's file to read.
//!
//! Invariant: nothing is sent to the agent that our own reader of nginx text has not taken; what was typed is never lost.

use std::sync::Arc;

use poem::Response;
use poem::http::StatusCode;
use sailfish::Template;

use crate::domain::change::Change;
use crate::domain::name::Hostname;
use crate::domain::nginx_text::Snippet;
use crate::rpc::nginx_view::NginxView;
use crate::rpc::protocol::{Reply, Request};
use crate::web::page::{ICONS, Problem, html, problem_at, see_other};
use crate::web::plan::{self, Attempt, ShownPlan};
use crate::web::refusal::{Refusal, status_of};
use crate::web::views::change::sentence;
use crate::web::views::site::{find, site_frame};
use crate::web::visit::{Visit, unexpected};

#[derive(Template)]
#[template(path = "pages/nginx.html.stpl")]
struct Page {
    host: String,
    name: String,
    tab: &'static str,
    view: NginxView,
    /// What stands in the editor.
    typed: String,
    rows: usize,
    token: String,
    operation: String,
    plan: Option<ShownPlan>,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
}

/// What the page says beside the editor.
struct Said {
    status: StatusCode,
    plan: Option<ShownPlan>,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
}

impl Said {
    fn nothing() -> Self {
        Self {
            status: StatusCode::OK,
            plan: None,
            notice: None,
            problems: Vec::new(),
        }
    }

    fn problem(status: StatusCode, texts: impl IntoIterator<Item = String>) -> Self {
        let problems = texts.into_iter().map(|text| Problem {
            field: "text",
            text,
        });
        Self {
            status,
            problems: problems.collect(),
            ..Self::nothing()
        }
    }
}

/// `/sites/{host}/nginx`.
pub(in crate::web) async fn show(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let site = find(&visit, visit.hostname()?).await?;
    let hostname = site.hostname.clone();
    let Reply::Nginx(view) = visit
        .ask(Request::SiteNginx {
            hostname: hostname.clone(),
        })
        .await?
    else {
        return Err(unexpected());
    };
    let typed = if visit.posted {
        crate::domain::text::written_out(&visit.form.raw("text").replace("\r\n", "\n"))
    } else {
        view.snippet.clone()
    };
    let said = if visit.posted {
        match check(&visit, hostname).await? {
            Ok(said) => said,
            Err(began) => return Ok(began),
        }
    } else {
        Said::nothing()
    };
    let mut frame = site_frame(&visit, &site, Some("nginx")).await;
    frame.command = Some(format!("lalapanel site snippet {} --file -", site.hostname));
    let body = Page {
        host: site.hostname.to_string(),
        name: site.hostname_unicode,
        tab: "nginx",
        rows: typed.lines().count().clamp(12, 40),
        typed,
        view: *view,
        token: frame.token.clone(),
        operation: plan::operation_of(&visit)?.to_string(),
        plan: said.plan,
        notice: said.notice,
        problems: said.problems,
    };
    Ok(html(said.status, &frame, &body))
}

/// What becomes of the form; `Err` holds the way to the operation that began.
async fn check(visit: &Visit, hostname: Hostname) -> Result<Result<Said, Response>, Refusal> {
    let text = match Snippet::parse(visit.form.raw("text")) {
        Ok(text) => text,
        Err(refused) => {
            let reasons = refused.0.iter().map(ToString::to_string);
            return Ok(Ok(Said::problem(StatusCode::UNPROCESSABLE_ENTITY, reasons)));
        }
    };
    let said = match plan::attempt(visit, Change::SiteSnippet { hostname, text }).await? {
        Attempt::Began(id) => return Ok(Err(see_other(&format!("/operations/{id}")))),
        Attempt::Unchanged => Said {
            notice: Some("The site has exactly these directives already. There is nothing to do."),
            ..Said::nothing()
        },
        Attempt::Check { plan, changed } => Said {
            plan: Some(*plan),
            notice: changed.then_some("What would happen is not what you saw before. Please check it, then press Save these directives."),
            ..Said::nothing()
        },
        Attempt::Refused(fault) => Said::problem(status_of(&fault), [sentence(&fault)]),
    };
    Ok(Ok(said))
}
