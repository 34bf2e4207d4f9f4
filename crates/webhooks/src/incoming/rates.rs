//! Rate limits of webhooks and of the addresses that call them.
//!
//! **Invariant:** memory is bounded: only the [`BUCKETS_MAX`] last used buckets are remembered.

use std::{net::IpAddr, time::Duration};

use rookery_rates::{Buckets, Network, Pace};

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
    buckets: Buckets,
}

impl Limiter {
    pub(super) fn new(rates: HookRates) -> Self {
        Self { rates, buckets: Buckets::new(BUCKETS_MAX) }
    }

    /// Takes a request of the network of `address`.
    pub(super) fn take_of_address(&self, address: IpAddr, now_millis: u64) -> Result<(), Duration> {
        let key = ("address", Network::of(address));
        self.buckets.take(self.rates.address, &key, now_millis)
    }

    /// Takes a request of a webhook.
    pub(super) fn take_of_webhook(&self, id: &str, now_millis: u64) -> Result<(), Duration> {
        self.buckets.take(self.rates.webhook, &("webhook", id), now_millis)
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
}
