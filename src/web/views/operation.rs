//! One operation: its steps as they happen, its result, and what to do when it is stuck. Its address is for ever.
//!
//! Invariant: the live page and the page without script are the same page; the stream only says when to look again.

use std::sync::Arc;

use poem::Response;
use sailfish::Template;

use crate::domain::database::DatabaseName;
use crate::domain::id::OperationId;
use crate::domain::name::Hostname;
use crate::rpc::database::InTrash;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::trash::{Trashed, TrashedView};
use crate::rpc::view::{OperationState, OperationSummary, OperationView, StepState};
use crate::web::clock;
use crate::web::keepsake::Keepsake;
use crate::web::page::{ICONS, Section, see_other};
use crate::web::refusal::Refusal;
use crate::web::stream::{self, Stream};
use crate::web::views::databases;
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

/// Something an operation put into the trash.
struct WayBack {
    sentence: String,
    /// The page that puts it back.
    restore: String,
    /// Where it is listed.
    list: &'static str,
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
    /// How what it put into the trash is put back, where it still lies there.
    trash: Option<WayBack>,
    /// The password it made, until it is saved.
    secret: Option<Keepsake>,
    about_databases: bool,
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
    let trashed = in_trash(&visit, &view).await?;
    Ok(page(&visit, view, trashed))
}

/// What this operation put into the trash, while it can still be put back.
async fn in_trash(visit: &Visit, view: &OperationView) -> Result<Option<WayBack>, Refusal> {
    match &view.trashed {
        None => Ok(None),
        Some(Trashed::Database(name)) => {
            let all = databases::look(visit).await?;
            let found = all.into_iter().find(|one| one.name == *name);
            let trash = found.and_then(|one| one.trash);
            Ok(trash.map(|trash| database_back(name, &trash)))
        }
        Some(Trashed::Site(number)) => match visit.ask(Request::SiteTrash {}).await? {
            Reply::Trash(trash) => {
                let found = trash.iter().find(|site| site.number == *number);
                Ok(found.map(site_back))
            }
            _ => Err(unexpected()),
        },
    }
}

fn database_back(name: &DatabaseName, trash: &InTrash) -> WayBack {
    let until = words::moment(trash.until);
    WayBack {
        sentence: format!("Nobody can sign in to {name}; it is in the trash until {until}."),
        restore: format!("/databases/{name}/restore"),
        list: "/databases#deleted",
    }
}

fn site_back(site: &TrashedView) -> WayBack {
    WayBack {
        sentence: format!(
            "{} is offline and in the trash until {}.",
            site.hostname_unicode,
            words::moment(site.until)
        ),
        restore: format!("/trash/{}/restore", site.id),
        list: "/sites#deleted",
    }
}

/// `POST /operations/{id}/check`.
pub(in crate::web) async fn check(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let id = id_of(&visit)?;
    operation(&visit, Request::OperationCheck { id }).await?;
    Ok(see_other(&format!("/operations/{id}")))
}

/// `POST /operations/{id}/saved`: the password that was shown is not needed here any more.
pub(in crate::web) async fn saved(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let id = id_of(&visit)?;
    let holder = visit.session.as_ref().ok_or(Refusal::SignedOut)?;
    visit.shared.keepsakes.forget(holder, id);
    Ok(see_other(&format!("/operations/{id}")))
}

/// `GET /operations/{id}/events`: says when there is something new, from the sequence the browser saw last.
pub(in crate::web) async fn events(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let id = id_of(&visit)?;
    let seen = stream::last_seen(&visit).parse().unwrap_or(0);
    let place = stream::place(&visit)?;
    operation(&visit, Request::OperationFollow { id, after: 0 }).await?;
    Ok(stream::answer(visit, place, move |to| pour(id, seen, to)))
}

/// Writes one event for every new sequence until the operation has ended.
async fn pour(id: OperationId, mut seen: u64, mut to: Stream) -> std::io::Result<()> {
    to.open().await?;
    let follow = |after| Request::OperationFollow { id, after };
    while let Some(Reply::Operation(view)) = to.ask(follow(seen)).await? {
        if view.sequence > seen {
            seen = view.sequence;
            to.send(&event(&view)).await?;
        } else {
            to.still_here().await?;
        }
        if view.summary.state.is_final() {
            return Ok(());
        }
    }
    Ok(())
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

fn page(visit: &Visit, view: OperationView, trash: Option<WayBack>) -> Response {
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
        sentence: trash
            .as_ref()
            .map_or_else(|| sentence(&view), |trash| trash.sentence.clone()),
        trash,
        secret: secret(visit, summary),
        about_databases: summary.change.starts_with("db "),
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

/// The password to show: once the operation is done, to the session that asked for it.
fn secret(visit: &Visit, summary: &OperationSummary) -> Option<Keepsake> {
    let holder = visit.session.as_ref()?;
    let is_done = summary.state == OperationState::Done;
    let kept = visit.shared.keepsakes.shown(holder, summary.id);
    kept.filter(|_| is_done)
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
    if view.summary.change == "db create" {
        return Some("/databases/new-database".to_owned());
    }
    let host = view.summary.hostname.as_ref()?;
    match view.summary.change.as_str() {
        "site create" => Some(format!("/sites/new?hostname={host}&type=php")),
        "site enable" => Some(format!("/sites/{host}/enable")),
        "site disable" => Some(format!("/sites/{host}/disable")),
        "site delete" => Some(format!("/sites/{host}/delete")),
        "site rename" => Some(format!("/sites/{host}/rename")),
        _ => None,
    }
}
