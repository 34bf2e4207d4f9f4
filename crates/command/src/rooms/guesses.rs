//! Bounds how much failed claims of aliases reveal to a user.
//!
//! An alias is unique on its server, so a failed claim shows that it is taken. For a room that the
//! user may know of, that is no secret. For another room it would reveal the room, if nothing else
//! gave the same answer.
//!
//! **Invariant:** a user learns of at most [`GUESSES_MAX`] names at once, and of one more in each
//! [`GUESS_MILLIS`]. Beyond that each claim is refused with the same message, whether or not the
//! alias is free.

use std::time::Duration;

use rookery_domain::UserId;
use rookery_log::Millis;
use rookery_rates::{Buckets, Pace};

/// Failed claims that are allowed at once.
pub(crate) const GUESSES_MAX: u32 = 10;

/// Time after which one more is allowed: six minutes.
pub(crate) const GUESS_MILLIS: u64 = 6 * 60 * 1_000;

/// The rate limit of failed claims.
const PACE: Pace = Pace { burst: GUESSES_MAX, interval: Duration::from_millis(GUESS_MILLIS) };

/// How many users are remembered: those with the latest failed claims.
const USERS_MAX: usize = 10_000;

/// The failed claims of each user.
pub(crate) struct Guesses(Buckets);

impl Default for Guesses {
    fn default() -> Self {
        Self(Buckets::new(USERS_MAX))
    }
}

impl Guesses {
    /// Whether the user has used up their failed claims.
    pub(crate) fn are_spent(&self, user: &UserId, now: Millis) -> bool {
        !self.0.has_one(PACE, &user.as_str(), now.0)
    }

    /// Counts a failed claim.
    pub(crate) fn count(&self, user: &UserId, now: Millis) {
        // Nothing more is taken from an empty bucket.
        let _ = self.0.take(Some(PACE), &user.as_str(), now.0);
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
