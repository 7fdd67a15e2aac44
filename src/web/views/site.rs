//! One site: its state in a sentence, its facts, its last operations; and the page of the dangerous things.
//!
//! Invariant: this page only shows; every change has its own page with its plan.

use std::sync::Arc;

use poem::Response;
use sailfish::Template;

use crate::domain::name::Hostname;
use crate::domain::setting::Serving;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::SiteView;
use crate::web::clock;
use crate::web::kind_form::KindForm;
use crate::web::page::{Frame, ICONS, Section};
use crate::web::plan::diff_lines;
use crate::web::refusal::Refusal;
use crate::web::views::activity::Line;
use crate::web::views::settings::keeps_pages;
use crate::web::visit::{Visit, show as respond, unexpected};
use crate::web::words::{self, Pill};

#[derive(Template)]
#[template(path = "pages/site.html.stpl")]
struct Overview {
    site: SiteView,
    tab: &'static str,
    pill: Pill,
    runs: String,
    /// What visitors get, in a sentence.
    answers: String,
    has_files: bool,
    keeps_pages: bool,
    created: String,
    scheme: &'static str,
    lines: Vec<Line>,
}

#[derive(Template)]
#[template(path = "pages/danger.html.stpl")]
struct Danger {
    site: SiteView,
    tab: &'static str,
    pill: Pill,
}

/// `GET /sites/{host}`.
pub(in crate::web) async fn overview(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let site = find(&visit, visit.hostname()?).await?;
    let mut frame = site_frame(&visit, &site, None).await;
    frame.command = Some(format!("lalapanel site show {}", site.hostname));
    let now = clock::now();
    let body = Overview {
        tab: "overview",
        pill: words::site_pill(site.enabled, site.serving),
        runs: describe(&site),
        answers: answers(&site),
        has_files: !matches!(site.r#type.as_str(), "proxy" | "redirect"),
        keeps_pages: keeps_pages(&site),
        created: words::moment(site.created),
        scheme: if site.tls.state == "off" {
            "http"
        } else {
            "https"
        },
        lines: site
            .operations
            .iter()
            .map(|one| Line::new(one, now))
            .collect(),
        site,
    };
    Ok(respond(&frame, &body))
}

/// What runs the site, with its target.
fn describe(site: &SiteView) -> String {
    let kind = KindForm::parse(site.settings.get("type").map_or("", String::as_str));
    match kind.word.as_str() {
        "proxy" => format!("Proxy to {}", kind.address),
        "redirect" => format!("Redirect to {} ({})", kind.target, kind.code),
        "spa" => "Single-page application".to_owned(),
        _ => site.runs(),
    }
}

/// What visitors of a site that is enabled get.
fn answers(site: &SiteView) -> String {
    match site.serving {
        Serving::Maintenance => {
            "Visitors see that the site is being worked on (503). Certificates are still renewed."
                .to_owned()
        }
        Serving::Suspended => {
            "Visitors see that the site is suspended (503). Certificates are still renewed."
                .to_owned()
        }
        Serving::Live => {
            let names = u64::try_from(site.aliases.len() + 1).unwrap_or(u64::MAX);
            let names = if names == 1 {
                "its name".to_owned()
            } else {
                words::count(names, "name")
            };
            format!("The site is online and answers to {names}.")
        }
    }
}

/// `GET /sites/{host}/danger`.
pub(in crate::web) async fn danger(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let site = find(&visit, visit.hostname()?).await?;
    let mut frame = site_frame(&visit, &site, Some("Danger")).await;
    let verb = if site.enabled { "disable" } else { "enable" };
    frame.command = Some(format!("lalapanel site {verb} {}", site.hostname));
    let body = Danger {
        tab: "danger",
        pill: words::site_pill(site.enabled, site.serving),
        site,
    };
    Ok(respond(&frame, &body))
}

/// The pages of one site: their word, what follows the site's address, their name.
pub(in crate::web) const TABS: &[(&str, &str, &str)] = &[
    ("overview", "", "Overview"),
    ("names", "/settings/names", "Names"),
    ("web", "/settings/web", "Web"),
    ("certificate", "/certificate", "Certificate"),
    ("access", "/settings/access", "Access"),
    ("php", "/php", "PHP"),
    ("php-settings", "/settings/php", "PHP settings"),
    ("limits", "/settings/limits", "Limits"),
    ("nginx", "/nginx", "nginx"),
    ("databases", "/databases", "Databases"),
    ("logs", "/logs", "Logs"),
    ("uptime", "/uptime", "Uptime"),
    ("danger", "/danger", "Danger"),
];

/// The name of one of these pages.
pub(in crate::web) fn tab_name(tab: &str) -> &'static str {
    let found = TABS.iter().find(|(word, _, _)| *word == tab);
    found.map_or("", |(_, _, name)| name)
}

/// The site of this name.
pub(in crate::web) async fn find(visit: &Visit, hostname: Hostname) -> Result<SiteView, Refusal> {
    match visit.ask(Request::SiteShow { hostname }).await? {
        Reply::Site(site) => Ok(*site),
        _ => Err(unexpected()),
    }
}

/// The frame of a page about one site.
pub(in crate::web) async fn site_frame(
    visit: &Visit,
    site: &SiteView,
    section: Option<&str>,
) -> Frame {
    let name = &site.hostname_unicode;
    let title = section.map_or_else(|| name.clone(), |section| format!("{section} · {name}"));
    let mut frame = visit.frame(title, Section::Sites).await;
    frame.crumbs.push(("Sites".to_owned(), "/sites".to_owned()));
    if section.is_some() {
        frame
            .crumbs
            .push((name.clone(), format!("/sites/{}", site.hostname)));
    }
    frame
}
