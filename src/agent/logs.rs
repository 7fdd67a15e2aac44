//! Answers questions about the logs of sites: a part of one, and what comes next.
//!
//! Invariant: which file is read follows from the site and the kind of log; whoever waits holds no thread between two looks.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::agent::door::LogTail;
use crate::domain::fault::{Code, Fault};
use crate::domain::log::{LogFile, LogFilter, LogPlace};
use crate::domain::name::Hostname;
use crate::domain::site::Site;
use crate::ops::engine::Engine;
use crate::ops::state::State;
use crate::rpc::log::LogView;
use crate::rpc::protocol::{Answer, Reply};
use crate::system::facts;
use crate::system::logs::Log;

/// How long a follower waits without news.
const FOLLOW: Duration = Duration::from_secs(15);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(500);
/// No file has this inode: what comes into a file that does not exist yet is new from its beginning.
const NOWHERE: LogPlace = LogPlace {
    inode: 0,
    offset: 0,
};

/// A part of a log.
pub fn read(
    engine: &Engine,
    hostname: &Hostname,
    file: LogFile,
    filter: &LogFilter,
    lines: u32,
    before: Option<LogPlace>,
) -> Answer {
    let log = log(engine, &site(engine, hostname)?, file, filter)?;
    let lines = usize::try_from(lines).unwrap_or(usize::MAX);
    let view = log.read(filter, lines, before)?;
    Ok(Reply::Log(Box::new(view)))
}

/// What came into a log, once there is something.
pub async fn follow(engine: Engine, mut tail: LogTail) -> Answer {
    let deadline = Instant::now() + FOLLOW;
    let site = site(&engine, &tail.hostname)?;
    let mut existed = None;
    loop {
        let view = look(&engine, &site, &tail).await?;
        let is_news = !view.records.is_empty() || view.skipped > 0;
        let is_changed = existed.is_some_and(|before| before != view.exists);
        if is_news || is_changed || Instant::now() >= deadline {
            return Ok(Reply::Log(Box::new(view)));
        }
        existed = Some(view.exists);
        tail.after = view.newer;
        sleep(LOOK).await;
    }
}

async fn look(engine: &Engine, site: &Site, tail: &LogTail) -> Result<LogView, Fault> {
    let (engine, site, tail) = (engine.clone(), site.clone(), tail.clone());
    let looked = tokio::task::spawn_blocking(move || {
        let log = log(&engine, &site, tail.file, &tail.filter)?;
        if let Some(after) = tail.after {
            return Ok(log.newer(&tail.filter, after, tail.whole)?);
        }
        let mut view = log.read(&tail.filter, 0, None)?;
        view.newer = view.newer.or(Some(NOWHERE));
        Ok(view)
    });
    looked.await.unwrap_or_else(|_| Err(broke()))
}

fn site(engine: &Engine, hostname: &Hostname) -> Result<Site, Fault> {
    Ok(State::read(engine.store())?.site(hostname)?.clone())
}

fn log<'e>(
    engine: &'e Engine,
    site: &Site,
    file: LogFile,
    filter: &LogFilter,
) -> Result<Log<'e>, Fault> {
    if filter.status.is_some() && file != LogFile::Access {
        return Err(Fault::new(
            Code::RequestInvalid,
            "only the access log knows the status of answers",
            "leave the status out, or look at the access log",
        ));
    }
    if site.logs().all(|kept| kept != file) {
        return Err(Fault::new(
            Code::LogNone,
            format!("{} runs no PHP, so PHP writes no log for it", site.hostname),
            format!(
                "see what nginx says: `lalapanel log {} error`",
                site.hostname
            ),
        ));
    }
    let writer = if file.is_of_php() {
        site.id.uid()
    } else {
        facts::log_owners(engine.host())?.nginx
    };
    Ok(Log {
        host: engine.host(),
        writer,
        file,
        path: site.log_file(file),
    })
}

fn broke() -> Fault {
    Fault::new(
        Code::HostFailed,
        "the log could not be read",
        "see `journalctl -u lalapanel-agent`, and report it",
    )
}
