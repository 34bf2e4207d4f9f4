//! The only reader of the clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rookery_log::Millis;

/// The time of this machine.
#[must_use]
pub(crate) fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The time of this machine, by both clocks.
#[must_use]
pub(crate) fn both() -> rookery_turn::Now {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    rookery_turn::Now { at: Instant::now(), since_1970 }
}
