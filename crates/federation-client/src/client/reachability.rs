//! Servers that did not answer, and when they are asked again.
//!
//! **Invariant:** memory is bounded.
//! **Invariant:** a sign of life of a server ends its pause.

use std::{num::NonZeroUsize, time::Duration};

use lru::LruCache;
use parking_lot::Mutex;
use rookery_domain::{OwnedServerName, ServerName};

use super::TransportError;

/// Most servers whose failures are known.
const SERVERS_MAX: usize = 10_000;

/// The pauses between tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pauses {
    /// After the first failure.
    pub first: Duration,
    /// Each pause is twice the one before it, up to this.
    pub longest: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), longest: Duration::from_hours(1) }
    }
}

impl Pauses {
    /// The pause after this many failures in a row, in milliseconds: between three quarters and all of it, so that
    /// servers that failed together are not tried together.
    #[must_use]
    pub fn after_millis(self, failures: u32) -> u64 {
        let doubled = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        let pause = self.first.saturating_mul(doubled).min(self.longest);
        let pause = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        let mut random = [0; 1];
        // Without randomness all of the pause is waited.
        getrandom::fill(&mut random).ok();
        pause - pause / 1_024 * u64::from(random[0])
    }
}

struct Failing {
    failures: u32,
    next_try: u64,
    trouble: String,
}

/// The servers that did not answer.
pub struct Reachability {
    pauses: Pauses,
    failing: Mutex<LruCache<OwnedServerName, Failing>>,
}

impl Reachability {
    /// Nothing has failed yet.
    #[must_use]
    pub fn new(pauses: Pauses) -> Self {
        let max = NonZeroUsize::new(SERVERS_MAX).unwrap_or(NonZeroUsize::MIN);
        Self { pauses, failing: Mutex::new(LruCache::new(max)) }
    }

    /// Refuses a server whose pause has not ended.
    ///
    /// # Errors
    /// [`TransportError::NotNow`].
    pub fn check(&self, server: &ServerName, now: u64) -> Result<(), TransportError> {
        let mut all = self.failing.lock();
        let Some(failing) = all.get(server).filter(|it| now < it.next_try) else { return Ok(()) };
        let wait = Duration::from_millis(failing.next_try - now);
        Err(TransportError::NotNow { wait, trouble: failing.trouble.clone() })
    }

    /// Records a failure.
    pub fn failed(&self, server: &ServerName, trouble: String, now: u64) {
        let mut all = self.failing.lock();
        let failures = all.get(server).map_or(0, |it| it.failures).saturating_add(1);
        let next_try = now.saturating_add(self.pauses.after_millis(failures));
        all.put(server.to_owned(), Failing { failures, next_try, trouble });
    }

    /// Forgets the failures of a server.
    pub fn is_alive(&self, server: &ServerName) {
        self.failing.lock().pop(server);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_fails_is_asked_less_and_less_up_to_once_an_hour() {
        let (reachability, mut now) = (Reachability::new(Pauses::default()), 0);
        let server = <&ServerName>::try_from("one.example").unwrap();
        for failures in 1_u32..20 {
            reachability.failed(server, "no address".to_owned(), now);
            let TransportError::NotNow { wait, .. } = reachability.check(server, now).unwrap_err()
            else {
                panic!("another error")
            };
            let full = Duration::from_secs(3_600.min(1 << (failures - 1)));
            assert!(wait <= full && wait >= full.mul_f64(0.74), "{wait:?} of {full:?}");
            now += u64::try_from(wait.as_millis()).unwrap();
            assert_eq!(reachability.check(server, now), Ok(()));
        }
        reachability.failed(server, "no address".to_owned(), now);
        reachability.is_alive(server);
        assert_eq!(reachability.check(server, now), Ok(()));
    }
}
