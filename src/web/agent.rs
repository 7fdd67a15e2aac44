//! The one way out of the web process: a call to the agent.
//!
//! Invariant: no page asks anything of the machine except through this trait.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;

use tokio::sync::mpsc;

use crate::rpc::client::Client;
use crate::rpc::filling::Brought;
use crate::rpc::protocol::{Answer, Call};

/// A call under way.
pub type AgentCall<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// Whoever answers calls: the agent's socket, or in tests the agent itself.
pub trait Agent: Send + Sync + 'static {
    /// Asks, and waits for the answer. An agent that does not answer is the fault `agent.unreachable`.
    fn call(&self, call: Call) -> AgentCall<'_>;
    /// Asks for what is poured, and passes its pieces on.
    fn pour(&self, call: Call, _to: mpsc::Sender<Vec<u8>>) -> AgentCall<'_> {
        self.call(call)
    }
    /// Asks, and brings what comes out of `from`.
    fn fill(&self, call: Call, _from: mpsc::Receiver<Brought>) -> AgentCall<'_> {
        self.call(call)
    }
}

/// The agent behind its socket.
#[derive(Debug)]
pub struct SocketAgent(Client);

impl SocketAgent {
    /// The agent that listens at this path; nothing is connected yet.
    #[must_use]
    pub fn new(socket: &Path) -> Self {
        Self(Client::new(socket))
    }
}

impl Agent for SocketAgent {
    fn call(&self, call: Call) -> AgentCall<'_> {
        Box::pin(async move { self.0.call(&call).await })
    }

    fn pour(&self, call: Call, to: mpsc::Sender<Vec<u8>>) -> AgentCall<'_> {
        Box::pin(async move { self.0.pour(&call, &to).await })
    }

    fn fill(&self, call: Call, from: mpsc::Receiver<Brought>) -> AgentCall<'_> {
        Box::pin(async move { self.0.fill(&call, from).await })
    }
}
