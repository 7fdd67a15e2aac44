//! What was done here: operations, and the audit trail.
//!
//! Invariant: both lists are the agent's; nothing is left out to make them look better.

use std::sync::Arc;

use poem::Response;
use sailfish::Template;

use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::{AuditEntry, OperationSummary};
use crate::web::clock;
use crate::web::page::{ICONS, Section};
use crate::web::refusal::Refusal;
use crate::web::visit::{Visit, show as respond, unexpected};
use crate::web::words::{self, Pill};

/// How many are listed.
const MOST: u32 = 200;

/// One operation in a list.
pub(in crate::web) struct Line {
    pub(in crate::web) id: String,
    pub(in crate::web) title: String,
    pub(in crate::web) actor: String,
    pub(in crate::web) pill: Pill,
    pub(in crate::web) when: String,
    pub(in crate::web) exact: String,
    pub(in crate::web) stamp: String,
    pub(in crate::web) steps: String,
    pub(in crate::web) took: String,
}

impl Line {
    /// The operation as one line, seen from now.
    pub(in crate::web) fn new(one: &OperationSummary, now: Timestamp) -> Self {
        Self {
            id: one.id.to_string(),
            title: one.title.clone(),
            actor: one.actor.clone(),
            pill: words::operation_pill(one.state),
            when: words::ago(now, one.began),
            exact: words::moment(one.began),
            stamp: one.began.to_string(),
            steps: format!("{} of {}", one.done, one.steps),
            took: one.ended.map_or_else(String::new, |ended| {
                words::duration(ended.millis_since(one.began))
            }),
        }
    }
}

#[derive(Template)]
#[template(path = "pages/activity.html.stpl")]
struct Activity {
    tab: &'static str,
    lines: Vec<Line>,
    filter: String,
    total: usize,
}

struct AuditLine {
    number: u64,
    time: String,
    stamp: String,
    actor: String,
    from: String,
    action: String,
    object: String,
    pill: Pill,
    /// The fault code, where it was not done.
    code: Option<String>,
    operation: Option<String>,
}

#[derive(Template)]
#[template(path = "pages/audit.html.stpl")]
struct Audit {
    tab: &'static str,
    lines: Vec<AuditLine>,
    /// How many entries were checked, or what is wrong with the chain.
    chain: Result<u64, String>,
}

/// `GET /activity`.
pub(in crate::web) async fn operations(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let Reply::Operations(list) = visit.ask(Request::OperationList { limit: MOST }).await? else {
        return Err(unexpected());
    };
    let mut frame = visit.bare_frame("Activity", Section::Activity);
    frame.running = list
        .iter()
        .filter(|one| crate::web::visit::is_running(one))
        .count();
    frame.command = Some("lalapanel op list".to_owned());
    let now = clock::now();
    let filter = shown(visit.query.text("q"), 100);
    let wanted = filter.to_lowercase();
    let body = Activity {
        tab: "operations",
        total: list.len(),
        lines: list
            .iter()
            .map(|one| Line::new(one, now))
            .filter(|line| {
                format!("{} {} {}", line.title, line.actor, line.pill.word)
                    .to_lowercase()
                    .contains(&wanted)
            })
            .collect(),
        filter,
    };
    Ok(respond(&frame, &body))
}

/// `GET /activity/audit`.
pub(in crate::web) async fn audit(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let Reply::Audit(list) = visit.ask(Request::AuditList { limit: MOST }).await? else {
        return Err(unexpected());
    };
    let chain = match visit.ask(Request::AuditVerify {}).await {
        Ok(Reply::AuditSound { entries }) => Ok(entries),
        Ok(_) => return Err(unexpected()),
        Err(Refusal::Fault(fault)) => Err(crate::web::views::change::sentence(&fault)),
        Err(other) => return Err(other),
    };
    let mut frame = visit.frame("Audit trail", Section::Activity).await;
    frame.command = Some("lalapanel audit list".to_owned());
    frame
        .crumbs
        .push(("Activity".to_owned(), "/activity".to_owned()));
    let body = Audit {
        tab: "audit",
        lines: list.into_iter().map(audit_line).collect(),
        chain,
    };
    Ok(respond(&frame, &body))
}

fn audit_line(entry: AuditEntry) -> AuditLine {
    AuditLine {
        number: entry.number,
        time: words::stamp(entry.time),
        stamp: entry.time.to_string(),
        actor: entry.actor,
        from: entry
            .from
            .map_or_else(|| "this server".to_owned(), |from| from.to_string()),
        action: entry.action,
        object: entry.object,
        pill: words::audit_pill(entry.result == "ok"),
        code: (entry.result != "ok").then_some(entry.result),
        operation: entry.operation.map(|id| id.to_string()),
    }
}
