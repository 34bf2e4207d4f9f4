//! The time, by two clocks.

use std::time::Instant;

/// A moment. Timeouts use the steady clock; times that users see come from the wall clock.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// The steady clock.
    pub at: Instant,
    /// Milliseconds since 1970.
    pub wall_millis: u64,
}
