//! How verbs ask the agent: over its socket, or in tests a script.
//!
//! Invariant: a verb connects when it first asks, so that `--help` and wrong usage need no agent.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::fault::{Code, Fault};
use crate::rpc::blocking::BlockingClient;
use crate::rpc::protocol::{Answer, Reply, Request};

/// Whoever answers.
pub trait Ask {
    /// Asks and waits.
    fn ask(&mut self, request: Request) -> Answer;
    /// Asks for what is poured, and writes it.
    fn pour(&mut self, _: Request, _: &mut dyn Write) -> Answer {
        Err(unexpected(Reply::Done {}))
    }
    /// Asks, and brings what is read.
    fn fill(&mut self, _: Request, _: &mut dyn Read) -> Answer {
        Err(unexpected(Reply::Done {}))
    }
    /// Waits a moment before asking again.
    fn pause(&mut self);
}

/// systemd brings an agent that died back in about a second.
const PAUSE: Duration = Duration::from_millis(500);

/// The agent behind a socket.
#[derive(Debug)]
pub struct Agent {
    path: PathBuf,
    client: Option<BlockingClient>,
}

impl Agent {
    /// The agent at this socket; nothing is connected yet.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            client: None,
        }
    }
}

impl Ask for Agent {
    fn ask(&mut self, request: Request) -> Answer {
        let mut client = match self.client.take() {
            Some(client) => client,
            None => BlockingClient::connect(&self.path)?,
        };
        let answer = client.call(request);
        let is_lost = answer
            .as_ref()
            .is_err_and(|fault| fault.code == Code::AgentUnreachable);
        if !is_lost {
            self.client = Some(client);
        }
        answer
    }

    fn pour(&mut self, request: Request, to: &mut dyn Write) -> Answer {
        BlockingClient::connect(&self.path)?.pour(request, to)
    }

    fn fill(&mut self, request: Request, from: &mut dyn Read) -> Answer {
        BlockingClient::connect(&self.path)?.fill(request, from)
    }

    fn pause(&mut self) {
        std::thread::sleep(PAUSE);
    }
}

/// The agent answered something else than it promises; it is of another version.
#[must_use]
pub fn unexpected(_: Reply) -> Fault {
    Fault::new(
        Code::AgentUnreachable,
        "The agent is of another version than this command",
        "restart it: `systemctl restart lalapanel-agent lalapanel-web`",
    )
}
