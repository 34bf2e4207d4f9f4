//! How many logins may fail: by account and address together, and by address.
//!
//! An account alone is never limited, or anyone could lock its owner out.
//!
//! **Invariant:** an attempt counts as failed from its start until it has succeeded, so that many
//! at once, or such as hang up, win nothing.
//! **Invariant:** memory is bounded, whoever fails how often.

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;

use crate::{Millis, Options, time::millis};

/// Most accounts and addresses that are remembered.
const KEYS_MAX: usize = 65_536;

#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    Account(IpAddr, Arc<str>),
}

type Seen = HashMap<Key, VecDeque<u64>>;

/// The failures of the last minutes.
pub(crate) struct Failures {
    window_millis: u64,
    per_account_max: usize,
    per_address_max: usize,
    seen: Mutex<Seen>,
}

/// An attempt that was admitted, and counts as failed unless it is told otherwise.
pub(crate) struct Attempt<'a> {
    failures: &'a Failures,
    keys: [Key; 2],
    at: u64,
}

impl Failures {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            window_millis: millis(options.failure_window).max(1),
            per_account_max: options.failures_per_account_max.max(1),
            per_address_max: options.failures_per_address_max.max(1),
            seen: Mutex::default(),
        }
    }

    /// Admits an attempt to log in as `account`, or says when to retry.
    pub(crate) fn admit(
        &self,
        account: &str,
        from: IpAddr,
        now: Millis,
    ) -> Result<Attempt<'_>, Duration> {
        let from = network(from);
        let keys = [Key::Account(from, account.into()), Key::Address(from)];
        let mut seen = self.seen.lock();
        for (key, max) in keys.iter().zip([self.per_account_max, self.per_address_max]) {
            let Some(times) = seen.get_mut(key) else { continue };
            times.retain(|at| self.counts(*at, now));
            if times.len() >= max {
                let oldest = times.iter().min().copied().unwrap_or(now.0);
                let wait = oldest.saturating_add(self.window_millis).saturating_sub(now.0);
                return Err(Duration::from_millis(wait.max(1_000)));
            }
        }
        if seen.len() + keys.len() > KEYS_MAX {
            self.make_room(&mut seen, now);
        }
        for key in &keys {
            seen.entry(key.clone()).or_default().push_back(now.0);
        }
        Ok(Attempt { failures: self, keys, at: now.0 })
    }

    /// Whether a failure still counts. One from the future is from before the clock was set back.
    fn counts(&self, at: u64, now: Millis) -> bool {
        now.0.abs_diff(at) < self.window_millis
    }

    /// Forgets what no longer counts; if that is not enough, the older half.
    fn make_room(&self, seen: &mut Seen, now: Millis) {
        let last = |times: &VecDeque<u64>| times.back().copied().unwrap_or_default();
        seen.retain(|_, times| self.counts(last(times), now));
        if seen.len() > KEYS_MAX / 2 {
            let mut ages: Vec<_> = seen.values().map(last).collect();
            let middle = ages.len() / 2;
            let (_, median, _) = ages.select_nth_unstable(middle);
            let median = *median;
            let mut excess = seen.len() - KEYS_MAX / 2;
            seen.retain(|_, times| {
                let forget = excess > 0 && last(times) <= median;
                excess -= usize::from(forget);
                !forget
            });
        }
    }
}

impl Attempt<'_> {
    /// The attempt was no failure.
    pub(crate) fn refund(self) {
        let mut seen = self.failures.seen.lock();
        for key in &self.keys {
            Self::forget(&mut seen, key, self.at);
        }
    }

    /// The password was right: this account starts anew at this address. The address does not, or
    /// one good account would pay for guesses at all others.
    pub(crate) fn succeeded(self) {
        let mut seen = self.failures.seen.lock();
        let [account, address] = &self.keys;
        seen.remove(account);
        Self::forget(&mut seen, address, self.at);
    }

    fn forget(seen: &mut Seen, key: &Key, at: u64) {
        let Some(times) = seen.get_mut(key) else { return };
        if let Some(index) = times.iter().position(|time| *time == at) {
            times.remove(index);
        }
        if times.is_empty() {
            seen.remove(key);
        }
    }
}

/// What one client is likely to have: an IPv4 address, or an IPv6 /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn failures() -> Failures {
        Failures::new(&Options::default())
    }

    fn fail(failures: &Failures, account: &str, from: &str, now: u64) -> Result<(), Duration> {
        failures.admit(account, ip(from), Millis(now)).map(drop)
    }

    #[test]
    fn the_eleventh_failure_in_five_minutes_is_refused() {
        let failures = failures();
        for n in 0..10 {
            assert!(fail(&failures, "ada", "192.0.2.1", n * 1_000).is_ok());
        }
        let refused = fail(&failures, "ada", "192.0.2.1", 10_000);
        assert_eq!(refused, Err(Duration::from_millis(5 * MINUTE - 10_000)));
        assert!(fail(&failures, "ada", "192.0.2.1", 5 * MINUTE - 1).is_err());
        assert!(fail(&failures, "ada", "192.0.2.1", 5 * MINUTE).is_ok(), "the window slides");
        assert!(fail(&failures, "ada", "192.0.2.1", 5 * MINUTE).is_err(), "by one at a time");
    }

    #[test]
    fn the_owner_is_not_locked_out_from_another_address() {
        let failures = failures();
        while fail(&failures, "ada", "192.0.2.1", 0).is_ok() {}
        assert!(fail(&failures, "ada", "192.0.2.2", 0).is_ok());
        assert!(fail(&failures, "bob", "192.0.2.1", 0).is_ok());
    }

    #[test]
    fn an_address_is_limited_over_all_accounts() {
        let failures = failures();
        let admitted =
            (0..500).filter(|n| fail(&failures, &n.to_string(), "192.0.2.1", 0).is_ok()).count();
        assert_eq!(admitted, 100);
    }

    #[test]
    fn one_ipv6_network_is_one_address() {
        let failures = failures();
        let admitted = (0..500)
            .filter(|n| fail(&failures, "ada", &format!("2001:db8:1:2::{n:x}"), 0).is_ok())
            .count();
        assert_eq!(admitted, 10);
        assert!(fail(&failures, "ada", "2001:db8:1:3::1", 0).is_ok());
        while fail(&failures, "ada", "192.0.2.9", 0).is_ok() {}
        assert!(fail(&failures, "ada", "::ffff:192.0.2.9", 0).is_err(), "IPv4 in IPv6 is IPv4");
    }

    #[test]
    fn success_forgives_the_account_but_not_the_address() {
        let failures = failures();
        for _ in 0..9 {
            fail(&failures, "ada", "192.0.2.1", 0).expect("admitted");
        }
        failures.admit("ada", ip("192.0.2.1"), Millis(0)).expect("tenth").succeeded();
        let more = (0..200).filter(|_| fail(&failures, "ada", "192.0.2.1", 0).is_ok()).count();
        assert_eq!(more, 10);
        let others =
            (0..200).filter(|n| fail(&failures, &n.to_string(), "192.0.2.1", 0).is_ok()).count();
        assert_eq!(others, 100 - 9 - 10);
    }

    #[test]
    fn a_refunded_attempt_leaves_nothing() {
        let failures = failures();
        failures.admit("ada", ip("192.0.2.1"), Millis(0)).expect("admitted").refund();
        assert!(failures.seen.lock().is_empty());
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let failures = failures();
        while fail(&failures, "ada", "192.0.2.1", 1_000 * MINUTE).is_ok() {}
        assert!(fail(&failures, "ada", "192.0.2.1", 0).is_ok());
    }

    #[test]
    fn memory_is_bounded_and_the_latest_failures_are_kept() {
        let failures = failures();
        for n in 0..100_000_u32 {
            let from = IpAddr::from(n.to_be_bytes());
            failures.admit("ada", from, Millis(u64::from(n) / 1_000)).map(drop).expect("admitted");
        }
        let seen = failures.seen.lock();
        assert!(seen.len() <= KEYS_MAX);
        assert!(seen.contains_key(&Key::Address(IpAddr::from(99_999_u32.to_be_bytes()))));
    }
}
