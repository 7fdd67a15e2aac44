//! What installing and removing end with: one document for scripts, a few lines for people.
//!
//! Invariant: the only secret in it is the one-time link, which is meant for whoever installs.

use std::fmt::Write as _;

use serde::Serialize;

use crate::domain::account::AccountName;
use crate::domain::id::OperationId;
use crate::domain::time::Timestamp;
use crate::rpc::view::{PlanStepView, PlanView};

/// How it ended.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Report {
    /// Only shown.
    Planned(Box<PlanView>),
    /// The panel runs.
    Installed(Box<Installed>),
    /// The panel is gone.
    Removed(Removed),
}

/// The panel runs.
#[derive(Debug, Clone, Serialize)]
pub struct Installed {
    /// Of this program.
    pub version: String,
    /// False where there was nothing to do.
    pub changed: bool,
    /// The panel's address.
    pub url: String,
    /// SHA-256 of its certificate.
    pub fingerprint: String,
    /// Opens the page that makes the first account, once.
    pub link: Option<String>,
    /// Until then.
    pub link_expires: Option<Timestamp>,
    /// The account that was made.
    pub account: Option<AccountName>,
    /// The operation in the journal of installing.
    pub operation: Option<OperationId>,
    /// How many steps were done.
    pub steps: usize,
    /// How long it took.
    pub seconds: u64,
    /// What people should know.
    pub notes: Vec<String>,
}

/// The panel is gone.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Removed {
    /// True where the sites, the packages that came with the panel and the state are gone as well.
    pub purged: bool,
    /// Sites that are gone with it, or are still served.
    pub sites: Vec<String>,
    /// What people should know.
    pub notes: Vec<String>,
}

impl Report {
    /// One JSON document.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Planned(plan) => plan_text(plan),
            Self::Installed(installed) => installed.text(),
            Self::Removed(removed) => removed.text(),
        }
    }
}

/// Numbered steps, each with its command or the change of its file.
#[must_use]
pub fn plan_text(plan: &PlanView) -> String {
    if plan.steps.is_empty() {
        return format!("{}: nothing to do\n", plan.title);
    }
    let mut text = format!("{}\n\n", plan.title);
    for (index, step) in plan.steps.iter().enumerate() {
        text.push_str(&step_text(index + 1, step));
    }
    for note in &plan.notes {
        let _ = writeln!(text, "\nnote: {note}");
    }
    text
}

fn step_text(number: usize, step: &PlanStepView) -> String {
    let mut text = format!("{number:>3}. {}\n", step.title);
    match (&step.command, &step.diff) {
        (Some(command), _) => {
            let _ = writeln!(text, "     $ {command}");
        }
        (None, Some(diff)) => {
            for line in diff.lines() {
                let _ = writeln!(text, "     {line}");
            }
        }
        (None, None) if !step.target.is_empty() => {
            let _ = writeln!(text, "     {}", step.target);
        }
        (None, None) => {}
    }
    text
}

impl Installed {
    fn text(&self) -> String {
        let mut text = if self.changed {
            format!(
                "Lala Panel {} is running, after {} s.\n\n",
                self.version, self.seconds
            )
        } else {
            format!(
                "Nothing to do: Lala Panel {} is installed and running.\n\n",
                self.version
            )
        };
        let _ = writeln!(text, "  Address      {}", self.url);
        let _ = writeln!(text, "  Certificate  SHA-256 {}", self.fingerprint);
        if let Some(account) = &self.account {
            let _ = writeln!(text, "  Account      {account}");
        }
        if let Some(link) = &self.link {
            let _ = writeln!(text, "  First run    {link}");
            text.push_str("\nOpen the first-run link to make your account; it works once");
            if let Some(expires) = self.link_expires {
                let _ = write!(text, ", until {expires}");
            }
            text.push_str(".\n");
        }
        text.push_str("The certificate is signed by this server itself, so the browser warns: compare the fingerprint, then go on.\n");
        for note in &self.notes {
            let _ = writeln!(text, "note: {note}");
        }
        text
    }
}

impl Removed {
    fn text(&self) -> String {
        let mut text = if self.purged {
            "Lala Panel and everything that came with it is gone.\n".to_owned()
        } else {
            "Lala Panel is gone. Its sites are still served.\n".to_owned()
        };
        if !self.sites.is_empty() {
            let word = if self.purged { "Deleted" } else { "Served" };
            let _ = writeln!(text, "  {word}: {}", self.sites.join(", "));
        }
        for note in &self.notes {
            let _ = writeln!(text, "note: {note}");
        }
        text
    }
}
