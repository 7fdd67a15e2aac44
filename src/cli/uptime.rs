//! `lalapanel uptime`
//!
//! Invariant: it only looks; what was not seen is a dash.

use clap::Args;

use crate::cli::Outcome;
use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::{Exit, Output, moment, table};
use crate::domain::name::Hostname;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::uptime::{UptimeView, UptimesView};

/// So many looks of one site are printed.
const LOOKS: usize = 20;

/// What can be typed after it.
#[derive(Debug, Args)]
pub struct Uptime {
    /// One site, with its last looks
    pub hostname: Option<Hostname>,
}

/// Prints it.
pub fn run(typed: Uptime, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let is_one = typed.hostname.is_some();
    let request = Request::Uptime {
        hostname: typed.hostname,
    };
    let view = match agent.ask(request)? {
        Reply::Uptime(view) => *view,
        other => return Err(unexpected(other)),
    };
    output.document(&view);
    for row in table(&rows(&view)) {
        output.line(row);
    }
    if let (true, Some(site)) = (is_one, view.sites.first()) {
        looks(site, output);
    }
    output.note(match view.every_seconds {
        0 => "nobody looks: `every_seconds` in section `[uptime]` of `/etc/lalapanel/config.toml` is 0"
            .to_owned(),
        every => format!("each is looked at every {every} s"),
    });
    Ok(Exit::Done)
}

fn looks(site: &UptimeView, output: &mut Output) {
    let before = site.looks.len().saturating_sub(LOOKS);
    for look in site.looks.iter().skip(before) {
        let (at, words, millis) = (moment(look.at), look.words(), look.millis);
        output.line(format!("{at}  {millis:>6} ms  {words}"));
    }
}

/// `99.98 %`
fn percent(share: Option<u32>) -> String {
    share.map_or_else(
        || "-".to_owned(),
        |share| format!("{}.{:02} %", share / 100, share % 100),
    )
}

fn rows(view: &UptimesView) -> Vec<Vec<String>> {
    let heading = [
        "SITE", "STANDS", "SINCE", "24 H", "7 D", "30 D", "1 Y", "MEAN",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(view.sites.iter().map(|site| {
        vec![
            site.hostname.to_string(),
            site.standing.words().to_lowercase(),
            site.since.map_or_else(|| "-".to_owned(), moment),
            percent(site.uptime.day),
            percent(site.uptime.week),
            percent(site.uptime.month),
            percent(site.uptime.year),
            site.mean_millis
                .map_or_else(|| "-".to_owned(), |millis| format!("{millis} ms")),
        ]
    }));
    rows
}
