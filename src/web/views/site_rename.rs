//! Another domain name for a site: what it is, what becomes of the old one, and what will happen.
//!
//! Invariant: `GET` never changes anything; `POST` applies only the plan that was on screen.

use std::sync::Arc;

use poem::Response;
use poem::http::StatusCode;
use sailfish::Template;

use crate::domain::change::{Change, OldName};
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

/// What can become of the old name: its word, what it is called, what it means.
const OLD: [(OldName, &str, &str); 3] = [
    (
        OldName::Redirect,
        "Send its visitors to the new name",
        "Links and search engines find the site again.",
    ),
    (
        OldName::Alias,
        "Show the site under both names",
        "The old name stays an alias.",
    ),
    (
        OldName::Drop,
        "Give it up",
        "Nothing answers to it, and another site may have it.",
    ),
];

#[derive(Template)]
#[template(path = "pages/rename.html.stpl")]
struct Sheet {
    host: String,
    name: String,
    typed: String,
    old: OldName,
    token: String,
    operation: String,
    plan: Option<ShownPlan>,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
}

/// What stands beside the form.
struct Beside {
    status: StatusCode,
    plan: Option<ShownPlan>,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
}

impl Beside {
    fn nothing() -> Self {
        Self {
            status: StatusCode::OK,
            plan: None,
            notice: None,
            problems: Vec::new(),
        }
    }

    fn problem(status: StatusCode, text: String) -> Self {
        let field = "name";
        Self {
            status,
            problems: vec![Problem { field, text }],
            ..Self::nothing()
        }
    }
}

/// `/sites/{host}/rename`.
pub(in crate::web) async fn show(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let site = find(&visit, visit.hostname()?).await?;
    let typed = visit.form.text("name").trim();
    if !visit.posted {
        return sheet(&visit, &site, None, Beside::nothing()).await;
    }
    let name = match Hostname::parse(typed) {
        Ok(name) => name,
        Err(reason) => {
            let text = format!("{reason}. Write it like shop.example");
            let beside = Beside::problem(StatusCode::UNPROCESSABLE_ENTITY, text);
            return sheet(&visit, &site, None, beside).await;
        }
    };
    let change = Change::SiteRename {
        hostname: site.hostname.clone(),
        name,
        old: old(&visit),
    };
    let beside = match plan::attempt(&visit, change.clone()).await? {
        Attempt::Began(id) => return Ok(see_other(&format!("/operations/{id}"))),
        Attempt::Unchanged => Beside {
            notice: Some("This is its name already. There is nothing to do."),
            ..Beside::nothing()
        },
        Attempt::Check { plan, changed } => Beside {
            plan: Some(*plan),
            notice: changed.then_some(
                "What would happen is different now. Please check it, then press Rename",
            ),
            ..Beside::nothing()
        },
        Attempt::Refused(fault) => Beside::problem(status_of(&fault), sentence(&fault)),
    };
    sheet(&visit, &site, Some(change), beside).await
}

fn old(visit: &Visit) -> OldName {
    let typed = visit.form.text("old");
    let known = OldName::ALL.into_iter().find(|old| old.word() == typed);
    known.unwrap_or_default()
}

async fn sheet(
    visit: &Visit,
    site: &SiteView,
    change: Option<Change>,
    beside: Beside,
) -> Result<Response, Refusal> {
    let mut frame = site_frame(visit, site, Some("Rename")).await;
    frame.command = Some(change.map_or_else(
        || format!("lalapanel site rename {} NEW", site.hostname),
        |change| words::command(&change),
    ));
    let body = Sheet {
        host: site.hostname.to_string(),
        name: site.hostname_unicode.clone(),
        typed: shown(visit.form.text("name"), 253),
        old: old(visit),
        token: frame.token.clone(),
        operation: plan::operation_of(visit)?.to_string(),
        plan: beside.plan,
        notice: beside.notice,
        problems: beside.problems,
    };
    Ok(html(beside.status, &frame, &body))
}
