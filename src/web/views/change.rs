//! The page of one change to a site: what it does, its plan, one button. For online, offline and delete.
//!
//! Invariant: `GET` never changes anything; `POST` applies only the plan that was on screen.

use std::sync::Arc;

use poem::Response;
use poem::http::StatusCode;
use sailfish::Template;

use crate::domain::change::{Change, DriftChoice};
use crate::domain::name::Hostname;
use crate::rpc::view::SiteView;
use crate::web::page::{ICONS, Problem, Section, html, problem_at, see_other};
use crate::web::plan::{self, Attempt, ShownPlan};
use crate::web::refusal::{Refusal, status_of};
use crate::web::views::site::{find, site_frame};
use crate::web::visit::Visit;
use crate::web::words;

/// The words of one kind of change.
struct Kind {
    path: &'static str,
    section: &'static str,
    dangerous: bool,
    heading: fn(&str) -> String,
    button: fn(&str) -> String,
    busy: &'static str,
    consequence: &'static str,
    already: &'static str,
}

const ENABLE: Kind = Kind {
    path: "enable",
    section: "Put online",
    dangerous: false,
    heading: |name| format!("Put {name} online"),
    button: |name| format!("Put {name} online"),
    busy: "Putting online…",
    consequence: "Visitors get the site again as soon as nginx has answered a test request for it.",
    already: "This site is online already. There is nothing to do.",
};

const DISABLE: Kind = Kind {
    path: "disable",
    section: "Take offline",
    dangerous: false,
    heading: |name| format!("Take {name} offline"),
    button: |name| format!("Take {name} offline"),
    busy: "Taking offline…",
    consequence: "Visitors no longer get this site. Its files, its user and its settings stay, and you can put it back online at any time.",
    already: "This site is offline already. There is nothing to do.",
};

const RESTORE_LOGS: Kind = Kind {
    path: "restore-logs",
    section: "Put the logs back",
    dangerous: false,
    heading: |name| format!("Put the logs of {name} back"),
    button: |_| "Put the logs back".to_owned(),
    busy: "Putting back…",
    consequence: "The files that are missing are made anew, empty, and nginx writes to them from then on. What is in the others stays. Visitors notice nothing.",
    already: "All logs are where they should be. There is nothing to do.",
};

const DELETE: Kind = Kind {
    path: "delete",
    section: "Delete",
    dangerous: true,
    heading: |name| format!("Delete {name}"),
    button: |name| format!("Delete {name}"),
    busy: "Deleting…",
    consequence: "This takes the site offline now and moves it to the trash with its files and its logs. For 7 days you can put everything back with one click; then it is deleted for good. Its names are free for other sites at once. DNS is not touched.",
    already: "This site does not exist any more. There is nothing to do.",
};

const KEEP: Kind = Kind {
    path: "drift/keep",
    section: "Keep what was changed",
    dangerous: false,
    heading: |name| format!("Keep what was added to {name}"),
    button: |_| "Keep it as the site's own directives".to_owned(),
    busy: "Keeping…",
    consequence: "What somebody added to the site's nginx file becomes the site's own directives, and the file is Lala's again. Nothing that nginx reads is lost.",
    already: UNCHANGED,
};

const RESTORE: Kind = Kind {
    path: "drift/restore",
    section: "Put Lala's text back",
    dangerous: false,
    heading: |name| format!("Put Lala's files of {name} back"),
    button: |_| "Put Lala's text back".to_owned(),
    busy: "Putting back…",
    consequence: "What somebody changed in these files is removed; the plan shows it line by line.",
    already: UNCHANGED,
};

const LEAVE: Kind = Kind {
    path: "drift/leave",
    section: "Leave changed files",
    dangerous: false,
    heading: |name| format!("Leave the changed files of {name}"),
    button: |_| "Leave them as they are".to_owned(),
    busy: "Leaving…",
    consequence: "The files stay as they are, and the notice goes until they change again. Lala still writes over none of them: changes of the site that would are refused.",
    already: UNCHANGED,
};

const UNCHANGED: &str = "No file of this site differs from what Lala wrote, or you have decided about it. There is nothing to do.";

const CERTIFICATE_INSTALL: Kind = Kind {
    path: "certificate",
    section: "Install a certificate",
    dangerous: false,
    heading: |name| format!("Install this certificate for {name}"),
    button: |_| "Install this certificate".to_owned(),
    busy: "Installing…",
    consequence: "The certificate and its key belong together and are good for this site. nginx tests them first; then Lala looks, as a visitor does, whether they are shown, and goes back to what was there before if not.",
    already: "The site shows exactly this certificate already. There is nothing to do.",
};

const CERTIFICATE_REMOVE: Kind = Kind {
    path: "certificate/remove",
    section: "Remove the certificate",
    dangerous: false,
    heading: |name| format!("Remove the certificate of {name}"),
    button: |_| "Remove the certificate".to_owned(),
    busy: "Removing…",
    consequence: "Visitors are no longer sent to HTTPS. Links that begin with https:// stop working, and browsers that were told to use HTTPS alone do not reach the site.",
    already: "This site has no certificate. There is nothing to do.",
};

const VISITOR_REMOVE: Kind = Kind {
    path: "visitors",
    section: "Remove a name",
    dangerous: false,
    heading: |name| format!("Remove a name from {name}"),
    button: |_| "Remove the name".to_owned(),
    busy: "Removing…",
    consequence: "Whoever uses this name and its password no longer passes the protected paths of the site.",
    already: "Nobody of this name may pass. There is nothing to do.",
};

const PURGE: Kind = Kind {
    path: "purge",
    section: "Purge the page cache",
    dangerous: false,
    heading: |name| format!("Purge the page cache of {name}"),
    button: |_| "Purge page cache".to_owned(),
    busy: "Purging…",
    consequence: "nginx forgets the pages it keeps of this site. Each page is made anew when the next visitor asks for it.",
    already: "No pages of this site are kept. There is nothing to do.",
};

#[derive(Template)]
#[template(path = "pages/change.html.stpl")]
struct Confirm {
    host: String,
    name: String,
    path: String,
    heading: String,
    button: String,
    busy: &'static str,
    consequence: &'static str,
    dangerous: bool,
    token: String,
    operation: String,
    typed: String,
    plan: Option<ShownPlan>,
    /// Said on top: another plan than before, nothing to do.
    notice: Option<String>,
    problems: Vec<Problem>,
}

/// `/sites/{host}/enable`.
pub(in crate::web) async fn enable(visit: Arc<Visit>) -> Result<Response, Refusal> {
    run(&visit, &ENABLE, |hostname| Change::SiteEnable { hostname }).await
}

/// `/sites/{host}/disable`.
pub(in crate::web) async fn disable(visit: Arc<Visit>) -> Result<Response, Refusal> {
    run(&visit, &DISABLE, |hostname| Change::SiteDisable {
        hostname,
    })
    .await
}

/// `/sites/{host}/restore-logs`.
pub(in crate::web) async fn restore_logs(visit: Arc<Visit>) -> Result<Response, Refusal> {
    run(&visit, &RESTORE_LOGS, |hostname| Change::SiteLogs {
        hostname,
    })
    .await
}

/// `/sites/{host}/delete`.
pub(in crate::web) async fn delete(visit: Arc<Visit>) -> Result<Response, Refusal> {
    run(&visit, &DELETE, |hostname| Change::SiteDelete {
        hostname,
        now: false,
    })
    .await
}

/// `/sites/{host}/drift/keep`.
pub(in crate::web) async fn keep(visit: Arc<Visit>) -> Result<Response, Refusal> {
    run(&visit, &KEEP, |hostname| Change::SiteDrift {
        hostname,
        choice: DriftChoice::Keep,
    })
    .await
}

/// `/sites/{host}/drift/restore`.
pub(in crate::web) async fn restore(visit: Arc<Visit>) -> Result<Response, Refusal> {
    run(&visit, &RESTORE, |hostname| Change::SiteDrift {
        hostname,
        choice: DriftChoice::Restore,
    })
    .await
}

/// `/sites/{host}/drift/leave`.
pub(in crate::web) async fn leave(visit: Arc<Visit>) -> Result<Response, Refusal> {
    run(&visit, &LEAVE, |hostname| Change::SiteDrift {
        hostname,
        choice: DriftChoice::Leave,
    })
    .await
}

/// `/sites/{host}/purge`.
pub(in crate::web) async fn purge(visit: Arc<Visit>) -> Result<Response, Refusal> {
    run(&visit, &PURGE, |hostname| Change::SitePurge { hostname }).await
}

/// `/sites/{host}/certificate/remove`.
pub(in crate::web) async fn remove_certificate(visit: Arc<Visit>) -> Result<Response, Refusal> {
    run(&visit, &CERTIFICATE_REMOVE, |hostname| {
        Change::CertificateRemove { hostname }
    })
    .await
}

/// The page that installs a certificate that was put down before.
pub(in crate::web) async fn install_certificate(
    visit: &Visit,
    change: Change,
    path: String,
) -> Result<Response, Refusal> {
    let site = find(visit, visit.hostname()?).await?;
    run_change(visit, &CERTIFICATE_INSTALL, site, change, path).await
}

/// The page that takes a name off those who may pass.
pub(in crate::web) async fn remove_visitor(
    visit: &Visit,
    site: SiteView,
    change: Change,
    path: String,
) -> Result<Response, Refusal> {
    run_change(visit, &VISITOR_REMOVE, site, change, path).await
}

async fn run(
    visit: &Visit,
    kind: &Kind,
    change: fn(Hostname) -> Change,
) -> Result<Response, Refusal> {
    let site = find(visit, visit.hostname()?).await?;
    let change = change(site.hostname.clone());
    run_change(visit, kind, site, change, kind.path.to_owned()).await
}

async fn run_change(
    visit: &Visit,
    kind: &Kind,
    site: SiteView,
    change: Change,
    path: String,
) -> Result<Response, Refusal> {
    let command = words::command(&change);
    let typed_wrong =
        kind.dangerous && visit.posted && !is_name_of(&site, visit.form.text("confirm"));
    let attempt = if visit.posted && !typed_wrong {
        plan::attempt(visit, change).await?
    } else {
        plan::preview(visit, change).await?
    };
    let mut problems = Vec::new();
    if typed_wrong {
        problems.push(Problem {
            field: "confirm",
            text: format!("The name does not match. Type {}", site.hostname_unicode),
        });
    }
    let mut status = if typed_wrong {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let (shown, notice) = match attempt {
        Attempt::Began(id) => return Ok(see_other(&format!("/operations/{id}"))),
        Attempt::Unchanged => (None, Some(kind.already.to_owned())),
        Attempt::Check { plan, changed } => {
            (Some(*plan), changed.then(|| check_words(kind, &site)))
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
    let said = Said {
        status,
        plan: shown,
        notice,
        problems,
    };
    sheet(visit, kind, &site, (path, command), said).await
}

/// What the page says.
struct Said {
    status: StatusCode,
    plan: Option<ShownPlan>,
    notice: Option<String>,
    problems: Vec<Problem>,
}

fn check_words(kind: &Kind, site: &SiteView) -> String {
    format!(
        "The server has changed since you looked. Please check what will happen, then press {}",
        (kind.button)(&site.hostname_unicode)
    )
}

/// A fault as one text at a form.
pub(in crate::web) fn sentence(fault: &crate::domain::fault::Fault) -> String {
    [&fault.title, &fault.detail, &fault.hint]
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(|part| part.trim_end_matches('.'))
        .collect::<Vec<_>>()
        .join(". ")
        + "."
}

fn is_name_of(site: &SiteView, typed: &str) -> bool {
    let typed = typed.to_lowercase();
    typed == site.hostname.as_str() || typed == site.hostname_unicode.to_lowercase()
}

async fn sheet(
    visit: &Visit,
    kind: &Kind,
    site: &SiteView,
    (path, command): (String, String),
    said: Said,
) -> Result<Response, Refusal> {
    let mut frame = site_frame(visit, site, Some(kind.section)).await;
    debug_assert!(frame.section == Section::Sites);
    frame.command = Some(command);
    let name = site.hostname_unicode.clone();
    let body = Confirm {
        host: site.hostname.to_string(),
        heading: (kind.heading)(&name),
        button: (kind.button)(&name),
        name,
        path,
        busy: kind.busy,
        consequence: kind.consequence,
        dangerous: kind.dangerous,
        token: frame.token.clone(),
        operation: plan::operation_of(visit)?.to_string(),
        typed: crate::domain::text::shown(visit.form.text("confirm"), 253),
        plan: said.plan,
        notice: said.notice,
        problems: said.problems,
    };
    Ok(html(said.status, &frame, &body))
}
