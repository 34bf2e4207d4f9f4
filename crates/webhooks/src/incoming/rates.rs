//! Rate limits of webhooks and of the addresses that call them.
//!
//! **Invariant:** nothing here reads a clock.
//! **Invariant:** memory is bounded: only the [`BUCKETS_MAX`] last used buckets are remembered.

use std::{
    hash::{BuildHasher as _, Hash, RandomState},
    net::IpAddr,
    num::NonZeroUsize,
    time::Duration,
};

use lru::LruCache;
use parking_lot::Mutex;
use rookery_domain::Pace;

/// How many buckets are remembered. A forgotten bucket is full.
const BUCKETS_MAX: usize = 20_000;

/// The rate limits; `None` for no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HookRates {
    /// Requests with the secret of one webhook.
    pub webhook: Option<Pace>,
    /// Requests from one address.
    pub address: Option<Pace>,
}

/// The buckets of webhooks and addresses.
pub(super) struct Limiter {
    rates: HookRates,
    hasher: RandomState,
    full_at: Mutex<LruCache<u64, u64>>,
}

impl Limiter {
    pub(super) fn new(rates: HookRates) -> Self {
        let buckets = NonZeroUsize::new(BUCKETS_MAX).unwrap_or(NonZeroUsize::MIN);
        let full_at = Mutex::new(LruCache::new(buckets));
        Self { rates, hasher: RandomState::new(), full_at }
    }

    /// Takes a request of `address`, which is one address of version 4 or a network of 64 bits of version 6.
    pub(super) fn take_of_address(&self, address: IpAddr, now_millis: u64) -> Result<(), Duration> {
        let network = match address.to_canonical() {
            IpAddr::V4(address) => u128::from(address.to_bits()),
            IpAddr::V6(address) => address.to_bits() >> 64 | 1 << 64,
        };
        self.take(self.rates.address, &("address", network), now_millis)
    }

    /// Takes a request of a webhook.
    pub(super) fn take_of_webhook(&self, id: &str, now_millis: u64) -> Result<(), Duration> {
        self.take(self.rates.webhook, &("webhook", id), now_millis)
    }

    fn take(&self, pace: Option<Pace>, key: &impl Hash, now_millis: u64) -> Result<(), Duration> {
        let Some(pace) = pace else { return Ok(()) };
        let now = now_millis.saturating_mul(1_000_000);
        let mut buckets = self.full_at.lock();
        let full_at = buckets.get_or_insert_mut(self.hasher.hash_one(key), || now);
        *full_at = pace.take(*full_at, 1, now)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webhooks_and_addresses_have_rates_of_their_own() {
        let pace = Some(Pace { burst: 2, interval: Duration::from_secs(30) });
        let limiter = Limiter::new(HookRates { webhook: pace, address: pace });
        let here = IpAddr::from([192, 0, 2, 1]);
        for _ in 0..2 {
            assert_eq!(limiter.take_of_address(here, 1_000), Ok(()));
            assert_eq!(limiter.take_of_webhook("a", 1_000), Ok(()));
        }
        assert_eq!(limiter.take_of_address(here, 1_000), Err(Duration::from_secs(30)));
        assert_eq!(limiter.take_of_webhook("a", 1_000), Err(Duration::from_secs(30)));
        assert_eq!(limiter.take_of_webhook("b", 1_000), Ok(()));
        assert_eq!(limiter.take_of_address([192, 0, 2, 2].into(), 1_000), Ok(()));
        assert_eq!(limiter.take_of_webhook("a", 31_000), Ok(()));
    }

    #[test]
    fn a_network_of_version_6_is_one_address() {
        let pace = Some(Pace { burst: 1, interval: Duration::from_secs(30) });
        let limiter = Limiter::new(HookRates { webhook: None, address: pace });
        let take = |text: &str| limiter.take_of_address(text.parse().expect("an address"), 0);
        assert_eq!(take("2001:db8::1"), Ok(()));
        assert!(take("2001:db8::2").is_err());
        assert_eq!(take("2001:db8:0:1::1"), Ok(()));
        assert_eq!(take("::ffff:192.0.2.1"), Ok(()));
        assert!(take("192.0.2.1").is_err());
    }
}
