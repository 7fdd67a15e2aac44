//! `lalapanel settings …`
//!
//! Invariant: keys are those of `/etc/lalapanel/config.toml`; what is printed of it holds no secret.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::agent::{Ask, unexpected};
use crate::cli::output::{Exit, Output, moment, table};
use crate::cli::{Outcome, change};
use crate::domain::change::Change;
use crate::domain::fault::{Code, Fault};
use crate::domain::panel_setting::{PanelSetting, TrialVerb};
use crate::domain::text::shown;
use crate::rpc::protocol::{Reply, Request};
use crate::rpc::settings::SettingsView;

/// What can be done with the panel's settings.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// All of them, and the address that is being tried
    Show,
    /// Change some; a new hostname or port is tried for a minute and goes back unless it is kept
    Set(Set),
    /// Keep the address that is being tried
    Keep,
    /// Put the former address back
    Back,
    /// Try the new address for five minutes from now
    Longer,
}

/// Settings to change.
#[derive(Debug, Args)]
pub struct Set {
    /// `panel.hostname=panel.example`, `panel.port=9443`, …; nothing after = takes a value away
    #[arg(required = true)]
    pub values: Vec<String>,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// Runs one.
pub fn run(verb: &Verb, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let decide = |verb| Change::PanelTrial { verb };
    let wanted = match verb {
        Verb::Show => return show(agent, output),
        Verb::Set(set) => return change_some(set, agent, output),
        Verb::Keep => decide(TrialVerb::Keep),
        Verb::Back => decide(TrialVerb::Back),
        Verb::Longer => decide(TrialVerb::Longer),
    };
    change::run(&wanted, false, None, agent, output)
}

fn change_some(set: &Set, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let values = set.values.iter().map(|text| parse(text));
    let values = values.collect::<Result<Vec<_>, _>>()?;
    let wanted = Change::PanelSet { values };
    let tell = |agent: &mut dyn Ask, output: &mut Output| {
        let view = look(agent)?;
        if let Some(trial) = &view.trial {
            let name = trial.hostname.as_ref().map(ToString::to_string);
            let name = name.unwrap_or_else(|| "ADDRESS".to_owned());
            output.line(format!(
                "Until {} it is tried: open https://{name}:{}/settings and keep it there, or run `lalapanel settings keep`",
                moment(trial.until),
                trial.port,
            ));
        }
        Ok(json!({ "settings": view }))
    };
    change::run_and_tell(&wanted, set.plan, None, agent, output, &tell)
}

fn parse(text: &str) -> Result<PanelSetting, Fault> {
    let hint = "see `lalapanel settings show` for the settings and their values";
    let Some((key, value)) = text.split_once('=') else {
        let title = format!("`{}` is no setting", shown(text, 60));
        return Err(Fault::new(
            Code::SettingInvalid,
            title,
            "write KEY=VALUE, as in panel.port=9443",
        ));
    };
    PanelSetting::parse(key, value)
        .map_err(|bad| Fault::new(Code::SettingInvalid, bad.to_string(), hint))
}

fn show(agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let view = look(agent)?;
    output.document(&view);
    let rows = view.rows().into_iter();
    let rows: Vec<Vec<String>> = rows.map(|(key, text)| vec![key.to_owned(), text]).collect();
    for row in table(&rows) {
        output.line(row);
    }
    if let Some(trial) = &view.trial {
        let name = trial.hostname.as_ref().map(ToString::to_string);
        output.line(format!(
            "being tried until {}: {} on port {}",
            moment(trial.until),
            name.unwrap_or_else(|| "no name".to_owned()),
            trial.port,
        ));
    }
    Ok(Exit::Done)
}

fn look(agent: &mut dyn Ask) -> Result<SettingsView, Fault> {
    match agent.ask(Request::SettingsShow {})? {
        Reply::Settings(view) => Ok(*view),
        other => Err(unexpected(other)),
    }
}
