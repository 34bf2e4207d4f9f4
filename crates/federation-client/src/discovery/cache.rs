//! Routes to servers, for as long as they may be used.
//!
//! **Invariant:** memory is bounded, and a failure of an answer is kept as well, for a shorter time.

use std::{num::NonZeroUsize, time::Duration};

use lru::LruCache;
use parking_lot::Mutex;
use rookery_domain::{OwnedServerName, ServerName};

use super::Route;

/// Most servers whose route is kept.
const ROUTES_MAX: usize = 10_000;

/// The shortest and the longest time for which a route is kept.
const KEPT: (Duration, Duration) = (Duration::from_mins(5), Duration::from_hours(48));

pub(super) struct Routes(Mutex<LruCache<OwnedServerName, (u64, Route)>>);

impl Routes {
    pub(super) fn new() -> Self {
        let max = NonZeroUsize::new(ROUTES_MAX).unwrap_or(NonZeroUsize::MIN);
        Self(Mutex::new(LruCache::new(max)))
    }

    pub(super) fn get(&self, server: &ServerName, now: u64) -> Option<Route> {
        let mut routes = self.0.lock();
        let (until, route) = routes.get(server)?;
        (now < *until).then(|| route.clone())
    }

    pub(super) fn put(&self, server: &ServerName, route: &Route, kept: Duration, now: u64) {
        let millis = u64::try_from(kept.clamp(KEPT.0, KEPT.1).as_millis()).unwrap_or(u64::MAX);
        self.0.lock().put(server.to_owned(), (now.saturating_add(millis), route.clone()));
    }

    pub(super) fn forget(&self, server: &ServerName) {
        self.0.lock().pop(server);
    }
}
