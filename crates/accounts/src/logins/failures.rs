//! Limits of failed logins: by account and address together, and by address.
//!
//! An account alone is never limited, or anyone could lock its owner out. An address alone is not
//! limited either, because many users may share one: behind an undeclared proxy, or in one
//! building. At an address over its limit, an account that exists and has few failures there may
//! still be tried. The answer to a wrong password is then the same as to a name that does not
//! exist.
//!
//! **Invariant:** at an address over its limit, names that do not exist are never tried. Each
//! account may fail [`OVER_LIMIT_PER_ACCOUNT_MAX`] times there. Accounts that never logged in there
//! may together fail as often as the limit of an address.
//! **Invariant:** an attempt counts as failed from its start until it succeeds, so parallel or
//! aborted attempts gain nothing.
//! **Invariant:** memory is bounded for any pattern of failures.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use rookery_rates::Network;

use crate::{Millis, Options, time::millis};

/// How many accounts and addresses are remembered.
const KEYS_MAX: usize = 65_536;

/// How many pairs of an account and an address where it logged in are remembered.
const KNOWN_MAX: usize = 16_384;

/// An account with fewer failures may still be tried at an address over its limit.
pub(crate) const OVER_LIMIT_PER_ACCOUNT_MAX: usize = 3;

#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Address(Network),
    /// The failures of an address beyond its limit.
    OverLimit(Network),
    Account(Network, Arc<str>),
}

type Seen = HashMap<Key, VecDeque<u64>>;

/// The recent failures.
pub(crate) struct Failures {
    window_millis: u64,
    per_account_max: usize,
    per_address_max: usize,
    seen: Mutex<Seen>,
    known: Mutex<Known>,
}

/// Accounts that have logged in at an address since the server started.
#[derive(Default)]
struct Known {
    accounts: HashSet<(Network, Arc<str>)>,
    /// The same pairs, oldest first.
    order: VecDeque<(Network, Arc<str>)>,
}

/// An admitted attempt. It counts as failed until it reports otherwise.
pub(crate) struct Attempt<'a> {
    failures: &'a Failures,
    account: Key,
    address: Option<Key>,
    at: u64,
    /// The address is over its limit: any answer but success has to look like this refusal.
    pub(crate) over_limit: Option<Duration>,
}

/// An attempt that was refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Limited {
    /// The time to wait.
    pub(crate) retry_after: Duration,
    /// Whether an existing account would have been tried instead. The refusal then has to take as
    /// long.
    pub(crate) looks_tried: bool,
}

impl Failures {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            window_millis: millis(options.failure_window).max(1),
            per_account_max: options.failures_per_account_max.max(1),
            per_address_max: options.failures_per_address_max.max(1),
            seen: Mutex::default(),
            known: Mutex::default(),
        }
    }

    /// Admits an attempt to log in as `account`, which has a password if it `exists`, or says when
    /// to retry.
    pub(crate) fn admit(
        &self,
        account: &str,
        exists: bool,
        from: IpAddr,
        now: Millis,
    ) -> Result<Attempt<'_>, Limited> {
        let from = Network::of(from);
        let (name, address) = (Arc::<str>::from(account), Key::Address(from));
        let account = Key::Account(from, Arc::clone(&name));
        let mut seen = self.seen.lock();
        if let Some(retry_after) = self.wait(&mut seen, &account, self.per_account_max, now) {
            return Err(Limited { retry_after, looks_tried: false });
        }
        let over_limit = self.wait(&mut seen, &address, self.per_address_max, now);
        let address = match over_limit {
            None => Some(address),
            Some(retry_after) => {
                let limited = Limited { retry_after, looks_tried: true };
                let few = self.wait(&mut seen, &account, OVER_LIMIT_PER_ACCOUNT_MAX, now).is_none();
                if !exists || !few {
                    return Err(limited);
                }
                if self.known.lock().accounts.contains(&(from, name)) {
                    None
                } else {
                    let beyond = Key::OverLimit(from);
                    if self.wait(&mut seen, &beyond, self.per_address_max, now).is_some() {
                        return Err(limited);
                    }
                    Some(beyond)
                }
            }
        };
        if seen.len() + 2 > KEYS_MAX {
            self.make_room(&mut seen, now);
        }
        for key in std::iter::once(&account).chain(&address) {
            seen.entry(key.clone()).or_default().push_back(now.0);
        }
        Ok(Attempt { failures: self, account, address, at: now.0, over_limit })
    }

    /// The time until `key` has fewer than `max` failures; `None` if it has fewer now.
    fn wait(&self, seen: &mut Seen, key: &Key, max: usize, now: Millis) -> Option<Duration> {
        let times = seen.get_mut(key)?;
        times.retain(|at| self.counts(*at, now));
        if times.len() < max {
            return None;
        }
        let oldest = times.iter().min().copied().unwrap_or(now.0);
        let wait = oldest.saturating_add(self.window_millis).saturating_sub(now.0);
        Some(Duration::from_millis(wait.max(1_000)))
    }

    /// Remembers that `account` logged in at that address.
    pub(crate) fn remember(&self, account: &str, from: IpAddr) {
        self.known.lock().insert((Network::of(from), account.into()));
    }

    /// Whether a failure still counts. A failure in the future was recorded before the clock was
    /// set back.
    fn counts(&self, at: u64, now: Millis) -> bool {
        now.0.abs_diff(at) < self.window_millis
    }

    /// Forgets failures that no longer count; if that is not enough, the older half.
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

impl Known {
    fn insert(&mut self, account: (Network, Arc<str>)) {
        if !self.accounts.insert(account.clone()) {
            return;
        }
        self.order.push_back(account);
        if self.order.len() > KNOWN_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.accounts.remove(&oldest);
        }
    }
}

impl Attempt<'_> {
    /// Takes the attempt back: it was not a failure.
    pub(crate) fn refund(self) {
        let mut seen = self.failures.seen.lock();
        for key in std::iter::once(&self.account).chain(&self.address) {
            Self::forget(&mut seen, key, self.at);
        }
    }

    /// The password was right, so the count of this account at this address restarts. The count of
    /// the address does not, because one good account must not pay for guesses at all others.
    pub(crate) fn succeeded(self) {
        if let Key::Account(from, account) = &self.account {
            self.failures.known.lock().insert((*from, Arc::clone(account)));
        }
        let mut seen = self.failures.seen.lock();
        seen.remove(&self.account);
        if let Some(address) = &self.address {
            Self::forget(&mut seen, address, self.at);
        }
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
        let admitted = failures.admit(account, false, ip(from), Millis(now));
        admitted.map(drop).map_err(|limited| limited.retry_after)
    }

    /// Fails a login to an account that exists, and returns whether it was tried.
    fn fail_at(failures: &Failures, account: &str, from: &str) -> bool {
        failures.admit(account, true, ip(from), Millis(0)).map(drop).is_ok()
    }

    fn log_in(failures: &Failures, account: &str, from: &str) -> bool {
        let admitted = failures.admit(account, true, ip(from), Millis(0));
        admitted.map(Attempt::succeeded).is_ok()
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
    fn guesses_at_made_up_names_lock_nobody_out_of_a_shared_address() {
        let failures = failures();
        for n in 0..5_000 {
            fail(&failures, &format!("nobody{}", n / 9), "192.0.2.1", 0).ok();
        }
        for user in 0..1_000 {
            assert!(log_in(&failures, &format!("user{user}"), "192.0.2.1"), "user{user}");
        }
        let limited = failures.admit("nobody", false, ip("192.0.2.1"), Millis(0)).err();
        assert!(limited.is_some_and(|limited| limited.looks_tried), "the limit holds for others");
    }

    #[test]
    fn beyond_the_limit_of_an_address_each_account_and_all_together_are_limited() {
        let failures = failures();
        assert!(log_in(&failures, "regular", "192.0.2.1"));
        while fail(&failures, "nobody", "192.0.2.1", 0).is_ok() {}
        for n in 0..200 {
            fail(&failures, &n.to_string(), "192.0.2.1", 0).ok();
        }
        let tried = (0..50).filter(|_| fail_at(&failures, "ada", "192.0.2.1")).count();
        assert_eq!(tried, OVER_LIMIT_PER_ACCOUNT_MAX);
        let tried = (0..500).filter(|n| fail_at(&failures, &format!("u{n}"), "192.0.2.1")).count();
        assert_eq!(tried, 100 - OVER_LIMIT_PER_ACCOUNT_MAX);
        assert!(log_in(&failures, "regular", "192.0.2.1"), "who logged in there before gets in");
        assert!(!log_in(&failures, "u499", "192.0.2.1"));
        assert!(log_in(&failures, "u499", "192.0.2.2"), "and everybody elsewhere");
    }

    #[test]
    fn a_bounded_number_of_accounts_is_known_at_addresses() {
        let failures = failures();
        for n in 0..50_000 {
            failures.remember(&n.to_string(), ip("192.0.2.1"));
        }
        let known = failures.known.lock();
        assert_eq!((known.accounts.len(), known.order.len()), (KNOWN_MAX, KNOWN_MAX));
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
        assert!(log_in(&failures, "ada", "192.0.2.1"), "the tenth");
        let more = (0..200).filter(|_| fail(&failures, "ada", "192.0.2.1", 0).is_ok()).count();
        assert_eq!(more, 10);
        let others =
            (0..200).filter(|n| fail(&failures, &n.to_string(), "192.0.2.1", 0).is_ok()).count();
        assert_eq!(others, 100 - 9 - 10);
    }

    #[test]
    fn a_refunded_attempt_leaves_nothing() {
        let failures = failures();
        let admitted = failures.admit("ada", true, ip("192.0.2.1"), Millis(0));
        admitted.unwrap_or_else(|limited| panic!("{limited:?}")).refund();
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
            let admitted = failures.admit("ada", false, from, Millis(u64::from(n) / 1_000));
            admitted.map(drop).expect("admitted");
        }
        let seen = failures.seen.lock();
        assert!(seen.len() <= KEYS_MAX);
        assert!(
            seen.contains_key(&Key::Address(Network::of(IpAddr::from(99_999_u32.to_be_bytes()))))
        );
    }
}
