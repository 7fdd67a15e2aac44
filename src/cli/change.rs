//! A change typed on the command line: shown only, or begun and watched to its end.
//!
//! Invariant: what is printed of a plan is what the agent would run; nothing is made up here.

use serde_json::{Value, json};

use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::{Exit, Output, moment};
use crate::cli::{Outcome, follow, plan, site_trash};
use crate::domain::change::{Change, DriftChoice};
use crate::domain::database_access::AccessAct;
use crate::domain::fault::Fault;
use crate::domain::name::Hostname;
use crate::domain::panel_setting::TrialVerb;
use crate::domain::service::ServiceVerb;
use crate::domain::trash::DAYS;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::{OperationView, PlanView, SiteView};

/// Looks at what the change would do; none where there is nothing to do.
pub(super) fn preview(change: &Change, agent: &mut dyn Ask) -> Result<Option<PlanView>, Fault> {
    let change = change.clone();
    match agent.ask(Request::Preview { change })? {
        Reply::Plan(plan) => Ok(Some(*plan)),
        Reply::Unchanged {} => Ok(None),
        other => Err(unexpected(other)),
    }
}

/// What is told beside the change itself once it is done: printed for people, returned as fields of the document.
pub(super) type Tell<'a> = &'a dyn Fn(&mut dyn Ask, &mut Output) -> Result<Value, Fault>;

/// Shows it (`plan_only`), or does it and watches; `seen` is the hash of a plan that a person agreed to.
pub(super) fn run(
    change: &Change,
    plan_only: bool,
    seen: Option<String>,
    agent: &mut dyn Ask,
    output: &mut Output,
) -> Outcome {
    let nothing = |_: &mut dyn Ask, _: &mut Output| Ok(json!({}));
    run_and_tell(change, plan_only, seen, agent, output, &nothing)
}

/// The same with more to tell.
pub(super) fn run_and_tell(
    change: &Change,
    plan_only: bool,
    seen: Option<String>,
    agent: &mut dyn Ask,
    output: &mut Output,
    tell: Tell<'_>,
) -> Outcome {
    if plan_only {
        if let Some(plan) = preview(change, agent)? {
            plan::print(&plan, output);
        } else {
            output.document(&json!({ "title": change.word(), "steps": [], "notes": [] }));
            output.line("Nothing would change");
        }
        return Ok(Exit::Done);
    }
    let request = Request::Apply {
        change: change.clone(),
        plan: seen,
        operation: None,
    };
    match agent.ask(request)? {
        Reply::Began { operation } => {
            let view = follow::follow(operation, agent, output)?;
            let told = json!({ "changed": true, "operation": view.summary.id });
            report(change, told, Some(&view), agent, output, tell)
        }
        Reply::Unchanged {} => nothing_to_do(change, agent, output),
        other => Err(unexpected(other)),
    }
}

/// Says that it is that way already.
pub(super) fn nothing_to_do(change: &Change, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let told = json!({ "changed": false, "operation": null });
    let nothing = |_: &mut dyn Ask, _: &mut Output| Ok(json!({}));
    report(change, told, None, agent, output, &nothing)
}

/// What was changed as it is now, with what was done to it.
fn report(
    change: &Change,
    told: Value,
    view: Option<&OperationView>,
    agent: &mut dyn Ask,
    output: &mut Output,
    tell: Tell<'_>,
) -> Outcome {
    output.line(sentence(change, view));
    let more = tell(agent, output)?;
    let in_trash = match change {
        Change::SiteDelete {
            hostname,
            now: false,
        } => site_trash::deleted(hostname, agent)?,
        _ => None,
    };
    if let Some(site) = &in_trash {
        let (until, id) = (moment(site.until), &site.id);
        output.line(format!(
            "Until {until} `lalapanel site restore {id}` puts it back"
        ));
    }
    if output.is_json() {
        let mut document = match (change, change.hostname()) {
            (Change::SiteDelete { now: false, .. }, Some(hostname)) => {
                json!({ "hostname": hostname, "trash": in_trash })
            }
            (Change::SiteDelete { .. } | Change::SiteDiscard { .. }, Some(hostname)) => {
                json!({ "hostname": hostname })
            }
            (Change::DatabaseCreate { .. }, _) => json!({}),
            (Change::SiteRename { name, .. }, _) => json!(look_up(name, agent)?),
            (_, Some(hostname)) => json!(look_up(hostname, agent)?),
            (Change::PhpInstall { php } | Change::PhpRemove { php }, None) => {
                json!({ "version": php })
            }
            (
                Change::PhpExtensionInstall { php, extension }
                | Change::PhpExtensionRemove { php, extension },
                None,
            ) => json!({ "version": php, "extension": extension }),
            (Change::PhpRepository { enabled }, None) => json!({ "enabled": enabled }),
            (Change::Service { service, .. }, None) => json!({ "name": service.unit() }),
            (_, None) => json!({}),
        };
        for told in [more, told] {
            if let (Value::Object(fields), Value::Object(told)) = (&mut document, told) {
                fields.extend(told);
            }
        }
        output.document(&document);
    }
    Ok(Exit::Done)
}

/// The site as it is now.
pub(super) fn look_up(hostname: &Hostname, agent: &mut dyn Ask) -> Result<SiteView, Fault> {
    let hostname = hostname.clone();
    match agent.ask(Request::SiteShow { hostname })? {
        Reply::Site(site) => Ok(*site),
        other => Err(unexpected(other)),
    }
}

fn sentence(change: &Change, view: Option<&OperationView>) -> String {
    let subject = change.subject();
    let Some(view) = view else {
        return format!("Nothing to do: {subject} is that way already");
    };
    match change {
        Change::SiteCreate(site) => format!("{subject} is online: {}", site.hostname.url()),
        Change::SiteEnable { .. } => format!("{subject} is online again"),
        Change::SiteDisable { .. } => format!("{subject} is offline; its files are kept"),
        Change::SiteLogs { .. } => format!("the logs of {subject} are back"),
        Change::SiteDelete { now: false, .. } => format!("{subject} is offline and in the trash"),
        Change::SiteDelete { now: true, .. } | Change::SiteDiscard { .. } => {
            format!("{subject} is deleted for good")
        }
        Change::SiteRestore { hostname, .. } => format!("{subject} is back: {}", hostname.url()),
        Change::SiteRename { name, .. } => format!("{subject} is {name} now: {}", name.url()),
        Change::SiteClone { hostname, .. } => format!("{subject} is a copy of {hostname}"),
        Change::SiteSet { .. } => format!("{subject} is changed"),
        Change::SiteVisitor { name, hash, .. } => match hash {
            Some(_) => format!("{name} may pass the protected paths of {subject}"),
            None => format!("{name} may not pass the protected paths of {subject} any more"),
        },
        Change::SiteSnippet { .. } => format!("{subject} has its new nginx directives"),
        Change::SiteDrift { choice, .. } => match choice {
            DriftChoice::Keep => {
                format!("What was added to {subject} is among its own directives")
            }
            DriftChoice::Restore => format!("{subject} has Lala's files again"),
            DriftChoice::Leave => format!("The changed files of {subject} stay as they are"),
        },
        Change::SitePurge { .. } => format!("The kept pages of {subject} are forgotten"),
        Change::CertificateInstall { .. } => format!("{subject} shows its new certificate"),
        Change::CertificateRemove { .. } => format!("{subject} is without its certificate"),
        Change::SitePhp { php, .. } => {
            let note = view.steps.iter().rev().find_map(|step| step.note.as_ref());
            let page = note.map(|note| format!(". Home page: {note}"));
            format!("{subject} runs on PHP {php}{}", page.unwrap_or_default())
        }
        Change::PhpInstall { .. } | Change::PhpExtensionInstall { .. } => {
            format!("{subject} is installed")
        }
        Change::PhpRemove { .. } | Change::PhpExtensionRemove { .. } => {
            format!("{subject} is removed")
        }
        Change::PhpRepository { enabled: true } => {
            format!("{subject} is on; see `lalapanel php list`")
        }
        Change::PhpRepository { enabled: false } => format!("{subject} is off"),
        Change::Service { verb, .. } => match verb {
            ServiceVerb::Start => format!("{subject} runs"),
            ServiceVerb::Stop => format!("{subject} is stopped"),
            ServiceVerb::Restart => format!("{subject} was restarted"),
        },
        Change::DatabaseCreate { .. } => format!("{subject} is ready"),
        Change::DatabaseDelete { now: true, .. } => format!("{subject} is deleted for good"),
        Change::DatabaseDelete { now: false, .. } => {
            format!("{subject} is in the trash for {DAYS} days")
        }
        Change::DatabaseRestore { .. } => format!("{subject} is back"),
        Change::DatabaseImport { .. } => format!("{subject} holds what was imported"),
        Change::DatabaseSitePassword { .. } => {
            format!("{subject} has a new password, and its site has it in its file")
        }
        Change::DatabasePassword { .. } => format!("{subject} has a new password"),
        Change::DatabaseAccess(change) => match (&change.act, change.act.user()) {
            (AccessAct::Add { .. }, Some(user)) => format!("{user} may use {subject}"),
            (AccessAct::Set { .. }, Some(user)) => {
                format!("{user} may do in {subject} what you said")
            }
            (AccessAct::Password { .. }, Some(user)) => format!("{user} has a new password"),
            (_, Some(user)) => format!("{user} is removed from {subject}"),
            (_, None) => format!("The users of {subject} have the rights they should have"),
        },
        Change::PanelSet { .. } => format!("{subject} has its new settings"),
        Change::PanelTrial { verb } => match verb {
            TrialVerb::Keep => format!("{subject} is kept"),
            TrialVerb::Back => format!("{subject} is the former one again"),
            TrialVerb::Longer => format!("{subject} is tried for five minutes"),
        },
    }
}
