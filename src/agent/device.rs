//! Browsers that have signed in before: a cookie by which the owner is told from a stranger who guesses (security.md A-6).
//!
//! Invariant: the cookie lets nobody in. It is good for one account, and only while that account's password is the one it was made under.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::domain::secret::{Token, hex};

/// Half of the token is chance, the other half proves that the agent made it: as many hexadecimal digits each.
const HALF: usize = 32;

/// A new token for a browser that has just signed in. `kept` is the account's password hash: the key, since it is
/// secret, is the account's own, and changes with the password.
pub(super) fn mint(kept: &str, random: [u8; 16]) -> Option<Token> {
    prove(kept, &hex(&random))
}

/// Was this token minted for the account with this password hash?
pub(super) fn is_known(kept: &str, device: &Token) -> bool {
    let nonce = device.reveal().get(..HALF).unwrap_or_default();
    prove(kept, nonce).is_some_and(|own| own.is_same(device))
}

fn prove(kept: &str, nonce: &str) -> Option<Token> {
    let mut mac = Hmac::<Sha256>::new_from_slice(kept.as_bytes()).ok()?;
    mac.update(b"lalapanel/device/");
    mac.update(nonce.as_bytes());
    let proof = hex(&mac.finalize().into_bytes());
    Token::parse(&format!("{nonce}{}", proof.get(..HALF)?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: &str = "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$aGFzaA";

    #[test]
    fn a_device_is_known_to_its_account_and_to_no_other() {
        let device = mint(KEPT, [3; 16]).unwrap();
        assert!(is_known(KEPT, &device));
        assert!(!is_known(&KEPT.replace("c2FsdA", "b3RoZXI"), &device));
        assert_ne!(mint(KEPT, [4; 16]).unwrap().reveal(), device.reveal());
    }

    #[test]
    fn a_changed_token_is_not_known() {
        let device = mint(KEPT, [3; 16]).unwrap();
        for at in 0..64 {
            let mut text = device.reveal().to_owned();
            let other = if &text[at..=at] == "0" { "1" } else { "0" };
            text.replace_range(at..=at, other);
            assert!(!is_known(KEPT, &Token::parse(&text).unwrap()), "{at}");
        }
        assert!(!is_known(KEPT, &Token::from_random([3; 32])));
    }
}
