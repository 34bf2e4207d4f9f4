//! The only reader of the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use rookery_log::Millis;

/// The time of this machine.
#[must_use]
pub(crate) fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
