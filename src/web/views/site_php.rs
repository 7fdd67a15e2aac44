//! The PHP version of one site: what it is, how long it is supported, and the switch to another.
//!
//! Invariant: `GET` never changes anything; `POST` applies only the plan that was on screen.

use std::sync::Arc;

use poem::Response;
use poem::http::StatusCode;
use sailfish::Template;

use crate::domain::change::Change;
use crate::domain::php::PhpVersion;
use crate::rpc::php::PhpView;
use crate::rpc::view::SiteView;
use crate::web::page::{ICONS, Problem, html, see_other};
use crate::web::plan::{self, Attempt, ShownPlan};
use crate::web::refusal::{Refusal, status_of};
use crate::web::views::change::sentence;
use crate::web::views::php::look;
use crate::web::views::site::{find, site_frame};
use crate::web::visit::Visit;
use crate::web::words::{self, Pill};

#[derive(Template)]
#[template(path = "pages/site_php.html.stpl")]
struct SitePhp {
    site: SiteView,
    tab: &'static str,
    pill: Pill,
    lead: String,
    /// Installed versions beside the present one.
    others: Vec<String>,
    chosen: String,
    token: String,
    operation: String,
    plan: Option<ShownPlan>,
    notice: Option<String>,
    problems: Vec<Problem>,
}

/// `/sites/{host}/php`.
pub(in crate::web) async fn show(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let site = find(&visit, visit.hostname()?).await?;
    let view = look(&visit).await?;
    let typed = if visit.posted {
        visit.form.text("version")
    } else {
        visit.query.text("version")
    };
    let chosen = PhpVersion::parse(typed).ok();
    let (mut status, mut problems) = (StatusCode::OK, Vec::new());
    let (mut plan, mut notice) = (None, None);
    if let Some(php) = chosen.filter(|_| site.php.is_some()) {
        let hostname = site.hostname.clone();
        let change = Change::SitePhp { hostname, php };
        let attempt = if visit.posted {
            plan::attempt(&visit, change).await?
        } else {
            plan::preview(&visit, change).await?
        };
        match attempt {
            Attempt::Began(id) => return Ok(see_other(&format!("/operations/{id}"))),
            Attempt::Unchanged => {
                notice = Some(format!(
                    "PHP {php} runs this site already. There is nothing to do."
                ));
            }
            Attempt::Check {
                plan: shown,
                changed,
            } => {
                plan = Some(*shown);
                notice = changed.then(|| {
                    format!("The server has changed since you looked. Please check what will happen, then press Switch to PHP {php}")
                });
            }
            Attempt::Refused(fault) => {
                status = status_of(&fault);
                problems.push(Problem {
                    field: "main",
                    text: sentence(&fault),
                });
            }
        }
    }
    let mut frame = site_frame(&visit, &site, Some("PHP")).await;
    frame.command = Some(chosen.map_or_else(
        || "lalapanel php list".to_owned(),
        |php| format!("lalapanel site php {} {php}", site.hostname),
    ));
    let body = SitePhp {
        tab: "php",
        pill: words::site_pill(site.enabled, site.serving),
        lead: lead(&site, &view),
        others: others(&site, &view),
        chosen: chosen.map(|php| php.to_string()).unwrap_or_default(),
        token: frame.token.clone(),
        operation: plan::operation_of(&visit)?.to_string(),
        plan,
        notice,
        problems,
        site,
    };
    Ok(html(status, &frame, &body))
}

fn others(site: &SiteView, view: &PhpView) -> Vec<String> {
    let installed = view.versions.iter().filter(|one| one.installed);
    installed
        .filter(|one| site.php.is_some() && site.php != Some(one.version))
        .map(|one| one.version.to_string())
        .collect()
}

fn lead(site: &SiteView, view: &PhpView) -> String {
    let Some(php) = site.php else {
        return "This site runs no PHP.".to_owned();
    };
    match view.versions.iter().find(|one| one.version == php) {
        Some(one) => format!("PHP {php} runs this site: {}.", one.support()),
        None => format!("PHP {php} runs this site, and is not installed any more."),
    }
}
