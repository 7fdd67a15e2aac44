//! `/databases/{name}/import`: a dump that is uploaded, loaded beside the database, looked at, and put in its place or forgotten.
//!
//! Invariant: an upload changes nothing of the database; the page after it puts it in place only by the plan that was on screen and the typed name.

use std::sync::Arc;

use poem::Response;
use poem::http::StatusCode;
use sailfish::Template;
use tokio::sync::mpsc;

use crate::domain::change::Change;
use crate::domain::database::DatabaseName;
use crate::domain::database_job::ImportId;
use crate::domain::fault::Fault;
use crate::domain::text::shown;
use crate::rpc::filling::Brought;
use crate::rpc::protocol::{Answer, Call, Reply, Request};
use crate::web::page::{ICONS, Problem, html, problem_at, see_other};
use crate::web::plan::{self, Attempt, ShownPlan};
use crate::web::refusal::{Refusal, belongs_to_the_form, status_of};
use crate::web::upload::Upload;
use crate::web::views::change::sentence;
use crate::web::views::database_change::{CHANGED, Said};
use crate::web::views::databases::{change_frame, find};
use crate::web::visit::{Visit, unexpected};

#[derive(Template)]
#[template(path = "pages/database_import.html.stpl")]
struct Choose {
    name: String,
    token: String,
    unfinished: bool,
    problems: Vec<Problem>,
}

#[derive(Template)]
#[template(path = "pages/database_loaded.html.stpl")]
struct Loaded {
    name: String,
    import: String,
    token: String,
    operation: String,
    typed: String,
    plan: Option<ShownPlan>,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
}

/// The form for a file.
pub(in crate::web) async fn choose(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let name = open(&visit).await?;
    Ok(form(&visit, &name, StatusCode::OK, Vec::new()).await)
}

/// One in the trash takes nothing.
async fn open(visit: &Visit) -> Result<DatabaseName, Refusal> {
    let view = find(visit).await?;
    if view.trash.is_some() || view.locked {
        return Err(Refusal::NOT_FOUND);
    }
    Ok(view.name)
}

async fn form(
    visit: &Visit,
    name: &DatabaseName,
    status: StatusCode,
    problems: Vec<Problem>,
) -> Response {
    let mut frame = change_frame(visit, "Import", name).await;
    let unfinished = visit.form.has("unfinished");
    let word = if unfinished { " --unfinished" } else { "" };
    frame.command = Some(format!("lalapanel db import {name} FILE{word}"));
    let body = Choose {
        name: name.to_string(),
        token: frame.token.clone(),
        unfinished,
        problems,
    };
    html(status, &frame, &body)
}

/// Takes the file, and loads it.
pub(in crate::web) async fn upload(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let name = open(&visit).await?;
    let upload = visit.upload.lock().ok().and_then(|mut held| held.take());
    let (status, text) = match load(&visit, &name, upload).await {
        Some(Ok(Reply::Loaded(loaded))) => {
            let place = format!("/databases/{name}/import/{}", loaded.import);
            return Ok(see_other(&place));
        }
        Some(Ok(_)) => return Err(unexpected()),
        Some(Err(fault)) if belongs_to_the_form(&fault) => (status_of(&fault), sentence(&fault)),
        Some(Err(fault)) => return Err(fault.into()),
        None => {
            let text = "Choose the file of a dump first: .sql, .sql.gz or .sql.zst".to_owned();
            (StatusCode::UNPROCESSABLE_ENTITY, text)
        }
    };
    let problem = Problem {
        field: "file",
        text,
    };
    Ok(form(&visit, &name, status, vec![problem]).await)
}

/// What the agent says of it; nothing where no file came.
async fn load(visit: &Visit, name: &DatabaseName, upload: Option<Upload>) -> Option<Answer> {
    let (mut unpacked, arriving) = upload?.unpacked();
    let asking = async {
        let first = unpacked.recv().await;
        // A form without a chosen file holds an empty one.
        if matches!(&first, Some(Ok(piece)) if piece.is_empty()) {
            return None;
        }
        let (to, from) = mpsc::channel::<Brought>(1);
        let passing = async {
            let mut next = first;
            while let Some(piece) = next {
                if to.send(piece).await.is_err() {
                    break;
                }
                next = unpacked.recv().await;
            }
            drop((to, unpacked));
        };
        let call = Call {
            session: visit.session.clone(),
            bearer: None,
            from: visit.from,
            request: Request::DatabaseLoad {
                name: name.clone(),
                unfinished: visit.form.has("unfinished"),
            },
        };
        let (answer, ()) = tokio::join!(visit.shared.agent.fill(call, from), passing);
        Some(answer)
    };
    tokio::join!(asking, arriving).0
}

/// What was loaded, with what putting it in place would do; with the name typed, does it.
pub(in crate::web) async fn show(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let (name, import) = (open(&visit).await?, number(&visit)?);
    let change = Change::DatabaseImport {
        name: name.clone(),
        import: import.clone(),
    };
    let is_typed = visit.form.text("confirm").to_lowercase() == name.as_str();
    let attempt = if visit.posted && is_typed {
        plan::attempt(&visit, change).await?
    } else {
        plan::preview(&visit, change).await?
    };
    let mut said = match attempt {
        Attempt::Began(id) => return Ok(see_other(&format!("/operations/{id}"))),
        Attempt::Unchanged => return Err(unexpected()),
        Attempt::Check { plan, changed } => Said {
            plan: Some(*plan),
            notice: changed.then_some(CHANGED),
            ..Said::nothing()
        },
        Attempt::Refused(fault) => lost(&fault),
    };
    if visit.posted && !is_typed && said.plan.is_some() {
        said.status = StatusCode::UNPROCESSABLE_ENTITY;
        said.problems = vec![Problem {
            field: "confirm",
            text: format!("The name does not match. Type {name}"),
        }];
    }
    let mut frame = change_frame(&visit, "Import", &name).await;
    frame.command = Some(format!("lalapanel db import {name} FILE"));
    let body = Loaded {
        name: name.to_string(),
        import: import.to_string(),
        token: frame.token.clone(),
        operation: plan::operation_of(&visit)?.to_string(),
        typed: shown(visit.form.text("confirm"), 64),
        plan: said.plan,
        notice: said.notice,
        problems: said.problems,
    };
    Ok(html(said.status, &frame, &body))
}

fn lost(fault: &Fault) -> Said {
    Said {
        status: status_of(fault),
        ..Said::problems(vec![Problem {
            field: "main",
            text: sentence(fault),
        }])
    }
}

/// Forgets what was loaded; the database is as it was.
pub(in crate::web) async fn forget(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let (name, import) = (find(&visit).await?.name, number(&visit)?);
    let request = Request::DatabaseDiscard {
        name: name.clone(),
        import,
    };
    visit.ask(request).await?;
    Ok(see_other(&format!("/databases/{name}")))
}

fn number(visit: &Visit) -> Result<ImportId, Refusal> {
    visit
        .part(1)
        .and_then(|text| ImportId::parse(text).ok())
        .ok_or(Refusal::NOT_FOUND)
}
