//! `lalapanel notify set` and `lalapanel notify off`
//!
//! Invariant: a password or secret comes from a file or from standard input; it is never an argument and never printed.

use clap::Args;
use serde_json::json;

use crate::cli::agent::{Ask, unexpected};
use crate::cli::notify;
use crate::cli::output::Output;
use crate::cli::{Outcome, change, prompt};
use crate::domain::authority::KeyText;
use crate::domain::change::Change;
use crate::domain::fault::{Code, Fault};
use crate::domain::notify::WebhookUrl;
use crate::domain::notify_setting::{NotifyKey, NotifySecrets, NotifySetting};
use crate::domain::panel_setting::PanelSetting;
use crate::rpc::protocol::{Reply, Request};

/// What to change; what is not named stays. An empty value, as in `--mail-from ''`, takes one away.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Set {
    /// Who gets mail; several with commas between
    #[arg(long, value_name = "ADDRESSES")]
    mail_to: Option<String>,
    /// From whom; without it, the first of those who get it
    #[arg(long, value_name = "ADDRESS")]
    mail_from: Option<String>,
    /// The server that takes the mail
    #[arg(long, value_name = "HOST")]
    smtp_host: Option<String>,
    /// Its port; without it, 587 (starttls), 465 (tls) or 25 (none)
    #[arg(long, value_name = "PORT")]
    smtp_port: Option<String>,
    /// starttls, tls, or none for a server on this machine
    #[arg(long, value_name = "WORD")]
    smtp_security: Option<String>,
    /// Who this server is there; an empty value takes the password away as well
    #[arg(long, value_name = "NAME")]
    smtp_user: Option<String>,
    /// Read the password for that from the first line of this file; `-` is standard input
    #[arg(long, value_name = "FILE")]
    smtp_password_file: Option<String>,
    /// Read the address that programs are told at from the first line of this file; `-` is standard input
    #[arg(long, value_name = "FILE")]
    webhook_url_file: Option<String>,
    /// Read the secret that it is signed with from the first line of this file; `-` is standard input
    #[arg(long, value_name = "FILE")]
    webhook_secret_file: Option<String>,
    /// Tell no program any more: forget the address and its secret
    #[arg(long, conflicts_with_all = ["webhook_url_file", "webhook_secret_file"])]
    no_webhook: bool,
    /// Tell what lasts for so many seconds
    #[arg(long, value_name = "SECONDS")]
    after_seconds: Option<String>,
    /// Tell when more of a disk is in use
    #[arg(long, value_name = "PERCENT")]
    disk_percent: Option<String>,
    /// Tell when more of the memory is in use
    #[arg(long, value_name = "PERCENT")]
    memory_percent: Option<String>,
}

/// What `set` takes beside.
#[derive(Debug, Args)]
pub struct Changing {
    /// What.
    #[command(flatten)]
    pub set: Set,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// What `off` takes.
#[derive(Debug, Args)]
pub struct Off {
    /// Print what would change, and change nothing
    #[arg(long)]
    pub plan: bool,
}

/// Changes some.
pub(super) fn set(typed: &Changing, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let mut values = plain(&typed.set)?;
    let (secrets, keys) = secrets(&typed.set)?;
    if !keys.is_empty() {
        let kept = None;
        let id = match agent.ask(Request::NotifyStage { secrets, kept })? {
            Reply::NotifyStaged { id } => id,
            other => return Err(unexpected(other)),
        };
        for key in keys {
            values.push(parse(key, id.as_str())?);
        }
    }
    apply(values, typed.plan, agent, output)
}

/// Tells nobody any more; from when on, and more of what, stays.
pub(super) fn off(typed: &Off, agent: &mut dyn Ask, output: &mut Output) -> Outcome {
    let of_somebody = NotifyKey::ALL.into_iter().filter(|key| {
        let thresholds = [
            NotifyKey::AfterSeconds,
            NotifyKey::DiskPercent,
            NotifyKey::MemoryPercent,
        ];
        !thresholds.contains(key)
    });
    apply(
        of_somebody.map(NotifySetting::none).collect(),
        typed.plan,
        agent,
        output,
    )
}

fn apply(
    values: Vec<NotifySetting>,
    plan: bool,
    agent: &mut dyn Ask,
    output: &mut Output,
) -> Outcome {
    let values = values.into_iter().map(PanelSetting::Notify).collect();
    let wanted = Change::PanelSet { values };
    let tell = |agent: &mut dyn Ask, output: &mut Output| {
        let view = notify::look(agent)?;
        for way in &view.ways {
            output.line(format!("told by {}: {}", notify::word(way.way), way.target));
        }
        if view.ways.is_empty() {
            output.line("nobody is told any more");
        } else {
            output.note("see whether it arrives: `lalapanel notify test`");
        }
        Ok(json!({ "notify": view }))
    };
    change::run_and_tell(&wanted, plan, None, agent, output, &tell)
}

fn parse(key: NotifyKey, text: &str) -> Result<NotifySetting, Fault> {
    NotifySetting::parse(key, text).map_err(|why| {
        let option = key.word().replace('_', "-");
        let hint = format!(
            "give another `--{option}`; `lalapanel notify status --json` shows what is set"
        );
        Fault::new(Code::SettingInvalid, why, hint)
    })
}

fn plain(typed: &Set) -> Result<Vec<NotifySetting>, Fault> {
    let given = [
        (NotifyKey::MailTo, &typed.mail_to),
        (NotifyKey::MailFrom, &typed.mail_from),
        (NotifyKey::SmtpHost, &typed.smtp_host),
        (NotifyKey::SmtpPort, &typed.smtp_port),
        (NotifyKey::SmtpSecurity, &typed.smtp_security),
        (NotifyKey::SmtpUser, &typed.smtp_user),
        (NotifyKey::AfterSeconds, &typed.after_seconds),
        (NotifyKey::DiskPercent, &typed.disk_percent),
        (NotifyKey::MemoryPercent, &typed.memory_percent),
    ];
    let mut values = Vec::new();
    for (key, text) in given {
        if let Some(text) = text {
            values.push(parse(key, text)?);
        }
    }
    if typed
        .smtp_user
        .as_deref()
        .is_some_and(|user| user.trim().is_empty())
    {
        values.push(NotifySetting::none(NotifyKey::SmtpPassword));
    }
    if typed.no_webhook {
        values.push(NotifySetting::none(NotifyKey::WebhookUrl));
        values.push(NotifySetting::none(NotifyKey::WebhookSecret));
    }
    Ok(values)
}

fn secrets(typed: &Set) -> Result<(NotifySecrets, Vec<NotifyKey>), Fault> {
    let mut secrets = NotifySecrets::default();
    let mut keys = Vec::new();
    if let Some(file) = &typed.smtp_password_file {
        secrets.smtp_password = Some(KeyText::new(line(file, "--smtp-password-file")?));
        keys.push(NotifyKey::SmtpPassword);
    }
    if let Some(file) = &typed.webhook_url_file {
        let text = line(file, "--webhook-url-file")?;
        let url = WebhookUrl::parse(&text).map_err(|bad| {
            let hint = "put the whole address into the file, as the service shows it";
            Fault::new(Code::SettingInvalid, bad.to_string(), hint)
        })?;
        secrets.webhook_url = Some(url);
        keys.push(NotifyKey::WebhookUrl);
    }
    if let Some(file) = &typed.webhook_secret_file {
        secrets.webhook_secret = Some(KeyText::new(line(file, "--webhook-secret-file")?));
        keys.push(NotifyKey::WebhookSecret);
    }
    Ok((secrets, keys))
}

fn line(file: &str, option: &str) -> Result<String, Fault> {
    let text = prompt::text_of(file)?;
    let line = text.lines().next().unwrap_or_default().trim().to_owned();
    if line.is_empty() {
        let title = format!("The first line of `{file}` is empty");
        let hint = format!("write it there, or give it with `{option} -` on standard input");
        return Err(Fault::new(Code::SettingInvalid, title, hint));
    }
    Ok(line)
}
