//! Tells people by mail and webhook what needs somebody, and when it is over.
//!
//! Invariant: one task alone tells, by the settings as they are in the file now; what was told stays known in memory where it
//! cannot be written down (a full disk), so that nobody is told of it every minute.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::agent::issuance::Issuer;
use crate::agent::letter::{self, News, Sender};
use crate::agent::operations::Operations;
use crate::agent::panel::Panel;
use crate::agent::warnings;
use crate::domain::fault::{Code, Fault};
use crate::domain::notice::{Notices, Way};
use crate::domain::notify_setting::{NotifyKey, NotifySecrets, SecretId};
use crate::domain::path::HostPath;
use crate::domain::secret::hex;
use crate::host::Host;
use crate::rpc::courier::{Errand, Mail, Report, Webhook};
use crate::rpc::notify::{MatterView, NotifyView, TrialView, WayView};
use crate::rpc::protocol::{Answer, Reply};
use crate::schedule::Jobs;
use crate::system::config::{self, Config};
use crate::system::notify::Notify;
use crate::system::{courier, notify_vault};

/// It is looked so often, and oftener only where what is short is to be told.
const LONGEST_PAUSE: u64 = 60;
const SHORTEST_PAUSE: u64 = 5;
/// A file of roots is no larger.
const ROOTS: usize = 256 * 1024;

/// Tells. Clones share everything.
#[derive(Clone)]
pub(super) struct Notifier {
    operations: Operations,
    issuer: Issuer,
    jobs: Jobs,
    known: Arc<Mutex<Option<Notices>>>,
}

impl Notifier {
    /// What it tells of is looked up by these.
    pub(super) fn new(operations: Operations, issuer: Issuer) -> Self {
        Self {
            operations,
            issuer,
            jobs: Jobs::default(),
            known: Arc::default(),
        }
    }

    /// Looks and tells, for as long as it is polled. `log` is told what keeps it from that.
    ///
    /// On a thread of its own: at the agent's end nobody waits for a mail server.
    pub(super) async fn keep(self, log: fn(&str)) {
        loop {
            let (tell, told) = oneshot::channel();
            let notifier = self.clone();
            let job = move || {
                let _ = tell.send(notifier.look());
            };
            self.jobs.start("notify", job, || ());
            let pause = match told.await {
                Ok(Ok(pause)) => pause,
                Ok(Err(fault)) => {
                    log(&fault.title);
                    LONGEST_PAUSE
                }
                Err(_) => LONGEST_PAUSE,
            };
            tokio::time::sleep(Duration::from_secs(pause)).await;
        }
    }

    /// Looks, tells what is due, and says after how many seconds to look again.
    fn look(&self) -> Result<u64, Fault> {
        let config = Config::read(self.host())?;
        let settings = &config.notify;
        let ways = settings.ways();
        if ways.is_empty() {
            return Ok(LONGEST_PAUSE);
        }
        let warnings = warnings::now(&self.operations, &self.issuer)?;
        let after = u64::from(settings.after_seconds);
        let before = self.notices()?;
        let mut notices = before.clone();
        notices.see(&warnings, after, self.host().now());
        for way in &ways {
            let now = self.host().now();
            let due = notices.due(*way, after, now);
            if due.is_empty() || !notices.may_send(*way, now) {
                continue;
            }
            match self.send(&config, *way, News::Due(&due)) {
                Ok(_) => notices.sent(*way, &due, self.host().now()),
                Err(fault) => notices.failed(*way, &words(&fault), self.host().now()),
            }
        }
        let now = self.host().now();
        notices.forget(&ways, after, now);
        let again = notices.told.values().filter_map(|told| told.again);
        let again = again.map(|again| again.millis_since(now) / 1000 + 1).min();
        *self.known() = Some(notices.clone());
        if notices != before {
            self.operations.engine().store().put_notices(&notices)?;
        }
        let pause = after.min(again.unwrap_or(LONGEST_PAUSE));
        Ok(pause.clamp(SHORTEST_PAUSE, LONGEST_PAUSE))
    }

    /// How it stands.
    pub(super) fn view(&self) -> Result<NotifyView, Fault> {
        let config = Config::read(self.host())?;
        let (settings, notices) = (&config.notify, self.notices()?);
        let (after, now) = (u64::from(settings.after_seconds), self.host().now());
        let way = |way: Way| {
            let told = notices.told.get(&way).cloned().unwrap_or_default();
            let due = notices.due(way, after, now);
            WayView {
                way,
                target: settings.target(way),
                last: told.sent.last().copied(),
                sent: count(told.sent.len()),
                waiting: count(due.begun.len() + due.over.len()),
                failure: told.failure,
                again: told.again,
            }
        };
        let (secret, plain): (Vec<_>, Vec<_>) =
            NotifyKey::ALL.into_iter().partition(|key| key.is_secret());
        let plain = plain.into_iter().map(|key| {
            let value = settings.value(key).text().to_owned();
            (key.key().to_owned(), value)
        });
        let secret = secret
            .into_iter()
            .filter(|key| settings.value(*key).is_former());
        let counting = notices.matters.iter().filter(|(_, one)| one.counts);
        Ok(NotifyView {
            ways: settings.ways().into_iter().map(way).collect(),
            matters: counting
                .map(|(key, one)| MatterView {
                    key: key.clone(),
                    title: one.title.clone(),
                    began: one.began,
                    over: one.gone.is_some(),
                })
                .collect(),
            settings: plain.collect(),
            secrets: secret.map(|key| key.key().to_owned()).collect(),
            after_seconds: settings.after_seconds,
            disk_percent: settings.disk_percent.number(),
            memory_percent: settings.memory_percent.number(),
        })
    }

    /// Keeps secrets that were typed until a change puts them in place.
    pub(super) fn stage(&self, secrets: NotifySecrets, kept: Option<&SecretId>) -> Answer {
        let id = notify_vault::stage(self.host(), secrets, kept)?;
        Ok(Reply::NotifyStaged { id })
    }

    /// Tells everybody something for a try, all at once, and says what came back.
    pub(super) fn try_out(&self) -> Answer {
        let config = Config::read(self.host())?;
        let ways = config.notify.ways();
        if ways.is_empty() {
            return Err(unset());
        }
        let trial = |way: Way| {
            let sent = self.send(&config, way, News::Trial);
            let (answer, failure) = match sent {
                Ok(answer) => (Some(answer), None),
                Err(fault) => (None, Some(fault)),
            };
            TrialView {
                way,
                target: config.notify.target(way),
                answer,
                failure,
            }
        };
        let trials = std::thread::scope(|scope| {
            let begun: Vec<_> = ways
                .into_iter()
                .map(|way| scope.spawn(move || trial(way)))
                .collect();
            begun
                .into_iter()
                .filter_map(|one| one.join().ok())
                .collect()
        });
        Ok(Reply::NotifyTried(trials))
    }

    fn send(&self, config: &Config, way: Way, news: News<'_>) -> Result<String, Fault> {
        let (host, now) = (self.host(), self.host().now());
        let panel = Panel::of(host, config);
        let sender = Sender {
            server: config
                .panel
                .hostname
                .as_ref()
                .map_or(panel.server.clone(), ToString::to_string),
            url: panel.url(),
        };
        let errand = match way {
            Way::Mail => {
                let subject = letter::subject(&sender, news);
                let text = letter::text(&sender, news, now);
                Errand::Mail(Box::new(mail(
                    host,
                    &config.notify,
                    &sender,
                    subject,
                    text,
                )?))
            }
            Way::Webhook => {
                let body = letter::document(&sender, news, now);
                Errand::Webhook(Box::new(webhook(host, &config.notify, body)?))
            }
        };
        match courier::send(host, &errand)? {
            Report::Delivered { answer } => Ok(answer),
            _ => Err(courier::beside_the_point()),
        }
    }

    fn notices(&self) -> Result<Notices, Fault> {
        if let Some(known) = self.known().as_ref() {
            return Ok(known.clone());
        }
        Ok(self.operations.engine().store().notices()?)
    }

    fn known(&self) -> MutexGuard<'_, Option<Notices>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn host(&self) -> &dyn Host {
        self.operations.engine().host()
    }
}

fn mail(
    host: &dyn Host,
    settings: &Notify,
    sender: &Sender,
    subject: String,
    text: String,
) -> Result<Mail, Fault> {
    let (Some(to), Some(server)) = (settings.mail_to.clone(), settings.smtp_host.clone()) else {
        return Err(unset());
    };
    let from = settings.mail_from.as_ref().or(to.all().first()).cloned();
    let mut random = [0_u8; 16];
    host.random(&mut random)?;
    Ok(Mail {
        server,
        port: settings.port(),
        security: settings.smtp_security,
        roots: roots(host, settings.smtp_ca_file.as_ref(), "smtp_ca_file")?,
        login: settings
            .smtp_user
            .clone()
            .zip(settings.smtp_password.clone()),
        name: sender.server.clone(),
        from: from.ok_or_else(unset)?,
        to,
        id: hex(&random),
        subject,
        text,
    })
}

fn webhook(host: &dyn Host, settings: &Notify, body: String) -> Result<Webhook, Fault> {
    let url = settings.webhook_url.clone().ok_or_else(unset)?;
    let time = host.now().millis() / 1000;
    let secret = settings.webhook_secret.as_ref();
    Ok(Webhook {
        url,
        roots: roots(host, settings.webhook_ca_file.as_ref(), "webhook_ca_file")?,
        time,
        signature: secret.and_then(|secret| letter::signature(secret, time, &body)),
        body,
    })
}

fn roots(host: &dyn Host, path: Option<&HostPath>, key: &str) -> Result<Option<String>, Fault> {
    let Some(path) = path else {
        return Ok(None);
    };
    let bytes = host.read(path, ROOTS).map_err(|error| {
        let title = format!("`notify.{key}` cannot be used");
        let hint = format!(
            "mend it in `{}`; files in homes are closed to the panel",
            config::file()
        );
        Fault::new(Code::ConfigInvalid, title, hint).detail(error.to_string())
    })?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn unset() -> Fault {
    Fault::new(
        Code::NotifyUnset,
        "Nobody is told: neither mail nor a webhook is set",
        format!(
            "say whom: `lalapanel notify set --help`, or section `[notify]` of `{}`",
            config::file()
        ),
    )
}

fn words(fault: &Fault) -> String {
    if fault.detail.is_empty() {
        fault.title.clone()
    } else {
        format!("{}: {}", fault.title, fault.detail)
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
