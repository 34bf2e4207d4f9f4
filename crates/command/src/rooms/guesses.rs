//! Bounds how much failed claims of aliases reveal to a user.
//!
//! An alias is unique on its server, so a failed claim shows that it is taken. For a room that the
//! user may know of, that is no secret. For another room it would reveal the room, if nothing else
//! gave the same answer.
//!
//! **Invariant:** a user learns of at most [`GUESSES_MAX`] names at once, and of one more in each
//! [`GUESS_MILLIS`]. Beyond that each claim is refused with the same message, whether or not the
//! alias is free.

use std::{num::NonZeroUsize, time::Duration};

use lru::LruCache;
use parking_lot::Mutex;
use rookery_domain::{OwnedUserId, Pace, UserId};
use rookery_log::Millis;

use crate::users::rates::nanos;

/// Failed claims that are allowed at once.
pub(crate) const GUESSES_MAX: u32 = 10;

/// Time after which one more is allowed: six minutes.
pub(crate) const GUESS_MILLIS: u64 = 6 * 60 * 1_000;

/// The rate limit of failed claims.
const PACE: Pace = Pace { burst: GUESSES_MAX, interval: Duration::from_millis(GUESS_MILLIS) };

/// How many users are remembered: those with the latest failed claims.
const USERS_MAX: usize = 10_000;

/// The failed claims of each user, as the time at which the bucket of their [`PACE`] is full again.
pub(crate) struct Guesses(Mutex<LruCache<OwnedUserId, u64>>);

impl Default for Guesses {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(NonZeroUsize::new(USERS_MAX).unwrap_or(NonZeroUsize::MIN))))
    }
}

impl Guesses {
    /// Whether the user has used up their failed claims.
    pub(crate) fn are_spent(&self, user: &UserId, now: Millis) -> bool {
        let full_at = self.0.lock().peek(user).copied().unwrap_or_default();
        PACE.take(full_at, 1, nanos(now)).is_err()
    }

    /// Counts a failed claim.
    pub(crate) fn count(&self, user: &UserId, now: Millis) {
        let mut users = self.0.lock();
        let full_at = users.get(user).copied().unwrap_or_default();
        if let Ok(full_at) = PACE.take(full_at, 1, nanos(now)) {
            users.put(user.to_owned(), full_at);
        }
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
