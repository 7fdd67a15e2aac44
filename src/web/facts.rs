//! What no page can do without: the panel's names, the proxies in front of it, the server's name.
//!
//! Invariant: the agent alone tells them. Until it has, nothing is served but that it does not answer.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::domain::fault::{Code, Fault};
use crate::rpc::protocol::{Call, Reply, Request};
use crate::rpc::view::PanelView;
use crate::web::agent::Agent;
use crate::web::authority::Names;

/// Both processes start at the same time; for so long after its own start this one lets people wait for the agent.
const GRACE: Duration = Duration::from_secs(2);
/// Between two tries in that time.
const PAUSE: Duration = Duration::from_millis(5);
/// An agent that takes a question and does not answer it is as good as none.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the agent told.
pub(super) struct Facts {
    /// Names and addresses the panel may be opened by.
    pub(super) names: Names,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub(super) trusted_proxies: Vec<IpAddr>,
    /// The server's name, as pages show it.
    pub(super) server: String,
}

impl From<PanelView> for Facts {
    fn from(view: PanelView) -> Self {
        Self {
            names: Names::new(&view.hosts),
            trusted_proxies: view.trusted_proxies,
            server: view.server,
        }
    }
}

/// The facts, or how to come by them.
pub(super) struct Learning {
    agent: Arc<dyn Agent>,
    told: OnceCell<Facts>,
    begun: Instant,
}

impl Learning {
    pub(super) fn new(agent: Arc<dyn Agent>) -> Self {
        Self {
            agent,
            told: OnceCell::new(),
            begun: Instant::now(),
        }
    }

    /// The facts, where the agent has told them already.
    pub(super) fn known(&self) -> Option<&Facts> {
        self.told.get()
    }

    /// The facts; who comes before the agent has told them asks it.
    pub(super) async fn facts(&self) -> Result<&Facts, Fault> {
        if let Some(facts) = self.known() {
            return Ok(facts);
        }
        let asking = self.told.get_or_try_init(|| self.ask());
        tokio::time::timeout(PATIENCE, asking)
            .await
            .unwrap_or_else(|_| Err(silent()))
    }

    async fn ask(&self) -> Result<Facts, Fault> {
        loop {
            let call = Call {
                session: None,
                bearer: None,
                from: None,
                request: Request::Panel {},
            };
            match self.agent.call(call).await {
                Ok(Reply::Panel(view)) => return Ok(view.into()),
                Ok(_) => return Err(silent()),
                Err(_) if self.begun.elapsed() < GRACE => tokio::time::sleep(PAUSE).await,
                Err(fault) => return Err(fault),
            }
        }
    }
}

/// What is said where nobody was asked, or nobody answered.
pub(super) fn silent() -> Fault {
    Fault::new(
        Code::AgentUnreachable,
        "The panel's agent does not answer",
        "see `systemctl status lalapanel-agent`",
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::web::agent::AgentCall;

    #[derive(Clone, Copy)]
    enum Turn {
        Refuse,
        Hang,
    }

    /// Does what its list says; at its end it answers.
    struct Script(Mutex<Vec<Turn>>);

    impl Agent for Script {
        fn call(&self, _: Call) -> AgentCall<'_> {
            let turn = self.0.lock().unwrap().pop();
            Box::pin(async move {
                match turn {
                    Some(Turn::Refuse) => Err(silent()),
                    Some(Turn::Hang) => std::future::pending().await,
                    None => Ok(Reply::Panel(PanelView {
                        server: "panel.example".to_owned(),
                        ..PanelView::default()
                    })),
                }
            })
        }
    }

    fn learning(script: &[Turn]) -> Learning {
        Learning::new(Arc::new(Script(Mutex::new(script.to_vec()))))
    }

    #[tokio::test(start_paused = true)]
    async fn an_agent_that_starts_at_the_same_time_is_waited_for() {
        let learning = learning(&[Turn::Refuse; 20]);
        assert_eq!(learning.facts().await.unwrap().server, "panel.example");
        assert!(learning.begun.elapsed() < GRACE);
    }

    #[tokio::test(start_paused = true)]
    async fn later_an_agent_that_is_down_is_told_at_once_and_asked_again_each_time() {
        let learning = learning(&[Turn::Refuse; 2]);
        tokio::time::sleep(GRACE).await;
        let before = Instant::now();
        for _ in 0..2 {
            let fault = learning.facts().await.err().unwrap();
            assert_eq!(fault.code, Code::AgentUnreachable);
        }
        assert_eq!(before.elapsed(), Duration::ZERO);
        assert!(learning.known().is_none());
        assert!(learning.facts().await.is_ok() && learning.known().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn an_agent_that_hangs_holds_nobody_for_long() {
        let learning = learning(&[Turn::Hang]);
        let before = Instant::now();
        let (first, second) = tokio::join!(learning.facts(), learning.facts());
        assert!(first.is_err() || second.is_err());
        assert_eq!(before.elapsed(), PATIENCE);
        assert!(learning.facts().await.is_ok());
    }
}
