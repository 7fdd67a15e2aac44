//! The course of an order: account, order, proofs, request, chain. Each state is a type, and only its own next step leads on.
//!
//! Invariant: an answer to a challenge is offered before the authority is told to look, and no later than the order's end withdrawn.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::acme::Jitter;
use crate::acme::challenge::{ChallengeToken, Offered, Tokens};
use crate::domain::name::Hostname;
use crate::domain::order::{Moment, Problem, ProblemKind};

/// How often a step is begun again where the authority refused our numbers used once; the client itself tries four times each.
const NONCE_ROUNDS: u32 = 3;
/// How often the whole order is, after that.
const ORDERS: u32 = 2;
/// Between two looks, at first and at most.
const FIRST_LOOK: u64 = 500;
const LAST_LOOK: u64 = 5000;
/// For one proof, and for the certificate once it is asked for.
const PATIENCE: Duration = Duration::from_secs(90);

/// How a proof stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProofState {
    /// The authority waits for it, or looks.
    Open,
    /// Given.
    Given,
    /// Not accepted.
    Failed(Problem),
}

/// What the authority wants proved, and by what.
#[derive(Debug, Clone)]
pub struct Proof<C> {
    /// Of which name.
    pub name: Hostname,
    /// How it stands.
    pub state: ProofState,
    /// The way over port 80; none where it is not offered.
    pub challenge: Option<C>,
}

/// How an order stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderState {
    /// Proofs are missing, or being looked at.
    Open,
    /// The request may be sent.
    Ready,
    /// The certificate is being made.
    Working,
    /// The certificate is there.
    Done,
    /// It came to nothing.
    Failed(Problem),
}

/// The protocol, as the course needs it. Behind it is one crate, in one file.
pub trait Protocol: Send + Sync {
    /// Who we are at the authority.
    type Account: Send + Sync;
    /// An order under way.
    type Order: Send + Sync;
    /// A challenge over port 80.
    type Challenge: Send + Sync;

    /// Finds our account, or makes it.
    fn account(&self) -> impl Future<Output = Result<Self::Account, Problem>> + Send;
    /// Places an order.
    fn place(
        &self,
        account: &Self::Account,
        names: &[Hostname],
    ) -> impl Future<Output = Result<Self::Order, Problem>> + Send;
    /// What it wants proved.
    fn proofs(
        &self,
        order: &Self::Order,
    ) -> impl Future<Output = Result<Vec<Proof<Self::Challenge>>, Problem>> + Send;
    /// Token and answer of a challenge.
    fn answer(&self, challenge: &Self::Challenge) -> Result<(String, String), Problem>;
    /// Tells the authority to look.
    fn look(&self, challenge: &Self::Challenge)
    -> impl Future<Output = Result<(), Problem>> + Send;
    /// How an order stands now.
    fn state(
        &self,
        order: &Self::Order,
    ) -> impl Future<Output = Result<(Self::Order, OrderState), Problem>> + Send;
    /// Sends the request.
    fn finalize(
        &self,
        order: &Self::Order,
        request: &str,
    ) -> impl Future<Output = Result<(), Problem>> + Send;
    /// Fetches the chain.
    fn chain(&self, order: &Self::Order) -> impl Future<Output = Result<String, Problem>> + Send;
}

/// What happened so far. Clones share it, so that it survives a course that is given up.
#[derive(Debug, Clone)]
pub struct Diary {
    began: Instant,
    moments: Arc<Mutex<Vec<Moment>>>,
}

impl Default for Diary {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            moments: Arc::default(),
        }
    }
}

impl Diary {
    /// Notes what happened now.
    pub fn note(&self, what: impl Into<String>) {
        let moment = Moment {
            after: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            what: what.into(),
        };
        self.moments
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(moment);
    }

    /// All of it.
    #[must_use]
    pub fn read(&self) -> Vec<Moment> {
        self.moments
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// What is ordered.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The names.
    pub names: &'a [Hostname],
    /// The request as PEM.
    pub request: &'a str,
}

/// An order on its way.
pub struct Course<'a, P: Protocol> {
    protocol: &'a P,
    wanted: Wanted<'a>,
    tokens: &'a Tokens,
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
        tokens: &'a Tokens,
        diary: &'a Diary,
        seed: u64,
    ) -> Self {
        Self {
            protocol,
            wanted,
            tokens,
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
        let proofs = self.proofs(&order).await?;
        let mut offered = Vec::new();
        for proof in proofs {
            match proof.state {
                ProofState::Given => {
                    let name = &proof.name;
                    self.diary.note(format!("{name} was proved before"));
                }
                ProofState::Failed(problem) => return Err(problem.of(&proof.name)),
                ProofState::Open => offered.push(self.offer(&proof).await?),
            }
        }
        self.wait_for_proofs(&order, &offered).await?;
        Ok(Proved(order))
    }

    /// First the answer, then the word that it is there.
    async fn offer(&mut self, proof: &Proof<P::Challenge>) -> Result<(Hostname, Offered), Problem> {
        let name = proof.name.clone();
        let challenge = proof.challenge.as_ref().ok_or_else(|| {
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
        let offered = self.tokens.offer(token, answer);
        let protocol = self.protocol;
        self.again(|| protocol.look(challenge))
            .await
            .map_err(|problem| problem.of(&name))?;
        self.diary
            .note(format!("{name}: the authority was told to look at port 80"));
        Ok((name, offered))
    }

    async fn wait_for_proofs(
        &mut self,
        order: &P::Order,
        offered: &[(Hostname, Offered)],
    ) -> Result<(), Problem> {
        let (deadline, mut look) = (Instant::now() + PATIENCE, FIRST_LOOK);
        loop {
            let proofs = self.proofs(order).await?;
            for proof in &proofs {
                if let ProofState::Failed(problem) = &proof.state {
                    let own = offered.iter().find(|(name, _)| *name == proof.name);
                    let asked = own.is_some_and(|(_, offered)| offered.was_asked_for());
                    return Err(seen(problem.clone(), asked).of(&proof.name));
                }
            }
            let open = proofs.iter().find(|proof| proof.state != ProofState::Given);
            let Some(open) = open else {
                self.diary.note("all names are proved");
                return Ok(());
            };
            if Instant::now() >= deadline {
                let words = "the authority did not come to an end with its look at port 80";
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
fn seen(problem: Problem, asked: bool) -> Problem {
    let elsewhere = matches!(problem.kind, ProblemKind::Refused | ProblemKind::Response);
    let kind = if elsewhere && !asked {
        ProblemKind::Response
    } else {
        problem.kind
    };
    Problem { kind, ..problem }
}

#[cfg(test)]
mod tests;
