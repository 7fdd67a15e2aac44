//! The settings of a site, a section a page: the form, and beside it what will happen.
//!
//! Invariant: only what was changed in the form is sent, and only the plan that was on screen is run.

use std::sync::Arc;

use poem::Response;
use poem::http::StatusCode;
use sailfish::Template;

use crate::domain::change::Change;
use crate::domain::fault::Fault;
use crate::domain::name::Hostname;
use crate::domain::php::PhpVersion;
use crate::domain::setting::{Assignment, Section};
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::SiteView;
use crate::web::page::{ICONS, Problem, html, problem_at, see_other};
use crate::web::plan::{self, Attempt, ShownPlan};
use crate::web::refusal::{Refusal, status_of};
use crate::web::setting_form::{SettingForm, Shown, draft as changed_fields};
use crate::web::views::change::sentence;
use crate::web::views::site::{find, site_frame};
use crate::web::visit::{Visit, is_running, unexpected};
use crate::web::words::{self, Pill};

const CHECK: &str = "Please check what will happen, then press Save changes";
const CHANGED: &str = "The server has changed since you looked. Please check what will happen, then press Save changes";
const SAME: &str = "Nothing differs from what is set now. There is nothing to save.";

#[derive(Template)]
#[template(path = "pages/settings.html.stpl")]
struct Settings {
    site: SiteView,
    tab: &'static str,
    section: &'static str,
    heading: &'static str,
    pill: Pill,
    token: String,
    operation: String,
    fields: Vec<Shown>,
    /// What was set when this page was made.
    was: String,
    plan: Option<ShownPlan>,
    notice: Option<&'static str>,
    /// An operation on this site that runs now.
    busy: Option<(String, String)>,
    /// Whether nginx keeps pages of this site.
    keeps_pages: bool,
    problems: Vec<Problem>,
    /// True where the script asked: only the plan is looked at.
    live: bool,
}

/// What is shown beside the form.
#[derive(Default)]
struct Beside {
    plan: Option<ShownPlan>,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
}

/// `/sites/{host}/settings/{section}`.
pub(in crate::web) async fn page(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let section = section(visit.part(1)).ok_or(Refusal::NOT_FOUND)?;
    let site = find(&visit, visit.hostname()?).await?;
    let sent = if visit.posted {
        &visit.form
    } else {
        &visit.query
    };
    let form = SettingForm::read(&site, section, visit.posted, sent);
    // Looking is not refused: the script asks while people still type, and an address can bring values along.
    let only_looking = !visit.posted || visit.form.has("live");
    let values = match form.assignments() {
        Ok(values) if values.is_empty() => {
            let notice = (visit.posted && !only_looking).then_some(SAME);
            let beside = Beside {
                notice,
                ..Beside::default()
            };
            return sheet(&visit, StatusCode::OK, section, site, &form, beside, &[]).await;
        }
        Ok(values) => values,
        Err(problems) => {
            let beside = Beside {
                problems,
                ..Beside::default()
            };
            let status = refused(only_looking, StatusCode::UNPROCESSABLE_ENTITY);
            return sheet(&visit, status, section, site, &form, beside, &[]).await;
        }
    };
    let change = of(&site.hostname, &values);
    let attempt = if only_looking {
        plan::preview(&visit, change).await?
    } else {
        plan::attempt(&visit, change).await?
    };
    let (status, beside) = match attempt {
        Attempt::Began(id) => return Ok(see_other(&format!("/operations/{id}"))),
        Attempt::Unchanged => (StatusCode::OK, saying((!only_looking).then_some(SAME))),
        Attempt::Check { plan, changed } => {
            let words = if changed { CHANGED } else { CHECK };
            let mut beside = saying((!only_looking).then_some(words));
            beside.plan = Some(*plan);
            (StatusCode::OK, beside)
        }
        Attempt::Refused(fault) => {
            let mut beside = Beside::default();
            beside.problems.push(problem(&form, &fault));
            (refused(only_looking, status_of(&fault)), beside)
        }
    };
    sheet(&visit, status, section, site, &form, beside, &values).await
}

/// The address that brings back what was typed, for somebody whose session ended meanwhile.
pub(in crate::web) fn draft(visit: &Visit) -> Option<String> {
    let path = visit.here.split('?').next()?;
    let word = path.strip_prefix("/sites/")?.split_once("/settings/")?.1;
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(changed_fields(section(Some(word))?, &visit.form));
    let address = format!("{path}?{}", query.finish());
    // A longer address would not be followed; then the page is shown as it is.
    Some(if address.len() > 2000 {
        path.to_owned()
    } else {
        address
    })
}

fn section(word: Option<&str>) -> Option<Section> {
    Section::ALL
        .into_iter()
        .find(|section| Some(section.word()) == word)
}

fn refused(only_looking: bool, status: StatusCode) -> StatusCode {
    if only_looking { StatusCode::OK } else { status }
}

fn saying(notice: Option<&'static str>) -> Beside {
    Beside {
        notice,
        ..Beside::default()
    }
}

fn problem(form: &SettingForm, fault: &Fault) -> Problem {
    form.problem(fault).unwrap_or_else(|| Problem {
        field: "main",
        text: sentence(fault),
    })
}

fn of(hostname: &Hostname, values: &[Assignment]) -> Change {
    Change::SiteSet {
        hostname: hostname.clone(),
        values: values.to_vec(),
    }
}

async fn sheet(
    visit: &Visit,
    status: StatusCode,
    section: Section,
    site: SiteView,
    form: &SettingForm,
    beside: Beside,
    values: &[Assignment],
) -> Result<Response, Refusal> {
    // The version has a page of its own, called PHP.
    let heading = if section == Section::Php {
        "PHP settings"
    } else {
        section.title()
    };
    let mut frame = site_frame(visit, &site, Some(heading)).await;
    frame.command = Some(if values.is_empty() {
        format!("lalapanel site set {}", site.hostname)
    } else {
        words::command(&of(&site.hostname, values))
    });
    let body = Settings {
        tab: if section == Section::Php {
            "php-settings"
        } else {
            section.word()
        },
        section: section.word(),
        heading,
        pill: words::site_pill(site.enabled, site.serving),
        token: frame.token.clone(),
        operation: plan::operation_of(visit)?.to_string(),
        fields: form.shown(&versions(visit, section, &site).await?),
        was: form.marks(),
        plan: beside.plan,
        notice: beside.notice,
        busy: busy(&site),
        keeps_pages: section == Section::Web && keeps_pages(&site),
        problems: beside.problems,
        live: visit.form.has("live"),
        site,
    };
    Ok(html(status, &frame, &body))
}

/// True where nginx keeps finished pages of the site.
pub(in crate::web) fn keeps_pages(site: &SiteView) -> bool {
    let cache = site.settings.get("web.cache");
    cache.is_some_and(|word| word != "off")
}

/// The operation on this site that runs now: its address and what it does.
fn busy(site: &SiteView) -> Option<(String, String)> {
    let one = site.operations.iter().find(|one| is_running(one))?;
    let step = (one.done + 1).min(one.steps);
    Some((
        format!("/operations/{}", one.id),
        format!("{}, step {step} of {}", words::headline(one), one.steps),
    ))
}

/// The versions a site that runs no PHP may change to.
async fn versions(
    visit: &Visit,
    section: Section,
    site: &SiteView,
) -> Result<Vec<PhpVersion>, Refusal> {
    if section != Section::Names || site.php.is_some() {
        return Ok(Vec::new());
    }
    match visit.ask(Request::SiteOptions {}).await? {
        Reply::SiteOptions(options) => Ok(options.php),
        _ => Err(unexpected()),
    }
}
