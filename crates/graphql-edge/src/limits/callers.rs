//! The resources that each caller holds: sockets, streams and subscriptions.
//!
//! **Invariant:** memory is bounded by the held resources: a caller without any is forgotten.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rookery_graphql_documents::{Refusal, code};
use rookery_rates::Network;

use crate::port::auth::Caller;

/// Limits of the resources that one caller holds.
#[derive(Clone, Debug)]
pub struct CallerLimits {
    /// Sockets and streams of one user, on all of their devices.
    pub user_sockets_max: usize,
    /// Subscriptions of one user, on all of their sockets and streams.
    pub user_subscriptions_max: usize,
    /// Sockets and streams of one address without a login.
    pub stranger_sockets_max: usize,
    /// How long a socket or a stream without a login may last.
    pub stranger_lifetime: Duration,
    /// Reservations of event streams that one caller has not opened.
    pub reservations_max: usize,
}

impl Default for CallerLimits {
    fn default() -> Self {
        Self {
            user_sockets_max: 250,
            user_subscriptions_max: 1_000,
            stranger_sockets_max: 100,
            stranger_lifetime: Duration::from_mins(1),
            reservations_max: 16,
        }
    }
}

/// A user, or an address without a login.
///
/// Two callers share their limits if their hashes are equal, one chance in 2^64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CallerKey {
    pub(crate) hash: u64,
    pub(crate) is_user: bool,
    /// Whether it has the rate of a program.
    pub(crate) is_program: bool,
}

/// Counts the resources of callers.
#[derive(Debug)]
pub(crate) struct Callers {
    pub(crate) limits: CallerLimits,
    hasher: RandomState,
    held: Mutex<HashMap<CallerKey, Held>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Held {
    sockets: usize,
    subscriptions: usize,
}

/// The kinds of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Socket,
    Subscription,
}

impl Held {
    fn count(&mut self, kind: Kind) -> &mut usize {
        match kind {
            Kind::Socket => &mut self.sockets,
            Kind::Subscription => &mut self.subscriptions,
        }
    }
}

/// One resource of a caller, until this is dropped.
#[derive(Debug)]
pub(crate) struct Holding {
    callers: Arc<Callers>,
    key: CallerKey,
    kind: Kind,
}

impl Drop for Holding {
    fn drop(&mut self) {
        let mut held = self.callers.held.lock();
        if let Entry::Occupied(mut entry) = held.entry(self.key) {
            *entry.get_mut().count(self.kind) -= 1;
            if *entry.get() == Held::default() {
                entry.remove();
            }
        }
    }
}

impl Callers {
    pub(crate) fn new(limits: CallerLimits) -> Arc<Self> {
        let (hasher, held) = (RandomState::new(), Mutex::default());
        Arc::new(Self { limits, hasher, held })
    }

    /// The key of `caller` at `address`.
    pub(crate) fn key(&self, caller: Caller<'_>, address: IpAddr) -> CallerKey {
        let hash = match caller.user {
            Some(user) => self.hasher.hash_one(user),
            None => self.hasher.hash_one(Network::of(address)),
        };
        CallerKey { hash, is_user: caller.user.is_some(), is_program: caller.is_program }
    }

    /// Adds a socket or a stream.
    ///
    /// # Errors
    /// A [`Refusal`] with code `TOO_MANY_SOCKETS` that names the limit.
    pub(crate) fn socket(self: &Arc<Self>, key: CallerKey) -> Result<Holding, Refusal> {
        let limits = &self.limits;
        let max = if key.is_user { limits.user_sockets_max } else { limits.stranger_sockets_max };
        self.hold(key, Kind::Socket, max).ok_or_else(|| {
            let message = if key.is_user {
                format!("You have {max} sockets and streams; close one first.")
            } else {
                format!("This address has {max} sockets without a login; log in, or close one.")
            };
            Refusal::new(code::TOO_MANY_SOCKETS, message)
        })
    }

    /// Adds a subscription.
    ///
    /// # Errors
    /// A [`Refusal`] with code `TOO_MANY_SUBSCRIPTIONS` that names the limit.
    pub(crate) fn subscription(self: &Arc<Self>, key: CallerKey) -> Result<Holding, Refusal> {
        let max = self.limits.user_subscriptions_max;
        self.hold(key, Kind::Subscription, max).ok_or_else(|| {
            let message =
                format!("You have {max} subscriptions on all of your sockets; complete one first.");
            Refusal::new(code::TOO_MANY_SUBSCRIPTIONS, message)
        })
    }

    fn hold(self: &Arc<Self>, key: CallerKey, kind: Kind, max: usize) -> Option<Holding> {
        let mut held = self.held.lock();
        let entry = held.entry(key).or_default();
        let count = entry.count(kind);
        if *count < max {
            *count += 1;
            return Some(Holding { callers: Arc::clone(self), key, kind });
        }
        if *entry == Held::default() {
            held.remove(&key);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn a_caller_holds_so_many_and_one_that_holds_nothing_is_forgotten() {
        let limits = CallerLimits {
            user_sockets_max: 2,
            stranger_sockets_max: 1,
            user_subscriptions_max: 1,
            ..CallerLimits::default()
        };
        let callers = Callers::new(limits);
        let address = "192.0.2.1".parse().unwrap();
        let ada =
            callers.key(Caller { user: Some("ada"), is_admin: false, is_program: false }, address);
        let bob =
            callers.key(Caller { user: Some("bob"), is_admin: false, is_program: false }, address);
        let nobody = callers.key(Caller::NOBODY, address);
        let held = [callers.socket(ada).unwrap(), callers.socket(ada).unwrap()];
        assert_eq!(callers.socket(ada).unwrap_err().code, code::TOO_MANY_SOCKETS);
        let others = [callers.socket(bob).unwrap(), callers.socket(nobody).unwrap()];
        assert!(callers.socket(nobody).unwrap_err().message.contains("log in"));
        let subscription = callers.subscription(ada).unwrap();
        assert_eq!(callers.subscription(ada).unwrap_err().code, code::TOO_MANY_SUBSCRIPTIONS);
        drop(subscription);
        drop((callers.subscription(ada).unwrap(), others));
        assert_eq!(callers.held.lock().len(), 1);
        drop(held);
        assert!(callers.held.lock().is_empty());
    }
}
