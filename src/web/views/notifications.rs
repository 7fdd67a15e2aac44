//! Who is told of what needs somebody: the settings of it, how it goes, and a try.
//!
//! Invariant: a password or secret that was sent goes on to the agent and is gone; no page or form ever holds it again.

use std::sync::Arc;

use poem::Response;
use poem::http::StatusCode;
use sailfish::Template;

use crate::domain::authority::KeyText;
use crate::domain::change::Change;
use crate::domain::fault::Code;
use crate::domain::notice::Way;
use crate::domain::notify::WebhookUrl;
use crate::domain::notify_setting::{NotifyKey, NotifySecrets, NotifySetting};
use crate::domain::panel_setting::PanelSetting;
use crate::domain::text::shown;
use crate::rpc::notify::{NotifyView, TrialView};
use crate::rpc::protocol::{Reply, Request};
use crate::web::page::{ICONS, Problem, Section, html, problem_at, see_other};
use crate::web::plan::{self, Attempt, ShownPlan};
use crate::web::refusal::{Refusal, status_of};
use crate::web::views::change::sentence;
use crate::web::views::notification_fields::{FIELDS, Kept};
use crate::web::visit::{Visit, unexpected};
use crate::web::words;

struct Field {
    name: &'static str,
    label: &'static str,
    help: &'static str,
    typed: String,
    secret: bool,
    number: bool,
    /// Said of a secret: there is one, or one was typed a moment ago.
    state: Option<&'static str>,
}

struct Told {
    way: &'static str,
    target: String,
    last: String,
    failure: Option<String>,
}

/// What came of a try.
struct Tried {
    good: bool,
    text: String,
}

#[derive(Template)]
#[template(path = "pages/notifications.html.stpl")]
struct Sheet {
    fields: Vec<Field>,
    told: Vec<Told>,
    tried: Vec<Tried>,
    has_webhook: bool,
    without_webhook: bool,
    kept: String,
    token: String,
    operation: String,
    plan: Option<ShownPlan>,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
}

#[derive(Default)]
struct Beside {
    status: StatusCode,
    kept: Option<Kept>,
    plan: Option<ShownPlan>,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
    tried: Vec<Tried>,
}

/// `/settings/notifications`.
pub(in crate::web) async fn show(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let view = look(&visit).await?;
    if !visit.posted {
        return sheet(&visit, &view, None, Beside::default()).await;
    }
    let mut problems = Vec::new();
    let mut values = plain(&visit, &view, &mut problems);
    let secrets = typed_secrets(&visit, &mut problems);
    if !problems.is_empty() {
        let beside = Beside {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            kept: Kept::of(&visit),
            problems,
            ..Beside::default()
        };
        return sheet(&visit, &view, None, beside).await;
    }
    let kept = keep(&visit, secrets).await?;
    if let Some(kept) = &kept {
        let of = |key: &NotifyKey| NotifySetting::parse(*key, kept.id.as_str()).ok();
        values.extend(kept.keys.iter().filter_map(of));
    }
    let values = values.into_iter().map(PanelSetting::Notify).collect();
    let change = Change::PanelSet { values };
    let beside = match plan::attempt(&visit, change.clone()).await? {
        Attempt::Began(id) => return Ok(see_other(&format!("/operations/{id}"))),
        Attempt::Unchanged => Beside {
            notice: Some("Everything is that way already. There is nothing to do."),
            ..Beside::default()
        },
        Attempt::Check { plan, changed } => Beside {
            plan: Some(*plan),
            notice: changed
                .then_some("What would happen is different now. Please check it, then press Save"),
            ..Beside::default()
        },
        Attempt::Refused(fault) => Beside {
            status: status_of(&fault),
            problems: vec![Problem {
                field: "main",
                text: sentence(&fault),
            }],
            ..Beside::default()
        },
    };
    sheet(&visit, &view, Some(change), Beside { kept, ..beside }).await
}

/// `POST /settings/notifications/test`.
pub(in crate::web) async fn test(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let answer = visit.ask(Request::NotifyTest {}).await;
    let beside = match answer {
        Ok(Reply::NotifyTried(trials)) => Beside {
            tried: trials.iter().map(tried).collect(),
            ..Beside::default()
        },
        Ok(_) => return Err(unexpected()),
        Err(Refusal::Fault(fault)) if fault.code == Code::NotifyUnset => Beside {
            status: status_of(&fault),
            problems: vec![Problem {
                field: "mail_to",
                text: "Nobody would be told. Type who gets mail, or the address of a webhook, and save it first".to_owned(),
            }],
            ..Beside::default()
        },
        Err(refusal) => return Err(refusal),
    };
    let view = look(&visit).await?;
    sheet(&visit, &view, None, beside).await
}

fn tried(trial: &TrialView) -> Tried {
    let (way, target) = (word(trial.way), &trial.target);
    match &trial.failure {
        None => Tried {
            good: true,
            text: format!(
                "{way} to {target} was taken: {}",
                shown(trial.answer.as_deref().unwrap_or_default(), 200)
            ),
        },
        Some(fault) => Tried {
            good: false,
            text: format!("{way} to {target} failed. {}", sentence(fault)),
        },
    }
}

fn word(way: Way) -> &'static str {
    match way {
        Way::Mail => "Mail",
        Way::Webhook => "The webhook",
    }
}

async fn look(visit: &Visit) -> Result<NotifyView, Refusal> {
    match visit.ask(Request::NotifyStatus {}).await? {
        Reply::Notify(view) => Ok(*view),
        _ => Err(unexpected()),
    }
}

/// What differs from what is set; what somebody else has changed meanwhile stays.
fn plain(visit: &Visit, view: &NotifyView, problems: &mut Vec<Problem>) -> Vec<NotifySetting> {
    let mut values = Vec::new();
    for (key, name, ..) in FIELDS {
        if key.is_secret() || !visit.form.holds(name) {
            continue;
        }
        match NotifySetting::parse(key, visit.form.raw(name)) {
            Ok(value) if view.settings.get(key.key()).map(String::as_str) == Some(value.text()) => {
            }
            Ok(value) => values.push(value),
            Err(why) => problems.push(Problem {
                field: name,
                text: words::sentence_of(&why),
            }),
        }
    }
    let is_set = |key: NotifyKey| view.secrets.iter().any(|one| one == key.key());
    let mut forget = |key| {
        if is_set(key) {
            values.push(NotifySetting::none(key));
        }
    };
    if visit.form.holds("smtp_user") && visit.form.text("smtp_user").trim().is_empty() {
        forget(NotifyKey::SmtpPassword);
    }
    if visit.form.has("no_webhook") {
        forget(NotifyKey::WebhookUrl);
        forget(NotifyKey::WebhookSecret);
    }
    values
}

fn typed_secrets(visit: &Visit, problems: &mut Vec<Problem>) -> NotifySecrets {
    let typed = |name| {
        let text = visit.form.raw(name).trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let mut secrets = NotifySecrets {
        smtp_password: typed("smtp_password").map(KeyText::new),
        webhook_url: None,
        webhook_secret: typed("webhook_secret").map(KeyText::new),
    };
    if let Some(text) = typed("webhook_url") {
        match WebhookUrl::parse(&text) {
            Ok(url) => secrets.webhook_url = Some(url),
            Err(bad) => problems.push(Problem {
                field: "webhook_url",
                text: words::sentence_of(&bad.to_string()),
            }),
        }
    }
    secrets
}

/// Has the agent keep what was typed now, with what was typed before.
async fn keep(visit: &Visit, secrets: NotifySecrets) -> Result<Option<Kept>, Refusal> {
    let before = Kept::of(visit);
    if secrets == NotifySecrets::default() {
        return Ok(before);
    }
    let had = |key: &NotifyKey| before.as_ref().is_some_and(|kept| kept.keys.contains(key));
    let all = NotifyKey::ALL.into_iter();
    let keys = all
        .filter(|key| secrets.of(*key).is_some() || had(key))
        .collect();
    let kept = before.as_ref().map(|kept| kept.id.clone());
    match visit.ask(Request::NotifyStage { secrets, kept }).await? {
        Reply::NotifyStaged { id } => Ok(Some(Kept { id, keys })),
        _ => Err(unexpected()),
    }
}

fn field(
    visit: &Visit,
    view: &NotifyView,
    kept: Option<&Kept>,
    (key, name, label, help): (NotifyKey, &'static str, &'static str, &'static str),
) -> Field {
    let secret = key.is_secret();
    let now = view.settings.get(key.key()).map_or("", String::as_str);
    let typed = match (secret, visit.form.holds(name)) {
        (true, _) => String::new(),
        (false, true) => shown(visit.form.text(name), 2048),
        (false, false) => now.to_owned(),
    };
    let state = if kept.is_some_and(|kept| kept.keys.contains(&key)) {
        Some("What you typed is kept until you save; type something else to replace it.")
    } else if view.secrets.iter().any(|one| one == key.key()) {
        Some("There is one. Leave this empty to keep it.")
    } else {
        None
    };
    Field {
        name,
        label,
        help,
        typed,
        secret,
        number: key.is_number(),
        state,
    }
}

async fn sheet(
    visit: &Visit,
    view: &NotifyView,
    change: Option<Change>,
    beside: Beside,
) -> Result<Response, Refusal> {
    let mut frame = visit.frame("Notifications", Section::Settings).await;
    frame
        .crumbs
        .push(("Settings".to_owned(), "/settings".to_owned()));
    frame.command = Some(change.map_or_else(
        || {
            "lalapanel notify set --mail-to ops@shop.example --smtp-host smtp.shop.example"
                .to_owned()
        },
        |change| words::command(&change),
    ));
    let kept = beside.kept.as_ref();
    let told = view.ways.iter().map(|way| Told {
        way: word(way.way),
        target: shown(&way.target, 300),
        last: way.last.map_or_else(|| "–".to_owned(), words::moment),
        failure: way.failure.as_deref().map(|why| shown(why, 400)),
    });
    let body = Sheet {
        fields: FIELDS
            .into_iter()
            .map(|one| field(visit, view, kept, one))
            .collect(),
        told: told.collect(),
        tried: beside.tried,
        has_webhook: view
            .secrets
            .iter()
            .any(|one| one == NotifyKey::WebhookUrl.key()),
        without_webhook: visit.form.has("no_webhook"),
        kept: kept.map(Kept::text).unwrap_or_default(),
        token: frame.token.clone(),
        operation: plan::operation_of(visit)?.to_string(),
        plan: beside.plan,
        notice: beside.notice,
        problems: beside.problems,
    };
    Ok(html(beside.status, &frame, &body))
}
