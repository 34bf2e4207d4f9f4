//! A budget that refills with time.

use std::time::{Duration, Instant};

/// How much at once, and how much comes back each second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) burst: u32,
    pub(crate) per_second: u32,
}

/// The rest of a budget.
///
/// It is kept as the time at which the bucket would be full again, so that an unused bucket needs no upkeep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    full_at: Instant,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn full(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Takes `amount`, or nothing if less is left.
    pub(crate) fn take(&mut self, amount: usize, rate: Rate, now: Instant) -> bool {
        let per_second = f64::from(rate.per_second.max(1));
        let amount = u32::try_from(amount).unwrap_or(u32::MAX);
        let full_at =
            self.full_at.max(now) + Duration::from_secs_f64(f64::from(amount) / per_second);
        let empty_at = now + Duration::from_secs_f64(f64::from(rate.burst) / per_second);
        let fits = full_at <= empty_at;
        if fits {
            self.full_at = full_at;
        }
        fits
    }

    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let (start, rate) = (Instant::now(), Rate { burst: 10, per_second: 5 });
        let mut bucket = Bucket::full(start);
        assert!(!bucket.take(11, rate, start));
        assert!(bucket.take(10, rate, start));
        assert!(!bucket.take(1, rate, start));
        let later = start + Duration::from_secs(1);
        assert!(bucket.take(5, rate, later));
        assert!(!bucket.take(1, rate, later));
        assert!(!bucket.is_full(later));
        assert!(bucket.is_full(later + Duration::from_secs(2)));
    }
}
