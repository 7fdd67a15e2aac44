//! One site: its state in a sentence, its facts, its last operations; and the page of the dangerous things.
//!
//! Invariant: this page only shows; every change has its own page with its plan.

use std::sync::Arc;

use poem::Response;
use sailfish::Template;

use crate::domain::name::Hostname;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::view::SiteView;
use crate::web::clock;
use crate::web::page::{Frame, ICONS, Section};
use crate::web::plan::diff_lines;
use crate::web::refusal::Refusal;
use crate::web::views::activity::Line;
use crate::web::views::sites::runs;
use crate::web::visit::{Visit, show as respond, unexpected};
use crate::web::words::{self, Pill};

#[derive(Template)]
#[template(path = "pages/site.html.stpl")]
struct Overview {
    site: SiteView,
    tab: &'static str,
    pill: Pill,
    runs: String,
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
        pill: words::site_pill(site.enabled),
        runs: runs(&site),
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

/// `GET /sites/{host}/danger`.
pub(in crate::web) async fn danger(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let site = find(&visit, visit.hostname()?).await?;
    let frame = site_frame(&visit, &site, Some("Danger")).await;
    let body = Danger {
        tab: "danger",
        pill: words::site_pill(site.enabled),
        site,
    };
    Ok(respond(&frame, &body))
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
