//! The course of an order: account, order, proofs, request, chain. Each state is a type, and only its own next step leads on.
//!
//! Invariant: an answer to a challenge is offered before the authority is told to look, and no later than the order's end withdrawn.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::acme::Jitter;
use crate::acme::challenge::{ChallengeToken, Offered, Tokens};
pub use crate::acme::diary::Diary;
pub use crate::acme::protocol::{OrderState, Proof, ProofState, Protocol};
use crate::acme::records::{Records, Value};
use crate::domain::order::{Problem, ProblemKind};
use crate::domain::site_name::SiteName;

/// How often a step is begun again where the authority refused our numbers used once; the client itself tries four times each.
const NONCE_ROUNDS: u32 = 3;
/// How often the whole order is, after that.
const ORDERS: u32 = 2;
/// Between two looks, at first and at most.
const FIRST_LOOK: u64 = 500;
const LAST_LOOK: u64 = 5000;
/// For one proof, and for the certificate once it is asked for.
const PATIENCE: Duration = Duration::from_secs(90);

/// What is ordered.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The names.
    pub names: &'a [SiteName],
    /// The request as PEM.
    pub request: &'a str,
}

/// How names are proved.
#[derive(Clone, Copy)]
pub enum Way<'a> {
    /// By an answer over port 80.
    Port80(&'a Tokens),
    /// By a record in DNS.
    Dns(&'a dyn Records),
}

/// An order on its way.
pub struct Course<'a, P: Protocol> {
    protocol: &'a P,
    wanted: Wanted<'a>,
    way: Way<'a>,
    diary: &'a Diary,
    jitter: Jitter,
}

/// The account is there.
struct Known<A>(A);
/// The order is placed.
struct Placed<O>(O);
/// All names are proved.
struct Proved<O>(O);
/// The certificate was made.
struct Made<O>(O);

impl<'a, P: Protocol> Course<'a, P> {
    /// At its beginning.
    pub fn new(
        protocol: &'a P,
        wanted: Wanted<'a>,
        way: Way<'a>,
        diary: &'a Diary,
        seed: u64,
    ) -> Self {
        Self {
            protocol,
            wanted,
            way,
            diary,
            jitter: Jitter::new(seed),
        }
    }

    /// To its end: the chain.
    pub async fn run(mut self) -> Result<String, Problem> {
        let mut orders = 0;
        loop {
            orders += 1;
            match self.once().await {
                Err(problem) if problem.kind == ProblemKind::Nonce && orders < ORDERS => {
                    self.diary
                        .note("the authority refused our numbers used once: ordering again");
                    self.pause(2000).await;
                }
                Err(problem) => {
                    self.diary.note(format!("failed: {problem}"));
                    return Err(problem);
                }
                Ok(chain) => return Ok(chain),
            }
        }
    }

    async fn once(&mut self) -> Result<String, Problem> {
        let known = self.known().await?;
        let placed = self.placed(&known).await?;
        let proved = self.proved(placed).await?;
        let made = self.made(proved).await?;
        self.fetched(&made).await
    }

    async fn known(&mut self) -> Result<Known<P::Account>, Problem> {
        let protocol = self.protocol;
        let account = self.again(|| protocol.account()).await?;
        self.diary.note("the authority knows our account");
        Ok(Known(account))
    }

    async fn placed(&mut self, known: &Known<P::Account>) -> Result<Placed<P::Order>, Problem> {
        let (protocol, names) = (self.protocol, self.wanted.names);
        let order = self.again(|| protocol.place(&known.0, names)).await?;
        self.diary.note("the order is placed");
        Ok(Placed(order))
    }

    async fn proved(
        &mut self,
        Placed(order): Placed<P::Order>,
    ) -> Result<Proved<P::Order>, Problem> {
        let mut open = Vec::new();
        for proof in self.proofs(&order).await? {
            match &proof.state {
                ProofState::Given => {
                    let name = &proof.name;
                    self.diary.note(format!("{name} was proved before"));
                }
                ProofState::Failed(problem) => return Err(problem.clone().of(&proof.name)),
                ProofState::Open => open.push(proof),
            }
        }
        let mut offered = Vec::new();
        match self.way {
            Way::Port80(tokens) => {
                for proof in &open {
                    offered.push(self.offer(proof, tokens).await?);
                }
            }
            Way::Dns(records) => self.write(&open, records).await?,
        }
        self.wait_for_proofs(&order, &offered).await?;
        Ok(Proved(order))
    }

    /// First the answer, then the word that it is there.
    async fn offer(
        &mut self,
        proof: &Proof<P::Challenge>,
        tokens: &Tokens,
    ) -> Result<(SiteName, Offered), Problem> {
        let name = proof.name.clone();
        let challenge = proof.port80.as_ref().ok_or_else(|| {
            Problem::new(ProblemKind::Proof, "no challenge over port 80 is offered").of(&name)
        })?;
        let (token, answer) = self.protocol.answer(challenge)?;
        let token = ChallengeToken::parse(&token).ok_or_else(|| {
            Problem::new(
                ProblemKind::Garbled,
                "its token has characters no token has",
            )
            .of(&name)
        })?;
        let offered = tokens.offer(token, answer);
        self.tell(challenge, &name).await?;
        self.diary
            .note(format!("{name}: the authority was told to look at port 80"));
        Ok((name, offered))
    }

    /// First all records, until every server has them, then the word that they are there.
    async fn write(
        &mut self,
        open: &[Proof<P::Challenge>],
        records: &dyn Records,
    ) -> Result<(), Problem> {
        let (mut values, mut challenges) = (Vec::new(), Vec::new());
        for proof in open {
            let challenge = proof.dns.as_ref().ok_or_else(|| {
                Problem::new(ProblemKind::Proof, "no challenge in DNS is offered").of(&proof.name)
            })?;
            values.push(Value {
                name: proof.name.clone(),
                text: self.protocol.record(challenge)?,
            });
            challenges.push((challenge, &proof.name));
        }
        records.write(&values, self.diary).await?;
        for (challenge, name) in challenges {
            self.tell(challenge, name).await?;
            self.diary
                .note(format!("{name}: the authority was told to look at DNS"));
        }
        Ok(())
    }

    async fn tell(&mut self, challenge: &P::Challenge, name: &SiteName) -> Result<(), Problem> {
        let protocol = self.protocol;
        let told = self.again(|| protocol.look(challenge)).await;
        told.map_err(|problem| problem.of(name))
    }

    async fn wait_for_proofs(
        &mut self,
        order: &P::Order,
        offered: &[(SiteName, Offered)],
    ) -> Result<(), Problem> {
        let (deadline, mut look) = (Instant::now() + PATIENCE, FIRST_LOOK);
        loop {
            let proofs = self.proofs(order).await?;
            for proof in &proofs {
                if let ProofState::Failed(problem) = &proof.state {
                    let problem = match self.way {
                        Way::Port80(_) => seen(problem.clone(), &proof.name, offered),
                        Way::Dns(_) => seen_in_dns(problem.clone()),
                    };
                    return Err(problem.of(&proof.name));
                }
            }
            let open = proofs.iter().find(|proof| proof.state != ProofState::Given);
            let Some(open) = open else {
                self.diary.note("all names are proved");
                return Ok(());
            };
            if Instant::now() >= deadline {
                let words = "the authority did not come to an end with its look";
                return Err(Problem::new(ProblemKind::Late, words).of(&open.name));
            }
            look = self.wait(look).await;
        }
    }

    async fn made(&mut self, Proved(order): Proved<P::Order>) -> Result<Made<P::Order>, Problem> {
        let (deadline, mut look) = (Instant::now() + PATIENCE, FIRST_LOOK);
        let (protocol, request) = (self.protocol, self.wanted.request);
        let (mut order, mut sent) = (order, false);
        loop {
            let (now, state) = self.again(|| protocol.state(&order)).await?;
            order = now;
            match state {
                OrderState::Done => {
                    self.diary.note("the certificate is made");
                    return Ok(Made(order));
                }
                OrderState::Failed(problem) => return Err(problem),
                OrderState::Ready if !sent => {
                    self.again(|| protocol.finalize(&order, request)).await?;
                    self.diary.note("the request is sent");
                    sent = true;
                    continue;
                }
                OrderState::Ready | OrderState::Open | OrderState::Working => {}
            }
            if Instant::now() >= deadline {
                let words = "the authority did not come to an end with the order";
                return Err(Problem::new(ProblemKind::Late, words));
            }
            look = self.wait(look).await;
        }
    }

    async fn fetched(&mut self, made: &Made<P::Order>) -> Result<String, Problem> {
        let protocol = self.protocol;
        let chain = self.again(|| protocol.chain(&made.0)).await?;
        self.diary.note("the certificate is here");
        Ok(chain)
    }

    async fn proofs(&mut self, order: &P::Order) -> Result<Vec<Proof<P::Challenge>>, Problem> {
        let protocol = self.protocol;
        self.again(|| protocol.proofs(order)).await
    }

    /// The same step again, where a number used once was refused.
    async fn again<T, F>(&mut self, step: impl Fn() -> F) -> Result<T, Problem>
    where
        F: Future<Output = Result<T, Problem>>,
    {
        let mut round = 0;
        loop {
            round += 1;
            match step().await {
                Err(problem) if problem.kind == ProblemKind::Nonce && round < NONCE_ROUNDS => {
                    self.pause(300 * u64::from(round)).await;
                }
                ended => return ended,
            }
        }
    }

    async fn wait(&mut self, millis: u64) -> u64 {
        self.pause(millis).await;
        (millis.saturating_mul(3) / 2).min(LAST_LOOK)
    }

    async fn pause(&mut self, millis: u64) {
        sleep(Duration::from_millis(self.jitter.around(millis))).await;
    }
}

/// Nobody asked us: whoever answered, if anybody did, was not this server.
fn seen(problem: Problem, name: &SiteName, offered: &[(SiteName, Offered)]) -> Problem {
    let own = offered.iter().find(|(own, _)| own == name);
    let asked = own.is_some_and(|(_, offered)| offered.was_asked_for());
    let elsewhere = matches!(problem.kind, ProblemKind::Refused | ProblemKind::Response);
    let kind = if elsewhere && !asked {
        ProblemKind::Response
    } else {
        problem.kind
    };
    Problem { kind, ..problem }
}

/// Every server has the record by then, as far as can be seen from here.
fn seen_in_dns(problem: Problem) -> Problem {
    let kind = match problem.kind {
        ProblemKind::Refused | ProblemKind::Response | ProblemKind::Connection => {
            ProblemKind::Unseen
        }
        kind => kind,
    };
    Problem { kind, ..problem }
}

#[cfg(test)]
mod tests;
