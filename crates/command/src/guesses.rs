//! Aliases that a user asked for and could not have: how many of them tell anything.
//!
//! An alias is unique on its server, so a claim that fails tells that somebody has it. Of a room that the user may know
//! of, that is no secret. Of another room it would be, if nothing else gave the same answer.
//!
//! **Invariant:** a user learns of no more than [`GUESSES_MAX`] names at once, and of one more in each [`GUESS_MILLIS`].
//! Beyond that each claim is refused in the same words, whether or not the alias is free.

use std::num::NonZeroUsize;

use lru::LruCache;
use parking_lot::Mutex;
use rookery_domain::{OwnedUserId, UserId};
use rookery_log::Millis;

/// Claims that fail at once.
pub(crate) const GUESSES_MAX: u64 = 10;

/// Time in which one of them is given back: six minutes.
pub(crate) const GUESS_MILLIS: u64 = 6 * 60 * 1_000;

/// Users who are remembered; those who guessed last.
const USERS_MAX: usize = 10_000;

/// The failed claims of each user, as the time at which all are given back (a bucket that leaks, as one number).
pub(crate) struct Guesses(Mutex<LruCache<OwnedUserId, u64>>);

impl Default for Guesses {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(NonZeroUsize::new(USERS_MAX).unwrap_or(NonZeroUsize::MIN))))
    }
}

impl Guesses {
    /// Whether the user has guessed too often to be answered.
    pub(crate) fn are_spent(&self, user: &UserId, now: Millis) -> bool {
        let given_back = self.0.lock().peek(user).copied().unwrap_or_default();
        given_back.saturating_sub(now.0) > (GUESSES_MAX - 1) * GUESS_MILLIS
    }

    /// Counts a claim that failed.
    pub(crate) fn count(&self, user: &UserId, now: Millis) {
        let mut users = self.0.lock();
        let given_back = users.get(user).copied().unwrap_or_default().max(now.0);
        users.put(user.to_owned(), given_back + GUESS_MILLIS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_are_given_back_one_by_one() {
        let (guesses, user) = (Guesses::default(), UserId::parse("@eve:test").expect("a user ID"));
        let spend = |now: u64| {
            let spent = guesses.are_spent(&user, Millis(now));
            guesses.count(&user, Millis(now));
            spent
        };
        let first: Vec<_> = (0..GUESSES_MAX).map(|_| spend(1_000)).collect();
        assert!(first.iter().all(|spent| !spent));
        assert!(guesses.are_spent(&user, Millis(1_000)));
        let later = Millis(1_000 + GUESS_MILLIS);
        assert!(!guesses.are_spent(&user, later));
        guesses.count(&user, later);
        assert!(guesses.are_spent(&user, later), "one was given back");
        let other = UserId::parse("@bob:test").expect("a user ID");
        assert!(!guesses.are_spent(&other, later));
    }
}
