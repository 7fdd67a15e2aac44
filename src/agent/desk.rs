//! Puts the dispatch behind the door.
//!
//! Invariant: a follower waits without holding a thread.

use std::io::{Read, Write};

use crate::agent::dispatch::{Dispatch, misdirected};
use crate::agent::door::{Desk, Following, Watched};
use crate::agent::{databases, logs};
use crate::domain::account::Actor;
use crate::rpc::protocol::{Answer, Reply, Request};

impl Desk for Dispatch {
    fn handle(&self, actor: &Actor, request: Request) -> Answer {
        Self::handle(self, actor, request)
    }

    fn pour(&self, request: Request, from: &mut dyn Read, to: &mut dyn Write) -> Answer {
        match request {
            Request::DatabaseExport { name } => {
                databases::export(self.operations().engine(), &name, to).map(Reply::Exported)
            }
            Request::DatabaseLoad { name, unfinished } => {
                let engine = self.operations().engine();
                databases::load(engine, &name, unfinished, from).map(Reply::Loaded)
            }
            _ => Err(misdirected()),
        }
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
