//! Has WordPress's archive fetched, once at a time however many ask, and tells how it went.
//!
//! Invariant: nobody waits longer than a moment: who asks while it is on its way is told so, and asks again.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::domain::fault::{Code, Fault};
use crate::domain::time::Timestamp;
use crate::ops::engine::Engine;
use crate::ops::wordpress_archive::{self, Source};
use crate::rpc::protocol::{Answer, Reply};
use crate::rpc::view::ArchiveView;
use crate::schedule::Jobs;
use crate::system::config::{self, Wordpress};

/// A file of roots is no larger.
const ROOTS: usize = 256 * 1024;
const JOB: &str = "archive of WordPress";
/// Whoever asks has more patience than that.
const WAIT: Duration = Duration::from_secs(20);

/// Somebody who asks so soon after a failure was waiting for it.
const SOON_MILLIS: u64 = 10_000;

type Failure = (Timestamp, Fault);

/// Fetches. Clones share everything.
#[derive(Clone)]
pub(super) struct Fetcher {
    engine: Engine,
    settings: Arc<Wordpress>,
    jobs: Jobs,
    /// Why the last try came to nothing, and when, until somebody was told.
    failure: Arc<(Mutex<Option<Failure>>, Condvar)>,
}

impl Fetcher {
    /// With the settings of `[wordpress]`.
    pub(super) fn new(engine: Engine, settings: Wordpress) -> Self {
        Self {
            engine,
            settings: Arc::new(settings),
            jobs: Jobs::default(),
            failure: Arc::default(),
        }
    }

    /// What is at hand, and where another one would come from.
    pub(super) fn view(&self) -> Result<ArchiveView, Fault> {
        let url = self.settings.url();
        Ok(ArchiveView {
            fetched: wordpress_archive::at_hand(self.engine.host(), &url)?,
            is_coming: self.jobs.is_running(JOB),
            url,
        })
    }

    /// Has it fetched where none is at hand, and waits a moment for it.
    pub(super) fn fetch(&self) -> Answer {
        let source = self.source()?;
        let view = self.view()?;
        if view.fetched.is_none() && !view.is_coming {
            let now = self.engine.host().now();
            match self.failed().take() {
                Some((then, fault)) if now.millis_since(then) < SOON_MILLIS => return Err(fault),
                _ => self.begin(source),
            }
        }
        if let Some((_, fault)) = self.ended() {
            return Err(fault);
        }
        self.view().map(|view| Reply::Archive(Box::new(view)))
    }

    /// Waits a moment for the end; why it failed, where it did.
    fn ended(&self) -> Option<Failure> {
        let ended = &self.failure.1;
        let waited = ended.wait_timeout_while(self.failed(), WAIT, |_| self.jobs.is_running(JOB));
        let mut failure = waited.unwrap_or_else(PoisonError::into_inner).0;
        if self.jobs.is_running(JOB) {
            return None;
        }
        failure.take()
    }

    fn failed(&self) -> MutexGuard<'_, Option<Failure>> {
        let failure = self.failure.0.lock();
        failure.unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, source: Source) {
        let (fetcher, ended) = (self.clone(), Arc::clone(&self.failure));
        let job = move || {
            if let Err(fault) = wordpress_archive::fetch(fetcher.engine.host(), source) {
                let now = fetcher.engine.host().now();
                *fetcher.failed() = Some((now, fault));
            }
        };
        self.jobs.start(JOB, job, move || {
            // Who holds it now has looked whether it runs, and does not wait yet.
            drop(ended.0.lock());
            ended.1.notify_all();
        });
    }

    fn source(&self) -> Result<Source, Fault> {
        let roots = match &self.settings.ca_file {
            Some(path) => {
                let bytes = self.engine.host().read(path, ROOTS);
                let bytes = bytes.map_err(|error| unset(&error.to_string()))?;
                Some(String::from_utf8_lossy(&bytes).into_owned())
            }
            None => None,
        };
        Ok(Source {
            url: self.settings.url(),
            roots,
        })
    }
}

fn unset(why: &str) -> Fault {
    Fault::new(
        Code::ConfigInvalid,
        "`wordpress.ca_file` cannot be used",
        format!(
            "mend it in `{}`, then restart the panel; files in homes are closed to it",
            config::file()
        ),
    )
    .detail(why)
}
