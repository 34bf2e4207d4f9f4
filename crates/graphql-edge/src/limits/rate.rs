//! The rate limit of callers: a bucket of cost that refills, for each user, or for each address
//! without a login.
//!
//! **Invariant:** nothing here reads a clock: the time is an argument.
//! **Invariant:** a refusal takes nothing from the bucket.
//! **Invariant:** memory is bounded: only the [`CALLERS_MAX`] last seen callers are remembered.

use std::num::NonZeroUsize;
use std::time::Duration;

use lru::LruCache;
use parking_lot::Mutex;

use super::callers::CallerKey;

/// How many buckets are remembered. A forgotten bucket is full.
const CALLERS_MAX: usize = 100_000;

const NANOS: u128 = 1_000_000_000;

/// The refill rate and the size of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Cost that the bucket gains each second.
    pub per_second: usize,
    /// Cost that can be spent at once.
    pub burst: usize,
}

impl Rate {
    /// The time in which the bucket gains `cost`, rounded up, so that rounding never gives cost
    /// away.
    fn time_of(&self, cost: usize) -> u64 {
        let per_second = self.per_second.max(1) as u128;
        let nanos = (cost as u128 * NANOS).div_ceil(per_second);
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }

    fn cost_of(&self, nanos: u64) -> usize {
        let cost = u128::from(nanos) * self.per_second as u128 / NANOS;
        usize::try_from(cost).unwrap_or(usize::MAX)
    }

    /// Corrects the time at which a bucket is full again. A clock that was set back costs at most a
    /// full bucket.
    fn settle(&self, full_at: u64, now: u64) -> u64 {
        rookery_rates::settle(full_at, self.time_of(self.burst), now)
    }

    /// Takes `cost` from the bucket that is full again at `full_at`, at the time `now`, both in
    /// nanoseconds.
    ///
    /// # Errors
    /// The time to wait until there is enough; endless if the bucket is smaller than the cost.
    fn take(&self, full_at: u64, cost: usize, now: u64) -> Result<u64, Duration> {
        if cost > self.burst {
            return Err(Duration::MAX);
        }
        rookery_rates::take(full_at, self.time_of(cost), self.time_of(self.burst), now)
            .map_err(Duration::from_nanos)
    }
}

/// The rest of a caller's bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateStatus {
    /// The size of the bucket.
    pub limit: usize,
    /// The cost of this request.
    pub cost: usize,
    /// The rest.
    pub remaining: usize,
    /// When it is full again without further requests; since 1970.
    pub full_at: Duration,
}

/// The buckets of all callers.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    rate: Rate,
    /// The rate of programs.
    program_rate: Rate,
    full_at: Mutex<LruCache<CallerKey, u64>>,
}

impl RateLimiter {
    pub(crate) fn new(rate: Rate, program_rate: Rate) -> Self {
        let callers = NonZeroUsize::new(CALLERS_MAX).unwrap_or(NonZeroUsize::MIN);
        let full_at = Mutex::new(LruCache::new(callers));
        Self { rate, program_rate, full_at }
    }

    const fn rate(&self, key: CallerKey) -> &Rate {
        if key.is_program { &self.program_rate } else { &self.rate }
    }

    /// Takes `cost` from the bucket of `caller`; `now` is the time since 1970.
    ///
    /// # Errors
    /// The time to wait until there is enough.
    pub(crate) fn charge(
        &self,
        key: CallerKey,
        cost: usize,
        now: Duration,
    ) -> Result<RateStatus, Duration> {
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let rate = self.rate(key);
        let mut buckets = self.full_at.lock();
        let bucket = buckets.get_or_insert_mut(key, || now);
        // A refusal keeps it too. Otherwise a caller that is refused because the clock was set back
        // would stay refused until the clock has caught up.
        *bucket = rate.settle(*bucket, now);
        let full_at = rate.take(*bucket, cost, now)?;
        *bucket = full_at;
        drop(buckets);
        let free = rate.time_of(rate.burst).saturating_sub(full_at - now);
        Ok(RateStatus {
            limit: rate.burst,
            cost,
            remaining: rate.cost_of(free).min(rate.burst),
            full_at: Duration::from_nanos(full_at),
        })
    }

    /// Takes `cost` from the bucket of `key` for a fault that was found after the work, as far as
    /// the bucket has it.
    pub(crate) fn fine(&self, key: CallerKey, cost: usize, now: Duration) {
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let rate = self.rate(key);
        let mut buckets = self.full_at.lock();
        let bucket = buckets.get_or_insert_mut(key, || now);
        let spent = rate.settle(*bucket, now).saturating_add(rate.time_of(cost));
        *bucket = rate.settle(spent, now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const START: u64 = 1_700_000_000 * SECOND;

    fn rates() -> impl Strategy<Value = Rate> {
        (1..1_000_000_usize, 1..10_000_000_usize)
            .prop_map(|(per_second, burst)| Rate { per_second, burst })
    }

    proptest! {
        /// In any span of time at most the burst and the refill of that span are spent.
        #[test]
        fn never_more_is_spent_than_the_burst_and_the_refill(
            rate in rates(),
            asked in prop::collection::vec((0..3 * SECOND, 0..2_000_000_usize), 1..60),
        ) {
            let (mut full_at, mut now) = (START, START);
            let mut spent: Vec<(u64, usize)> = Vec::new();
            for (pause, cost) in asked {
                now += pause;
                if let Ok(taken) = rate.take(full_at, cost, now) {
                    full_at = taken;
                    spent.push((now, cost));
                }
            }
            for first in 0..spent.len() {
                let mut total = 0_u128;
                for (at, cost) in &spent[first..] {
                    total += *cost as u128;
                    let span = u128::from(at - spent[first].0);
                    let back = span * rate.per_second as u128;
                    // One nanosecond of rounding, of the burst.
                    let most = (rate.burst as u128) * NANOS + back + rate.per_second as u128;
                    prop_assert!(total * NANOS <= most, "{total} within {span} ns");
                }
            }
        }

        /// A caller that waits as long as the refusal says is served, and an earlier one is not.
        #[test]
        fn the_wait_that_is_told_is_enough_and_needed(
            rate in rates(),
            ahead in 0..1_000 * SECOND,
            share in 0.0..=1.0_f64,
        ) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share of it")]
            let cost = (rate.burst as f64 * share) as usize;
            let full_at = START + ahead.min(rate.time_of(rate.burst));
            if let Err(wait) = rate.take(full_at, cost, START) {
                let wait = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
                prop_assert!(rate.take(full_at, cost, START + wait).is_ok());
                prop_assert!(rate.take(full_at, cost, START + wait - 1).is_err());
            }
        }

        /// A clock that is set back costs at most the time in which an empty bucket fills.
        #[test]
        fn a_clock_that_is_set_back_locks_nobody_out(rate in rates(), back in 0..1_000_000 * SECOND) {
            let full_at = rate.take(START, rate.burst, START);
            prop_assert!(full_at.is_ok());
            let now = START - back;
            let settled = rate.settle(full_at.unwrap_or(u64::MAX), now);
            let served = rate.take(settled, rate.burst, now + rate.time_of(rate.burst));
            prop_assert!(served.is_ok());
        }
    }

    fn key(hash: u64) -> CallerKey {
        CallerKey { hash, is_user: true, is_program: false }
    }

    /// Programs get ten times as much.
    fn limiter(rate: Rate) -> RateLimiter {
        RateLimiter::new(rate, Rate { per_second: 10 * rate.per_second, burst: 10 * rate.burst })
    }

    fn charge(limiter: &RateLimiter, caller: CallerKey, cost: usize) -> Option<usize> {
        let now = Duration::from_nanos(START);
        limiter.charge(caller, cost, now).ok().map(|status| status.remaining)
    }

    #[test]
    fn each_caller_has_a_bucket() {
        let limiter = limiter(Rate { per_second: 10, burst: 100 });
        let stranger = CallerKey { is_user: false, ..key(1) };
        assert_eq!(charge(&limiter, key(1), 60), Some(40));
        assert_eq!(charge(&limiter, key(1), 60), None);
        assert_eq!(charge(&limiter, key(1), 40), Some(0));
        assert_eq!(charge(&limiter, key(2), 60), Some(40));
        assert_eq!(charge(&limiter, stranger, 60), Some(40));
    }

    #[test]
    fn a_program_has_a_rate_of_its_own() {
        let limiter = limiter(Rate { per_second: 10, burst: 100 });
        let program = CallerKey { is_program: true, ..key(3) };
        assert_eq!(charge(&limiter, program, 600), Some(400));
        assert_eq!(charge(&limiter, program, 600), None);
        assert_eq!(charge(&limiter, key(3), 101), None);
    }

    #[test]
    fn a_fine_takes_what_is_there_and_no_more() {
        let limiter = limiter(Rate { per_second: 10, burst: 100 });
        limiter.fine(key(1), 60, Duration::from_nanos(START));
        assert_eq!(charge(&limiter, key(1), 30), Some(10));
        limiter.fine(key(1), 60, Duration::from_nanos(START));
        assert_eq!(charge(&limiter, key(1), 1), None);
        let later = Duration::from_nanos(START + SECOND);
        assert!(
            limiter.charge(key(1), 10, later).is_ok(),
            "it never takes longer to be full again"
        );
    }

    #[test]
    fn what_a_bucket_never_holds_is_refused_for_ever() {
        let rate = Rate { per_second: 10, burst: 100 };
        assert_eq!(rate.take(START, 101, START), Err(Duration::MAX));
    }

    #[test]
    fn callers_beyond_the_bound_are_forgotten_and_the_latest_are_not() {
        let limiter = limiter(Rate { per_second: 1, burst: 10 });
        let last = CALLERS_MAX as u64;
        for caller in 0..=last {
            charge(&limiter, key(caller), 10);
        }
        assert_eq!(limiter.full_at.lock().len(), CALLERS_MAX);
        assert_eq!(charge(&limiter, key(last), 1), None);
        assert_eq!(charge(&limiter, key(0), 10), Some(0));
    }
}
