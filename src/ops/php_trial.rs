//! PHP-FPM as steps see it: started with words for people, pinged, and a new version tried on a site's home page before
//! any visitor meets it.
//!
//! Invariant: a trial asks both versions the same over sockets that visitors do not use or that already answer them; it changes nothing.

use serde::{Deserialize, Serialize};

use crate::domain::facts::ServiceManager;
use crate::domain::fault::{Code, Fault};
use crate::domain::name::Hostname;
use crate::domain::path::HostPath;
use crate::domain::php::PhpVersion;
use crate::domain::text::shown;
use crate::host::Host;
use crate::host::exec::{Command, Program};
use crate::ops::context::Context;
use crate::ops::home::Home;
use crate::ops::service;
use crate::ops::step::ServiceAct;
use crate::system::fastcgi::{self, Page};

/// How long a new PHP-FPM may take to answer its first ping.
const PING_MILLIS: u64 = 10_000;
/// How long requests of a pool that is to go are waited for.
const DRAIN_MILLIS: u64 = 60_000;
/// How long a home page may take.
const PAGE_MILLIS: u64 = 30_000;
/// No home page is read further.
const PAGE_LIMIT: usize = 1024 * 1024;

/// A home page asked of two versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Whose.
    pub hostname: Hostname,
    /// Where its `index.php` is.
    pub document_root: HostPath,
    /// The version that serves visitors.
    pub old: PhpVersion,
    /// Where it answers.
    pub old_socket: HostPath,
    /// The version that shall.
    pub new: PhpVersion,
    /// Where it answers, and no visitor asks.
    pub new_socket: HostPath,
}

/// Asks both; a worse answer of the new one ends the operation.
pub(super) fn run(trial: &Trial, context: &Context<'_>) -> Result<(), Fault> {
    let (before, _) = ask(trial, &trial.old_socket, context.host);
    let (now, words) = ask(trial, &trial.new_socket, context.host);
    if now.is_worse_than(&before) {
        return Err(worse(trial, &before, &now, &words));
    }
    context.say(format!(
        "PHP {}: {}; PHP {}: {}",
        trial.new,
        now.words(),
        trial.old,
        before.words()
    ));
    Ok(())
}

fn ask(trial: &Trial, socket: &HostPath, host: &dyn Host) -> (Home, String) {
    let began = host.now();
    let request = fastcgi::page_request(&trial.hostname, &trial.document_root);
    let answer = host.exchange(socket, &request, PAGE_LIMIT, PAGE_MILLIS);
    let page = answer.ok().map(|bytes| fastcgi::page(&bytes));
    let home = Home {
        status: page.as_ref().and_then(|page| page.status),
        is_empty: page.as_ref().is_none_or(|page| page.is_empty),
        millis: host.now().millis_since(began),
    };
    (
        home,
        page.map(|Page { errors, .. }| errors).unwrap_or_default(),
    )
}

fn worse(trial: &Trial, before: &Home, now: &Home, words: &str) -> Fault {
    let Trial {
        hostname, old, new, ..
    } = trial;
    let cause = fastcgi::culprit(words, &trial.document_root);
    let because = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
    Fault::new(
        Code::PhpWorse,
        format!(
            "{hostname} stays on PHP {old}. With {new} the home page {}{because}",
            now.verdict()
        ),
        "mend, update or turn off what is named, then try again; no visitor has met the new version",
    )
    .detail(format!("With PHP {old}: {}", before.words()))
}

/// Starts a PHP-FPM under systemd. Why not as any service: what it dies of is in its own words, not in systemd's.
pub(super) fn start(host: &dyn Host, unit: &str, php: PhpVersion) -> Result<(), Fault> {
    let started = service::act(host, ServiceManager::Systemd, unit, ServiceAct::Start);
    started.map_err(|fault| {
        Fault::new(
            Code::PhpSilent,
            format!("PHP-FPM {php} does not start for this site"),
            format!(
                "see `journalctl -u {unit}` for its own words; an extension or a setting in `/etc/php/{php}/fpm` is the usual cause"
            ),
        )
        .detail(last_words(host, unit).unwrap_or(fault.detail))
    })
}

fn last_words(host: &dyn Host, unit: &str) -> Option<String> {
    let arguments = [
        "status",
        "--no-pager",
        "--full",
        "--lines=30",
        "--output=cat",
        "--",
        unit,
    ];
    let output = host
        .run(&Command::new(Program::Systemctl, arguments))
        .ok()?;
    let log = output.stdout.split_once("\n\n")?.1;
    let telling = ["Fatal", "ERROR", "error while", "Unable to"];
    let named = |line: &&str| telling.iter().any(|word| line.contains(word));
    let line = log.lines().find(named)?;
    Some(shown(line, 400))
}

/// Why a loop: the shared PHP-FPM makes a new pool's socket only some time after its reload was said to be done.
pub(super) fn ping(host: &dyn Host, socket: &HostPath) -> Result<(), Fault> {
    let deadline = host.now().millis().saturating_add(PING_MILLIS);
    loop {
        let answer = host.exchange(socket, &fastcgi::ping_request(), 4096, PING_MILLIS);
        if answer.is_ok_and(|answer| fastcgi::is_pong(&answer)) {
            return Ok(());
        }
        if host.now().millis() >= deadline {
            return Err(silent(socket));
        }
        host.pause(50);
    }
}

/// Waits for the last requests of a pool that nginx does not point at any more. Why no fault: a request that takes
/// longer is cut off by its own limit, and a pool that does not answer has nothing to lose.
pub(super) fn drain(host: &dyn Host, socket: &HostPath) {
    let deadline = host.now().millis().saturating_add(DRAIN_MILLIS);
    while host.now().millis() < deadline {
        let answer = host.exchange(socket, &fastcgi::status_request(), 8192, 2_000);
        match answer.ok().and_then(|answer| fastcgi::busy(&answer)) {
            // The one that answers this question is busy with it.
            None | Some(0 | 1) => return,
            Some(_) => host.pause(100),
        }
    }
}

fn silent(socket: &HostPath) -> Fault {
    let name = socket.name().trim_end_matches(".sock");
    Fault::new(
        Code::PhpSilent,
        format!("PHP-FPM does not answer at `{socket}`"),
        format!("see `journalctl -u lalapanel-php-{name}` for its own words, then try again"),
    )
}
