//! Changes settings in `/etc/lalapanel/config.toml`, and nothing else in it.
//!
//! Invariant: comments, order and sections of others stay; a file that could not be read again is never written.

use toml_edit::DocumentMut;

use crate::domain::fault::{Code, Fault};
use crate::domain::notify_setting::NotifySetting;
use crate::domain::panel_setting::PanelSetting;
use crate::host::{Host, HostError, HostResult, Mode, Owner};
use crate::system::config::{Config, LIMIT, file};
use crate::system::notify_vault;

/// The values that settings have now.
pub fn values(host: &dyn Host, of: &[PanelSetting]) -> HostResult<Vec<PanelSetting>> {
    let config = match host.read(&file(), LIMIT) {
        Ok(bytes) => Config::parse(&String::from_utf8_lossy(&bytes)).unwrap_or_default(),
        Err(HostError::Missing { .. }) => Config::default(),
        Err(error) => return Err(error),
    };
    Ok(of.iter().map(|setting| config.value(setting)).collect())
}

/// Refuses settings that do not go together, before anything is done.
pub fn refuse_unfit(host: &dyn Host, values: &[PanelSetting]) -> Result<(), Fault> {
    let text = changed(host, values)?;
    let config: Config = toml::from_str(&text).map_err(|error| {
        let hint = "mend it in the settings file, then try again";
        let title = format!("`{}` would not be right", file());
        Fault::new(Code::ConfigInvalid, title, hint).detail(error.message())
    })?;
    config.notify.check().map_err(|why| {
        let hint = "give both at once, as in `lalapanel notify set --mail-to … --smtp-host …`";
        Fault::new(Code::SettingInvalid, why, hint)
    })
}

fn changed(host: &dyn Host, values: &[PanelSetting]) -> Result<String, Fault> {
    let text = match host.read(&file(), LIMIT) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(HostError::Missing { .. }) => Config::default().text(),
        Err(error) => return Err(error.into()),
    };
    edited(&text, values, &|setting| {
        notify_vault::secret(host, setting)
    })
}

/// Changes settings in the file; comments and everything else in it stay as they are.
pub fn put(host: &dyn Host, values: &[PanelSetting]) -> Result<(), Fault> {
    let text = changed(host, values)?;
    // What cannot be read again would keep the agent from starting.
    Config::parse(&text)?;
    host.write(&file(), text.as_bytes(), Owner::ROOT, Mode(0o600))
        .map_err(Fault::from)
}

fn edited(
    text: &str,
    values: &[PanelSetting],
    secret: &dyn Fn(&NotifySetting) -> Result<String, Fault>,
) -> Result<String, Fault> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        Fault::new(
            Code::ConfigInvalid,
            format!("`{}` cannot be read", file()),
            "mend the line named below, then try again",
        )
        .detail(error.to_string())
    })?;
    for setting in values {
        let (section, key) = setting.key().split_once('.').unwrap_or_default();
        let table = document.entry(section).or_insert_with(toml_edit::table);
        let Some(table) = table.as_table_like_mut() else {
            continue;
        };
        let Some(mut new) = written(setting, secret)? else {
            table.remove(key);
            if table.is_empty() && section == "notify" {
                document.remove(section);
            }
            continue;
        };
        if let Some(old) = table.get(key).and_then(toml_edit::Item::as_value) {
            *new.decor_mut() = old.decor().clone();
        }
        table.insert(key, toml_edit::Item::Value(new));
    }
    Ok(document.to_string())
}

fn written(
    setting: &PanelSetting,
    secret: &dyn Fn(&NotifySetting) -> Result<String, Fault>,
) -> Result<Option<toml_edit::Value>, Fault> {
    let plain = match setting {
        PanelSetting::Notify(one) if one.value().is_empty() => return Ok(None),
        PanelSetting::Notify(one) if one.key().is_secret() => return Ok(Some(secret(one)?.into())),
        other => other,
    };
    Ok(plain_value(plain))
}

fn plain_value(setting: &PanelSetting) -> Option<toml_edit::Value> {
    Some(match setting {
        PanelSetting::Notify(one) if one.key().is_number() => {
            one.value().parse::<i64>().ok()?.into()
        }
        PanelSetting::Notify(one) => one.value().into(),
        PanelSetting::Hostname(name) => name.as_ref()?.as_str().into(),
        PanelSetting::Port(port) => i64::from(port.number()).into(),
        PanelSetting::Email(email) => email.as_ref()?.as_str().into(),
        PanelSetting::Directory(directory) | PanelSetting::FallbackDirectory(directory) => {
            directory.as_ref()?.as_str().into()
        }
        PanelSetting::FallbackAfter(failures) => i64::from((*failures)?.number()).into(),
        PanelSetting::TrustedProxies(proxies) => {
            let proxies = proxies.iter().map(ToString::to_string);
            toml_edit::Value::Array(proxies.collect())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_changed_and_everything_else_in_the_file_stays() {
        let none = |_: &NotifySetting| -> Result<String, Fault> { unreachable!() };
        let text = "# mine\n[panel]\nport = 8443 # as everywhere\n\n[acme]\nemail = \"a@b.example\"\neab_kid = \"k\"\n";
        let set = |key, value| PanelSetting::parse(key, value).unwrap();
        let values = [
            set("panel.port", "9443"),
            set("panel.hostname", "panel.example"),
            set("acme.email", ""),
            set("acme.fallback_directory", "https://other.example/dir"),
            set("acme.fallback_after", "5"),
            set("panel.trusted_proxies", "192.0.2.1"),
        ];
        let changed = edited(text, &values, &none).unwrap();
        assert!(changed.starts_with("# mine\n[panel]\nport = 9443 # as everywhere\n"));
        assert!(changed.contains("eab_kid = \"k\"") && !changed.contains("email"));
        let config = Config::parse(&changed).unwrap();
        for setting in &values {
            assert_eq!(config.value(setting), *setting);
        }
        assert!(edited("[panel\n", &values, &none).is_err());
        assert!(Config::parse(&edited("", &values, &none).unwrap()).is_ok());
    }
}
