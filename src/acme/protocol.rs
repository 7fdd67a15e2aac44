//! The protocol with an authority, as the course of an order needs it.
//!
//! Invariant: one crate in one file is behind it; whatever an authority says comes out of it as our own types.

use std::future::Future;

use crate::domain::dns::ProofText;
use crate::domain::order::Problem;
use crate::domain::site_name::SiteName;

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
    pub name: SiteName,
    /// How it stands.
    pub state: ProofState,
    /// The way over port 80; none where it is not offered.
    pub port80: Option<C>,
    /// The way by a record in DNS; none where it is not offered.
    pub dns: Option<C>,
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
    /// A challenge.
    type Challenge: Send + Sync;

    /// Finds our account, or makes it.
    fn account(&self) -> impl Future<Output = Result<Self::Account, Problem>> + Send;
    /// Places an order.
    fn place(
        &self,
        account: &Self::Account,
        names: &[SiteName],
    ) -> impl Future<Output = Result<Self::Order, Problem>> + Send;
    /// What it wants proved.
    fn proofs(
        &self,
        order: &Self::Order,
    ) -> impl Future<Output = Result<Vec<Proof<Self::Challenge>>, Problem>> + Send;
    /// Token and answer of a challenge over port 80.
    fn answer(&self, challenge: &Self::Challenge) -> Result<(String, String), Problem>;
    /// The value of the record for a challenge in DNS.
    fn record(&self, challenge: &Self::Challenge) -> Result<ProofText, Problem>;
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
