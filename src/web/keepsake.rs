//! Passwords on their way to the person who asked for them: made or typed before the plan, shown once when it is done.
//!
//! Invariant: they are in this process's memory alone, for a quarter of an hour at most, and for the session that asked.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::id::OperationId;
use crate::domain::secret::{Password, Token, TokenHash};
use crate::web::refusal::Refusal;

/// Since it was asked for last, or since its operation began.
const KEPT: Duration = Duration::from_secs(900);
/// Over all people; the oldest goes first.
const MOST: usize = 64;

/// A line of what the password is for: its name and its text.
pub(super) type Line = (&'static str, String);

struct Kept {
    operation: OperationId,
    holder: TokenHash,
    password: Password,
    made: bool,
    /// Set once the operation has begun: the password stays the one it was begun with.
    lines: Option<Vec<Line>>,
    until: Instant,
}

/// A password that was made here, with what it is for.
pub(super) struct Keepsake {
    pub(super) lines: Vec<Line>,
    pub(super) password: Password,
}

/// What a form said about its password.
pub(super) enum Asked {
    /// One was typed.
    Typed(Password),
    /// The one that was typed before.
    Same,
    /// One shall be made.
    Made,
}

/// All of them.
#[derive(Default)]
pub(super) struct Keepsakes(Mutex<Vec<Kept>>);

impl Keepsakes {
    /// The password of the operation that a form may start. Asked again for the same form, it is the same one.
    pub(super) fn password(
        &self,
        holder: &Token,
        operation: OperationId,
        asked: Asked,
    ) -> Result<Password, Refusal> {
        let (holder, mut all) = (holder.hash(), self.all());
        let before = all
            .iter()
            .position(|one| one.operation == operation && one.holder == holder)
            .map(|place| all.remove(place));
        let made = matches!(asked, Asked::Made);
        let (password, made, lines) = match (before, asked) {
            (Some(one), _) if one.lines.is_some() => (one.password, one.made, one.lines),
            (_, Asked::Typed(password)) => (password, false, None),
            (Some(one), _) if one.made == made => (one.password, one.made, None),
            _ => (fresh()?, true, None),
        };
        if all.len() >= MOST {
            all.remove(0);
        }
        all.push(Kept {
            operation,
            holder,
            password: password.clone(),
            made,
            lines,
            until: Instant::now() + KEPT,
        });
        Ok(password)
    }

    /// True where the form's password was typed, and not made.
    pub(super) fn was_typed(&self, holder: &Token, operation: OperationId) -> bool {
        let holder = holder.hash();
        let mine = |one: &Kept| one.operation == operation && one.holder == holder;
        self.all().iter().any(|one| mine(one) && !one.made)
    }

    /// The operation has begun: once it is done, its page shows these lines and the password.
    pub(super) fn begun(&self, holder: &Token, operation: OperationId, lines: Vec<Line>) {
        let holder = holder.hash();
        let mut all = self.all();
        let mine = |one: &&mut Kept| one.operation == operation && one.holder == holder;
        if let Some(one) = all.iter_mut().find(mine) {
            one.until = Instant::now() + KEPT;
            one.lines = Some(lines);
        }
    }

    /// What is to be shown of an operation that is done; nothing of a password that the person knows already.
    pub(super) fn shown(&self, holder: &Token, operation: OperationId) -> Option<Keepsake> {
        let holder = holder.hash();
        let all = self.all();
        let mine = |one: &&Kept| one.operation == operation && one.holder == holder && one.made;
        let one = all.iter().find(mine)?;
        Some(Keepsake {
            lines: one.lines.clone()?,
            password: one.password.clone(),
        })
    }

    /// It was saved, or is of no use any more.
    pub(super) fn forget(&self, holder: &Token, operation: OperationId) {
        let holder = holder.hash();
        self.all()
            .retain(|one| one.operation != operation || one.holder != holder);
    }

    /// Those that are not too old.
    fn all(&self) -> MutexGuard<'_, Vec<Kept>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        all.retain(|one| one.until > now);
        all
    }
}

/// A password of this machine's randomness.
pub(super) fn fresh() -> Result<Password, Refusal> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| Refusal::INTERNAL)?;
    Ok(Password::from_random(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(number: u8) -> Token {
        Token::from_random([number; 32])
    }

    fn operation(number: u8) -> OperationId {
        OperationId::from_parts(1, [number; 10])
    }

    fn typed(text: &str) -> Asked {
        Asked::Typed(Password::typed(text.to_owned()))
    }

    fn ask(safe: &Keepsakes, asked: Asked) -> String {
        let password = safe.password(&session(1), operation(1), asked);
        password.unwrap().reveal().to_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn a_form_has_one_password_and_the_session_that_asked_sees_it_once_it_is_begun() {
        let safe = Keepsakes::default();
        let first = ask(&safe, Asked::Made);
        assert_eq!(first.len(), 32);
        assert_eq!(ask(&safe, Asked::Made), first);
        assert!(safe.shown(&session(1), operation(1)).is_none());
        safe.begun(
            &session(1),
            operation(1),
            vec![("Database", "a".to_owned())],
        );
        assert_eq!(ask(&safe, typed("too late for another")), first);
        let seen = safe.shown(&session(1), operation(1)).unwrap();
        assert_eq!(seen.password.reveal(), first);
        assert!(safe.shown(&session(2), operation(1)).is_none());
        assert!(safe.shown(&session(1), operation(2)).is_none());
        safe.forget(&session(2), operation(1));
        assert!(safe.shown(&session(1), operation(1)).is_some());
        safe.forget(&session(1), operation(1));
        assert!(safe.shown(&session(1), operation(1)).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_typed_password_is_kept_for_the_next_look_and_never_shown() {
        let safe = Keepsakes::default();
        assert_eq!(ask(&safe, typed("mauve otter")), "mauve otter");
        assert!(safe.was_typed(&session(1), operation(1)));
        assert_eq!(ask(&safe, Asked::Same), "mauve otter");
        safe.begun(&session(1), operation(1), Vec::new());
        assert!(safe.shown(&session(1), operation(1)).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn who_empties_the_field_gets_a_made_one_and_after_a_quarter_of_an_hour_nothing_is_left()
    {
        let safe = Keepsakes::default();
        ask(&safe, typed("mauve otter"));
        let made = ask(&safe, Asked::Made);
        assert_eq!(made.len(), 32);
        safe.begun(&session(1), operation(1), Vec::new());
        tokio::time::sleep(KEPT).await;
        assert!(safe.shown(&session(1), operation(1)).is_none());
        assert_ne!(ask(&safe, Asked::Same), made);
        for number in 0..=u8::try_from(MOST).unwrap() {
            let kept = safe.password(&session(2), operation(number), Asked::Made);
            kept.unwrap();
        }
        assert_eq!(safe.all().len(), MOST);
    }
}
