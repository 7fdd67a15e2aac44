//! How sites look from outside: all of them, and one with its looks of a day.
//!
//! Invariant: what failed stands first; a chart says nothing that its table does not.

use std::sync::Arc;

use poem::Response;
use sailfish::Template;

use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::domain::uptime::Look;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::uptime::{Standing, UptimeView, UptimesView};
use crate::web::clock;
use crate::web::page::{ICONS, Section};
use crate::web::refusal::Refusal;
use crate::web::views::chart::{self, Frame};
use crate::web::views::site;
use crate::web::visit::{Visit, show as respond, unexpected};
use crate::web::words::{self, Pill};

const PAGE: usize = 50;
const DAY_MILLIS: u64 = 24 * 3_600_000;
/// So many of the last looks are listed.
const LISTED: usize = 30;

struct Row {
    host: String,
    name: String,
    pill: Pill,
    since: Option<String>,
    day: String,
    month: String,
    mean: String,
    /// Why it stands as it does, where that is not well.
    why: Option<String>,
}

#[derive(Template)]
#[template(path = "pages/uptime.html.stpl")]
struct All {
    rows: Vec<Row>,
    every: String,
    filter: String,
    total: usize,
    found: usize,
    first: usize,
    page: usize,
    pages: usize,
}

struct Line {
    at: String,
    pill: Pill,
    words: String,
    millis: u32,
}

#[derive(Template)]
#[template(path = "pages/site_uptime.html.stpl")]
struct OfSite {
    host: String,
    name: String,
    tab: &'static str,
    pill: Pill,
    row: Row,
    shares: Vec<(&'static str, String)>,
    sentence: String,
    pieces: Vec<String>,
    top: String,
    begins: String,
    ends: String,
    lines: Vec<Line>,
    every: String,
}

async fn ask(
    visit: &Visit,
    hostname: Option<crate::domain::name::Hostname>,
) -> Result<UptimesView, Refusal> {
    match visit.ask(Request::Uptime { hostname }).await? {
        Reply::Uptime(view) => Ok(*view),
        _ => Err(unexpected()),
    }
}

/// `99.98 %`
fn percent(share: Option<u32>) -> String {
    share.map_or_else(
        || "–".to_owned(),
        |share| format!("{}.{:02} %", share / 100, share % 100),
    )
}

fn every(view: &UptimesView) -> String {
    match view.every_seconds {
        0 => "Nobody looks: the interval is 0 in the settings file.".to_owned(),
        seconds => format!(
            "Each site is opened every {} by its name, as a visitor would; what fails is tried once more before it counts.",
            match u64::from(seconds) {
                60 => "minute".to_owned(),
                whole if whole % 60 == 0 => words::count(whole / 60, "minute"),
                odd => words::count(odd, "second"),
            }
        ),
    }
}

fn row(view: &UptimeView) -> Row {
    let is_well = matches!(view.standing, Standing::Up | Standing::Off);
    let why = view.last.filter(|_| !is_well);
    Row {
        host: view.hostname.to_string(),
        name: view.hostname_unicode.clone(),
        pill: words::uptime_pill(view.standing),
        since: view.since.map(words::moment),
        day: percent(view.uptime.day),
        month: percent(view.uptime.month),
        mean: view
            .mean_millis
            .map_or_else(|| "–".to_owned(), |millis| format!("{millis} ms")),
        why: why.map(|look| words::sentence_of(&look.words())),
    }
}

/// `GET /uptime`.
pub(in crate::web) async fn list(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let mut view = ask(&visit, None).await?;
    let mut frame = visit.frame("Uptime", Section::System).await;
    frame
        .crumbs
        .push(("System".to_owned(), "/system".to_owned()));
    frame.command = Some("lalapanel uptime".to_owned());
    let (total, every) = (view.sites.len(), every(&view));
    let filter = shown(visit.query.text("q"), 100);
    view.sites.retain(|site| {
        filter.split_whitespace().all(|word| {
            site.hostname.as_str().contains(word) || site.hostname_unicode.contains(word)
        })
    });
    view.sites.sort_by_key(|site| match site.standing {
        Standing::Down => 0,
        Standing::Waiting => 1,
        Standing::Up => 2,
        Standing::Unseen => 3,
        Standing::Off => 4,
    });
    let found = view.sites.len();
    let pages = found.div_ceil(PAGE).max(1);
    let page = visit.query.text("page").parse().unwrap_or(1_usize);
    let page = page.clamp(1, pages);
    let shown = view.sites.iter().skip((page - 1) * PAGE).take(PAGE);
    let body = All {
        rows: shown.map(row).collect(),
        every,
        filter,
        total,
        found,
        first: (page - 1) * PAGE + 1,
        page,
        pages,
    };
    Ok(respond(&frame, &body))
}

/// `GET /sites/{host}/uptime`.
pub(in crate::web) async fn of_site(visit: Arc<Visit>) -> Result<Response, Refusal> {
    let site = site::find(&visit, visit.hostname()?).await?;
    let view = ask(&visit, Some(site.hostname.clone())).await?;
    let every_seconds = u64::from(view.every_seconds);
    let every = every(&view);
    let Some(one) = view.sites.into_iter().next() else {
        return Err(unexpected());
    };
    let mut frame = site::site_frame(&visit, &site, Some("Uptime")).await;
    frame.command = Some(format!("lalapanel uptime {}", site.hostname));
    let until = clock::now();
    let since = Timestamp::from_millis(until.millis().saturating_sub(DAY_MILLIS));
    let took = |look: &Look| (look.is_up() == Some(true)).then_some(u64::from(look.millis));
    let top = one.looks.iter().filter_map(took).max().unwrap_or(1).max(1);
    let drawn = Frame {
        since,
        until,
        far: every_seconds * 2_500,
        top,
    };
    let body = OfSite {
        host: site.hostname.to_string(),
        name: site.hostname_unicode.clone(),
        tab: "uptime",
        pill: words::site_pill(site.enabled, site.serving),
        row: row(&one),
        shares: vec![
            ("24 hours", percent(one.uptime.day)),
            ("7 days", percent(one.uptime.week)),
            ("30 days", percent(one.uptime.month)),
            ("1 year", percent(one.uptime.year)),
        ],
        sentence: sentence(&one.looks),
        pieces: chart::pieces(drawn, one.looks.iter().map(|look| (look.at, took(look)))),
        top: format!("{top} ms"),
        begins: words::moment(since),
        ends: words::moment(until),
        lines: one.looks.iter().rev().take(LISTED).map(line).collect(),
        every,
    };
    Ok(respond(&frame, &body))
}

fn line(look: &Look) -> Line {
    Line {
        at: words::stamp(look.at),
        pill: words::look_pill(look.is_up()),
        words: words::sentence_of(&look.words()),
        millis: look.millis,
    }
}

/// `288 looks: 287 met an answer, which took 41 ms in the mean and 380 ms at most.`
fn sentence(looks: &[Look]) -> String {
    let known = looks.iter().filter(|look| look.is_up().is_some()).count();
    let took: Vec<u64> = looks
        .iter()
        .filter(|look| look.is_up() == Some(true))
        .map(|look| u64::from(look.millis))
        .collect();
    let count = u64::try_from(took.len()).unwrap_or(u64::MAX);
    let looks = words::count(u64::try_from(known).unwrap_or(u64::MAX), "look");
    let mean = took.iter().sum::<u64>().checked_div(count);
    match (known, mean) {
        (0, _) => "Nobody looked yet.".to_owned(),
        (_, None) => format!("{looks}, and none met an answer."),
        (_, Some(mean)) => {
            let most = took.iter().max().copied().unwrap_or_default();
            format!(
                "{looks}: {count} met an answer, which took {mean} ms in the mean and {most} ms at most."
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::uptime::Met;

    #[test]
    fn the_sentence_counts_what_told_something() {
        let look = |met, millis| Look {
            at: Timestamp::from_millis(1),
            met,
            status: 0,
            millis,
        };
        assert_eq!(sentence(&[]), "Nobody looked yet.");
        assert_eq!(
            sentence(&[look(Met::Slow, 10_000), look(Met::Unknown, 0)]),
            "1 look, and none met an answer."
        );
        assert_eq!(
            sentence(&[
                look(Met::Answer, 10),
                look(Met::Answer, 30),
                look(Met::Slow, 9)
            ]),
            "3 looks: 2 met an answer, which took 20 ms in the mean and 30 ms at most."
        );
    }
}
