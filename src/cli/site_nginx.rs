//! `lalapanel site snippet`, `site drift`, and the sites of others in `site list`.
//!
//! Invariant: a snippet is read here by the same reader as in the agent, so a refusal names the line before anything is asked.

use clap::Args;
use serde_json::json;

use crate::cli::agent::{Ask, unexpected};
use crate::cli::change::{look_up, run as change_site};
use crate::cli::output::{Exit, Output};
use crate::cli::site::parse;
use crate::cli::{Outcome, prompt};
use crate::domain::change::{Change, DriftChoice};
use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::domain::nginx_text::Snippet;
use crate::rpc::nginx_view::ForeignView;
use crate::rpc::protocol::{Reply, Request};

/// A site's own directives.
#[derive(Debug, Args)]
pub struct Own {
    /// The site
    pub hostname: String,
    /// Replace them by what is in this file; `-` reads standard input, an empty file removes them
    #[arg(long, conflicts_with = "show")]
    pub file: Option<String>,
    /// Print them, which is also what happens without `--file`
    #[arg(long)]
    pub show: bool,
    /// Print what would change, and change nothing
    #[arg(long, requires = "file")]
    pub plan: bool,
}

/// Files of a site that were changed outside Lala.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one flag of the command line"
)]
pub struct Changed {
    /// The site
    pub hostname: String,
    /// Make what was added to the nginx file the site's own directives
    #[arg(long, group = "choice")]
    pub keep: bool,
    /// Put Lala's text back
    #[arg(long, group = "choice")]
    pub restore: bool,
    /// Leave them, and say nothing until they change again
    #[arg(long, group = "choice")]
    pub leave: bool,
    /// Print what would change, and change nothing
    #[arg(long, requires = "choice")]
    pub plan: bool,
}

pub(super) fn snippet(own: &Own, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let hostname = parse(&own.hostname)?;
    let Some(file) = &own.file else {
        return show(hostname, agent, output);
    };
    let text = Snippet::parse(&prompt::text_of(file)?).map_err(|refused| {
        Fault::new(
            Code::SnippetRefused,
            format!("the directives cannot be taken; {hostname} was not changed"),
            "`docs/snippets.md` lists what can stand in a snippet",
        )
        .detail(refused.to_string())
    })?;
    change_site(
        &Change::SiteSnippet { hostname, text },
        own.plan,
        None,
        agent,
        output,
    )
}

fn show(hostname: Hostname, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let view = match agent.ask(Request::SiteNginx { hostname })? {
        Reply::Nginx(view) => *view,
        other => return Err(unexpected(other)),
    };
    output.document(&view);
    for line in view.snippet.lines() {
        output.line(line);
    }
    Ok(Exit::Done)
}

pub(super) fn drift(changed: &Changed, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let hostname = parse(&changed.hostname)?;
    let choice = match (changed.keep, changed.restore, changed.leave) {
        (true, _, _) => DriftChoice::Keep,
        (_, true, _) => DriftChoice::Restore,
        (_, _, true) => DriftChoice::Leave,
        _ => return differences(&hostname, agent, output),
    };
    change_site(
        &Change::SiteDrift { hostname, choice },
        changed.plan,
        None,
        agent,
        output,
    )
}

fn differences(hostname: &Hostname, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let site = look_up(hostname, agent)?;
    output.document(&json!({ "hostname": site.hostname, "drift": site.drift }));
    if site.drift.is_empty() {
        output.line(format!(
            "No file of {} was changed outside Lala",
            site.hostname
        ));
        return Ok(Exit::Done);
    }
    for one in &site.drift {
        let left = if one.left { " (left as it is)" } else { "" };
        output.line(format!("{}{left}", one.path));
        for line in one.diff.lines() {
            output.line(format!("  {line}"));
        }
    }
    output.note(format!(
        "choose: lalapanel site drift {} --keep, --restore or --leave",
        site.hostname
    ));
    Ok(Exit::Done)
}

/// The servers of nginx that are not Lala's.
pub(super) fn foreign(agent: &mut dyn Ask) -> Result<Vec<ForeignView>, Fault> {
    match agent.ask(Request::ForeignSites {})? {
        Reply::Foreign(found) => Ok(found),
        other => Err(unexpected(other)),
    }
}

pub(super) fn print_foreign(foreign: &[ForeignView], output: &mut Output) {
    for one in foreign {
        let names = if one.names.is_empty() {
            "(no name)".to_owned()
        } else {
            one.names.join(" ")
        };
        output.note(format!(
            "not Lala's, never touched: {names} in {}",
            one.file
        ));
    }
}
