//! A bucket that refills.
//!
//! A bucket is stored as the time at which it is full again (the generic cell rate algorithm, ATM
//! Forum traffic management 4.0, section 4.4.2), so it is one number. All times are in nanoseconds.
//!
//! **Invariant:** a refusal takes nothing from the bucket.

use std::time::Duration;

/// How often an action is allowed: a burst, and one more after each interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How many are allowed at once.
    pub burst: u32,
    /// The time after which one more is allowed.
    pub interval: Duration,
}

impl Pace {
    /// The time in which an empty bucket refills.
    fn burst_nanos(&self) -> u64 {
        self.interval_nanos().saturating_mul(u64::from(self.burst))
    }

    fn interval_nanos(&self) -> u64 {
        u64::try_from(self.interval.as_nanos()).unwrap_or(u64::MAX)
    }

    /// As [`settle`], for the bucket of this pace.
    pub(crate) fn settle(&self, full_at: u64, now: u64) -> u64 {
        settle(full_at, self.burst_nanos(), now)
    }

    /// Takes `count` from the bucket that is full again at `full_at`. Returns the new time at which
    /// it is full.
    ///
    /// # Errors
    /// The time to wait until there is enough. If there can never be enough, the time until the
    /// bucket is full.
    pub(crate) fn take(&self, full_at: u64, count: u32, now: u64) -> Result<u64, Duration> {
        let burst = self.burst_nanos();
        let cost = self.interval_nanos().saturating_mul(u64::from(count));
        take(full_at, cost.min(burst), burst, now)
            .and_then(|taken| if count > self.burst { Err(burst) } else { Ok(taken) })
            .map_err(Duration::from_nanos)
    }
}

/// Corrects the time at which a bucket that refills within `burst` is full again. Store the result, also after a
/// refusal: then a clock that was set back costs at most a full bucket.
#[must_use]
pub fn settle(full_at: u64, burst: u64, now: u64) -> u64 {
    full_at.clamp(now, now.saturating_add(burst))
}

/// Takes `cost` from the bucket that refills within `burst` and is full again at `full_at`. Returns the new time at
/// which it is full.
///
/// # Errors
/// The time to wait until there is enough.
pub fn take(full_at: u64, cost: u64, burst: u64, now: u64) -> Result<u64, u64> {
    let taken = settle(full_at, burst, now).saturating_add(cost);
    match taken.saturating_sub(now).checked_sub(burst) {
        None | Some(0) => Ok(taken),
        Some(wait) => Err(wait),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000_000_000_000;

    #[test]
    fn so_many_at_once_and_one_more_after_each_interval() {
        let pace = Pace { burst: 3, interval: Duration::from_secs(2) };
        let mut full_at = 0;
        for _ in 0..3 {
            full_at = pace.take(full_at, 1, NOW).unwrap_or(u64::MAX);
        }
        assert_eq!(pace.take(full_at, 1, NOW), Err(Duration::from_secs(2)));
        let later = NOW + 2_000_000_000;
        full_at = pace.take(full_at, 1, later).unwrap_or(u64::MAX);
        assert_eq!(pace.take(full_at, 2, later), Err(Duration::from_secs(4)));
        assert!(pace.take(full_at, 3, later + 6_000_000_000).is_ok());
    }

    #[test]
    fn more_than_fits_is_never_taken_and_a_clock_that_is_set_back_locks_nobody_out() {
        let pace = Pace { burst: 3, interval: Duration::from_secs(2) };
        assert_eq!(pace.take(0, 4, NOW), Err(Duration::from_secs(6)));
        let full_at = pace.take(0, 3, NOW).unwrap_or(u64::MAX);
        assert_eq!(pace.take(full_at, 1, NOW / 2), Err(Duration::from_secs(2)));
        assert!(
            pace.take(settle(full_at, 6_000_000_000, NOW / 2), 3, NOW / 2 + 6_000_000_000).is_ok()
        );
    }
}
