//! Hashes and checks passwords with Argon2id, a few at a time.
//!
//! Invariant: a name nobody has costs the same work as a wrong password, and memory for hashing is bounded.

use std::sync::{Condvar, Mutex, PoisonError};

use argon2::password_hash::{Error, PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::domain::fault::{Code, Fault};
use crate::domain::secret::Password;

/// Hashes at the same time: 128 MiB at most.
const AT_ONCE: usize = 2;
/// Callers that wait for their turn; one more is sent away.
const QUEUE: usize = 16;
const GIB: u64 = 1024 * 1024 * 1024;

/// How much work a hash is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strength {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Strength {
    /// What a server with this much memory can afford; never below the floor of OWASP ASVS 5.0.
    #[must_use]
    pub fn for_memory(bytes: u64) -> Self {
        // Servers sold with 2 GiB report a little less.
        if bytes >= 2 * GIB - GIB / 8 {
            Self {
                memory: 64 * 1024,
                passes: 3,
            }
        } else {
            Self {
                memory: 19 * 1024,
                passes: 2,
            }
        }
    }
}

/// What checking a password found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is not the password.
    Wrong,
    /// It is.
    Right,
    /// It is, and its hash is of less work than a new one would be.
    RightButWeak,
}

/// The hasher. Calls block; at most two work at a time.
#[derive(Debug)]
pub struct Hasher {
    strength: Strength,
    dummy: String,
    busy: Mutex<Busy>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct Busy {
    working: usize,
    waiting: usize,
}

impl Hasher {
    /// A hasher of this strength.
    #[must_use]
    pub fn new(strength: Strength) -> Self {
        Self {
            strength,
            dummy: dummy(strength),
            busy: Mutex::new(Busy::default()),
            freed: Condvar::new(),
        }
    }

    /// The hash of a new password, as a PHC text.
    pub fn hash(&self, password: &Password, salt: &[u8; 16]) -> Result<String, Fault> {
        let _turn = self.turn()?;
        hash(self.strength, password.bytes(), salt)
    }

    /// Compares a password with a hash; `None` does the same work and is wrong.
    pub fn verify(&self, password: &Password, kept: Option<&str>) -> Result<Verdict, Fault> {
        let _turn = self.turn()?;
        let text = kept.unwrap_or(&self.dummy);
        let parsed = PasswordHash::new(text).map_err(|_| failed())?;
        // A text without its salt or its output is damaged; the library would call it a wrong password.
        if parsed.salt.is_none() || parsed.hash.is_none() {
            return Err(failed());
        }
        let matches = match Argon2::default().verify_password(password.bytes(), &parsed) {
            Ok(()) => true,
            Err(Error::Password) => false,
            Err(_) => return Err(failed()),
        };
        Ok(match (matches && kept.is_some(), self.is_weak(&parsed)) {
            (false, _) => Verdict::Wrong,
            (true, false) => Verdict::Right,
            (true, true) => Verdict::RightButWeak,
        })
    }

    fn is_weak(&self, kept: &PasswordHash<'_>) -> bool {
        kept.algorithm != argon2::ARGON2ID_IDENT
            || Params::try_from(kept).map_or(true, |params| {
                params.m_cost() < self.strength.memory || params.t_cost() < self.strength.passes
            })
    }

    fn turn(&self) -> Result<Turn<'_>, Fault> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if busy.waiting >= QUEUE {
            return Err(crowded());
        }
        busy.waiting += 1;
        let mut busy = self
            .freed
            .wait_while(busy, |busy| busy.working >= AT_ONCE)
            .unwrap_or_else(PoisonError::into_inner);
        busy.waiting -= 1;
        busy.working += 1;
        Ok(Turn(self))
    }
}

struct Turn<'a>(&'a Hasher);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut busy = self.0.busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.working -= 1;
        self.0.freed.notify_one();
    }
}

/// A hash no password is known for: checking it is the work, nothing had to be hashed to make it.
fn dummy(strength: Strength) -> String {
    let (memory, passes) = (strength.memory, strength.passes);
    let (salt, output) = ("A".repeat(22), "A".repeat(43));
    format!("$argon2id$v=19$m={memory},t={passes},p=1${salt}${output}")
}

fn hash(strength: Strength, bytes: &[u8], salt: &[u8; 16]) -> Result<String, Fault> {
    let params = Params::new(strength.memory, strength.passes, 1, None).map_err(|_| failed())?;
    let salt = SaltString::encode_b64(salt).map_err(|_| failed())?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(bytes, &salt)
        .map(|hash| hash.to_string())
        .map_err(|_| failed())
}

fn failed() -> Fault {
    Fault::new(
        Code::StateFailed,
        "The password could not be checked",
        "give the account a new one: `lalapanel account password NAME` as root on the server",
    )
}

fn crowded() -> Fault {
    Fault::new(
        Code::LoginLimited,
        "Too many people are signing in at this moment",
        "try again in a few seconds",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const SMALL: Strength = Strength {
        memory: 64,
        passes: 1,
    };

    fn password(text: &str) -> Password {
        Password::typed(text.to_owned())
    }

    fn hasher(strength: Strength) -> Hasher {
        Hasher::new(strength)
    }

    #[test]
    fn the_strength_follows_the_memory_and_has_a_floor() {
        assert_eq!(Strength::for_memory(4 * GIB).memory, 65_536);
        assert_eq!(Strength::for_memory(2_040_000_000).passes, 3);
        assert_eq!(Strength::for_memory(GIB).memory, 19_456);
        assert_eq!(Strength::for_memory(0).passes, 2);
    }

    #[test]
    fn a_hash_is_argon2id_with_the_strength_and_its_own_salt() {
        let hasher = hasher(SMALL);
        let one = hasher.hash(&password("mauve otter"), &[1; 16]).unwrap();
        let two = hasher.hash(&password("mauve otter"), &[2; 16]).unwrap();
        assert!(one.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{one}");
        assert_ne!(one, two);
    }

    #[test]
    fn every_byte_of_a_password_counts() {
        let hasher = hasher(SMALL);
        let long = format!("{}🦦{}", "x".repeat(70), "y".repeat(70));
        let kept = hasher.hash(&password(&long), &[1; 16]).unwrap();
        let verify = |text: &str| hasher.verify(&password(text), Some(&kept)).unwrap();
        assert_eq!(verify(&long), Verdict::Right);
        assert_eq!(verify(&long.replace('🦦', "🦡")), Verdict::Wrong);
        assert_eq!(verify(&format!("{long} ")), Verdict::Wrong);
        assert_eq!(verify(""), Verdict::Wrong);
    }

    #[test]
    fn an_account_nobody_has_is_the_same_work_and_never_right() {
        let hasher = hasher(SMALL);
        let verdict = hasher.verify(&password("mauve otter"), None);
        assert_eq!(verdict.unwrap(), Verdict::Wrong);
        let parsed = PasswordHash::new(&hasher.dummy).unwrap();
        let params = Params::try_from(&parsed).unwrap();
        assert_eq!((params.m_cost(), params.t_cost()), (64, 1));
        assert_eq!(parsed.hash.unwrap().len(), 32);
    }

    #[test]
    fn a_hash_of_less_work_is_recognised() {
        let kept = hasher(SMALL)
            .hash(&password("mauve otter"), &[1; 16])
            .unwrap();
        let stronger = hasher(Strength {
            memory: 128,
            passes: 1,
        });
        let verdict = stronger.verify(&password("mauve otter"), Some(&kept));
        assert_eq!(verdict.unwrap(), Verdict::RightButWeak);
    }

    #[test]
    fn a_damaged_hash_is_a_fault_and_not_a_sign_in() {
        let verdict = hasher(SMALL).verify(&password("x"), Some("$argon2id$broken"));
        assert_eq!(verdict.unwrap_err().code, Code::StateFailed);
    }

    #[test]
    fn a_crowd_is_sent_away_and_everybody_else_gets_a_turn() {
        let hasher = Arc::new(hasher(SMALL));
        let held = [hasher.turn().unwrap(), hasher.turn().unwrap()];
        let waiting: Vec<_> = (0..QUEUE)
            .map(|_| {
                let hasher = Arc::clone(&hasher);
                std::thread::spawn(move || hasher.verify(&password("x"), None))
            })
            .collect();
        while hasher.busy.lock().unwrap().waiting < QUEUE {
            std::thread::yield_now();
        }
        let refused = hasher.hash(&password("x"), &[1; 16]).unwrap_err();
        assert_eq!(refused.code, Code::LoginLimited);
        drop(held);
        for caller in waiting {
            assert_eq!(caller.join().unwrap().unwrap(), Verdict::Wrong);
        }
    }
}
