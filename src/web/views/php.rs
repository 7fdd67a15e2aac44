//! PHP versions: what is here, what could be, how long each is supported; and the page of each change to them.
//!
//! Invariant: `GET` never changes anything; `POST` applies only the plan that was on screen.

use std::sync::Arc;

use poem::Response;
use sailfish::Template;

use crate::domain::change::Change;
use crate::domain::php::PhpVersion;
use crate::rpc::php::{ExtensionsView, PhpVersionView, PhpView, RepositoryView};
use crate::rpc::protocol::{Reply, Request};
use crate::web::page::{ICONS, Section};
use crate::web::refusal::Refusal;
use crate::web::views::server_change::{self, Place, Words};
use crate::web::visit::{Visit, show as respond, unexpected};
use crate::web::words::{self, Pill};

const PLACE: Place = Place {
    section: Section::Php,
    name: "PHP",
    path: "/php",
};
/// So many sites are named beside a version.
const NAMED: usize = 3;

struct Row {
    version: String,
    installed: bool,
    pill: Pill,
    distribution: Option<String>,
    origin: String,
    upstream: String,
    extensions: ExtensionsView,
    /// Their names and pages.
    sites: Vec<(String, String)>,
    more: usize,
}

#[derive(Template)]
#[template(path = "pages/php.html.stpl")]
struct Php {
    rows: Vec<Row>,
    repository: RepositoryView,
    explanation: Vec<Vec<(bool, String)>>,
}

/// `GET /php`.
pub(in crate::web) async fn list(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let view = look(&visit).await?;
    let mut frame = visit.frame("PHP", Section::Php).await;
    frame.command = Some("lalapanel php list".to_owned());
    let body = Php {
        rows: view.versions.iter().map(row).collect(),
        explanation: explained(&view.repository),
        repository: view.repository,
    };
    Ok(respond(&frame, &body))
}

/// The lines of an explanation in pieces; true for one that stands between backticks.
fn explained(repository: &RepositoryView) -> Vec<Vec<(bool, String)>> {
    let pieces = |line: &String| {
        let parts = line.split('`').enumerate();
        let pieces = parts.map(|(place, part)| (place % 2 == 1, part.to_owned()));
        pieces.filter(|(_, part)| !part.is_empty()).collect()
    };
    repository.explanation.iter().map(pieces).collect()
}

/// What the agent knows of versions.
pub(in crate::web) async fn look(visit: &Visit) -> Result<PhpView, Refusal> {
    match visit.ask(Request::PhpList {}).await? {
        Reply::Php(view) => Ok(*view),
        _ => Err(unexpected()),
    }
}

fn row(one: &PhpVersionView) -> Row {
    let named = one.sites.iter().take(NAMED);
    Row {
        version: one.version.to_string(),
        installed: one.installed,
        pill: words::php_pill(one.installed, one.is_unsupported()),
        distribution: one
            .distribution
            .as_ref()
            .map(|support| first_upper(&support.words)),
        origin: if one.origin.is_empty() {
            "nobody any more".to_owned()
        } else {
            one.origin.clone()
        },
        upstream: one.upstream.as_ref().map_or_else(
            || "The dates of php.net are not known to this Lala".to_owned(),
            |support| first_upper(&support.words),
        ),
        extensions: one.extensions.clone(),
        sites: named
            .map(|name| (name.unicode(), format!("/sites/{name}")))
            .collect(),
        more: one.sites.len().saturating_sub(NAMED),
    }
}

fn first_upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// `/php/{version}/install`.
pub(in crate::web) async fn install(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let php = version(&visit)?;
    let words = Words {
        heading: format!("Install PHP {php}"),
        busy: "Installing…",
        consequence: format!(
            "PHP {php} is installed beside the others. Every site keeps the version it has. If another program installs packages now, Lala waits for it."
        ),
    };
    run(&visit, Change::PhpInstall { php }, words).await
}

/// `/php/{version}/remove`.
pub(in crate::web) async fn remove(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let php = version(&visit)?;
    let words = Words {
        heading: format!("Remove PHP {php}"),
        busy: "Removing…",
        consequence: format!(
            "No site may use PHP {php}. Its packages go; its settings in /etc stay."
        ),
    };
    run(&visit, Change::PhpRemove { php }, words).await
}

/// `/php/repository/enable`.
pub(in crate::web) async fn enable(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let words = Words {
        heading: "Turn on the extra repository".to_owned(),
        busy: "Turning on…",
        consequence: "apt may then take PHP packages from packages.sury.org as well. Please read what that means.".to_owned(),
    };
    run(&visit, Change::PhpRepository { enabled: true }, words).await
}

/// `/php/repository/disable`.
pub(in crate::web) async fn disable(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let words = Words {
        heading: "Turn off the extra repository".to_owned(),
        busy: "Turning off…",
        consequence:
            "apt then takes packages from the distribution alone. What is installed stays."
                .to_owned(),
    };
    run(&visit, Change::PhpRepository { enabled: false }, words).await
}

pub(super) fn version(visit: &Visit) -> Result<PhpVersion, Refusal> {
    visit
        .part(0)
        .and_then(|text| PhpVersion::parse(text).ok())
        .ok_or(Refusal::NOT_FOUND)
}

pub(super) async fn run(visit: &Visit, change: Change, words: Words) -> Result<Response, Refusal> {
    server_change::run(visit, change, words, &PLACE).await
}
