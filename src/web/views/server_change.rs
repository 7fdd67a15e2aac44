//! The page of one change to the server: what it does, its plan, one button.
//!
//! Invariant: `GET` never changes anything; `POST` applies only the plan that was on screen.

use poem::Response;
use poem::http::StatusCode;
use sailfish::Template;

use crate::domain::change::Change;
use crate::web::page::{ICONS, Problem, Section, html, see_other};
use crate::web::plan::{self, Attempt, ShownPlan};
use crate::web::refusal::{Refusal, status_of};
use crate::web::views::change::sentence;
use crate::web::visit::Visit;
use crate::web::words;

/// The page that leads to it and back.
pub(super) struct Place {
    pub(super) section: Section,
    pub(super) name: &'static str,
    pub(super) path: &'static str,
}

/// What the page says.
pub(super) struct Words {
    pub(super) heading: String,
    pub(super) busy: &'static str,
    pub(super) consequence: String,
}

#[derive(Template)]
#[template(path = "pages/server_change.html.stpl")]
struct Confirm {
    heading: String,
    path: String,
    back: &'static str,
    place: &'static str,
    busy: &'static str,
    consequence: String,
    token: String,
    operation: String,
    plan: Option<ShownPlan>,
    notice: Option<String>,
    problems: Vec<Problem>,
}

/// Shows it, or begins it.
pub(super) async fn run(
    visit: &Visit,
    change: Change,
    words: Words,
    place: &Place,
) -> Result<Response, Refusal> {
    let command = words::command(&change);
    let attempt = if visit.posted {
        plan::attempt(visit, change).await?
    } else {
        plan::preview(visit, change).await?
    };
    let (mut status, mut problems) = (StatusCode::OK, Vec::new());
    let (plan, notice) = match attempt {
        Attempt::Began(id) => return Ok(see_other(&format!("/operations/{id}"))),
        Attempt::Unchanged => (
            None,
            Some("It is that way already. There is nothing to do.".to_owned()),
        ),
        Attempt::Check { plan, changed } => {
            let notice = format!(
                "The server has changed since you looked. Please check what will happen, then press {}",
                words.heading
            );
            (Some(*plan), changed.then_some(notice))
        }
        Attempt::Refused(fault) => {
            status = status_of(&fault);
            problems.push(Problem {
                field: "main",
                text: sentence(&fault),
            });
            (None, None)
        }
    };
    let mut frame = visit.frame(words.heading.clone(), place.section).await;
    let leads = (place.name.to_owned(), place.path.to_owned());
    frame.crumbs.push(leads);
    frame.command = Some(command);
    let body = Confirm {
        heading: words.heading,
        path: visit.path().to_owned(),
        back: place.path,
        place: place.name,
        busy: words.busy,
        consequence: words.consequence,
        token: frame.token.clone(),
        operation: plan::operation_of(visit)?.to_string(),
        plan,
        notice,
        problems,
    };
    Ok(html(status, &frame, &body))
}
