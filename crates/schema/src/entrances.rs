//! Rate limits of registrations and logins from one address, and of credentials for the relay of calls.
//!
//! **Invariant:** an attempt counts before the password is hashed, whatever its outcome is.
//! **Invariant:** nobody can lock a user out from another address.

use std::{hash::Hash, net::IpAddr, time::Duration};

use rookery_log::Millis;
use rookery_rates::{Buckets, Network, Pace};

use crate::types::errors::refusal::{Refusal, RefusalCode};

/// How many buckets are remembered. A forgotten bucket is full.
const BUCKETS_MAX: usize = 100_000;

/// The rate limits of registrations, logins and credentials for the relay of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entrances {
    /// Registrations from one address; `None` for no limit.
    pub registrations: Option<Pace>,
    /// Logins of one user from one address.
    pub logins: Option<Pace>,
    /// Credentials of one user for the relay of calls.
    pub ice_servers: Option<Pace>,
}

/// The buckets of all addresses.
pub struct EntranceLimiter {
    paces: Entrances,
    buckets: Buckets,
}

impl EntranceLimiter {
    /// Full buckets with these limits.
    pub fn new(paces: Entrances) -> Self {
        Self { paces, buckets: Buckets::new(BUCKETS_MAX) }
    }

    /// Admits a registration from `address`, or returns the refusal.
    pub fn register(&self, address: IpAddr, now: Millis) -> Option<Refusal> {
        let key = ("register", Network::of(address));
        self.refusal(self.paces.registrations, &key, "registrations from your address", now)
    }

    /// Admits a login as `user` from `address`, or returns the refusal.
    pub fn log_in(&self, user: &str, address: IpAddr, now: Millis) -> Option<Refusal> {
        let key = (user, Network::of(address));
        self.refusal(self.paces.logins, &key, "logins", now)
    }

    /// Admits a request of `user` for credentials of the relay, or returns the refusal.
    pub fn ice_servers(&self, user: &str, now: Millis) -> Option<Refusal> {
        let key = ("ice servers", user);
        self.refusal(self.paces.ice_servers, &key, "requests for `iceServers`", now)
    }

    fn refusal(
        &self,
        pace: Option<Pace>,
        key: &impl Hash,
        what: &str,
        now: Millis,
    ) -> Option<Refusal> {
        self.buckets.take(pace, key, now.0).err().map(|wait| rate_limited(what, wait))
    }
}

fn rate_limited(what: &str, wait: Duration) -> Refusal {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let message = format!("too many {what} in a short time; try again in {seconds} s");
    Refusal::until(RefusalCode::RateLimited, message, wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_700_000_000_000);

    #[test]
    fn registrations_count_by_address_and_logins_by_user_and_address() {
        let pace = Some(Pace { burst: 2, interval: Duration::from_secs(30) });
        let limiter = EntranceLimiter::new(Entrances {
            registrations: pace,
            logins: pace,
            ice_servers: pace,
        });
        let here = IpAddr::from([192, 0, 2, 1]);
        let there = IpAddr::from([192, 0, 2, 2]);
        for _ in 0..2 {
            assert!(limiter.register(here, NOW).is_none());
            assert!(limiter.log_in("ada", here, NOW).is_none());
        }
        let refused = limiter.register(here, NOW);
        assert_eq!(refused.and_then(|refusal| refusal.retry_after), Some(30));
        assert!(limiter.log_in("ada", here, NOW).is_some());
        assert!(limiter.register(there, NOW).is_none());
        assert!(limiter.log_in("ada", there, NOW).is_none());
        assert!(limiter.log_in("bob", here, NOW).is_none());
        assert!(limiter.register(here, Millis(NOW.0 + 30_000)).is_none());
        for _ in 0..2 {
            assert!(limiter.ice_servers("ada", NOW).is_none());
        }
        assert!(limiter.ice_servers("ada", NOW).is_some());
        assert!(limiter.ice_servers("bob", NOW).is_none());
    }
}
