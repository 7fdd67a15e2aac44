//! Databases: all of them, those of a site, and one with its users and what they may do.
//!
//! Invariant: these pages only show; every change has its own page with its plan.

use std::sync::Arc;

use poem::Response;
use sailfish::Template;

use crate::domain::database::DatabaseName;
use crate::domain::database_inside::{Granted, Inside};
use crate::domain::text::shown;
use crate::rpc::database::{DatabaseDetail, DatabaseView, Known, UserAccess};
use crate::rpc::protocol::{Reply, Request};
use crate::web::clock;
use crate::web::page::{Frame, ICONS, Section};
use crate::web::refusal::Refusal;
use crate::web::views::site;
use crate::web::visit::{Visit, show as respond, unexpected};
use crate::web::words::{self, Pill};

const PAGE: usize = 50;

/// A database as pages show it.
pub(in crate::web) struct Row {
    name: String,
    users: Vec<String>,
    /// What each may do.
    access: Vec<UserAccess>,
    /// The site's name and its page; none for a database of the server's own.
    site: Option<(String, String)>,
    pill: Pill,
    /// Its site is in the trash.
    locked: bool,
    /// None where it is not known.
    size: Option<String>,
    created: String,
    created_at: String,
    trash: Option<Gone>,
}

/// A database in the trash.
struct Gone {
    until: String,
    left: String,
}

#[derive(Template)]
#[template(path = "pages/databases.html.stpl")]
struct All {
    rows: Vec<Row>,
    trash: Vec<Row>,
    /// When the sizes were looked up.
    sized: Option<String>,
    filter: String,
    total: usize,
    found: usize,
    first: usize,
    page: usize,
    pages: usize,
}

#[derive(Template)]
#[template(path = "pages/site_databases.html.stpl")]
struct OfSite {
    host: String,
    name: String,
    tab: &'static str,
    pill: Pill,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "pages/database.html.stpl")]
struct One {
    row: Row,
    token: String,
    mariadb: Known,
    inside: Option<Inside>,
    grants_differ: Vec<Granted>,
}

/// `GET /databases`.
pub(in crate::web) async fn list(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let (trash, all): (Vec<DatabaseView>, Vec<DatabaseView>) = look(&visit)
        .await?
        .into_iter()
        .partition(|one| one.trash.is_some());
    let mut frame = visit.frame("Databases", Section::Databases).await;
    frame.command = Some("lalapanel db list".to_owned());
    let sized = all.iter().filter_map(|one| one.sized).min();
    let filter = shown(visit.query.text("q"), 100);
    let total = all.len();
    let found: Vec<DatabaseView> = all
        .into_iter()
        .filter(|one| matches(one, &filter))
        .collect();
    let pages = found.len().div_ceil(PAGE).max(1);
    let page = visit.query.text("page").parse().unwrap_or(1_usize);
    let page = page.clamp(1, pages);
    let shown = found.iter().skip((page - 1) * PAGE).take(PAGE);
    let body = All {
        rows: shown.map(row).collect(),
        trash: trash.iter().map(row).collect(),
        sized: sized.map(words::moment),
        filter,
        total,
        found: found.len(),
        first: (page - 1) * PAGE + 1,
        page,
        pages,
    };
    Ok(respond(&frame, &body))
}

/// Every word must be there; `-word` must not.
fn matches(database: &DatabaseView, filter: &str) -> bool {
    let site = database.site.as_ref().map(|site| {
        let unicode = site.unicode();
        format!("{site} {unicode}")
    });
    let text = format!("{} {}", database.name, site.unwrap_or_default());
    let filter = filter.to_lowercase();
    filter
        .split_whitespace()
        .all(|word| match word.strip_prefix('-') {
            Some(unwanted) if !unwanted.is_empty() => !text.contains(unwanted),
            _ => text.contains(word),
        })
}

/// `GET /sites/{host}/databases`.
pub(in crate::web) async fn of_site(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let site = site::find(&visit, visit.hostname()?).await?;
    let all = look(&visit).await?;
    let mine = |one: &&DatabaseView| {
        one.site.as_ref() == Some(&site.hostname) && !one.locked && one.trash.is_none()
    };
    let mut frame = site::site_frame(&visit, &site, Some("Databases")).await;
    frame.command = Some(format!("lalapanel db create NAME --site {}", site.hostname));
    let body = OfSite {
        host: site.hostname.to_string(),
        name: site.hostname_unicode.clone(),
        tab: "databases",
        pill: words::site_pill(site.enabled, site.serving),
        rows: all.iter().filter(mine).map(row).collect(),
    };
    Ok(respond(&frame, &body))
}

/// `GET /databases/{name}`.
pub(in crate::web) async fn show(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let Some(Ok(name)) = visit.part(0).map(DatabaseName::parse) else {
        return Err(Refusal::NOT_FOUND);
    };
    let Reply::Database(detail) = visit.ask(Request::DatabaseShow { name }).await? else {
        return Err(unexpected());
    };
    let DatabaseDetail {
        view,
        mariadb,
        inside,
        grants_differ,
    } = *detail;
    let mut frame = visit.frame(view.name.to_string(), Section::Databases).await;
    frame.crumbs.push(crumb());
    frame.command = Some(format!("lalapanel db show {}", view.name));
    let body = One {
        row: row(&view),
        token: frame.token.clone(),
        mariadb,
        inside,
        grants_differ: grants_differ.unwrap_or_default(),
    };
    Ok(respond(&frame, &body))
}

fn crumb() -> (String, String) {
    ("Databases".to_owned(), "/databases".to_owned())
}

/// The frame of a page about a change of one database.
pub(in crate::web) async fn change_frame(visit: &Visit, title: &str, name: &DatabaseName) -> Frame {
    let title = format!("{title} · {name}");
    let mut frame = visit.frame(title, Section::Databases).await;
    let own = (name.to_string(), format!("/databases/{name}"));
    frame.crumbs.extend([crumb(), own]);
    frame
}

/// The frame of the page of a new one.
pub(in crate::web) async fn new_frame(visit: &Visit) -> Frame {
    let mut frame = visit.frame("New database", Section::Databases).await;
    frame.crumbs.push(crumb());
    frame
}

/// All databases.
pub(in crate::web) async fn look(visit: &Visit) -> Result<Vec<DatabaseView>, Refusal> {
    match visit.ask(Request::DatabaseList {}).await? {
        Reply::Databases(views) => Ok(views),
        _ => Err(unexpected()),
    }
}

/// The database in the path.
pub(in crate::web) async fn find(visit: &Visit) -> Result<DatabaseView, Refusal> {
    let name = visit.part(0).map(DatabaseName::parse);
    let Some(Ok(name)) = name else {
        return Err(Refusal::NOT_FOUND);
    };
    let found = look(visit).await?.into_iter().find(|one| one.name == name);
    found.ok_or(Refusal::NOT_FOUND)
}

fn row(view: &DatabaseView) -> Row {
    Row {
        name: view.name.to_string(),
        users: view.users.iter().map(ToString::to_string).collect(),
        access: view.access.clone(),
        site: view
            .site
            .as_ref()
            .map(|site| (site.unicode(), format!("/sites/{site}"))),
        pill: words::database_pill(view.locked, view.trash.is_some()),
        locked: view.locked,
        size: view.bytes.map(words::bytes),
        created: words::ago(clock::now(), view.created),
        created_at: words::moment(view.created),
        trash: view.trash.as_ref().map(|trash| Gone {
            until: words::moment(trash.until),
            left: words::count(trash.days_left, "day"),
        }),
    }
}
