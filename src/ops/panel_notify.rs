//! What is checked and kept before settings of section `[notify]` change.
//!
//! Invariant: a password is never sent to another server than the one it was given for.

use crate::domain::fault::{Code, Fault};
use crate::domain::notify_setting::{NotifyKey, NotifySetting};
use crate::domain::panel_setting::PanelSetting;
use crate::host::{Host, Owner};
use crate::ops::panel_step::PanelStep;
use crate::ops::site_parts::Steps;
use crate::ops::step::Step;
use crate::system::config::Config;
use crate::system::{config_edit, notify_vault};

fn of(values: &[PanelSetting]) -> impl Iterator<Item = &NotifySetting> {
    values.iter().filter_map(|value| match value {
        PanelSetting::Notify(setting) => Some(setting),
        _ => None,
    })
}

/// Refuses what does not go together, and what would give a password away.
pub(super) fn refuse(
    host: &dyn Host,
    values: &[PanelSetting],
    config: &Config,
) -> Result<(), Fault> {
    if of(values).next().is_none() {
        return Ok(());
    }
    let refused = |title: &str, hint: &str| Err(Fault::new(Code::SettingInvalid, title, hint));
    if of(values).any(NotifySetting::is_former) {
        return refused("A secret is missing", "type it again");
    }
    let is_new = |key| {
        let mut all = of(values).filter(|one| one.key() == key);
        all.any(|one| config.notify.value(key) != *one)
    };
    let is_given = |key| of(values).any(|one| one.key() == key);
    if is_new(NotifyKey::SmtpHost)
        && config.notify.smtp_password.is_some()
        && !is_given(NotifyKey::SmtpPassword)
    {
        return refused(
            "The password that is kept was given for another mail server",
            "type it again, or the one of the new server: `lalapanel notify set --smtp-password-file FILE`",
        );
    }
    config_edit::refuse_unfit(host, values)
}

/// Has the secrets that are set now kept for an undoing, where one of them changes.
pub(super) fn keep_secrets(steps: &mut Steps, values: &[PanelSetting]) {
    if of(values).any(|one| one.key().is_secret()) {
        let place = Step::MakeDirectory {
            path: notify_vault::directory(),
            owner: Owner::ROOT,
            mode: notify_vault::DIRECTORY,
        };
        steps.add("Make the place for former passwords and secrets", place);
        let keep = Step::Panel(PanelStep::KeepSecrets {});
        steps.add("Keep the former passwords and secrets for an undoing", keep);
    }
}
