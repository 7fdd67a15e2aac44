//! A value that many hold and one replaces.
//!
//! Invariant: who took it keeps what was taken; nobody sees half of an old and half of a new one.

use std::sync::{Arc, PoisonError, RwLock};

/// The value of now.
#[derive(Debug, Default)]
pub struct Shared<T>(Arc<RwLock<Arc<T>>>);

impl<T> Shared<T> {
    /// Holds it.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(value))))
    }

    /// As it is now.
    #[must_use]
    pub fn now(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces it for all.
    pub fn put(&self, value: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_see_the_new_value_and_who_took_the_old_one_keeps_it() {
        let (one, value) = (Shared::new(1), Shared::new(1));
        let other = value.clone();
        let taken = value.now();
        other.put(2);
        assert_eq!((*taken, *value.now(), *one.now()), (1, 2, 1));
    }
}
