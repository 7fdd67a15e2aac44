//! Puts the dispatch behind the door.
//!
//! Invariant: a follower waits without holding a thread.

use crate::agent::dispatch::Dispatch;
use crate::agent::door::{Desk, Following};
use crate::domain::account::Actor;
use crate::domain::id::OperationId;
use crate::rpc::protocol::{Answer, Request};

impl Desk for Dispatch {
    fn handle(&self, actor: &Actor, request: Request) -> Answer {
        Self::handle(self, actor, request)
    }

    fn follow(&self, id: OperationId, after: u64) -> Following {
        let operations = self.operations().clone();
        Box::pin(async move { operations.follow(id, after).await })
    }
}
