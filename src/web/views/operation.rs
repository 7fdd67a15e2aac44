//! One operation: its steps as they happen, its result, and what to do when it is stuck. Its address is for ever.
//!
//! Invariant: the live page and the page without script are the same page; the stream only says when to look again.

use std::sync::Arc;
use std::time::Duration;

use poem::http::{HeaderValue, StatusCode, header};
use poem::{Body, Response};
use sailfish::Template;
use tokio::io::{AsyncWriteExt, DuplexStream};

use crate::domain::id::OperationId;
use crate::domain::name::Hostname;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::{OperationState, OperationView, StepState};
use crate::web::clock;
use crate::web::page::{ICONS, Section, see_other};
use crate::web::refusal::Refusal;
use crate::web::visit::{Visit, show as respond, unexpected};
use crate::web::words::{self, Pill};

struct Step {
    title: String,
    pill: Pill,
    took: String,
    target: String,
    note: Option<String>,
    current: bool,
}

#[derive(Template)]
#[template(path = "pages/operation.html.stpl")]
struct Operation {
    id: String,
    token: String,
    view: OperationView,
    steps: Vec<Step>,
    headline: String,
    sentence: String,
    announce: String,
    tab_title: String,
    pill: Pill,
    host: Option<String>,
    shown_host: String,
    took: String,
    began: String,
    began_stamp: String,
    exists: bool,
    still: bool,
    again: Option<String>,
}

/// `GET /operations/{id}`; with `watch`, by a page that renews itself.
pub(in crate::web) async fn show(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let id = id_of(&visit)?;
    let watching = visit.query.has("watch");
    // A look that keeps no session alive: answered at once, since every operation has begun with sequence 1.
    let request = if watching {
        Request::OperationFollow { id, after: 0 }
    } else {
        Request::OperationShow { id }
    };
    let view = operation(&visit, request).await?;
    Ok(page(&visit, view))
}

/// `POST /operations/{id}/check`.
pub(in crate::web) async fn check(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let id = id_of(&visit)?;
    operation(&visit, Request::OperationCheck { id }).await?;
    Ok(see_other(&format!("/operations/{id}")))
}

/// `GET /operations/{id}/events`: says when there is something new, from the sequence the browser saw last.
pub(in crate::web) async fn events(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let id = id_of(&visit)?;
    let seen = visit
        .headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_else(|| visit.query.text("after"))
        .parse()
        .unwrap_or(0);
    let Ok(permit) = Arc::clone(&visit.shared.streams).try_acquire_owned() else {
        return Err(Refusal::BUSY);
    };
    operation(&visit, Request::OperationFollow { id, after: 0 }).await?;
    let (ours, theirs) = tokio::io::duplex(4096);
    let watcher = Arc::clone(&visit);
    tokio::spawn(async move {
        let _permit = permit;
        // An error here is a browser that has gone.
        let _ = pour(&watcher, id, seen, ours).await;
    });
    let mut response = Response::builder()
        .status(StatusCode::OK)
        .header(header::CONTENT_TYPE, "text/event-stream")
        .body(Body::from_async_read(theirs));
    response
        .headers_mut()
        .insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// Writes one event for every new sequence until the operation has ended, and a comment at least every 15 s.
async fn pour(
    visit: &Visit,
    id: OperationId,
    mut seen: u64,
    mut to: DuplexStream,
) -> std::io::Result<()> {
    to.write_all(b"retry: 1000\n\n").await?;
    loop {
        let follow = visit.ask(Request::OperationFollow { id, after: seen });
        tokio::pin!(follow);
        let answer = loop {
            tokio::select! {
                answer = &mut follow => break answer,
                () = tokio::time::sleep(Duration::from_secs(15)) => to.write_all(b": still here\n\n").await?,
            }
        };
        let view = match answer {
            Ok(Reply::Operation(view)) => view,
            Err(Refusal::SignedOut) => {
                return to.write_all(b"event: signed-out\ndata: {}\n\n").await;
            }
            // The browser comes back by itself and resumes where it was.
            Ok(_) | Err(_) => return Ok(()),
        };
        if view.sequence > seen {
            seen = view.sequence;
            to.write_all(event(&view).as_bytes()).await?;
        } else {
            to.write_all(b": still here\n\n").await?;
        }
        if view.summary.state.is_final() {
            return Ok(());
        }
    }
}

fn event(view: &OperationView) -> String {
    let data = serde_json::json!({
        "state": view.summary.state,
        "done": view.summary.done,
        "steps": view.summary.steps,
        "final": view.summary.state.is_final(),
    });
    format!("id: {}\nevent: progress\ndata: {data}\n\n", view.sequence)
}

async fn operation(visit: &Visit, request: Request) -> Result<OperationView, Refusal> {
    match visit.ask(request).await? {
        Reply::Operation(view) => Ok(*view),
        _ => Err(unexpected()),
    }
}

fn id_of(visit: &Visit) -> Result<OperationId, Refusal> {
    visit
        .part(0)
        .and_then(|text| OperationId::parse(text).ok())
        .ok_or(Refusal::NOT_FOUND)
}

fn page(visit: &Visit, view: OperationView) -> Response {
    let summary = &view.summary;
    let headline = words::headline(summary);
    let finished = summary.state.is_final();
    let stopped = visit.query.has("still");
    let mut frame = visit.bare_frame(tab_title(&view, &headline), Section::Activity);
    frame.here = format!("/operations/{}", summary.id);
    frame.running = usize::from(!finished);
    frame.command = Some(format!("lalapanel op show {}", summary.id));
    frame
        .crumbs
        .push(("Activity".to_owned(), "/activity".to_owned()));
    if !finished && !stopped {
        frame.refresh = Some(format!("/operations/{}?watch=1", summary.id));
    }
    let body = Operation {
        id: summary.id.to_string(),
        token: frame.token.clone(),
        steps: steps(&view),
        sentence: sentence(&view),
        announce: announcement(&view, &headline),
        tab_title: format!("{} · Lala Panel", frame.title),
        pill: words::operation_pill(summary.state),
        host: summary.hostname.as_ref().map(ToString::to_string),
        shown_host: summary
            .hostname
            .as_ref()
            .map(Hostname::unicode)
            .unwrap_or_default(),
        took: took(&view),
        began: words::moment(summary.began),
        began_stamp: summary.began.to_string(),
        exists: site_exists(&view),
        still: stopped,
        again: again(&view),
        headline,
        view,
    };
    respond(&frame, &body)
}

fn steps(view: &OperationView) -> Vec<Step> {
    view.steps
        .iter()
        .map(|step| Step {
            title: step.title.clone(),
            target: step.target.clone(),
            note: step.note.clone(),
            pill: words::step_pill(step.state),
            took: match (step.began, step.ended) {
                (Some(began), Some(ended)) => words::duration(ended.millis_since(began)),
                _ => String::new(),
            },
            current: step.state == StepState::Working,
        })
        .collect()
}

/// Where a running operation is: `Step 3 of 9: Create database`.
fn position(view: &OperationView) -> Option<String> {
    let current = view
        .steps
        .iter()
        .position(|step| step.state == StepState::Working)?;
    let title = &view.steps.get(current)?.title;
    Some(format!(
        "Step {} of {}: {title}",
        current + 1,
        view.steps.len()
    ))
}

fn sentence(view: &OperationView) -> String {
    const BEFORE: &str = "Everything was undone; the server is as before.";
    match view.summary.state {
        OperationState::Working => position(view).unwrap_or_else(|| "Beginning…".to_owned()),
        OperationState::Undoing => {
            "A step failed. The steps before it are being undone.".to_owned()
        }
        OperationState::Done if view.recovered => {
            "The server stopped during this operation. After the restart Lala finished it."
                .to_owned()
        }
        OperationState::Done => {
            format!("All {} are done.", words::count(view.summary.steps, "step"))
        }
        OperationState::Undone if view.recovered => {
            format!("The server stopped during this operation. {BEFORE}")
        }
        OperationState::Undone => BEFORE.to_owned(),
        OperationState::Stuck => format!(
            "A step could not be undone. Your sites keep running. As root, run {}, then press Check again.",
            match view.remaining.len() {
                1 => "this command".to_owned(),
                more => format!("these {more} commands"),
            }
        ),
    }
}

/// What a screen reader is told when this view appears.
fn announcement(view: &OperationView, headline: &str) -> String {
    match view.summary.state {
        OperationState::Working => {
            let last = view
                .steps
                .iter()
                .enumerate()
                .rfind(|(_, step)| step.state == StepState::Done);
            match last {
                Some((index, step)) => format!(
                    "Step {} of {} done: {}",
                    index + 1,
                    view.steps.len(),
                    step.title
                ),
                None => format!("{headline}, {}", words::count(view.summary.steps, "step")),
            }
        }
        OperationState::Undoing => "A step failed. Undoing.".to_owned(),
        OperationState::Done => format!("Done. {headline}"),
        OperationState::Undone => format!("Undone. {headline}"),
        OperationState::Stuck => format!("Needs you. {headline}"),
    }
}

fn tab_title(view: &OperationView, headline: &str) -> String {
    let summary = &view.summary;
    match summary.state {
        OperationState::Working => format!("{}/{} · {headline}", summary.done, summary.steps),
        other => format!("{} · {headline}", other.word()),
    }
}

fn took(view: &OperationView) -> String {
    let ended = view.summary.ended.unwrap_or_else(clock::now);
    words::duration(ended.millis_since(view.summary.began))
}

/// True where the operation left a site to open.
fn site_exists(view: &OperationView) -> bool {
    let done = view.summary.state == OperationState::Done;
    match view.summary.change.as_str() {
        "site create" => done,
        "site delete" => !done,
        _ => true,
    }
}

/// Where an undone change can be tried again.
fn again(view: &OperationView) -> Option<String> {
    if view.summary.state != OperationState::Undone {
        return None;
    }
    let host = view.summary.hostname.as_ref()?;
    match view.summary.change.as_str() {
        "site create" => Some(format!("/sites/new?hostname={host}&type=php")),
        "site enable" => Some(format!("/sites/{host}/enable")),
        "site disable" => Some(format!("/sites/{host}/disable")),
        "site delete" => Some(format!("/sites/{host}/delete")),
        _ => None,
    }
}
