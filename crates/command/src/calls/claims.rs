//! Claims on users: a user has at most one call at a time, in all rooms.
//!
//! The streams of two rooms have no common order, so no guard of the log can decide which of two
//! calls to one user came first. A command that places or answers a call claims its users first. It
//! asks the read model for their calls while it has the claims, and gives the claims back when its
//! append is durable or has failed. The next claim then finds that call in the read model.
//!
//! A claim outlives neither its command nor the process. So there is nothing to restore after a
//! start, and nothing to clean up when a call ends. The read model only says where to look: whether a
//! call is active is read from the room's own state.
//!
//! **Invariant:** while a command has the claim on a user, no other command of this process places
//! or answers a call of that user.
//! **Invariant:** claims are taken in one order, so two commands never wait for each other.
//! **Invariant:** the memory does not depend on the number of users.

use std::hash::{BuildHasher, RandomState};

use rookery_domain::UserId;
use tokio::sync::{Mutex, MutexGuard};

/// How many users can be claimed at a time. Two users with the same hash wait for each other.
const CLAIMS_MAX: u64 = 1_024;

/// The claims of all users.
pub(crate) struct Claims {
    locks: Vec<Mutex<()>>,
    hasher: RandomState,
}

impl Default for Claims {
    fn default() -> Self {
        let locks = (0..CLAIMS_MAX).map(|_| Mutex::default()).collect();
        Self { locks, hasher: RandomState::new() }
    }
}

impl Claims {
    /// Claims these users until the result is dropped.
    pub(crate) async fn take(&self, users: &[&UserId]) -> Vec<MutexGuard<'_, ()>> {
        let place = |user: &&UserId| {
            usize::try_from(self.hasher.hash_one(user.as_str()) % CLAIMS_MAX).unwrap_or_default()
        };
        let mut places: Vec<_> = users.iter().map(place).collect();
        places.sort_unstable();
        places.dedup();
        let mut taken = Vec::with_capacity(places.len());
        for place in places {
            taken.push(self.locks[place].lock().await);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn user(number: usize) -> rookery_domain::OwnedUserId {
        UserId::parse(format!("@user{number}:test")).expect("a user ID")
    }

    #[test]
    fn a_user_is_claimed_once_at_a_time() {
        let (claims, one, other) = (Claims::default(), user(1), user(2));
        let taken = claims.take(&[&one, &other]).now_or_never().expect("both are free");
        assert!(claims.take(&[&other]).now_or_never().is_none());
        assert!(claims.take(&[&one]).now_or_never().is_none());
        drop(taken);
        assert!(claims.take(&[&other, &one]).now_or_never().is_some());
    }

    #[test]
    fn users_with_the_same_hash_are_claimed_together() {
        let claims = Claims::default();
        // More users than locks: some of them share one.
        let users: Vec<_> = (0..2_000).map(user).collect();
        let all: Vec<&UserId> = users.iter().map(|user| &**user).collect();
        assert!(claims.take(&all).now_or_never().is_some());
    }
}
