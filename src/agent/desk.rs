//! Puts the dispatch behind the door.
//!
//! Invariant: a follower waits without holding a thread.

use crate::agent::dispatch::Dispatch;
use crate::agent::door::{Desk, Following, Watched};
use crate::agent::logs;
use crate::domain::account::Actor;
use crate::rpc::protocol::{Answer, Request};

impl Desk for Dispatch {
    fn handle(&self, actor: &Actor, request: Request) -> Answer {
        Self::handle(self, actor, request)
    }

    fn follow(&self, watched: Watched) -> Following {
        let operations = self.operations().clone();
        match watched {
            Watched::Operation { id, after } => {
                Box::pin(async move { operations.follow(id, after).await })
            }
            Watched::Log(tail) => Box::pin(logs::follow(operations.engine().clone(), tail)),
        }
    }
}
