//! `lalapanel site set`, `site alias`, `site purge`: the settings of a site on the command line.
//!
//! Invariant: keys and values are those of the browser's forms; both read one table.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::agent::Ask;
use crate::cli::change::look_up;
use crate::cli::output::{Exit, Output, table};
use crate::cli::site::{Which, parse, parse_name};
use crate::cli::{Outcome, change, prompt};
use crate::domain::change::Change;
use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::domain::setting::{self, Assignment, Control};
use crate::domain::site_name::SiteName;

/// Settings to change.
#[derive(Debug, Args)]
pub struct Set {
    /// The site
    pub hostname: String,
    /// `php.memory_limit=512M`, `web.cache=micro`, …; VALUE may be @FILE or @- for a file or stdin
    pub values: Vec<String>,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// What can be done with aliases.
#[derive(Debug, Subcommand)]
pub enum AliasVerb {
    /// Add a name
    Add(Alias),
    /// Remove a name
    Remove(Alias),
}

/// A name of a site.
#[derive(Debug, Args)]
pub struct Alias {
    /// The site
    pub hostname: String,
    /// The name; a star stands for every name below, as in *.shop.example
    #[arg(value_name = "ALIAS")]
    pub name: String,
    /// Send its visitors to the site's own name
    #[arg(long)]
    pub redirect: bool,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// Changes settings, or shows them.
pub(super) fn set(set: &Set, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let hostname = parse(&set.hostname)?;
    if set.values.is_empty() {
        return show(&hostname, agent, output);
    }
    let values = set
        .values
        .iter()
        .map(|text| assignment(text))
        .collect::<Result<Vec<_>, _>>()?;
    change::run(
        &Change::SiteSet { hostname, values },
        set.plan,
        None,
        agent,
        output,
    )
}

fn assignment(text: &str) -> Result<Assignment, Fault> {
    let Some((key, value)) = text.split_once('=') else {
        return Err(Fault::new(
            Code::SettingInvalid,
            format!("`{}` is no setting", crate::domain::text::shown(text, 60)),
            "write KEY=VALUE, such as php.memory_limit=512M; `lalapanel site set HOSTNAME` shows all keys",
        ));
    };
    let value = match value.strip_prefix('@') {
        Some(file) => prompt::text_of(file)?,
        None => value.to_owned(),
    };
    Assignment::new(key, &value).map_err(|bad| invalid(&bad))
}

fn invalid(bad: &setting::BadSetting) -> Fault {
    Fault::new(
        Code::SettingInvalid,
        bad.to_string(),
        "`lalapanel site set HOSTNAME` shows all keys with their values and ranges",
    )
}

fn show(hostname: &Hostname, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let site = look_up(hostname, agent)?;
    output.document(&json!({ "hostname": site.hostname, "settings": site.settings }));
    let mut rows = Vec::new();
    for field in setting::fields() {
        if let Some(value) = site.settings.get(field.key) {
            rows.push(vec![
                field.key.to_owned(),
                value.replace('\n', ", "),
                takes(&field.control),
            ]);
        }
    }
    for row in table(&rows) {
        output.line(row);
    }
    Ok(Exit::Done)
}

/// What a field takes, in a few words.
fn takes(control: &Control) -> String {
    match control {
        Control::Switch(_) => "on, off".to_owned(),
        Control::Number {
            least, most, unit, ..
        } => format!("{least} to {most} {unit}").trim_end().to_owned(),
        Control::Choice { of, .. } => of
            .iter()
            .map(|(word, _)| *word)
            .collect::<Vec<_>>()
            .join(", "),
        Control::Line { example, .. } | Control::Lines { example, .. } => {
            format!("such as {example}")
        }
    }
}

/// Adds or removes a name.
pub(super) fn alias(verb: &AliasVerb, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let (wanted, add) = match verb {
        AliasVerb::Add(alias) => (alias, true),
        AliasVerb::Remove(alias) => (alias, false),
    };
    let hostname = parse(&wanted.hostname)?;
    let name = parse_name(&wanted.name)?;
    let site = look_up(&hostname, agent)?;
    let is_there = site.aliases.contains(&name) || site.redirected_names.contains(&name);
    if !add && !is_there {
        return Err(Fault::new(
            Code::SettingInvalid,
            format!("{name} is no further name of {hostname}"),
            "see `lalapanel site show` for its names",
        ));
    }
    let without = |names: &[SiteName]| {
        let others = names.iter().filter(|other| **other != name);
        others.map(ToString::to_string).collect::<Vec<_>>()
    };
    let (mut aliases, mut redirected) = (without(&site.aliases), without(&site.redirected_names));
    match (add, wanted.redirect) {
        (true, true) => redirected.push(name.to_string()),
        (true, false) => aliases.push(name.to_string()),
        (false, _) => {}
    }
    let one = |key, names: &[String]| {
        Assignment::new(key, &names.join("\n")).map_err(|bad| invalid(&bad))
    };
    let values = vec![
        one("aliases", &aliases)?,
        one("redirected_names", &redirected)?,
    ];
    change::run(
        &Change::SiteSet { hostname, values },
        wanted.plan,
        None,
        agent,
        output,
    )
}

/// Forgets finished pages.
pub(super) fn purge(which: &Which, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let hostname = parse(&which.hostname)?;
    change::run(
        &Change::SitePurge { hostname },
        which.plan,
        None,
        agent,
        output,
    )
}
