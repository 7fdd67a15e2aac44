//! Proofs in DNS, as the course of an order needs them: written, and seen by everybody.
//!
//! Invariant: whoever writes them removes them, whatever becomes of the order.

use std::future::Future;
use std::pin::Pin;

use crate::acme::diary::Diary;
use crate::domain::dns::ProofText;
use crate::domain::dns_way::HookProgram;
use crate::domain::order::Problem;
use crate::domain::site_name::SiteName;

/// The record one name needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The name.
    pub name: SiteName,
    /// What the record says.
    pub text: ProofText,
}

/// What comes of writing, later.
pub type Written<'a> = Pin<Box<dyn Future<Output = Result<(), Problem>> + Send + 'a>>;

/// What comes of a program, later.
pub type Ran<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// Whoever can write into DNS.
pub trait Records: Send + Sync {
    /// Writes all of them beside what is there, and waits until every server of the zone shows them.
    fn write<'a>(&'a self, values: &'a [Value], diary: &'a Diary) -> Written<'a>;
}

/// Whoever can run a program of the owner's.
pub trait Programs: Send + Sync {
    /// Runs it to its end; why it came to nothing is words for people.
    fn run<'a>(&'a self, program: &'a HookProgram, arguments: Vec<String>) -> Ran<'a>;
}
