//! nginx configuration text: its words, its tree, and which of it a person may add to a site.
//!
//! Invariant: what is read here is what nginx reads; where two readers could differ, the text is refused.

pub mod adopt;
pub(crate) mod allow;
mod answer;
mod argument;
#[cfg(test)]
pub(crate) mod corpus;
#[cfg(test)]
pub(crate) mod generated;
mod location;
mod pattern;
pub mod refusal;
pub mod snippet;
pub mod token;
pub mod tree;

pub use refusal::{Refusal, Refused};
pub use snippet::Snippet;
pub use tree::Directive;
