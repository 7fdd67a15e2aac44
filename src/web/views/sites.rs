//! All sites in one table, filtered and sorted by the address, fifty a page.
//!
//! Invariant: filter, sort and page live in the address, so a list can be shared and works without script.

use std::sync::Arc;

use poem::Response;
use sailfish::Template;

use crate::domain::site_name::SiteName;
use crate::domain::text::shown;
use crate::rpc::nginx_view::ForeignView;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::trash::TrashedView;
use crate::rpc::view::SiteView;
use crate::web::clock;
use crate::web::page::{ICONS, Section};
use crate::web::refusal::Refusal;
use crate::web::visit::{Visit, show as respond, unexpected};
use crate::web::words::{self, Pill};

const PAGE: usize = 50;

struct Row {
    host: String,
    name: String,
    aliases: String,
    pill: Pill,
    runs: String,
    user: String,
    created: String,
    created_at: String,
}

/// A site in the trash.
struct Gone {
    id: String,
    name: String,
    runs: String,
    left: String,
    until: String,
}

#[derive(Template)]
#[template(path = "pages/sites.html.stpl")]
struct Sites {
    rows: Vec<Row>,
    filter: String,
    total: usize,
    found: usize,
    first: usize,
    page: usize,
    pages: usize,
    sort: &'static str,
    foreign: Vec<ForeignView>,
    trash: Vec<Gone>,
}

/// `GET /sites`.
pub(in crate::web) async fn list(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let Reply::Sites(all) = visit.ask(Request::SiteList {}).await? else {
        return Err(unexpected());
    };
    let Reply::Foreign(foreign) = visit.ask(Request::ForeignSites {}).await? else {
        return Err(unexpected());
    };
    let Reply::Trash(trash) = visit.ask(Request::SiteTrash {}).await? else {
        return Err(unexpected());
    };
    let mut frame = visit.frame("Sites", Section::Sites).await;
    frame.command = Some("lalapanel site list".to_owned());
    let total = all.len();
    let filter = shown(visit.query.text("q"), 100);
    let mut found: Vec<SiteView> = all
        .into_iter()
        .filter(|site| matches(site, &filter))
        .collect();
    let sort = sort(&mut found, visit.query.text("sort"));
    let pages = found.len().div_ceil(PAGE).max(1);
    let page = visit
        .query
        .text("page")
        .parse()
        .unwrap_or(1)
        .clamp(1, pages);
    let now = clock::now();
    let body = Sites {
        found: found.len(),
        rows: found
            .iter()
            .skip((page - 1) * PAGE)
            .take(PAGE)
            .map(|site| row(site, now))
            .collect(),
        filter,
        total,
        first: (page - 1) * PAGE + 1,
        page,
        pages,
        sort,
        foreign,
        trash: trash.iter().map(gone).collect(),
    };
    Ok(respond(&frame, &body))
}

fn gone(site: &TrashedView) -> Gone {
    Gone {
        id: site.id.clone(),
        name: site.hostname_unicode.clone(),
        runs: site.r#type.clone(),
        left: words::count(site.days_left, "day"),
        until: words::moment(site.until),
    }
}

/// Every word must be there; `-word` must not. Plain substrings, no hidden syntax beyond that.
fn matches(site: &SiteView, filter: &str) -> bool {
    let kind = site
        .php
        .map_or_else(|| site.r#type.clone(), |php| format!("php {php}"));
    let state = words::site_pill(site.enabled, site.serving).word;
    let aliases: Vec<String> = site.aliases.iter().map(ToString::to_string).collect();
    let text = format!(
        "{} {} {kind} {state} {}",
        site.hostname_unicode,
        site.hostname,
        aliases.join(" ")
    )
    .to_lowercase();
    filter
        .to_lowercase()
        .split_whitespace()
        .all(|word| match word.strip_prefix('-') {
            Some(unwanted) if !unwanted.is_empty() => !text.contains(unwanted),
            _ => text.contains(word),
        })
}

fn sort(sites: &mut [SiteView], by: &str) -> &'static str {
    match by {
        "status" => {
            sites.sort_by(|a, b| {
                a.enabled
                    .cmp(&b.enabled)
                    .then_with(|| a.hostname.cmp(&b.hostname))
            });
            "status"
        }
        "created" => {
            sites.sort_by_key(|site| std::cmp::Reverse(site.created));
            "created"
        }
        _ => {
            sites.sort_by(|a, b| a.hostname.cmp(&b.hostname));
            "name"
        }
    }
}

fn row(site: &SiteView, now: crate::domain::time::Timestamp) -> Row {
    let aliases: Vec<String> = site.aliases.iter().map(SiteName::unicode).collect();
    Row {
        host: site.hostname.to_string(),
        name: site.hostname_unicode.clone(),
        aliases: aliases.join(", "),
        pill: words::site_pill(site.enabled, site.serving),
        runs: site.runs(),
        user: site.user.clone(),
        created: words::ago(now, site.created),
        created_at: words::moment(site.created),
    }
}
