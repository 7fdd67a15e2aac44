//! What an authority may ask of port 80 while an order runs, and what it gets.
//!
//! Invariant: a token is known only while the order that offered it runs; anything else is answered as unknown.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where an authority asks.
pub const PATH: &str = "/.well-known/acme-challenge/";

/// A token of a challenge, as RFC 8555, §8.3 allows: safe in a path and in a header.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChallengeToken(String);

impl ChallengeToken {
    /// None for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = (16..=128).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        plain.then(|| Self(text.to_owned()))
    }
}

#[derive(Debug, Default)]
struct Offer {
    answer: String,
    asked: bool,
}

/// The tokens of all orders that run. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Tokens(Arc<Mutex<BTreeMap<ChallengeToken, Offer>>>);

/// A token is answered for as long as this lives.
#[derive(Debug)]
pub struct Offered {
    tokens: Tokens,
    token: ChallengeToken,
}

impl Tokens {
    fn all(&self) -> MutexGuard<'_, BTreeMap<ChallengeToken, Offer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on, whoever asks for this token gets this answer.
    #[must_use]
    pub fn offer(&self, token: ChallengeToken, answer: String) -> Offered {
        let offer = Offer {
            answer,
            asked: false,
        };
        self.all().insert(token.clone(), offer);
        Offered {
            tokens: self.clone(),
            token,
        }
    }

    /// What to answer to a request for this path; none where no order waits for it.
    #[must_use]
    pub fn answer(&self, path: &str) -> Option<String> {
        let token = ChallengeToken::parse(path.strip_prefix(PATH)?)?;
        let mut all = self.all();
        let offer = all.get_mut(&token)?;
        offer.asked = true;
        Some(offer.answer.clone())
    }
}

impl Offered {
    /// True once somebody asked for it.
    #[must_use]
    pub fn was_asked_for(&self) -> bool {
        self.tokens
            .all()
            .get(&self.token)
            .is_some_and(|offer| offer.asked)
    }
}

impl Drop for Offered {
    fn drop(&mut self) {
        self.tokens.all().remove(&self.token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_answered_while_its_order_runs_and_never_after() {
        let tokens = Tokens::default();
        let name = "abcdefghijklmnop";
        let path = format!("{PATH}{name}");
        let offered = tokens.offer(ChallengeToken::parse(name).unwrap(), "proof".to_owned());
        assert!(!offered.was_asked_for());
        assert_eq!(tokens.answer(&path).as_deref(), Some("proof"));
        assert!(offered.was_asked_for());
        assert_eq!(tokens.answer(&format!("{path}x")), None);
        drop(offered);
        assert_eq!(tokens.answer(&path), None);
    }

    #[test]
    fn what_is_no_token_is_never_looked_up() {
        for bad in ["../../etc/passwd", "short", "a b c d e f g h i j", ""] {
            assert_eq!(ChallengeToken::parse(bad), None, "{bad}");
        }
        assert_eq!(ChallengeToken::parse(&"x".repeat(129)), None);
        assert!(ChallengeToken::parse(&"x".repeat(128)).is_some());
    }
}
