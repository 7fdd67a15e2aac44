//! Applying nginx configuration so that it is known to be in force: stage, test, reload, and hear the marker.
//!
//! Invariant: `nginx -t` and a successful reload prove nothing by themselves (both say OK where the old
//! configuration stays in force); only the marker read back through nginx does.

use crate::domain::facts::ServiceManager;
use crate::domain::fault::{Code, Fault};
use crate::domain::id::OperationId;
use crate::domain::name::Hostname;
use crate::domain::path::HostPath;
use crate::domain::text::shown;
use crate::host::exec::{Command, Program};
use crate::host::{Host, Mode, Owner};
use crate::ops::act::must;
use crate::ops::service;
use crate::ops::step::{Expectation, ServiceAct};
use crate::render;
use crate::system::{nginx, open_files};

/// How long a reload may take before it counts as not applied.
const CONFIRM_MILLIS: u64 = 10_000;
/// How long old workers are waited for.
const REPLACE_MILLIS: u64 = 2_000;
/// How long a site may take to give its first good answer after a change.
const PROBE_MILLIS: u64 = 3_000;
/// So many right answers in a row count.
const IN_A_ROW: u32 = 4;
const CONFIG_LIMIT: usize = 4 * 1024 * 1024;

pub use crate::render::nginx::marker_file;

/// nginx.conf with one more file, for testing only. In `/etc/nginx`, since relative includes count from there.
#[must_use]
pub fn staged_file() -> HostPath {
    HostPath::fixed("/etc/nginx/lalapanel-staged.conf")
}

/// Writes the marker of an operation.
pub fn stamp(host: &dyn Host, operation: OperationId) -> Result<(), Fault> {
    let text = render::nginx::marker(operation);
    host.write(&marker_file(), text.as_bytes(), Owner::ROOT, Mode(0o644))
        .map_err(Fault::from)
}

/// Lets nginx test what it would read, with one more file if given; the live configuration is not touched.
pub fn check(host: &dyn Host, with: Option<&HostPath>) -> Result<(), Fault> {
    let Some(path) = with else {
        return test(host, None);
    };
    let main = host.read(&HostPath::fixed("/etc/nginx/nginx.conf"), CONFIG_LIMIT)?;
    let Some(staged) = nginx::with_include(&String::from_utf8_lossy(&main), path) else {
        return Err(Fault::new(
            Code::NginxBroken,
            "`/etc/nginx/nginx.conf` has no http block",
            "put the distribution's `nginx.conf` back, then try again",
        ));
    };
    let write = host.write(&staged_file(), staged.as_bytes(), Owner::ROOT, Mode(0o600));
    let tested = write
        .map_err(Fault::from)
        .and_then(|()| test(host, Some(&staged_file())));
    host.remove(&staged_file())?;
    tested
}

/// The site's new file while it is tested.
#[must_use]
pub fn staged_site_file() -> HostPath {
    HostPath::fixed("/etc/nginx/lalapanel-staged-site.conf")
}

/// Every file that is there only while nginx tests.
#[must_use]
pub fn staged_files() -> [HostPath; 3] {
    let own = render::nginx::staged_snippet_file();
    [staged_file(), staged_site_file(), own]
}

/// Lets nginx test what it would read with a text in place of the file behind a link; the live files are not touched.
pub fn check_instead(
    host: &dyn Host,
    link: &HostPath,
    text: &str,
    snippet: Option<&str>,
) -> Result<(), Fault> {
    let main = host.read(&HostPath::fixed("/etc/nginx/nginx.conf"), CONFIG_LIMIT)?;
    let main = String::from_utf8_lossy(&main).into_owned();
    let enabled = host.list(&link.parent())?;
    let Some(staged) = nginx::with_instead(&main, link, &enabled, &staged_site_file()) else {
        return Err(Fault::new(
            Code::NginxBroken,
            "`/etc/nginx/nginx.conf` does not include `/etc/nginx/sites-enabled/*` in its http block",
            "put the distribution's `nginx.conf` back, then try again",
        ));
    };
    let own = render::nginx::staged_snippet_file();
    let write =
        |path: &HostPath, text: &str| host.write(path, text.as_bytes(), Owner::ROOT, Mode(0o600));
    let write = write(&staged_site_file(), text)
        .and_then(|()| snippet.map_or(Ok(()), |snippet| write(&own, snippet)))
        .and_then(|()| write(&staged_file(), &staged));
    let tested = write
        .map_err(Fault::from)
        .and_then(|()| test(host, Some(&staged_file())));
    host.remove(&staged_file())?;
    host.remove(&staged_site_file())?;
    host.remove(&own)?;
    tested.map_err(|mut fault| {
        fault.detail = fault
            .detail
            .replace(&format!("{own}:"), "the site's own directives, line ");
        fault
    })
}

fn test(host: &dyn Host, file: Option<&HostPath>) -> Result<(), Fault> {
    match nginx::complaint(host, file)? {
        None => Ok(()),
        Some(line) => Err(Fault::new(
            Code::NginxRejected,
            "nginx does not accept the new configuration",
            "the live configuration was not touched; the line below names the place",
        )
        .detail(shown(&line, 400))),
    }
}

/// Reloads nginx and waits for the marker that is on disk.
pub fn reload(host: &dyn Host, services: ServiceManager) -> Result<(), Fault> {
    // nginx itself says where it still cannot open a file: then the marker is not heard.
    let _ = open_files::lift(host);
    let before = nginx::workers(host);
    signal(host, services)?;
    until_replaced(host, &before);
    let wanted = marker_on_disk(host)?;
    let heard = steadily(host, CONFIRM_MILLIS, || {
        Ok(Some(nginx::marker(host)).filter(|heard| heard.is_some() && *heard == wanted))
    })?;
    heard.map(drop).map_err(|()| unconfirmed(host))
}

/// Why not `systemctl reload`: that starts a second nginx, which reads the whole configuration only to send this signal.
fn signal(host: &dyn Host, services: ServiceManager) -> Result<(), Fault> {
    if services == ServiceManager::Sysv {
        return service::act(host, services, "nginx", ServiceAct::Reload);
    }
    let arguments = [
        "kill",
        "--kill-whom=main",
        "--signal=HUP",
        "--",
        "nginx.service",
    ];
    must(host, &Command::new(Program::Systemctl, arguments))
}

/// Waits until no worker of before takes connections. On a busy machine such a one still answers visitors with the
/// old configuration after the new workers have answered us.
///
/// Why no fault: a worker that hangs takes no connections either, and whether nginx reloaded at all is the marker's to say.
fn until_replaced(host: &dyn Host, before: &[u32]) {
    let deadline = host.now().millis().saturating_add(REPLACE_MILLIS);
    let mut wait = 1;
    while host.now().millis() < deadline {
        let now = nginx::workers(host);
        if !before.iter().any(|worker| now.contains(worker)) {
            return;
        }
        host.pause(wait);
        wait = (wait * 2).min(50);
    }
}

/// Asks until the answer is right several times in a row: for some milliseconds after a reload old workers still take
/// connections beside the new ones. Gives the last right answer, or `Err(())` inside once the time is over.
fn steadily<T>(
    host: &dyn Host,
    millis: u64,
    ask: impl Fn() -> Result<Option<T>, Fault>,
) -> Result<Result<T, ()>, Fault> {
    let deadline = host.now().millis().saturating_add(millis);
    let (mut row, mut wait) = (0, 2);
    loop {
        match ask()? {
            Some(right) if row + 1 >= IN_A_ROW => return Ok(Ok(right)),
            Some(_) => row += 1,
            None if host.now().millis() >= deadline => return Ok(Err(())),
            None => {
                row = 0;
                host.pause(wait);
                wait = (wait * 2).min(100);
            }
        }
    }
}

/// On the way back: where nginx was stopped meanwhile, there is nothing to reload.
pub fn reload_if_running(host: &dyn Host, services: ServiceManager) -> Result<(), Fault> {
    let state = service::state(host, services, "nginx")?;
    if !state.active {
        return Ok(());
    }
    if marker_on_disk(host)?.is_none() {
        return service::act(host, services, "nginx", ServiceAct::Reload);
    }
    reload(host, services)
}

fn marker_on_disk(host: &dyn Host) -> Result<Option<String>, Fault> {
    if host.stat(&marker_file())?.is_none() {
        return Ok(None);
    }
    let bytes = host.read(&marker_file(), CONFIG_LIMIT)?;
    Ok(nginx::marker_in(&String::from_utf8_lossy(&bytes)))
}

fn unconfirmed(host: &dyn Host) -> Fault {
    let words = host
        .run(&Command::new(Program::Nginx, ["-t"]))
        .map(|output| output.stderr)
        .unwrap_or_default();
    let line = words
        .lines()
        .find(|line| line.contains("[emerg]"))
        .unwrap_or_default();
    Fault::new(
        Code::NginxUnconfirmed,
        "nginx was told to reload, but still serves the old configuration",
        "see the end of `/var/log/nginx/error.log` and `systemctl status nginx`, then try again",
    )
    .detail(shown(line, 400))
}

/// Asks for a site's first page through nginx's own socket, as a visitor would over port 80.
pub fn probe(host: &dyn Host, hostname: &Hostname, expect: Expectation) -> Result<(), Fault> {
    let right = |status: Option<u16>| match (expect, status) {
        (Expectation::Welcome, Some(200)) => true,
        (Expectation::Answer, Some(status)) => !matches!(status, 502..=504),
        (Expectation::Anything, Some(_)) => true,
        _ => false,
    };
    let ask = || nginx::probe(host, hostname).map_err(Fault::from);
    let answer = steadily(host, PROBE_MILLIS, || {
        Ok(Some(ask()?).filter(|status| right(*status)))
    })?;
    if answer.is_ok() {
        return Ok(());
    }
    let said = ask()?.map_or_else(
        || "closed the connection".to_owned(),
        |status| format!("answered {status}"),
    );
    Err(Fault::new(
        Code::SiteUnhealthy,
        format!("{hostname} {said} after the change"),
        format!("see `/var/log/lalapanel/{hostname}/error.log`, then try again"),
    ))
}
