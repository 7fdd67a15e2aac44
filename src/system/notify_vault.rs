//! Where secrets of section `[notify]` wait between being typed and being written, and where the former ones are for an undoing.
//!
//! Invariant: root alone reads it; plans, the journal and answers hold numbers of it and never what is in it.

use crate::domain::fault::{Code, Fault};
use crate::domain::notify_setting::{NotifySecrets, NotifySetting, SecretId};
use crate::domain::path::HostPath;
use crate::domain::secret::hex;
use crate::host::{Host, HostError, HostResult, Mode, Owner};
use crate::system::files;
use crate::system::notify::Notify;

/// Root alone looks into it.
pub const DIRECTORY: Mode = Mode(0o700);
const SECRET: Mode = Mode(0o600);
const LIMIT: usize = 16 * 1024;

/// Where all of it is.
#[must_use]
pub fn directory() -> HostPath {
    HostPath::fixed("/var/lib/lalapanel/notify")
}

/// Where an operation leaves what it takes out of the settings.
#[must_use]
pub fn former_file() -> HostPath {
    directory().join("former")
}

/// Keeps what somebody typed, with what they typed before (`kept`), in place of everything that waited here.
pub fn stage(
    host: &dyn Host,
    new: NotifySecrets,
    kept: Option<&SecretId>,
) -> Result<SecretId, Fault> {
    let before = match kept {
        Some(id) => read(host, &directory().join(id.as_str()))?,
        None => NotifySecrets::default(),
    };
    let secrets = NotifySecrets {
        smtp_password: new.smtp_password.or(before.smtp_password),
        webhook_url: new.webhook_url.or(before.webhook_url),
        webhook_secret: new.webhook_secret.or(before.webhook_secret),
    };
    let mut random = [0_u8; 16];
    host.random(&mut random)?;
    let id = SecretId::parse(&hex(&random)).map_err(|bad| unreadable(&bad.to_string()))?;
    // What an operation took out stays: it may be running.
    for name in host.list(&directory())? {
        let file = directory().join(&name);
        if file != former_file() {
            host.remove(&file)?;
        }
    }
    write(host, &directory().join(id.as_str()), &secrets)?;
    Ok(id)
}

/// Leaves the secrets that are set now for an undoing.
pub fn keep(host: &dyn Host, settings: &Notify) -> Result<(), Fault> {
    let secrets = NotifySecrets {
        smtp_password: settings.smtp_password.clone(),
        webhook_url: settings.webhook_url.clone(),
        webhook_secret: settings.webhook_secret.clone(),
    };
    write(host, &former_file(), &secrets)
}

/// What a setting stands for.
pub fn secret(host: &dyn Host, setting: &NotifySetting) -> Result<String, Fault> {
    let file = if setting.is_former() {
        former_file()
    } else {
        directory().join(setting.value())
    };
    let secrets = read(host, &file)?;
    let text = secrets.of(setting.key()).map(str::to_owned);
    text.ok_or_else(gone)
}

/// Destroys all of it.
pub fn destroy(host: &dyn Host) -> HostResult<()> {
    files::destroy(host, &directory())
}

fn write(host: &dyn Host, file: &HostPath, secrets: &NotifySecrets) -> Result<(), Fault> {
    let bytes = serde_json::to_vec(secrets).map_err(|error| unreadable(&error.to_string()))?;
    host.make_dir(&directory(), Owner::ROOT, DIRECTORY)?;
    host.write(file, &bytes, Owner::ROOT, SECRET)?;
    Ok(())
}

fn read(host: &dyn Host, file: &HostPath) -> Result<NotifySecrets, Fault> {
    match host.read(file, LIMIT) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| gone()),
        Err(HostError::Missing { .. }) => Err(gone()),
        Err(error) => Err(error.into()),
    }
}

fn gone() -> Fault {
    Fault::new(
        Code::SettingInvalid,
        "The password or secret that was typed is not here any more",
        "type it again: somebody else changed these settings meanwhile",
    )
}

fn unreadable(why: &str) -> Fault {
    Fault::new(
        Code::HostFailed,
        "The secrets could not be kept",
        "try again; nothing was changed",
    )
    .detail(why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::authority::KeyText;
    use crate::domain::notify_setting::NotifyKey;
    use crate::host::memory::MemoryHost;
    use crate::host::memory::machine::Machine;

    #[test]
    fn what_was_typed_waits_for_root_alone_and_makes_room_for_the_next() {
        let host = MemoryHost::new(Machine::debian());
        host.make_dir(&directory().parent(), Owner::ROOT, DIRECTORY)
            .unwrap();
        let typed = |password: Option<&str>, secret: Option<&str>| NotifySecrets {
            smtp_password: password.map(|text| KeyText::new(text.to_owned())),
            webhook_secret: secret.map(|text| KeyText::new(text.to_owned())),
            webhook_url: None,
        };
        let of =
            |key, id: &SecretId| secret(&host, &NotifySetting::parse(key, id.as_str()).unwrap());
        let first = stage(&host, typed(Some("canary"), None), None).unwrap();
        let file = directory().join(first.as_str());
        let meta = host.stat(&file).unwrap().unwrap();
        assert_eq!((meta.mode, meta.owner), (SECRET, Owner::ROOT));
        assert_eq!(of(NotifyKey::SmtpPassword, &first).unwrap(), "canary");
        let both = stage(&host, typed(None, Some("hook")), Some(&first)).unwrap();
        assert_eq!(of(NotifyKey::SmtpPassword, &both).unwrap(), "canary");
        assert_eq!(of(NotifyKey::WebhookSecret, &both).unwrap(), "hook");
        let fault = of(NotifyKey::SmtpPassword, &first).unwrap_err();
        assert!(fault.hint.contains("type it again"), "{}", fault.hint);
        assert!(of(NotifyKey::WebhookUrl, &both).is_err());
    }
}
