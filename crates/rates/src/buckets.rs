//! The buckets of many clients.
//!
//! **Invariant:** memory is bounded: the least recently used bucket is forgotten first.

use std::{
    hash::{BuildHasher as _, Hash, RandomState},
    num::NonZeroUsize,
    time::Duration,
};

use lru::LruCache;
use parking_lot::Mutex;

use crate::Pace;

/// Buckets by key. A key without a bucket has a full one.
#[derive(Debug)]
pub struct Buckets {
    hasher: RandomState,
    /// The time at which each bucket is full again, in nanoseconds, by the hash of its key. Two keys share a bucket
    /// if their hashes are equal, one chance in 2^64.
    full_at: Mutex<LruCache<u64, u64>>,
}

impl Buckets {
    /// Remembers at most `max` buckets, and at least one.
    #[must_use]
    pub fn new(max: usize) -> Self {
        let max = NonZeroUsize::new(max).unwrap_or(NonZeroUsize::MIN);
        Self { hasher: RandomState::new(), full_at: Mutex::new(LruCache::new(max)) }
    }

    /// Takes one action from the bucket of `key`. Without a pace nothing is limited.
    ///
    /// # Errors
    /// The time to wait until the bucket has enough.
    pub fn take(
        &self,
        pace: Option<Pace>,
        key: &impl Hash,
        now_millis: u64,
    ) -> Result<(), Duration> {
        let Some(pace) = pace else { return Ok(()) };
        let draws = [Draw { pace, key, count: 1 }].into_iter();
        self.take_all(draws, now_millis).map_err(|(_, wait)| wait)
    }

    /// Takes from several buckets with different keys, all or nothing.
    ///
    /// # Errors
    /// The key of the bucket that has not enough, and the time to wait until it has.
    pub fn take_all<K: Hash>(
        &self,
        draws: impl Iterator<Item = Draw<K>> + Clone,
        now_millis: u64,
    ) -> Result<(), (K, Duration)> {
        let now = now_millis.saturating_mul(1_000_000);
        let mut buckets = self.full_at.lock();
        for Draw { pace, key, count } in draws.clone() {
            let full_at = buckets.get_or_insert_mut(self.hasher.hash_one(&key), || now);
            *full_at = pace.settle(*full_at, now);
            if let Err(wait) = pace.take(*full_at, count, now) {
                return Err((key, wait));
            }
        }
        for Draw { pace, key, count } in draws {
            let full_at = buckets.get_or_insert_mut(self.hasher.hash_one(&key), || now);
            *full_at = pace.take(*full_at, count, now).unwrap_or(*full_at);
        }
        Ok(())
    }

    /// Whether the bucket of `key` has an action left.
    pub fn has_one(&self, pace: Pace, key: &impl Hash, now_millis: u64) -> bool {
        let now = now_millis.saturating_mul(1_000_000);
        let mut buckets = self.full_at.lock();
        let Some(full_at) = buckets.get_mut(&self.hasher.hash_one(key)) else { return true };
        *full_at = pace.settle(*full_at, now);
        pace.take(*full_at, 1, now).is_ok()
    }
}

/// A wish to take `count` actions from the bucket of a key.
#[derive(Clone, Copy, Debug)]
pub struct Draw<K> {
    /// The limit of the bucket.
    pub pace: Pace,
    /// The owner of the bucket.
    pub key: K,
    /// How many actions.
    pub count: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Option<Pace> = Some(Pace { burst: 2, interval: Duration::from_secs(30) });

    #[test]
    fn each_key_has_a_bucket_of_its_own_that_refills() {
        let buckets = Buckets::new(10);
        assert_eq!(buckets.take(PACE, &"ada", 1_000), Ok(()));
        assert_eq!(buckets.take(PACE, &"ada", 1_000), Ok(()));
        assert_eq!(buckets.take(PACE, &"ada", 1_000), Err(Duration::from_secs(30)));
        assert_eq!(buckets.take(PACE, &"bob", 1_000), Ok(()));
        assert_eq!(buckets.take(PACE, &"ada", 31_000), Ok(()));
    }

    #[test]
    fn a_clock_that_is_set_back_costs_a_full_bucket_at_most() {
        let buckets = Buckets::new(10);
        let year = 365 * 24 * 60 * 60 * 1_000;
        assert_eq!(buckets.take(PACE, &"ada", year), Ok(()));
        assert!(buckets.take(PACE, &"ada", 0).is_err());
        assert_eq!(buckets.take(PACE, &"ada", 30_000), Ok(()));
        assert_eq!(buckets.take(PACE, &"bob", year), Ok(()));
        assert!(PACE.is_some_and(|pace| !buckets.has_one(pace, &"bob", 0)));
        assert!(PACE.is_some_and(|pace| buckets.has_one(pace, &"bob", 30_000)));
    }

    #[test]
    fn draws_take_all_or_nothing() {
        let buckets = Buckets::new(10);
        let pace = Pace { burst: 2, interval: Duration::from_secs(30) };
        let draw = |key, count| Draw { pace, key, count };
        let draws = |count| [draw("ada", 1), draw("bob", count)].into_iter();
        assert_eq!(buckets.take_all(draws(2), 0), Ok(()));
        assert_eq!(buckets.take_all(draws(1), 0), Err(("bob", Duration::from_secs(30))));
        assert_eq!(buckets.take(PACE, &"ada", 0), Ok(()), "the refusal took nothing from Ada");
        assert!(buckets.take(PACE, &"ada", 0).is_err());
    }

    #[test]
    fn without_a_pace_nothing_is_limited() {
        let buckets = Buckets::new(10);
        assert!((0..1_000).all(|_| buckets.take(None, &"ada", 0).is_ok()));
    }

    #[test]
    fn the_least_recently_used_bucket_is_forgotten_first() {
        let buckets = Buckets::new(2);
        for name in ["ada", "ada", "bob", "ada"] {
            let _ = buckets.take(PACE, &name, 0);
        }
        assert_eq!(buckets.take(PACE, &"eve", 0), Ok(()));
        assert!(buckets.take(PACE, &"ada", 0).is_err(), "it was used after that of Bob");
        assert_eq!(buckets.take(PACE, &"bob", 0), Ok(()));
        assert_eq!(buckets.take(PACE, &"bob", 0), Ok(()), "it was forgotten, so it is full");
    }
}
